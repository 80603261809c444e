"""Who may say what about whom (DESIGN 5.9): one table, asked before an event is applied.

A signature proves the sender of an event. This table asks whether the sender has a part in the victim, the case or
the referral. Agencies and the coordinator ask the same table, each with its own knowledge. An event without the part,
or with a desk, a number or a moment out of bounds, is parked.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import Enum, StrEnum, auto
from typing import Any

from shared.contracts import events as e

AHEAD = timedelta(minutes=5)
"""The most that clocks of two members may differ."""
MOST_LINKS = 10_000
"""The highest number of a custody link, of a version, or of a count in an event."""
MOST_INTERVIEWS = 100
"""The highest number of earlier interviews in a request, so that the request fits into an event."""
LONGEST_LIMIT = timedelta(days=3 * 366)
"""The longest time limit that a clock in an event may have."""
A_CENTURY = timedelta(days=36_525)
"""The longest that a consent may be valid."""


class Part(StrEnum):
    """The sender's part in a victim, a case or a referral, as the reader of the event knows it."""

    MEMBER = "member"
    """Any member of the network."""
    AGENCY = "agency"
    """Any member but the coordinator: the event begins a part, or is about the sender's own desks."""
    COORDINATOR = "coordinator"
    HOLDER = "holder"
    """Has custody of the victim."""
    FORMER_HOLDER = "former-holder"
    """Had custody of the victim."""
    TAKEN_ON = "taken-on"
    """Was asked for a service for the victim, and took it on."""
    ASKED = "asked"
    """Was asked for a service for the victim, and has not decided."""
    REFUSED = "refused"
    """Was asked for a service for the victim, and refused it, or the sender took the request back."""
    REQUESTER = "requester"
    """Asked the reader for a service for the victim, and the reader did not refuse."""
    TURNED_AWAY = "turned-away"
    """Asked the reader for a service for the victim, and the reader refused, or the sender took the request back."""
    OPENER = "opener"
    """Has opened the case of an event that names a case and no victim."""
    FIRST = "first"
    """Has opened the case, or nobody is known to have opened it."""
    SENDER = "sender"
    """Sent the referral that the event names."""
    RECEIVER = "receiver"
    """Received the referral that the event names."""
    AT_WORK = "at-work"
    """Received the referral that the event names, and took it on."""


class To(Enum):
    """The receiver that an event must be addressed to."""

    ANY = auto()
    COORDINATOR = auto()
    NAMED = auto()
    """The agency of the desk in the field ``receiver``."""
    OTHER_SIDE = auto()
    """The other side of the referral that the event names."""


class Since(Enum):
    """The moment before which the fact of an event cannot have occurred."""

    REGISTRATION = auto()
    """The registration of the victim."""
    REQUEST = auto()
    """The request of the referral."""
    LAST_LINK = auto()
    """The custody link that a transfer, or its acceptance, continues. Nobody takes over the past of a holder."""


@dataclass(frozen=True, slots=True)
class Number:
    """A bound of a whole number, or of the length of a list; both ends included. A missing number fits."""

    field: str
    least: int
    most: int

    def fits(self, event: e.EventData) -> bool:
        """Whether the event keeps the bound."""
        value = _value(event, self.field)
        if value is None:
            return True
        return self.least <= (value if isinstance(value, int) else len(value)) <= self.most


@dataclass(frozen=True, slots=True)
class Distance:
    """A bound of the time from one moment of an event to another; both ends included. A missing moment fits."""

    since: str
    field: str
    least: timedelta
    most: timedelta

    def fits(self, event: e.EventData) -> bool:
        """Whether the event keeps the bound."""
        since, value = _value(event, self.since), _value(event, self.field)
        return since is None or value is None or self.least <= value - since <= self.most


def _value(event: e.EventData, path: str) -> Any:
    value: Any = event
    for name in path.split("."):
        value = getattr(value, name, None)
    return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One row of the table. The sender needs one of the parts, at an agency and at the coordinator."""

    agency: frozenset[Part] = frozenset()
    """Empty: no agency receives the event."""
    coordinator: frozenset[Part]
    lacking: str = "not-theirs-to-say"
    """The reason for parking an event of a sender without such a part."""
    desk: str | None = None
    """The field with the sender's own desk."""
    relayed: bool = False
    """Whether the coordinator passes the event on with the desk of the first sender."""
    to: To = To.ANY
    since: tuple[Since, ...] = ()
    bounds: tuple[Number | Distance, ...] = ()


