"""Judge one event by the table of trust: the objection of a reader, or none. Pure; the reader brings its knowledge."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from shared.contracts import events as e
from shared.contracts.codes import Kind, LegalBasis, RejectReason
from shared.contracts.envelope import Envelope
from shared.contracts.types import Custody, UnitRef
from shared.domain.trust import AHEAD, OF_REFERRAL, RULES, Part, Rule, Since, To


@dataclass(frozen=True, slots=True)
class Sides:
    """A referral as far as this table needs it: its two agencies, the victim, the moment of the request."""

    sender: str
    receiver: str
    victim_id: str
    requested_at: datetime
    taken_on: bool
    transfer: bool
    """Whether acceptance moves custody."""


class Knowledge(Protocol):
    """What the reader of an event knows, looked up only when a rule asks for it."""

    def has(self, part: Part) -> bool:
        """Whether the sender has this part in the victim or the case of the event."""

    def sides(self) -> Sides | None:
        """The referral that the event names, or None for an unknown one."""

    def registered_at(self) -> datetime | None:
        """The registration of the victim (UTC), or None where the reader does not know it."""

    def is_desk(self, desk: UnitRef, day: date) -> bool:
        """Whether the network has this desk, in this region, on this day."""

    def newest_link(self) -> Custody | None:
        """The newest custody link of the victim that is known, or None."""

    def link(self, seq: int) -> Custody | None:
        """A custody link of the victim by its number, or None where it is unknown."""

    def link_since(self, seq: int) -> datetime | None:
        """The beginning (UTC) of a custody link of the victim, or None where it is unknown."""

    def has_link_of_referral(self) -> bool:
        """Whether the acceptance of the referral that the event names is a link of the reader's own chain."""


@dataclass(frozen=True, slots=True)
class Reader:
    """The member that reads an event. ``coordinator``: the code of the coordinator of the network, or None."""

    code: str
    coordinator: str | None

    @property
    def is_coordinator(self) -> bool:
        """Whether the reader is the coordinator itself."""
        return self.code == self.coordinator


def objection(reader: Reader, envelope: Envelope, event: e.EventData, known: Knowledge, now: datetime) -> str | None:
    """The reason for parking a trusted event before it is applied, or None. ``now``: UTC."""
    rule = RULES[type(event)]
    parts = rule.coordinator if reader.is_coordinator else rule.agency
    if not parts:
        return "not-for-an-agency"
    if envelope.time > now + AHEAD:
        return "told-ahead-of-time"
    if getattr(event, "occurred_at", envelope.time) > envelope.time:
        return "occurred-after-it-was-told"
    return (
        _wrong_name(reader, rule, envelope, event, known)
        or _out_of_bounds(rule, envelope, event)
        or _chain_objection(reader, envelope, event, known)
        or _lacking(reader, rule, parts, envelope, event, known)
        or _too_early(rule, event, known)
        or _link_stands(event, known)
    )


def _wrong_name(reader: Reader, rule: Rule, envelope: Envelope, event: e.EventData, known: Knowledge) -> str | None:
    """The reason where an event names another's desk or no desk of the network, or goes to the wrong receiver."""
    desk = getattr(event, rule.desk) if rule.desk else None
    if desk is not None and not (rule.relayed and envelope.sender == reader.coordinator):
        if desk.agency != envelope.sender:
            return "not-the-sender"
        if not known.is_desk(desk, envelope.time.date()):
            return "unknown-desk"
    if isinstance(event, e.Requested) and event.receiver.agency != envelope.receiver:
        return "not-the-sender"
    if isinstance(event, e.ClockEscalated) and event.to.agency != envelope.sender:
        return "not-the-sender"
    if rule.to is To.COORDINATOR and envelope.receiver != reader.coordinator:
        return "not-for-this-receiver"
    return None


def _out_of_bounds(rule: Rule, envelope: Envelope, event: e.EventData) -> str | None:
    if not all(bound.fits(event) for bound in rule.bounds):
        return "out-of-bounds"
    if isinstance(event, e.Requested):
        transfer = event.kind is Kind.TRANSFER
        on_consent = envelope.basis == LegalBasis.CONSENT
        if transfer != (event.custody_seq is not None) or (event.consent_id is not None and not on_consent):
            return "out-of-bounds"
    return None


