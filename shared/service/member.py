"""The declaration of a member's service: what the engine needs to know of an agency or of coordination."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request, Response

from shared.domain.access import Rule
from shared.domain.agency import Agency
from shared.http import problems
from shared.messaging.consumer import Receive
from shared.messaging.reception import Apply, Reception
from shared.reference.office import Office
from shared.storage.timers import Deadline
from shared.storage.unit_of_work import Transaction


@dataclass(frozen=True, slots=True)
class Member:
    """What distinguishes one member's app: routes, access rules, tables, and what a received event does."""

    agency: Agency
    routers: Sequence[APIRouter]
    rules: Mapping[str, Rule]
    """Operation → the rule that says which roles may ask for it."""
    lineages: Sequence[Path]
    """The migration folders of the member's tables."""
    apply: Callable[[Office], Apply]
    follower: bool = False
    """Whether the member also receives events addressed to other members."""
    receive: Callable[[Reception], Receive] = lambda reception: reception
    """Wraps the reception of a batch of messages."""
    deadlines: Callable[[Office], Sequence[Deadline]] = lambda _: ()
    """The timers: what falls due at a moment with nobody logged in."""
    begin: Callable[[Transaction, Office], None] = lambda *_: None
    """Run in a unit of work at every start, before events are received."""
    examples: Callable[[Office, date], Mapping[str, Any]] = lambda *_: {}
    """Schema name → an example that is true of this member, for its OpenAPI document."""
    forgets: Sequence[Callable[[Transaction, str], None]] = ()
    """What is deleted of a victim who is erased, beside what is sealed."""
    no_such_address: Callable[[Request, Exception], Awaitable[Response]] = problems.on_http
    """The response for an unknown address, or for a method that the address does not have."""
