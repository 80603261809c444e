"""Clocks (DESIGN section 7): the events that start and stop a time limit, and the steps around its end.

A clock is a row of a table: legal basis, start and stop events, limit. A running clock warns before it is due and
is breached when it is due. After that, the clock escalates to one desk above after another. Each moment follows from
the row, the start and the desk alone. So a service that was down for a week computes the same moments.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta, timezone
from enum import StrEnum
from typing import Any

from shared.contracts.events import EventData
from shared.contracts.types import UnitRef
from shared.domain.text import Text


class Counting(StrEnum):
    """How the limit of a clock is counted."""

    ELAPSED = "elapsed"
    """Elapsed hours, ``N×24 jam``, whatever the calendar says."""
    CALENDAR_DAYS = "calendar-days"
    """Whole days after the day of the start. The limit ends with the last day, in the desk's time zone."""


class ClockSubject(StrEnum):
    """The kind of object that a clock runs for. The events that start and stop the clock share the object's id."""

    REFERRAL = "referral"
    VICTIM = "victim"
    CASE = "case"
    RECORD = "record"
    """A filed form, until another form answers it. A correction stands in the place of the corrected form."""


TOLD_BY_OTHERS = frozenset({ClockSubject.REFERRAL})
"""The subjects whose clocks an event of another agency starts and stops.

Anybody may send us a request. A clock of the law about a victim watches our own duty, so our own act alone moves it.
"""


class Scope(StrEnum):
    """The kind of rule that sets a clock."""

    NATIONAL_LAW = "national-law"
    LOCAL_STANDARD = "local-standard"


class Step(StrEnum):
    """The steps of a running clock, in this order."""

    WARNED = "warned"
    BREACHED = "breached"
    ESCALATED = "escalated"


@dataclass(frozen=True, slots=True)
class Trigger:
    """An event that starts or stops a clock, such as ``referral.requested``. ``where``: fact → the allowed values."""

    event: str
    where: Mapping[str, frozenset[str]]

    def fits(self, event: str, facts: Mapping[str, Any]) -> bool:
        """Whether an event with these facts fits this trigger."""
        return event == self.event and all(_among(facts.get(name), values) for name, values in self.where.items())


def _among(fact: Any, values: frozenset[str]) -> bool:
    """Whether a fact, or one of several, is among these values."""
    if isinstance(fact, bool):
        fact = str(fact).lower()  # as the JSON of the table writes it
    return not values.isdisjoint(fact) if isinstance(fact, list | frozenset) else fact in values


@dataclass(frozen=True, slots=True)
class Clock:
    """A time limit that a law or a local standard sets."""

    code: str
    label: Text
    basis: str
    """The law or the standard that sets the limit."""
    source: str
    """The document that states the limit, and the parts of the row that the document does not state."""
    scope: Scope
    about: ClockSubject
    limit: timedelta
    counting: Counting
    starts: tuple[Trigger, ...]
    stops: tuple[Trigger, ...]
    warn_before: timedelta
    escalate_after: tuple[timedelta, ...]
    """For each desk above, nearest first: the time from the breach until that desk is told."""
    regions: frozenset[str] = frozenset()
    """The regions where the clock applies: to desks of these regions, and of regions inside them."""
    desks: frozenset[str] = frozenset()
    """The desks to which the clock applies, as ``agency/unit``. Without regions and desks it applies everywhere."""
    by_itself: bool = True
    """Whether the start event alone starts it. Otherwise a service names it, or names the clock that it shortens."""
    shortens: str | None = None
    """The clock that it replaces where it applies. A local standard may be stricter than the law, never laxer."""

    def holds_at(self, desk: UnitRef) -> bool:
        """Whether the clock applies to a desk."""
        if not self.regions and not self.desks:
            return True
        places = {desk.region, desk.region.partition(".")[0]}
        return not self.regions.isdisjoint(places) or f"{desk.agency}/{desk.unit}" in self.desks

    def due(self, start: datetime, zone: timezone) -> datetime:
        """When a clock is due that starts at ``start`` for a desk in ``zone``; in the time zone of ``start``."""
        if self.counting is Counting.ELAPSED:
            return start + self.limit
        last = start.astimezone(zone).date() + self.limit
        return datetime.combine(last + timedelta(days=1), time(), zone).astimezone(start.tzinfo)


@dataclass(frozen=True, slots=True)
class DueStep:
    """A step of a running clock, and its moment (UTC). ``height``: which desk above is told, 1 for the nearest."""

    step: Step
    at: datetime
    height: int = 0


