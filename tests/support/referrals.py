"""A referral in any status, every command for it, and what the rules answer."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.contracts import events as e
from shared.contracts.codes import (
    AgeClass,
    CancellationReason,
    FailReason,
    HoldReason,
    InformationKind,
    Kind,
    Outcome,
    Priority,
    RefusalReason,
    RejectReason,
    Sex,
    Status,
)
from shared.contracts.types import UnitRef, VictimFacts
from shared.domain.commands import Command
from shared.domain.referral import Referral, decide, evolve
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

NOW = datetime(2026, 11, 23, 4, 5, 6, tzinfo=UTC)
ASK = "01900000-0000-7000-8000-0000000000aa"
OTHER_ASK = "01900000-0000-7000-8000-0000000000bb"
SENDER = UnitRef(agency="one", unit="desk-a", region="74.01")
RECEIVER = UnitRef(agency="two", unit="desk-b", region="74.02")
AT_WORK = (Status.IN_PROGRESS, Status.ON_HOLD)
ENDS = (Status.COMPLETED, Status.REJECTED, Status.FAILED, Status.CANCELLED)
COMMANDS: dict[str, Command] = {
    "receive": Receive(),
    "accept": Accept(),
    "reject": Reject(reason=RejectReason.NO_CAPACITY),
    "start": Start(),
    "hold": Hold(reason=HoldReason.NO_SHOW),
    "resume": Resume(),
    "complete": Complete(outcome=Outcome.SERVICE_PROVIDED),
    "fail": Fail(reason=FailReason.CANNOT_LOCATE),
    "grant": AnswerCancellation(granted=True),
    "ask": RequestCancellation(ask_id=OTHER_ASK, reason=CancellationReason.NOT_NEEDED),
    "inform": ProvideInformation(about=InformationKind.TRAVEL),
    "remind": Remind(),
}


def a_referral(status: str = "received", **more: Any) -> Referral:
    """A referral that has come as far as this status. ``custody_seq`` makes it a transfer."""
    kind = Kind.TRANSFER if more.get("custody_seq") else Kind.REFERRAL
    fields: dict[str, Any] = {
        "id": "01900000-0000-7000-8000-000000000001",
        "case_id": "01900000-0000-7000-8000-000000000002",
        "victim_id": "01900000-0000-7000-8000-000000000003",
        "kind": kind,
        "service": "care",
        "priority": Priority.ROUTINE,
        "sender": SENDER,
        "receiver": RECEIVER,
        "requested_at": NOW - timedelta(hours=1),
        "due_at": NOW + timedelta(hours=1),
        "custody_seq": None,
        "replaces": None,
        "forced": False,
        "status": Status(status),
        "version": 4,
    }
    return Referral(**fields | more)


def asked(status: str, **more: Any) -> Referral:
    return a_referral(status, **{"ask_id": ASK, "asks": 1} | more)


def only(referral: Referral, command: Command) -> e.ReferralEvent:
    """The one event that a command brings."""
    (event,) = decide(referral, command, NOW)
    return event


def after(referral: Referral, command: Command) -> Referral:
    return evolve(referral, only(referral, command))


def refusal(referral: Referral, command: Command) -> Refused:
    with pytest.raises(Refused) as refused:
        decide(referral, command, NOW)
    return refused.value


def an_event(event: type[e.ReferralEvent], referral: Referral, /, **more: Any) -> Any:
    return event(referral_id=referral.id, victim_id=referral.victim_id, occurred_at=NOW, **more)


GRANT = AnswerCancellation(granted=True)
CUSTODY_MOVED = AnswerCancellation(granted=False, reason=RefusalReason.CUSTODY_MOVED)


def a_request(**more: Any) -> e.Requested:
    referral = a_referral()
    return e.Requested(
        referral_id=referral.id,
        victim_id=referral.victim_id,
        occurred_at=NOW,
        case_id=referral.case_id,
        kind=Kind.TRANSFER if more.get("custody_seq") else Kind.REFERRAL,
        service="care",
        priority=Priority.STAT,
        sender=SENDER,
        receiver=RECEIVER,
        facts=VictimFacts(age_class=AgeClass.UNKNOWN, sex=Sex.UNSPECIFIED),
        due_at=NOW + timedelta(hours=2),
        **more,
    )
