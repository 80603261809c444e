"""One sound event of every type, for a test that lets a member say it."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.contracts import events as e
from shared.contracts.codes import (
    AgeClass,
    BreakGlassEnd,
    BreakGlassReason,
    CancellationReason,
    Capacity,
    ConsentManner,
    CustodyFinding,
    DisclosureEnd,
    Exploitation,
    FactsBasis,
    FailReason,
    GuardianPart,
    HoldReason,
    InformationKind,
    JourneyOutcome,
    Kind,
    LetterKind,
    Level,
    MatchStrength,
    Outcome,
    Priority,
    ReceiptOutcome,
    RefusalReason,
    RejectReason,
    SamePerson,
    Sex,
    Stage,
    Verdict,
)
from shared.contracts.types import Custody, UnitRef, VictimFacts

NOW = datetime(2026, 11, 23, 4, 5, 6, tzinfo=UTC)
VICTIM, CASE, REFERRAL, OTHER = (f"01900000-0000-7000-8000-{number:012x}" for number in range(1, 5))
SENDER, READER = "kemensos", "kemenpppa"
DESK = UnitRef(agency=SENDER, unit="dinsos-74.01", region="74.01")
ASKED = UnitRef(agency=READER, unit="uptd-ppa-74.01", region="74.01")
FACTS = VictimFacts(age_class=AgeClass.ADULT, sex=Sex.FEMALE)

_OWN: Mapping[type[e.EventData], Mapping[str, Any]] = {
    e.CaseOpened: {"channel": "patrol", "exploitation": Exploitation.OTHER},
    e.VictimRegistered: {"facts": FACTS, "custody": Custody(**dict(DESK), seq=1)},
    e.FactsCorrected: {"correction_id": OTHER, "facts": FACTS, "basis": FactsBasis.MISTAKE},
    e.StageRecorded: {"stage": Stage.AFTER_CARE},
    e.VictimInterviewed: {"interview_id": OTHER},
    e.JourneyClosed: {"outcome": JourneyOutcome.LOST_CONTACT},
    e.RecordFiled: {"record_id": OTHER, "form": "visum", "form_version": "2026-1"},
    e.RecordDelivered: {"record_id": OTHER, "form": "visum", "form_version": "2026-1", "sealed": "segel.rekaan"},
    e.Requested: {
        "kind": Kind.REFERRAL,
        "service": "case-management",
        "priority": Priority.ROUTINE,
        "sender": DESK,
        "receiver": ASKED,
        "facts": FACTS,
        "due_at": NOW + timedelta(days=7),
    },
    e.Rejected: {"reason": RejectReason.OTHER},
    e.Held: {"reason": HoldReason.SCHEDULED},
    e.Completed: {"outcome": Outcome.REFERRED_ONWARD},
    e.Failed: {"reason": FailReason.NO_SHOW},
    e.Cancelled: {"ask_id": OTHER},
    e.CancellationRefused: {"ask_id": OTHER, "reason": RefusalReason.OTHER},
    e.CancellationRequested: {"ask_id": OTHER, "reason": CancellationReason.OTHER},
    e.InformationProvided: {"about": InformationKind.OTHER},
    e.CustodyChecked: {"finding": CustodyFinding.CONFIRMED, "custody_seq": 2, "offered_by": SENDER},
    e.ConsentRecorded: {
        "consent_id": OTHER,
        "version": 1,
        "notice": "2026-1",
        "purposes": (),
        "fields": (),
        "recipients": (),
        "valid_until": NOW + timedelta(days=365),
        "manner": ConsentManner.WRITTEN,
        "guardian": GuardianPart.NONE,
    },
    e.ConsentWithdrawn: {"consent_id": OTHER},
    e.ErasureRequested: {"erasure_id": OTHER},
    e.DisclosureEnded: {"cause_id": OTHER, "end": DisclosureEnd.NOTHING_HELD, "fields": ()},
    e.BreakGlassOpened: {"reason": BreakGlassReason.CHILD_AT_RISK, "until": NOW + timedelta(minutes=30)},
    e.BreakGlassEnded: {"end": BreakGlassEnd.CLOSED, "looks": 1},
    e.BreakGlassReviewed: {"verdict": Verdict.JUSTIFIED},
    e.BreakGlassReviewOverdue: {"due_at": NOW},
    e.ClockWarned: {"due_at": NOW + timedelta(days=1)},
    e.ClockBreached: {"due_at": NOW - timedelta(hours=1)},
    e.ClockEscalated: {"due_at": NOW - timedelta(hours=1), "to": DESK, "level": Level.PROVINCE},
    e.ClockStopped: {"due_at": NOW, "in_time": True},
    e.CapacityAnnounced: {
        "announcement_id": OTHER,
        "service": "reintegration",
        "capacity": Capacity.CAPACITY,
        "valid_until": NOW + timedelta(hours=24),
    },
    e.DeskDescribed: {"record_id": OTHER, "form": "beds", "facts": {}},
    e.LetterIssued: {"code": "A" * 12, "kind": LetterKind.REPLY_SLIP, "version": 2},
    e.MatchProposed: {
        "other_id": OTHER,
        "other_desk": ASKED,
        "kinds": (),
        "strength": MatchStrength.POSSIBLE,
    },
    e.MatchDecided: {"decision": SamePerson.CANNOT_TELL},
    e.ReceiptRecorded: {"event_id": OTHER, "sha256": "0" * 64, "linkseq": 1, "outcome": ReceiptOutcome.APPLIED},
    e.LinkWitnessed: {"link": f"{READER}>police", "through": 16},
    e.KeysPublished: {"version": 1, "protected": "a", "payload": "a", "signature": "a"},
}
"""Event class → the fields that it does not share with others."""


def saying(kind: type[e.EventData], /, **changes: Any) -> e.EventData:
    """A sound event of this type, told now of ``VICTIM`` by a desk of ``SENDER``; with some fields changed."""
    common = {
        "victim_id": VICTIM,
        "case_id": CASE,
        "referral_id": REFERRAL,
        "match_id": OTHER,
        "break_glass_id": OTHER,
        "about": REFERRAL,
        "clock": "first-aid",
        "started_at": NOW - timedelta(days=1),
        "unit": DESK,
        "occurred_at": NOW,
    }
    fields = {name: value for name, value in common.items() if name in kind.model_fields}
    return kind.model_validate({**fields, **_OWN.get(kind, {}), **changes})


def moments(kind: type[e.EventData], at: datetime) -> dict[str, datetime]:
    """The moments in a sound event of this type, as they are when it is told at ``at`` (UTC)."""
    sound = saying(kind)
    values = {name: getattr(sound, name) for name in kind.model_fields}
    return {name: value + (at - NOW) for name, value in values.items() if isinstance(value, datetime)}


def said_by(kind: type[e.EventData], by: UnitRef, to: UnitRef, at: datetime, **named: Any) -> e.EventData:
    """A sound event of this type, told at ``at`` (UTC) by a desk; ``to`` is asked in it. ``named``: more fields."""
    desks: dict[str, Any] = {"unit": by, "sender": by, "to": by, "receiver": to}
    if kind is e.VictimRegistered:
        desks["custody"] = Custody(**dict(by), seq=1)
    fields = {name: value for name, value in {**desks, **named}.items() if name in kind.model_fields}
    return saying(kind, **moments(kind, at), **fields)