def all_steps(clock: Clock, start: datetime, due: datetime, above: int) -> tuple[DueStep, ...]:
    """The steps, in order, of a clock that started at ``start``, for a desk with ``above`` desks above it.

    A warning never comes before the start. So a short clock warns when half of its time has passed.
    """
    warn = max(due - clock.warn_before, start + (due - start) / 2)
    told = zip(clock.escalate_after, range(1, above + 1), strict=False)
    return (
        DueStep(Step.WARNED, warn),
        DueStep(Step.BREACHED, due),
        *(DueStep(Step.ESCALATED, due + after, height) for after, height in told),
    )


CAPITAL = timezone(timedelta(hours=7))
"""The time zone of the capital (WIB, UTC+7)."""


@dataclass(frozen=True, slots=True)
class Clocks:
    """The table of clocks: the clocks of the law and of local standards."""

    by_code: Mapping[str, Clock]
    zones: Mapping[str, timezone]
    """Province → the time zone in which its days are counted."""

    def zone(self, region: str) -> timezone:
        """The time zone of a region. National desks and desks abroad use the zone of the capital (UTC+7)."""
        return self.zones.get(region.partition(".")[0], CAPITAL)

    def in_place_of(self, code: str, desk: UnitRef, start: datetime, zone: timezone, facts: Mapping[str, Any]) -> Clock:
        """The clock of this code, or a local clock that shortens it for this desk and these facts.

        The one that is due first wins. Raises KeyError if the table has no such row, which ``check_named`` finds
        earlier.
        """
        own = self.by_code[code]
        local = (
            clock
            for clock in self.by_code.values()
            if clock.shortens == code
            and clock.holds_at(desk)
            and any(trigger.fits(trigger.event, facts) for trigger in clock.starts)
        )
        return min((own, *local), key=lambda clock: clock.due(start, zone))

    def started_by(self, event: EventData, facts: Mapping[str, Any], desk: UnitRef) -> list[Clock]:
        """The clocks that an event alone starts for a desk.

        They exclude the clocks that a service names, and the clocks that shorten those.
        """
        return [
            clock
            for clock in self.by_code.values()
            if clock.by_itself and clock.holds_at(desk) and _any_fits(clock.starts, event, facts)
        ]

    def stopped_by(self, event: EventData, facts: Mapping[str, Any]) -> list[Clock]:
        """The clocks that an event stops, wherever the clocks apply."""
        return [clock for clock in self.by_code.values() if _any_fits(clock.stops, event, facts)]


def check_named(clocks: Clocks, named: Iterable[str]) -> None:
    """Raise ValueError unless the table has every clock that a declaration or the directory names."""
    if missing := sorted(set(named) - clocks.by_code.keys()):
        raise ValueError(f"no such clock in the table: {', '.join(missing)}")


def _any_fits(triggers: Sequence[Trigger], event: EventData, facts: Mapping[str, Any]) -> bool:
    return any(trigger.fits(event_name(type(event)), facts) for trigger in triggers)


def event_name(event: type[EventData]) -> str:
    """The name of an event in a table: ``referral.requested``."""
    return f"{event.entity}.{event.event}"


def check(clocks: Iterable[Clock], known: Iterable[str]) -> None:
    """Raise ValueError, naming the row, unless a table of clocks is consistent. ``known``: the names of all events."""
    by_code, names = {clock.code: clock for clock in clocks}, frozenset(known)
    for clock in by_code.values():
        unknown = {trigger.event for trigger in (*clock.starts, *clock.stops)} - names
        if unknown:
            raise ValueError(f"clock {clock.code}: no such event: {', '.join(sorted(unknown))}")
        if clock.limit <= timedelta(0) or list(clock.escalate_after) != sorted(clock.escalate_after):
            raise ValueError(f"clock {clock.code}: the limit must be above zero, and escalations in ascending order")
        if clock.counting is Counting.CALENDAR_DAYS and clock.limit % timedelta(days=1):
            raise ValueError(f"clock {clock.code}: a limit in calendar days must be whole days")
        if clock.shortens is not None:
            law = by_code.get(clock.shortens)
            if law is None or clock.by_itself or clock.limit > law.limit or clock.about is not law.about:
                raise ValueError(
                    f"clock {clock.code}: `shortens` must name a clock of the table about the same kind of thing. "
                    "The limit must not be longer, and the clock must not start by itself"
                )
