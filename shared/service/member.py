"""The declaration of a member's service: what the engine needs to know of an agency or of coordination."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request, Response

from shared.domain.access import AccessRule
from shared.domain.agency import Agency
from shared.http import problems
from shared.messaging.consumer import Receive
from shared.messaging.reception import Apply, Objects, Reception, TellParked, tell_nobody
from shared.reference.office import Office
from shared.service.slice import Forget, Slice
from shared.storage.known_ids import KnownIds
from shared.storage.unit_of_work import Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """The traits of one member's app: its slices, access rules, tables, and the effect of a received event."""

    agency: Agency
    slices: Sequence[Slice]
    rules: Mapping[str, AccessRule]
    """Operation → the rule that says which roles may ask for it."""
    lineages: Sequence[Path]
    """The migration folders of the member's tables."""
    apply: Callable[[Office], Apply]
    objects: Callable[[Office], Objects]
    """Asks the table of trust (``shared.domain.trust``) with what the member knows."""
    tell_parked: Callable[[Office], TellParked] = lambda _: tell_nobody
    """Tells others of an event that is parked, because a rule or a stored row is against it."""
    follower: bool = False
    """Whether the member also receives events addressed to other members."""
    receive: Callable[[Reception], Receive] = lambda reception: reception
    """Wraps the reception of a batch of messages."""
    examples: Callable[[Office, date], Mapping[str, Any]] = lambda *_: {}
    """Schema name → an example that is true of this member, for its OpenAPI document."""
    no_such_address: Callable[[Request, Exception], Awaitable[Response]] = problems.on_http
    """The response for an unknown address, or for a method that the address does not have."""

    @property
    def routers(self) -> Sequence[APIRouter]:
        """The routers of all slices."""
        return [router for one in self.slices for router in one.routers]

    @property
    def forgets(self) -> Sequence[Forget]:
        """The delete functions of the slices, for the erasure of a victim."""
        return [one.forgets for one in self.slices if not isinstance(one.forgets, str)]

    @property
    def ids(self) -> KnownIds:
        """The columns of the slices that hold ids."""
        return KnownIds([column for one in self.slices for column in one.ids])

    def start(self, tx: Transaction, office: Office) -> None:
        """Run the start of every slice, before events are received."""
        for one in self.slices:
            if one.on_start is not None:
                one.on_start(tx, office)
