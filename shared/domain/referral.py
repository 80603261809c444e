"""The rules of a referral (DESIGN section 3): one writer per version.

The sender writes version 1 and then only asks; every later version is the receiver's. So there is no order of
messages in which the two sides disagree for ever.

    events   = decide(referral, command, now)      the events of a command, or Refused
    referral = evolve(referral, event)             the state after an event; the same at sender, receiver, coordination
    command  = react(referral, event)              the answer of the receiver's service without a person

Long because: decide, evolve and react are one protocol, and each rule is checked against the others.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from shared.contracts import events as e
from shared.contracts.codes import (
    BusinessStatus,
    FailReason,
    HoldReason,
    Kind,
    NormGap,
    Outcome,
    Priority,
    RefusalReason,
    RejectReason,
    Status,
)
from shared.contracts.types import Custody, DeskRef, UnitRef
from shared.domain import commands as c
from shared.domain.commands import Command
from shared.domain.noting import OTHER_REASON, require_note
from shared.domain.referral_commands import (
    Accept,
    AnswerCancellation,
    Complete,
    Fail,
    Hold,
    ProvideInformation,
    Receive,
    Reject,
    Remind,
    RequestCancellation,
    Resume,
    Start,
)
from shared.domain.refusal import Refused


class Side(StrEnum):
    """The side of a referral that gives a command."""

    SENDER = "sender"
    RECEIVER = "receiver"


@dataclass(frozen=True, slots=True)
class Referral:
    """The state of one referral, built from its events."""

    id: str
    case_id: str
    victim_id: str
    kind: Kind
    service: str
    priority: Priority
    sender: UnitRef
    receiver: UnitRef
    requested_at: datetime
    due_at: datetime
    custody_seq: int | None
    replaces: str | None
    forced: bool
    status: Status = Status.REQUESTED
    version: int = 1
    hold_reason: HoldReason | None = None
    moved_at: datetime | None = None
    """The told moment of the last act of a person at the receiver. None: nobody has acted."""
    ask_id: str | None = None
    """The cancellation that the sender has asked for and the receiver has not answered."""
    asks: int = 0
    """Number of asks, of any kind, that the sender has sent."""
    reject_reason: RejectReason | None = None
    better_desk: DeskRef | None = None
    outcome: Outcome | None = None
    fail_reason: FailReason | None = None
    norm_gap: NormGap | None = None


ENDED = frozenset({Status.COMPLETED, Status.REJECTED, Status.FAILED, Status.CANCELLED})
LIVE = frozenset(Status) - ENDED
UNANSWERED = frozenset({Status.REQUESTED, Status.RECEIVED})
"""Nobody has accepted or refused yet."""
AWAITING_START = UNANSWERED | {Status.ACCEPTED}
STARTED = frozenset({Status.IN_PROGRESS, Status.ON_HOLD})


@dataclass(frozen=True, slots=True)
class Move:
    """One row of the table of moves: the side that may give the command, and the statuses that allow it."""

    side: Side
    since: frozenset[Status]


MOVES: dict[type[Command], Move] = {
    Receive: Move(Side.RECEIVER, frozenset({Status.REQUESTED})),
    Accept: Move(Side.RECEIVER, frozenset({Status.RECEIVED})),
    Reject: Move(Side.RECEIVER, frozenset({Status.RECEIVED})),  # after the acceptance see ``gives_back``
    Start: Move(Side.RECEIVER, frozenset({Status.ACCEPTED})),
    Hold: Move(Side.RECEIVER, frozenset({Status.IN_PROGRESS})),
    Resume: Move(Side.RECEIVER, frozenset({Status.ON_HOLD})),
    Complete: Move(Side.RECEIVER, STARTED),
    Fail: Move(Side.RECEIVER, STARTED),
    AnswerCancellation: Move(Side.RECEIVER, LIVE - {Status.REQUESTED}),
    RequestCancellation: Move(Side.SENDER, LIVE),
    ProvideInformation: Move(Side.SENDER, LIVE),
    Remind: Move(Side.SENDER, LIVE),
}
"""Command → the side that may give it, and the statuses that allow it. Every other move is refused."""


STATUS_AFTER: dict[type[e.EventData], Status] = {
    e.Received: Status.RECEIVED,
    e.Accepted: Status.ACCEPTED,
    e.Rejected: Status.REJECTED,
    e.Started: Status.IN_PROGRESS,
    e.Held: Status.ON_HOLD,
    e.Resumed: Status.IN_PROGRESS,
    e.Completed: Status.COMPLETED,
    e.Failed: Status.FAILED,
    e.Cancelled: Status.CANCELLED,
}
"""Event of the receiver → the status after it. A refused cancellation creates a version and keeps the status."""


STATUS_BEFORE: dict[type[e.EventData], frozenset[Status]] = {
    e.Received: frozenset({Status.REQUESTED}),
    e.Accepted: frozenset({Status.RECEIVED}),
    e.Rejected: frozenset({Status.RECEIVED}),  # after the acceptance see ``gives_back``
    e.Started: frozenset({Status.ACCEPTED}),
    e.Held: frozenset({Status.IN_PROGRESS}),
    e.Resumed: frozenset({Status.ON_HOLD}),
    e.Completed: STARTED,
    e.Failed: STARTED,
    e.Cancelled: frozenset({Status.RECEIVED, Status.ACCEPTED}),
    e.CancellationRefused: LIVE - {Status.REQUESTED},
}
"""Event of the receiver → the statuses that allow it. The other side checks this too: a peer's word is not a rule."""


