"""What coordination shows, so that its answers single no person out (decision 0039).

A home is a province. A moment of a person's story is a day. A group of fewer than ten people has no number.
"""

from collections.abc import Collection, Mapping
from datetime import date, datetime, timedelta
from enum import StrEnum

from shared.contracts.codes import Level
from shared.domain.access import Role
from shared.domain.clocks import CAPITAL

SMALLEST_GROUP = 10
"""A smaller group of people is not counted for a reader (k-anonymity with k = 10)."""

ABROAD = "00"
"""The first part of every region that is no province: a country, or the nation itself."""


class Part(StrEnum):
    """How much of a journey its reader follows."""

    WHOLE = "whole"
    """A desk in the reader's regions has custody or is at work; the national centre follows every journey."""
    UNTIL = "until"
    """A desk in the reader's regions had custody: the journey until that desk handed over."""
    HANDOVERS = "handovers"
    """A desk in the reader's regions only asked, or was asked: those hand-overs and nothing else."""


def province_of(region: str | None) -> str | None:
    """The province of a region (``74.01`` → ``74``). A region abroad stays (``00.KH``)."""
    return region if region is None or region.startswith(f"{ABROAD}.") else region.partition(".")[0]


def day_of(moment: datetime) -> date:
    """The day of a moment, in the time zone of the capital."""
    return moment.astimezone(CAPITAL).date()


def full_hour(deadline: datetime) -> datetime:
    """The full hour in which a deadline has passed: its minutes would tell the minute of the start."""
    return (deadline + timedelta(hours=1, microseconds=-1)).replace(minute=0, second=0, microsecond=0)


def shows_facts(role: Role, regions: Collection[str] | None, held_in: str | None, told: Level | None) -> bool:
    """Whether a reader has a reason to see the facts of a victim together: age class, sex, home, exploitation.

    The reason is that the reader's own province holds the victim. ``regions``: the reader's; None: the whole nation.
    The national centre has one where no province holds the victim, or where the nation was told of a clock.
    ``told``: the highest level of desk that a running clock was escalated to.
    """
    if role is not Role.COORDINATOR or held_in is None:
        return False
    if regions is not None:
        return held_in in regions
    return held_in.startswith(f"{ABROAD}.") or told is Level.NATIONAL


def at_least(number: int) -> int:
    """A number of people, rounded down to a multiple of the smallest group. 0: too few to be counted.

    Rounding, and not only leaving out, keeps two answers from telling a small group by their difference.
    """
    return number // SMALLEST_GROUP * SMALLEST_GROUP


def counted(total: int, *breakdowns: Mapping[str, int]) -> tuple[int, list[dict[str, int]]]:
    """A total and its breakdowns, rounded down so far that no breakdown's small group follows from the rest.

    Each group may hold nine more than it shows. A small group follows from the rest where all others together cannot
    reach what is known of the total. Then the total, or another breakdown, shows less.
    """
    shown, parts = at_least(total), [{code: at_least(number) for code, number in one.items()} for one in breakdowns]
    reach = [sum(part.values()) + (SMALLEST_GROUP - 1) * (len(part) - 1) for part in parts if 0 in part.values()]
    if reach:
        shown = min(shown, at_least(min(reach)))
        for part in parts:
            while sum(part.values()) > min(reach):
                part[max(part, key=lambda code: (part[code], code))] -= SMALLEST_GROUP
    return shown, parts
