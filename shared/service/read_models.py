"""Answers of the HTTP API about referrals, cases, victims, notes, parked events and links. Times are UTC."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from shared.contracts.codes import (
    AgeClass,
    BusinessStatus,
    Exploitation,
    FailReason,
    HoldReason,
    JourneyOutcome,
    Kind,
    NormGap,
    Outcome,
    Priority,
    RejectReason,
    Sex,
    Stage,
    Status,
)
from shared.contracts.events import CATALOGUE
from shared.contracts.types import DeskRef, Id, Moment, UnitRef
from shared.domain.access import Sight
from shared.domain.referral import business_status, is_overdue
from shared.storage import referrals
from shared.storage.agency_tables import CaseRow, VictimRow
from shared.storage.tables import LedgerEntry, OutboxEntry, ParkedEvent, ReferralRow
from shared.storage.victims import holder_of


class ReferralView(BaseModel):
    """A referral (rujukan) or transfer (pelimpahan) in its current state, as this agency knows it."""

    id: Id
    case_id: Id
    victim_id: Id
    kind: Kind
    service: str
    priority: Priority
    status: Status
    business_status: BusinessStatus | None
    version: int = Field(description="Made by the receiver alone, except version 1.")
    sender: UnitRef
    receiver: UnitRef
    requested_at: Moment
    due_at: Moment = Field(description="When the work must have begun.")
    overdue: bool
    cancellation_asked: bool
    asks: int
    hold_reason: HoldReason | None
    reject_reason: RejectReason | None
    better_desk: DeskRef | None
    outcome: Outcome | None
    fail_reason: FailReason | None
    norm_gap: NormGap | None
    replaces: Id | None
    forced: bool
    closed: bool
    updated_at: Moment


def referral_view(row: ReferralRow, now: datetime) -> ReferralView:
    """The view of a referral at a moment."""
    referral = referrals.to_referral(row)
    return ReferralView(
        id=referral.id,
        case_id=referral.case_id,
        victim_id=referral.victim_id,
        kind=referral.kind,
        service=referral.service,
        priority=referral.priority,
        status=referral.status,
        business_status=business_status(referral, now, row.closed),
        version=referral.version,
        sender=referral.sender,
        receiver=referral.receiver,
        requested_at=referral.requested_at,
        due_at=referral.due_at,
        overdue=is_overdue(referral, now),
        cancellation_asked=referral.ask_id is not None,
        asks=referral.asks,
        hold_reason=referral.hold_reason,
        reject_reason=referral.reject_reason,
        better_desk=referral.better_desk,
        outcome=referral.outcome,
        fail_reason=referral.fail_reason,
        norm_gap=referral.norm_gap,
        replaces=referral.replaces,
        forced=referral.forced,
        closed=row.closed,
        updated_at=row.updated_at,
    )


class ReferralPage(BaseModel):
    """One page of referrals, newest first. Send ``next`` as ``cursor`` for the following page."""

    items: list[ReferralView]
    next: str | None


class CaseView(BaseModel):
    """A case (kasus): one trafficking incident, with the pseudonyms of its victims."""

    id: Id
    unit: str
    region: str
    channel: str
    exploitation: Exploitation
    destination: str | None
    opened_at: Moment
    victims: list[Id] = []


def case_view(row: CaseRow, victims: list[VictimRow]) -> CaseView:
    """The view of a case."""
    return CaseView(
        id=row.id,
        unit=row.unit,
        region=row.region,
        channel=row.channel,
        exploitation=Exploitation(row.exploitation),
        destination=row.destination,
        opened_at=row.opened_at,
        victims=[victim.id for victim in victims],
    )


class VictimView(BaseModel):
    """A victim (korban) by pseudonym and coarse facts. ``custody`` is the holder that this agency knows of."""

    id: Id
    case_id: Id
    age_class: AgeClass
    treated_as_child: bool
    sex: Sex
    home_region: str | None
    stage: Stage
    custody: UnitRef | None
    custody_seq: int
    registered_at: Moment
    closed_at: Moment | None
    outcome: JourneyOutcome | None


class VictimSeen(VictimView):
    """A victim, and the other pseudonyms of the same person."""

    same_person: list[Id] = Field(
        description="Kedua pihak mengatakan orang yang sama; hanya bagi penanggung jawab. / Said by both sides; "
        "shown to who is responsible."
    )


def victim_view(row: VictimRow) -> VictimView:
    """The view of a victim."""
    return VictimView(
        id=row.id,
        case_id=row.case_id,
        age_class=AgeClass(row.age_class),
        treated_as_child=row.age_class != AgeClass.ADULT,
        sex=Sex(row.sex),
        home_region=row.home_region,
        stage=Stage(row.stage),
        custody=holder_of(row),
        custody_seq=row.custody_seq,
        registered_at=row.registered_at,
        closed_at=row.closed_at,
        outcome=JourneyOutcome(row.outcome) if row.outcome else None,
    )


class VictimList(BaseModel):
    """Victims, oldest registration first."""

    items: list[VictimView]


class Confirmation(BaseModel):
    """The receiver's receipt (tanda terima) for an event that this agency sent."""

    confirmed_at: Moment
    receipt_id: Id | None