def fault(referral: Referral, event: e.EventData, version: int | None) -> str | None:
    """The code for why an event cannot be applied next, or None if it can.

    An ask creates no version; its ``version`` is the one that the sender knew. An ask is applied only after that
    version, and an answer only after its ask. ``version-gap`` and ``unknown-ask`` pass when the missing event arrives.
    The other faults need a person.
    """
    if isinstance(event, e.SenderAsk):
        return "version-gap" if version is not None and version > referral.version else None
    if version is None:
        return "version-missing"
    if version <= referral.version:
        return "version-conflict"
    if version > referral.version + 1:
        return "version-gap"
    if referral.status not in STATUS_BEFORE[type(event)] and not gives_back(referral, event):
        return "move-not-allowed"
    if isinstance(event, e.CancellationRefused | e.Cancelled) or _grants(event):
        return _answer_fault(referral, event)
    if isinstance(event, e.Accepted) and event.custody != custody_on_acceptance(referral):
        return "custody-not-offered"
    return None


def _grants(event: e.EventData) -> bool:
    return isinstance(event, e.Failed) and event.reason is FailReason.CANCELLATION_GRANTED


def _answer_fault(referral: Referral, event: Any) -> str | None:
    """An answer must name the open ask. A cancellation never takes back custody that has moved."""
    if event.ask_id is None or event.ask_id != referral.ask_id:
        return "unknown-ask"
    if custody_has_moved(referral) and not isinstance(event, e.CancellationRefused):
        return "move-not-allowed"
    return None


def is_between_agencies(referral: Referral) -> bool:
    """Whether this is a transfer from one agency to another."""
    return referral.custody_seq is not None and referral.sender.agency != referral.receiver.agency


def gives_back(referral: Referral, said: Command | e.EventData) -> bool:
    """Whether this rejection takes back the acceptance of a transfer, because the sender never had custody.

    Only a running transfer can be given back: the outcome of a completed one stands.
    """
    without = isinstance(said, Reject | e.Rejected) and said.reason is RejectReason.SENDER_WITHOUT_CUSTODY
    return without and is_between_agencies(referral) and referral.status in STARTED | {Status.ACCEPTED}


def custody_on_acceptance(referral: Referral) -> Custody | None:
    """The custody link that acceptance creates, or None if the referral is no transfer."""
    if referral.custody_seq is None:
        return None
    return Custody(**dict(referral.receiver), seq=referral.custody_seq)


