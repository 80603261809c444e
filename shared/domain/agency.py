"""How an agency declares itself. What differs between agencies is data of these shapes; the engine is one."""

from collections.abc import Mapping
from dataclasses import dataclass

from shared.contracts.codes import IdentityField, Kind, Stage
from shared.domain.forms import Form
from shared.domain.text import Text


@dataclass(frozen=True, slots=True)
class Service:
    """Something an agency does for a victim. ``stage`` is where a journey stands while it is done, ``clock`` the row
    of the table of clocks that says by when it must have begun."""

    code: str
    label: Text
    stage: Stage
    clock: str
    needs: frozenset[IdentityField] = frozenset()
    """The fields of an identity without which it cannot be done; the sender seals these for it and no others."""
    urgent: bool = False
    """Whether nobody may be made to wait for it: whoever they are suspected to be, and however full the desk is."""


@dataclass(frozen=True, slots=True)
class Route:
    """A service of another agency that this one may ask for, and whether responsibility may move with it.

    What the service is called, its stage and its clock stand in the published directory.
    """

    agency: str
    service: str
    kinds: frozenset[Kind]


@dataclass(frozen=True, slots=True)
class Agency:
    """What an agency is, does, takes in and may ask of others."""

    code: str
    label: Text
    subsatgas: str
    channels: Mapping[str, Text]
    """The ways a case reaches this agency."""
    services: tuple[Service, ...]
    routes: tuple[Route, ...]
    duties: tuple[str, ...] = ()
    """The clocks that it keeps for its victims, beyond those of what it does and asks for."""
    forms: tuple[Form, ...] = ()
    """What it writes down of its own work."""
    coordinator: str | None = None
    """The member that follows every journey and must witness every event, if the network has one."""

    def route(self, agency: str, service: str) -> Route | None:
        """The declared route to that service of that agency, if there is one."""
        return next((r for r in self.routes if r.agency == agency and r.service == service), None)