class HistoryItem(BaseModel):
    """One event of a referral as this agency's ledger holds it."""

    event_id: Id
    type: str
    direction: Literal["sent", "received"]
    sender: str
    receiver: str
    version: int | None
    time: Moment
    recorded_at: Moment
    linkseq: int | None = Field(description="Only for who sees all of the agency: it counts what others were sent.")
    causation_id: Id | None
    sha256: str
    data: Mapping[str, Any]
    receipt: Confirmation | None


class History(BaseModel):
    """Every event of a referral in this agency's ledger, oldest first."""

    items: list[HistoryItem]


def history_item(entry: LedgerEntry, owed: OutboxEntry | None, sight: Sight) -> HistoryItem:
    """The view of a ledger entry for a caller. ``owed``: its row of the outbox, with the receipt if there is one."""
    event = json.loads(entry.body)
    sender, _, receiver = entry.link.partition(">")
    receipt = None
    if owed is not None and owed.confirmed_at is not None and owed.linkseq is not None:
        receipt = Confirmation(confirmed_at=owed.confirmed_at, receipt_id=owed.receipt_id)
    return HistoryItem(
        event_id=entry.event_id,
        type=entry.type,
        direction="sent" if entry.sent else "received",
        sender=sender,
        receiver=receiver,
        version=int(event["sequence"]) if "sequence" in event else None,
        time=event["time"],
        recorded_at=entry.recorded_at,
        linkseq=entry.linkseq if sight.units is None else None,
        causation_id=event.get("causationid"),
        sha256=entry.sha256,
        data=_declared(entry.type, event["data"]),
        receipt=receipt,
    )


class Note(BaseModel):
    """An officer's free text beside the decision that the event reports."""

    event_id: Id
    text: str


class NoteList(BaseModel):
    """The notes of a referral that the caller may read."""

    items: list[Note]


def _declared(event_type: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that the event's class declares, without the sealed text. A field that a peer added is left out."""
    kind = CATALOGUE.get(event_type)
    shown = kind.model_validate(data).model_dump(mode="json", exclude_none=True) if kind is not None else {}
    shown.pop("sealed", None)
    return shown


class ParkedView(BaseModel):
    """A parked event (tertahan): received but not applied. An untrusted event is listed but cannot be replayed."""

    number: int
    reason: str
    trusted: bool
    event_id: Id | None
    referral_id: str | None
    subject: str
    sha256: str
    parked_at: Moment
    resolved_at: Moment | None


def parked_view(row: ParkedEvent) -> ParkedView:
    """The view of a parked event, without its body."""
    return ParkedView.model_validate(row, from_attributes=True)


class ParkedPage(BaseModel):
    """One page of parked events, newest first. Send ``next`` as ``cursor`` for the following page."""

    items: list[ParkedView]
    next: str | None


class LinkView(BaseModel):
    """The state of a link between two members.

    Sent: the last number, and how many events are not published or not receipted yet. Received: the number up to which
    all events arrived, and the missing numbers after it.
    """

    link: str
    direction: Literal["sent", "received"]
    last: int
    unpublished: int = 0
    unconfirmed: int = 0
    witnessed: int | None = None
    through: int | None = None
    missing: list[int] = []


class LinkList(BaseModel):
    """Every link of this member."""

    items: list[LinkView]