def open_referral(requested: e.Requested) -> Referral:
    """The referral that version 1 creates."""
    return Referral(
        id=requested.referral_id,
        case_id=requested.case_id,
        victim_id=requested.victim_id,
        kind=requested.kind,
        service=requested.service,
        priority=requested.priority,
        sender=requested.sender,
        receiver=requested.receiver,
        requested_at=requested.occurred_at,
        due_at=requested.due_at,
        custody_seq=requested.custody_seq,
        replaces=requested.replaces,
        forced=requested.forced,
    )


def decide(referral: Referral, command: Command, now: datetime) -> list[e.ReferralEvent]:
    """The events of ``command`` at ``now`` (UTC). Changes nothing. Raises Refused; ValueError for an ask without id."""
    move = MOVES[type(command)]
    if referral.status not in move.since and not gives_back(referral, command):
        problem = "referral-ended" if referral.status in ENDED else "move-not-allowed"
        raise Refused(problem, status=referral.status, command=type(command).__name__)
    earliest = referral.moved_at if move.side is Side.RECEIVER and referral.moved_at else referral.requested_at
    at = c.when(command, now, earliest)
    common = {"referral_id": referral.id, "victim_id": referral.victim_id, "occurred_at": at}
    return [_DECISIONS[type(command)](referral, command, common)]


def _accept(referral: Referral, _: Accept, common: dict[str, Any]) -> e.ReferralEvent:
    return e.Accepted(**common, custody=custody_on_acceptance(referral))


def _reject(referral: Referral, command: Reject, common: dict[str, Any]) -> e.ReferralEvent:
    if command.reason is RejectReason.SENDER_WITHOUT_CUSTODY and not is_between_agencies(referral):
        raise Refused("reason-for-transfers", field="reason")
    if command.reason is RejectReason.OTHER:
        require_note(command.note, OTHER_REASON)
    return e.Rejected(**common, reason=command.reason, better_desk=command.better_desk, norm_gap=command.norm_gap)


def _fail(_: Referral, command: Fail, common: dict[str, Any]) -> e.ReferralEvent:
    if command.reason is FailReason.CANCELLATION_GRANTED:
        raise Refused("answer-the-cancellation-instead", field="reason")
    if command.reason is FailReason.OTHER:
        require_note(command.note, OTHER_REASON)
    return e.Failed(**common, reason=command.reason, norm_gap=command.norm_gap)


def _answer(referral: Referral, command: AnswerCancellation, common: dict[str, Any]) -> e.ReferralEvent:
    if referral.ask_id is None:
        raise Refused("no-cancellation-asked", field="granted")
    if not command.granted:
        if command.reason is None:
            raise Refused("reason-required", field="reason")
        return e.CancellationRefused(**common, ask_id=referral.ask_id, reason=command.reason)
    if custody_has_moved(referral):
        raise Refused("custody-has-moved", field="granted")
    if referral.status in STARTED:
        return e.Failed(**common, ask_id=referral.ask_id, reason=FailReason.CANCELLATION_GRANTED)
    return e.Cancelled(**common, ask_id=referral.ask_id)


def _ask_to_cancel(referral: Referral, command: RequestCancellation, common: dict[str, Any]) -> e.ReferralEvent:
    if referral.ask_id is not None:
        raise Refused("cancellation-already-asked")
    if command.ask_id is None:
        raise ValueError("an ask needs an id before it is decided")
    return e.CancellationRequested(**common, ask_id=command.ask_id, reason=command.reason)


_DECISIONS: dict[type[Command], Callable[[Referral, Any, dict[str, Any]], e.ReferralEvent]] = {
    Receive: lambda _, __, common: e.Received(**common),
    Accept: _accept,
    Reject: _reject,
    Start: lambda _, __, common: e.Started(**common),
    Hold: lambda _, command, common: e.Held(**common, reason=command.reason),
    Resume: lambda _, __, common: e.Resumed(**common),
    Complete: lambda _, command, common: e.Completed(**common, outcome=command.outcome),
    Fail: _fail,
    AnswerCancellation: _answer,
    RequestCancellation: _ask_to_cancel,
    ProvideInformation: lambda _, command, common: e.InformationProvided(**common, about=command.about),
    Remind: lambda _, __, common: e.Reminder(**common),
}