def _lacking(
    reader: Reader,
    rule: Rule,
    parts: frozenset[Part],
    envelope: Envelope,
    event: e.EventData,
    known: Knowledge,
) -> str | None:
    """The reason where the sender has none of the parts, or where the referral of the event is missing."""
    by_coordinator = envelope.sender == reader.coordinator
    if Part.MEMBER in parts or (Part.COORDINATOR if by_coordinator else Part.AGENCY) in parts:
        return None
    if not _names_anybody(event):
        return None
    of_referral = parts & OF_REFERRAL
    sides = known.sides() if of_referral else None
    if of_referral and sides is None and parts <= OF_REFERRAL:
        return "unknown-referral" if isinstance(event, e.ReferralEvent) else "not-theirs-to-say"
    if sides is not None:
        if sides.victim_id != getattr(event, "victim_id", sides.victim_id):
            return "id-of-another-victim"
        if Part.SENDER in parts and sides.sender == envelope.sender:
            return _astray(rule, envelope, sides.receiver)
        if parts & {Part.RECEIVER, Part.AT_WORK} and sides.receiver == envelope.sender:
            if Part.RECEIVER not in parts and not sides.taken_on:
                return "not-taken-on"
            return _astray(rule, envelope, sides.sender)
    if any(known.has(part) for part in Part if part in parts - OF_REFERRAL):
        return None
    return rule.lacking


def _names_anybody(event: e.EventData) -> bool:
    """Whether the event names a victim or a case. A desk's own record, or its clock, may name neither."""
    named = [getattr(event, name) for name in ("victim_id", "case_id") if hasattr(event, name)]
    return not named or any(named)


def _astray(rule: Rule, envelope: Envelope, other_side: str) -> str | None:
    wrong = rule.to is To.OTHER_SIDE and envelope.receiver != other_side
    return "not-for-this-receiver" if wrong else None


def _too_early(rule: Rule, event: e.EventData, known: Knowledge) -> str | None:
    """The reason where the fact occurred before a fact that it answers, beyond the difference of two clocks."""
    occurred_at: datetime | None = getattr(event, "occurred_at", None)
    if occurred_at is None:
        return None
    causes = [_moment(since, event, known) for since in rule.since]
    early = any(cause is not None and occurred_at < cause - AHEAD for cause in causes)
    return "occurred-before-its-cause" if early else None


def _moment(since: Since, event: e.EventData, known: Knowledge) -> datetime | None:
    """The moment of a fact that an event answers, or None where the reader does not know it."""
    if since is Since.REGISTRATION:
        return known.registered_at()
    if since is Since.REQUEST:
        sides = known.sides()
        return sides.requested_at if sides is not None else None
    seq = event.custody_seq if isinstance(event, e.Requested) else None
    if isinstance(event, e.Accepted) and event.custody is not None:
        seq = event.custody.seq
    return known.link_since(seq - 1) if seq is not None else None


def _chain_objection(reader: Reader, envelope: Envelope, event: e.EventData, known: Knowledge) -> str | None:
    """The reason where a transfer does not continue the custody chain: only the holder of link n offers link n+1."""
    if not isinstance(event, e.Requested) or event.custody_seq is None:
        return None
    before = known.link(event.custody_seq - 1)
    if before is not None:
        return None if before.agency == envelope.sender else "not-the-holder"
    newest = known.newest_link()
    if newest is not None and newest.seq >= event.custody_seq:
        return "custody-link-taken"
    if reader.is_coordinator or (newest is not None and newest.agency == reader.code):
        return "not-in-custody"  # the link before is still on its way
    return None


def _link_stands(event: e.EventData, known: Knowledge) -> str | None:
    """The reason where a receiver gives back custody whose link the reader has in its own chain.

    Else a receiver could leave a victim with nobody, or with a former holder against the chain. People must look.
    """
    if not isinstance(event, e.Rejected) or event.reason is not RejectReason.SENDER_WITHOUT_CUSTODY:
        return None
    sides = known.sides()
    stands = sides is not None and sides.transfer and sides.taken_on and known.has_link_of_referral()
    return "custody-link-stands" if stands else None
