"""The parts that a slice brings to a member: one frozen value, built once when the app is made.

There is no registration at run time: a member lists its slices, and the app reads them.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from fastapi import APIRouter

from shared.contracts.envelope import Envelope
from shared.contracts.events import EventData
from shared.domain.refusal import Refusal
from shared.reference.office import Office
from shared.storage.known_ids import IdColumn
from shared.storage.timers import Timer
from shared.storage.unit_of_work import Transaction

Receiver = Callable[[Transaction, Office, Envelope, Any], None]
"""Applies one trusted event to our rows. Raises Park."""
Forget = Callable[[Transaction, str], None]
"""Deletes what is kept of a victim, by the victim's id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """One capability: its routes, the effects of its events, its timers, and its refusals."""

    routers: tuple[APIRouter, ...] = ()
    receives: Mapping[type[EventData], Receiver] = field(default_factory=dict)
    """Event class → what the event does to our rows. An event has one receiver in a member."""
    timers: tuple[Callable[[Office], Timer], ...] = ()
    """Tasks that fall due with nobody logged in."""
    on_start: Callable[[Transaction, Office], None] | None = None
    """Runs in a unit of work at every start, before events are received."""
    refusals: Mapping[str, Refusal] = field(default_factory=dict)
    """Problem code → status and texts. A code stands in one slice."""
    ids: tuple[IdColumn, ...] = ()
    """The columns with the ids that this agency vouches for, so that an id has one kind."""
    forgets: Forget | str
    """Deletes the slice's unsealed rows when a victim is erased; or the reason why no row is deleted."""


def ignore(tx: Transaction, office: Office, envelope: Envelope, event: EventData) -> None:
    """The receiver of an event that changes none of our rows: the ledger keeps it."""


def all_refusals(slices: Iterable[Slice]) -> Mapping[str, Refusal]:
    """Problem code → status and texts, of all slices. Raises ValueError for a code that stands in two slices."""
    found: dict[str, Refusal] = {}
    for one in slices:
        if twice := found.keys() & one.refusals.keys():
            raise ValueError(f"problem codes of two slices: {sorted(twice)}")
        found |= one.refusals
    return dict(sorted(found.items()))


def all_receivers(slices: Iterable[Slice]) -> Mapping[type[EventData], Receiver]:
    """Event class → receiver, of all slices. Raises ValueError for an event with two receivers."""
    found: dict[type[EventData], Receiver] = {}
    for one in slices:
        if twice := found.keys() & one.receives.keys():
            raise ValueError(f"events with two receivers: {sorted(event.__name__ for event in twice)}")
        found |= one.receives
    return found
