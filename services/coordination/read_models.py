"""The bodies of coordination's answers: journeys, custody through time, counts, norm gaps.

A moment of a journey is a day in the time zone of the capital. A deadline is a full hour (decision 0039).
"""

from datetime import date

from pydantic import BaseModel, Field

from shared.contracts.codes import (
    BusinessStatus,
    FailReason,
    HoldReason,
    Kind,
    Level,
    MatchState,
    NormGap,
    Outcome,
    Priority,
    RejectReason,
    Status,
)
from shared.contracts.types import DeskRef, Id, Moment, UnitRef
from shared.domain.anonymity import Part


class CustodyView(UnitRef):
    """One link of the custody chain (penanggung jawab), from ``since`` to ``until`` (None: now)."""

    seq: int
    unit_name: str
    since: date
    until: date | None
    referral_id: Id | None


class StageView(BaseModel):
    """A stage (tahap) that the journey entered, and at whose desk."""

    stage: str
    agency: str
    unit: str
    unit_name: str
    occurred_at: date


class HandoverView(BaseModel):
    """A hand-over: a referral (rujukan) or transfer (pelimpahan), with the names of its desks."""

    id: Id
    case_id: Id
    victim_id: Id
    kind: Kind
    service: str
    priority: Priority
    status: Status
    business_status: BusinessStatus | None
    version: int
    sender: UnitRef
    receiver: UnitRef
    requested_at: date
    due_at: Moment = Field(description="The full hour (UTC) in which the time limit for the start of the work passes.")
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
    updated_at: date
    sender_name: str
    receiver_name: str
    service_label: str


class EventView(BaseModel):
    """One event of the journey, in the order of its time. Its own id would tell that time, so it is not here."""

    type: str
    sender: str
    receiver: str
    time: date
    referral_id: Id | None
    version: int | None


class AlarmView(BaseModel):
    """The events of a clock (batas waktu) at the desk that keeps it: warned, breached, escalated, stopped."""

    about: Id = Field(description="The id of the referral or victim that the clock is about.")
    clock: str
    label: str
    basis: str | None
    agency: str
    unit: str
    unit_name: str
    due_at: Moment = Field(description="The full hour (UTC) in which the clock is due.")
    warned_at: date | None
    breached_at: date | None
    escalated_at: date | None
    escalated_to: str | None
    escalated_to_name: str | None
    escalated_level: Level | None
    stopped_at: date | None
    in_time: bool | None


class ContradictionView(BaseModel):
    """Trusted events that were not applied, because they claim what another member holds. Until they are resolved."""

    reason: str = Field(description="The code of the reason in the list of parked events.")
    sender: str
    type: str
    times: int = Field(ge=1, description="How often the sender has said so.")
    day: date = Field(description="The day on which the last of these events arrived here.")


class JourneySummary(BaseModel):
    """A journey in a list: where it stands, and nothing of the person."""

    victim_id: Id
    part: Part = Field(
        description="How much of the journey exists for the caller. Its state now is null unless this is `whole`."
    )
    stage: str | None
    custody: UnitRef | None
    custody_name: str | None
    live_handovers: int
    overdue: int
    escalated: Level | None = Field(description="The highest level of desk that was told of a running clock.")
    registered_at: date | None
    closed_at: date | None
    outcome: str | None
    reopened_at: date | None = Field(
        description="When somebody became responsible again after the journey was closed. It stays after a new end."
    )
    contradicted: bool = Field(
        description="Two members contradict each other about the person. False unless `part` is `whole`."
    )


class JourneyPage(BaseModel):
    """One page of journeys, newest first."""

    items: list[JourneySummary]
    next: str | None


class JourneyFacts(BaseModel):
    """The coarse facts of a victim. Together they may point to one person."""

    age_class: str | None
    sex: str | None
    home: str | None = Field(description="Province of the home, or a country (`00.KH`).")
    exploitation: str | None
    destination: str | None


class JourneyView(JourneySummary):
    """A whole journey (perjalanan), from detection to after-care, or the caller's part of it."""

    case_id: Id | None
    facts: JourneyFacts | None = Field(
        description="For the coordinator whose province has custody; for the centre where no province has it, or where "
        "a clock was escalated to the nation. Null for everybody else."
    )
    custody_chain: list[CustodyView]
    stages: list[StageView]
    handovers: list[HandoverView]
    alarms: list[AlarmView]
    contradictions: list[ContradictionView] = Field(description="Empty unless `part` is `whole`.")
    same_person: dict[MatchState, int] = Field(
        description="Proposals that another journey is of the same person; linked once both sides agree."
    )
    events: list[EventView]


class Holder(BaseModel):
    """The custody holder at the end of a day. None before the registration, and outside the caller's part."""

    at: date
    custody: CustodyView | None


class CountView(BaseModel):
    """A number of journeys, so rounded that no group of fewer than ten people can be computed."""

    at_least: int = Field(description="Rounded down to a multiple of ten, sometimes further.")
    suppressed: bool = Field(
        description="Fewer than ten, perhaps none; or more would let a reader compute such a group."
    )


class Counts(BaseModel):
    """Numbers of journeys. Keys are codes; provinces are those of the custody holders' desks, `00` is abroad."""

    journeys_open: CountView
    journeys_closed: CountView
    overdue: CountView = Field(description="Journeys with an overdue hand-over.")
    norm_gaps: CountView = Field(description="Journeys with a hand-over that failed for want of a rule.")
    escalated: CountView = Field(description="Open journeys with a running clock that a desk above was told of.")
    escalated_by_level: dict[Level, CountView] = Field(description="By the highest level of desk that was told.")
    by_stage: dict[str, CountView]
    by_agency: dict[str, CountView]
    by_province: dict[str, CountView]
    handovers_by_status: dict[str, CountView] = Field(description="Journeys with a hand-over in this status.")


class NormGapView(BaseModel):
    """A hand-over that failed for want of a rule."""

    norm_gap: str
    handover: HandoverView


class NormGapPage(BaseModel):
    """One page of norm gaps for the norm-development Subsatgas, newest first."""

    items: list[NormGapView]
    next: str | None