def evolve(referral: Referral, event: e.EventData) -> Referral:
    """The referral after ``event``. An ask creates no version; an event of the receiver creates the next version."""
    match event:
        case e.CancellationRequested() if referral.status in LIVE:
            return replace(referral, ask_id=event.ask_id, asks=referral.asks + 1)
        case e.CancellationRequested() | e.InformationProvided() | e.Reminder():
            # the ask may have crossed the outcome on the way: the outcome stands, the ask is only counted
            return replace(referral, asks=referral.asks + 1)
        case e.CancellationRefused():
            answered = referral.ask_id == event.ask_id
            return replace(
                referral,
                version=referral.version + 1,
                ask_id=None if answered else referral.ask_id,
                moved_at=_moved_at(referral, event),
            )
    after = replace(
        referral,
        status=STATUS_AFTER[type(event)],
        version=referral.version + 1,
        hold_reason=event.reason if isinstance(event, e.Held) else None,
        moved_at=_moved_at(referral, event),
    )
    if after.status in ENDED:
        after = replace(after, ask_id=None)
    match event:
        case e.Rejected():
            return replace(after, reject_reason=event.reason, better_desk=event.better_desk, norm_gap=event.norm_gap)
        case e.Completed():
            return replace(after, outcome=event.outcome)
        case e.Failed():
            return replace(after, fail_reason=event.reason, norm_gap=event.norm_gap)
    return after


def _moved_at(referral: Referral, event: Any) -> datetime | None:
    """The service confirms a request by itself; paper may have been signed before that."""
    if isinstance(event, e.Received):
        return referral.moved_at
    at: datetime = event.occurred_at
    return max(at, referral.moved_at or at)


def react(referral: Referral, event: e.EventData) -> Command | None:
    """The command that the receiver's service gives without a person, or None.

    The service confirms a request, and grants a cancellation before the work has begun. It refuses a cancellation
    once custody has moved, because only a transfer gives custody back. Once the work has begun, a person answers.
    """
    if isinstance(event, e.Requested):
        return Receive()
    if not isinstance(event, e.CancellationRequested) or referral.ask_id is None:
        return None
    if custody_has_moved(referral):
        return AnswerCancellation(granted=False, reason=RefusalReason.CUSTODY_MOVED)
    return None if referral.status in STARTED else AnswerCancellation(granted=True)


def custody_has_moved(referral: Referral) -> bool:
    """Whether this is a transfer that has been accepted."""
    return referral.kind is Kind.TRANSFER and referral.status in STARTED | {Status.ACCEPTED, Status.COMPLETED}


def is_overdue(referral: Referral, now: datetime) -> bool:
    """Whether ``due_at`` has passed and the work has not begun."""
    return referral.status in AWAITING_START and referral.due_at < now


def business_status(referral: Referral, now: datetime, closed: bool) -> BusinessStatus | None:
    """The business status, or None. ``closed``: the sender has recorded the outcome and its receipt is back."""
    if closed:
        return BusinessStatus.CLOSED
    if referral.ask_id is not None:
        return BusinessStatus.CANCEL_REQUESTED
    if referral.hold_reason is not None:
        return BusinessStatus(referral.hold_reason.value)
    if is_overdue(referral, now):
        return BusinessStatus.OVERDUE
    if referral.outcome is Outcome.REFERRED_ONWARD:
        return BusinessStatus.REFERRED_ONWARD
    if referral.fail_reason in (FailReason.VICTIM_DECLINED, FailReason.CANNOT_LOCATE, FailReason.NO_SHOW):
        return BusinessStatus(referral.fail_reason.value)
    return None
