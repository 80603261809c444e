"""The declaration of an agency. Agencies differ only in data of these types; the engine is the same for all."""

from collections.abc import Mapping
from dataclasses import dataclass

from shared.contracts.codes import IdentityField, Kind, Stage
from shared.domain.forms import Form
from shared.domain.text import Text


@dataclass(frozen=True, slots=True)
class Service:
    """A service that an agency gives a victim.

    ``stage`` is the stage of the journey during the service. ``clock`` is the code of the clock, from the table of
    clocks, that limits the time until the service begins.
    """

    code: str
    label: Text
    stage: Stage
    clock: str
    needs: frozenset[IdentityField] = frozenset()
    """The identity fields without which the service is impossible. The sender seals these for it and no others."""
    urgent: bool = False
    """Whether the service may not wait: a suspected recruiter gets it too, and a full desk is asked too."""


@dataclass(frozen=True, slots=True)
class Route:
    """A service of another agency that this agency may ask for. ``kinds`` says whether custody may move with it.

    The published directory holds the label, the stage and the clock of the service.
    """

    agency: str
    service: str
    kinds: frozenset[Kind]


@dataclass(frozen=True, slots=True)
class Agency:
    """An agency: its code and label, its channels, its services and forms, and its routes to other agencies."""

    code: str
    label: Text
    subsatgas: str
    channels: Mapping[str, Text]
    """The ways a case reaches this agency."""
    services: tuple[Service, ...]
    routes: tuple[Route, ...]
    duties: tuple[str, ...] = ()
    """The codes of clocks that the agency runs for its victims, beside the clocks of services."""
    forms: tuple[Form, ...] = ()
    """The forms on which the agency records its own work."""
    coordinator: str | None = None
    """The member that follows every journey and must witness every event, if the network has one."""

    def route(self, agency: str, service: str) -> Route | None:
        """The declared route to that service of that agency, or None."""
        return next((r for r in self.routes if r.agency == agency and r.service == service), None)
