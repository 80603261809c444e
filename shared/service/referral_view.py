"""The HTTP answer about a referral. Apart, because agencies and coordination both give it."""

from datetime import datetime

from pydantic import BaseModel, Field

from shared.contracts.codes import (
    BusinessStatus,
    FailReason,
    HoldReason,
    Kind,
    NormGap,
    Outcome,
    Priority,
    RejectReason,
    SenderCustody,
    Status,
)
from shared.contracts.types import DeskRef, Id, Moment, UnitRef
from shared.domain.referral import business_status, is_overdue
from shared.storage import referrals
from shared.storage.tables import ReferralRow


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
    version: int = Field(description="Version 1 is the sender's request; the receiver makes every later version.")
    sender: UnitRef
    receiver: UnitRef
    requested_at: Moment
    due_at: Moment = Field(description="The time limit (UTC) for the start of the work.")
    sender_due_at: Moment | None = Field(description="At the receiver: the time limit that the sender computed.")
    sender_custody: SenderCustody | None = Field(
        description="At the receiver of a transfer: whether the sender has custody. Null for everybody else. "
        "`known-here`: our own custody chain says so. `confirmed`: the task force says so. `contested`: the task force "
        "says that another agency has custody. `unconfirmed`: the task force knows no transfer that brought the sender "
        "near to custody. `unknown`: nobody has said so yet. Then ask with `custody-check`."
    )
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
        sender_due_at=row.sender_due_at,
        sender_custody=SenderCustody(row.sender_custody) if row.sender_custody else None,
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