def _parts(*parts: Part) -> frozenset[Part]:
    return frozenset(parts)


ANY_MEMBER = _parts(Part.MEMBER)
ANY_AGENCY = _parts(Part.AGENCY)
BY_COORDINATOR = _parts(Part.COORDINATOR)
EVER_HELD = _parts(Part.HOLDER, Part.FORMER_HOLDER)
WORKED = EVER_HELD | {Part.TAKEN_ON}
"""Has or had custody, or took a referral on."""
CONCERNED = WORKED | {Part.ASKED, Part.REFUSED}
"""Knows the victim from its own registration, custody or referral."""
KNOWN_HERE = CONCERNED | {Part.REQUESTER, Part.TURNED_AWAY}
SIDES = _parts(Part.SENDER, Part.RECEIVER)
OF_REFERRAL = SIDES | {Part.AT_WORK}
"""Parts in one referral. For an unknown referral the event waits."""

_NOW = timedelta()
_ANSWER = Rule(
    agency=_parts(Part.RECEIVER),
    coordinator=_parts(Part.RECEIVER),
    lacking="not-the-receiver",
    to=To.OTHER_SIDE,
    since=(Since.REQUEST,),
)
_ASK = Rule(
    agency=_parts(Part.SENDER),
    coordinator=_parts(Part.SENDER),
    lacking="not-the-sender",
    to=To.OTHER_SIDE,
    since=(Since.REQUEST,),
)
_BREAK_GLASS = Rule(agency=KNOWN_HERE | BY_COORDINATOR, coordinator=CONCERNED | BY_COORDINATOR)
_BY_COORDINATOR = Rule(agency=BY_COORDINATOR, coordinator=BY_COORDINATOR, lacking="not-the-coordinator")
_LIMIT = Distance("started_at", "due_at", _NOW, LONGEST_LIMIT)
_AFTER_DUE = Distance("due_at", "occurred_at", _NOW, LONGEST_LIMIT)


def _clock(*bounds: Distance) -> Rule:
    return Rule(agency=ANY_AGENCY, coordinator=CONCERNED, desk="unit", bounds=(_LIMIT, *bounds))


