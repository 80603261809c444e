"""Clocks (DESIGN section 7): what starts a deadline, what stops it, and what is said when it nears or passes.

A clock is a row of a table: its legal basis, the event that starts it, those that stop it, and its limit. A running
clock warns before its moment, is breached at it, and escalates after it: to the desk above, then to the one above that.
Everything here follows from the row, the start and the desk, so that a stop of a week changes nothing of it.
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
    """Hours that pass, ``N×24 jam``, whatever the calendar says."""
    CALENDAR_DAYS = "calendar-days"
    """Whole days after the day of the start: over when the last of them ends where the desk stands."""


class About(StrEnum):
    """What a clock runs for. Its id is what starts and stops it have in common."""

    REFERRAL = "referral"
    VICTIM = "victim"
    CASE = "case"
    RECORD = "record"
    """A form that was filed, until another answers it; what corrects it stands in its place."""


class Scope(StrEnum):
    """On whose word a clock runs."""

    NATIONAL_LAW = "national-law"
    LOCAL_STANDARD = "local-standard"


class Step(StrEnum):
    """What a running clock says, in this order."""

    WARNED = "warned"
    BREACHED = "breached"
    ESCALATED = "escalated"


@dataclass(frozen=True, slots=True)
class Trigger:
    """An event that starts or stops a clock: ``referral.requested``, where its facts are among those named."""

    event: str
    where: Mapping[str, frozenset[str]]

    def fits(self, event: str, facts: Mapping[str, Any]) -> bool:
        """Whether this event, with these facts, is it."""
        return event == self.event and all(_among(facts.get(name), values) for name, values in self.where.items())


def _among(fact: Any, values: frozenset[str]) -> bool:
    """Whether a fact, or one of several, is among these values."""
    if isinstance(fact, bool):
        fact = str(fact).lower()  # as in the JSON of the table
    return not values.isdisjoint(fact) if isinstance(fact, list | frozenset) else fact in values


@dataclass(frozen=True, slots=True)
class Clock:
    """A deadline, on the word of a law or of a local standard."""

    code: str
    label: Text
    basis: str
    """The law or the standard that it rests on."""
    source: str
    """Where its limit was read, and what of the row is not in it."""
    scope: Scope
    about: About
    limit: timedelta
    counting: Counting
    starts: tuple[Trigger, ...]
    stops: tuple[Trigger, ...]
    warn_before: timedelta
    escalate_after: tuple[timedelta, ...]
    """How long after the breach each desk above hears of it, the nearest first."""
    regions: frozenset[str] = frozenset()
    """Where it holds: for desks of these regions, and of what lies in them."""
    desks: frozenset[str] = frozenset()
    """For which desks it holds: ``agency/unit``. With neither regions nor desks it holds everywhere."""
    by_itself: bool = True
    """Whether its start event is enough. Otherwise a service names it, or it shortens one that a service names."""
    shortens: str | None = None
    """The clock whose place it takes where it holds: a local standard may be stricter than the law, never laxer."""

    def holds_at(self, desk: UnitRef) -> bool:
        """Whether it holds for a desk."""
        if not self.regions and not self.desks:
            return True
        places = {desk.region, desk.region.partition(".")[0]}
        return not self.regions.isdisjoint(places) or f"{desk.agency}/{desk.unit}" in self.desks

    def due(self, start: datetime, zone: timezone) -> datetime:
        """When its time is over that started at ``start`` for a desk in ``zone``; in the zone of ``start``."""
        if self.counting is Counting.ELAPSED:
            return start + self.limit
        last = start.astimezone(zone).date() + self.limit
        return datetime.combine(last + timedelta(days=1), time(), zone).astimezone(start.tzinfo)


@dataclass(frozen=True, slots=True)
class Moment:
    """A step of a running clock and when it is taken (UTC). ``height`` counts the desks above that hear of it."""

    step: Step
    at: datetime
    height: int = 0


def moments(clock: Clock, start: datetime, due: datetime, above: int) -> tuple[Moment, ...]:
    """The steps of a clock that started then, with ``above`` desks above its own, in their order.

    A warning is not given before the start: half of a short time that is left is then soon enough.
    """
    warn = max(due - clock.warn_before, start + (due - start) / 2)
    told = zip(clock.escalate_after, range(1, above + 1), strict=False)
    return (
        Moment(Step.WARNED, warn),
        Moment(Step.BREACHED, due),
        *(Moment(Step.ESCALATED, due + after, height) for after, height in told),
    )


CAPITAL = timezone(timedelta(hours=7))


@dataclass(frozen=True, slots=True)
class Clocks:
    """Every clock there is: the law's and the local ones."""

    by_code: Mapping[str, Clock]
    zones: Mapping[str, timezone]
    """Province → the zone that its days are counted in."""

    def zone(self, region: str) -> timezone:
        """The zone of a region; the nation's desks and those abroad count as the capital does."""
        return self.zones.get(region.partition(".")[0], CAPITAL)

    def in_place_of(self, code: str, desk: UnitRef, start: datetime, zone: timezone, facts: Mapping[str, Any]) -> Clock:
        """The clock of this code or, if a local one that shortens it holds for the desk and fits, that which is over
        first. Raises KeyError where the table has no such row: see ``check_named``."""
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
        """The clocks that an event starts by itself for a desk: not those that a service names, nor what shortens
        them."""
        return [
            clock
            for clock in self.by_code.values()
            if clock.by_itself and clock.holds_at(desk) and _any_fits(clock.starts, event, facts)
        ]

    def stopped_by(self, event: EventData, facts: Mapping[str, Any]) -> list[Clock]:
        """The clocks that an event stops, wherever they hold."""
        return [clock for clock in self.by_code.values() if _any_fits(clock.stops, event, facts)]


def check_named(clocks: Clocks, named: Iterable[str]) -> None:
    """Whether the table has every clock that a declaration or the directory names. Raises ValueError."""
    if missing := sorted(set(named) - clocks.by_code.keys()):
        raise ValueError(f"no such clock in the table: {', '.join(missing)}")


def _any_fits(triggers: Sequence[Trigger], event: EventData, facts: Mapping[str, Any]) -> bool:
    return any(trigger.fits(word_of(type(event)), facts) for trigger in triggers)


def word_of(event: type[EventData]) -> str:
    """How a table names an event: ``referral.requested``."""
    return f"{event.entity}.{event.event}"


def check(clocks: Iterable[Clock], known: Iterable[str]) -> None:
    """Whether a table of clocks makes sense. ``known``: the words of all events. Raises ValueError naming the row."""
    by_code, words = {clock.code: clock for clock in clocks}, frozenset(known)
    for clock in by_code.values():
        unknown = {trigger.event for trigger in (*clock.starts, *clock.stops)} - words
        if unknown:
            raise ValueError(f"clock {clock.code}: no such event: {', '.join(sorted(unknown))}")
        if clock.limit <= timedelta(0) or list(clock.escalate_after) != sorted(clock.escalate_after):
            raise ValueError(f"clock {clock.code}: limits are above nothing and escalations in their order")
        if clock.counting is Counting.CALENDAR_DAYS and clock.limit % timedelta(days=1):
            raise ValueError(f"clock {clock.code}: calendar days are whole days")
        if clock.shortens is not None:
            law = by_code.get(clock.shortens)
            if law is None or clock.by_itself or clock.limit > law.limit or clock.about is not law.about:
                raise ValueError(f"clock {clock.code}: it shortens a clock of the table, about the same, to less")
