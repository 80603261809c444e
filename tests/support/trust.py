"""A sender's situation towards a victim, and the outcome of its events by the table of trust."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from shared.contracts import events as e
from shared.contracts.envelope import Draft, Envelope, write
from shared.contracts.types import Custody, UnitRef
from shared.domain.objection import Reader, Sides, objection
from shared.domain.trust import Part, Since
from tests.support.sayings import DESK, NOW, OTHER, READER, SENDER, VICTIM, saying

COORDINATION = "coordination"
AGENCY, COORDINATOR = Reader(READER, COORDINATION), Reader(COORDINATION, COORDINATION)
THIRD = "kemenkes"
TO_COORDINATION = frozenset(
    {
        *(e.CaseOpened, e.VictimRegistered, e.StageRecorded, e.JourneyClosed, e.RecordFiled, e.ConsentRecorded),
        *(e.TokensTold, e.MatchDecided, e.CustodyAsked),
    }
)
"""The events that agencies send to coordination alone."""


@dataclass(frozen=True)
class Situation:
    """What a sender has to do with the victim: its parts, and the referral that its event names."""

    parts: frozenset[Part] = frozenset()
    sender: str = READER
    receiver: str = THIRD
    taken_on: bool = False
    by: str = SENDER


def situation(*parts: Part, **more: object) -> Situation:
    return replace(Situation(frozenset(parts)), **more)  # type: ignore[arg-type]


SITUATIONS: Mapping[str, Situation] = {
    "H": situation(Part.HOLDER),
    "F": situation(Part.FORMER_HOLDER),
    "T": situation(Part.TAKEN_ON, receiver=SENDER, taken_on=True),
    "A": situation(Part.ASKED, receiver=SENDER),
    "R": situation(Part.REFUSED, receiver=SENDER),
    "Q": situation(Part.REQUESTER, sender=SENDER, receiver=READER),
    "W": situation(Part.TURNED_AWAY, sender=SENDER, receiver=READER),
    "O": situation(Part.OPENER, Part.FIRST),
    "S": situation(),
    "C": situation(by=COORDINATION),
}
"""H holds, F held, T has taken on, A was asked, R refused. Q asked us, W asked us in vain.

O opened the case, S stranger, C coordination."""
EVERY_AGENCY = "HFTARQWOS"
ANSWERS = (
    *(e.Received, e.Accepted, e.Rejected, e.Started, e.Held, e.Resumed, e.Completed, e.Failed, e.Cancelled),
    e.CancellationRefused,
)
ASKS = (e.CancellationRequested, e.InformationProvided, e.Reminder)
BREAK_GLASS = (e.BreakGlassOpened, e.BreakGlassEnded, e.BreakGlassReviewed, e.BreakGlassReviewOverdue)
CLOCKS = (e.ClockWarned, e.ClockBreached, e.ClockEscalated, e.ClockStopped)
DESKS = (e.CapacityAnnounced, e.DeskDescribed)
WITH_A_DESK = {
    *(e.CaseOpened, e.VictimRegistered, e.FactsCorrected, e.StageRecorded, e.VictimInterviewed, e.JourneyClosed),
    e.RecordFiled,
    *(e.RecordDelivered, e.Requested, e.ConsentRecorded, e.BreakGlassOpened, *CLOCKS, e.CapacityAnnounced),
    *(e.DeskDescribed, e.LetterIssued, e.MatchDecided, e.CustodyAsked),
}
"""The events that name the desk of their sender."""
SINCE = {
    **dict.fromkeys((*ANSWERS, *ASKS), (Since.REQUEST,)),
    **dict.fromkeys((e.FactsCorrected, e.StageRecorded, e.VictimInterviewed, e.JourneyClosed), (Since.REGISTRATION,)),
    e.Requested: (Since.REGISTRATION, Since.LAST_LINK),
    e.Accepted: (Since.REQUEST, Since.LAST_LINK),
}
"""Event → the moments before which it cannot have occurred."""
MOMENTS: Mapping[Since, str] = {Since.REQUEST: "requested", Since.REGISTRATION: "registered", Since.LAST_LINK: "began"}
"""Moment → the field of ``Known``."""


@dataclass(frozen=True)
class Known:
    """What a reader knows: a situation, and the chain of custody."""

    of: Situation
    newest: Custody | None = None
    links: Mapping[int, Custody] | None = None
    registered: datetime | None = None
    requested: datetime = NOW - timedelta(days=1)
    transfer: bool = True
    link_of_referral: bool = True
    began: datetime | None = None

    def has(self, part: Part) -> bool:
        """Whether the sender has this part."""
        return part in self.of.parts

    def sides(self) -> Sides | None:
        """The referral that the event names."""
        return Sides(self.of.sender, self.of.receiver, VICTIM, self.requested, self.of.taken_on, self.transfer)

    def registered_at(self) -> datetime | None:
        """The registration of the victim."""
        return self.registered

    def is_desk(self, desk: UnitRef, day: date) -> bool:
        """Whether there is this desk."""
        return "tidak-ada" not in desk.unit

    def newest_link(self) -> Custody | None:
        """The newest link."""
        return self.newest

    def link(self, seq: int) -> Custody | None:
        """A link by its number."""
        return (self.links or {}).get(seq)

    def link_since(self, seq: int) -> datetime | None:
        """When a link began."""
        return self.began

    def has_link_of_referral(self) -> bool:
        """Whether the referral's acceptance is in the reader's chain."""
        return self.link_of_referral


def told(data: e.EventData, by: str, to: str, at: datetime = NOW, basis: str | None = None) -> Envelope:
    """The envelope of an event from one member to another."""
    draft = Draft(OTHER, data, to, DESK.unit, DESK.region, getattr(data, "victim_id", None), 2, basis=basis)
    return Envelope.read(write(draft, by, 1, at))


def outcome(reader: Reader, of: Situation, data: e.EventData, to: str | None = None, **known: object) -> str | None:
    """Why the reader parks an event of a sender in this situation; None: it is believed."""
    if to is None:
        to = addressee(reader, of, data)
    return objection(reader, told(data, of.by, to), data, Known(of, **known), NOW)  # type: ignore[arg-type]


def addressee(reader: Reader, of: Situation, data: e.EventData) -> str:
    if type(data) in TO_COORDINATION:
        return COORDINATION
    other = of.receiver if of.sender == of.by else of.sender
    return other if reader is COORDINATOR and isinstance(data, e.ReferralEvent | e.RecordDelivered) else reader.code


def own(kind: type[e.EventData], by: str) -> e.EventData:
    """A sound event of a sender, in which every desk of the sender is its own."""
    data = saying(kind)
    if by == SENDER:
        return data
    desk = UnitRef(agency=by, unit="pusat", region="00.ID")
    fields = {name: desk for name in ("unit", "sender", "to") if isinstance(getattr(data, name, None), UnitRef)}
    if isinstance(data, e.VictimRegistered):
        fields["custody"] = Custody(**dict(desk), seq=1)
    return data.model_copy(update=fields)


ALL_PARTS = situation(*Part, receiver=SENDER, taken_on=True)