RULES: Mapping[type[e.EventData], Rule] = {
    e.CaseOpened: Rule(coordinator=_parts(Part.FIRST), lacking="case-taken", desk="unit", to=To.COORDINATOR),
    e.VictimRegistered: Rule(
        coordinator=_parts(Part.FIRST),
        lacking="case-taken",
        desk="custody",
        to=To.COORDINATOR,
        bounds=(Number("custody.seq", 1, 1),),
    ),
    e.FactsCorrected: Rule(
        agency=_parts(Part.HOLDER, Part.REQUESTER),
        coordinator=_parts(Part.HOLDER),
        lacking="not-in-custody",
        desk="unit",
        since=(Since.REGISTRATION,),
    ),
    e.StageRecorded: Rule(
        coordinator=EVER_HELD, lacking="not-in-custody", desk="unit", to=To.COORDINATOR, since=(Since.REGISTRATION,)
    ),
    e.VictimInterviewed: Rule(
        agency=WORKED | {Part.REQUESTER}, coordinator=WORKED, desk="unit", since=(Since.REGISTRATION,)
    ),
    e.JourneyClosed: Rule(
        coordinator=_parts(Part.HOLDER),
        lacking="not-in-custody",
        desk="unit",
        to=To.COORDINATOR,
        since=(Since.REGISTRATION,),
    ),
    e.RecordFiled: Rule(coordinator=WORKED | {Part.OPENER}, desk="unit", to=To.COORDINATOR),
    e.RecordDelivered: Rule(
        agency=_parts(Part.AT_WORK),
        coordinator=_parts(Part.AT_WORK),
        lacking="not-the-receiver",
        desk="unit",
        to=To.OTHER_SIDE,
    ),
    e.Requested: Rule(
        agency=ANY_AGENCY,
        coordinator=WORKED,
        desk="sender",
        to=To.NAMED,
        since=(Since.REGISTRATION, Since.LAST_LINK),
        bounds=(
            Number("custody_seq", 2, MOST_LINKS),
            Number("interviews", 0, MOST_INTERVIEWS),
            Distance("occurred_at", "due_at", _NOW, LONGEST_LIMIT),
        ),
    ),
    **dict.fromkeys(
        (e.Received, e.Rejected, e.Started, e.Held, e.Resumed, e.Completed, e.Failed, e.Cancelled), _ANSWER
    ),
    e.Accepted: replace(
        _ANSWER, since=(Since.REQUEST, Since.LAST_LINK), bounds=(Number("custody.seq", 2, MOST_LINKS),)
    ),
    e.CancellationRefused: _ANSWER,
    **dict.fromkeys((e.CancellationRequested, e.InformationProvided, e.Reminder), _ASK),
    e.CustodyAsked: Rule(coordinator=ANY_AGENCY, desk="unit", to=To.COORDINATOR),
    e.CustodyChecked: replace(_BY_COORDINATOR, bounds=(Number("custody_seq", 2, MOST_LINKS),)),
    e.ConsentRecorded: Rule(
        coordinator=WORKED,
        desk="unit",
        to=To.COORDINATOR,
        bounds=(Number("version", 1, MOST_LINKS), Distance("occurred_at", "valid_until", _NOW, A_CENTURY)),
    ),
    e.ConsentWithdrawn: Rule(agency=WORKED | {Part.REQUESTER, Part.TURNED_AWAY}, coordinator=CONCERNED),
    e.ErasureRequested: Rule(agency=WORKED | {Part.REQUESTER, Part.TURNED_AWAY}, coordinator=CONCERNED),
    e.DisclosureEnded: Rule(agency=KNOWN_HERE, coordinator=CONCERNED),
    e.BreakGlassOpened: replace(
        _BREAK_GLASS, desk="unit", relayed=True, bounds=(Distance("occurred_at", "until", _NOW, timedelta(hours=1)),)
    ),
    e.BreakGlassEnded: replace(_BREAK_GLASS, bounds=(Number("looks", 0, MOST_LINKS),)),
    e.BreakGlassReviewed: _BREAK_GLASS,
    e.BreakGlassReviewOverdue: replace(_BREAK_GLASS, bounds=(Distance("due_at", "occurred_at", _NOW, LONGEST_LIMIT),)),
    e.ClockWarned: _clock(
        Distance("started_at", "occurred_at", _NOW, LONGEST_LIMIT),
        Distance("occurred_at", "due_at", _NOW, LONGEST_LIMIT),
    ),
    e.ClockBreached: _clock(_AFTER_DUE),
    e.ClockEscalated: _clock(_AFTER_DUE),
    e.ClockStopped: _clock(),
    e.CapacityAnnounced: Rule(
        agency=ANY_AGENCY,
        coordinator=ANY_AGENCY,
        desk="unit",
        bounds=(Distance("occurred_at", "valid_until", _NOW, timedelta(hours=168)),),
    ),
    e.DeskDescribed: Rule(agency=ANY_AGENCY, coordinator=ANY_AGENCY, desk="unit"),
    e.LetterIssued: Rule(
        agency=SIDES,
        coordinator=CONCERNED,
        desk="unit",
        bounds=(Number("version", 1, MOST_LINKS),),
    ),
    e.TokensTold: Rule(coordinator=CONCERNED, lacking="not-in-custody", to=To.COORDINATOR),
    e.MatchProposed: replace(_BY_COORDINATOR, bounds=(Distance("said_at", "occurred_at", _NOW, A_CENTURY),)),
    e.MatchWithdrawn: _BY_COORDINATOR,
    e.MatchDecided: Rule(coordinator=_parts(Part.HOLDER), lacking="not-in-custody", desk="unit", to=To.COORDINATOR),
    e.ReceiptRecorded: Rule(agency=ANY_MEMBER, coordinator=ANY_MEMBER, bounds=(Number("linkseq", 1, 2**63 - 1),)),
    e.LinkWitnessed: replace(_BY_COORDINATOR, bounds=(Number("through", 1, 2**63 - 1),)),
    e.KeysPublished: replace(_BY_COORDINATOR, bounds=(Number("version", 1, 2**31 - 1),)),
}
"""Event class → who may say it, to whom, and within which bounds. Every event of the catalogue has one row."""

BEGINS_A_PART = (e.VictimRegistered, e.Requested, e.Accepted, e.BreakGlassOpened)
"""Events after which another event of the victim may fit, which waits parked until then."""
