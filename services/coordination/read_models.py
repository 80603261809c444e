"""The bodies of coordination's answers: journeys, custody through time, counts, norm gaps."""

from pydantic import BaseModel, Field

from shared.contracts.codes import Level, MatchState
from shared.contracts.types import Id, Moment, UnitRef
from shared.service.referral_view import ReferralView


class CustodyView(UnitRef):
    """One link of the custody chain (penanggung jawab), from ``since`` to ``until`` (None: now)."""

    seq: int
    unit_name: str
    since: Moment
    until: Moment | None
    referral_id: Id | None


class StageView(BaseModel):
    """A stage (tahap) that the journey entered, and at whose desk."""

    stage: str
    agency: str
    unit: str
    unit_name: str
    occurred_at: Moment


class HandoverView(ReferralView):
    """A hand-over: a referral or transfer with the names of its desks."""

    sender_name: str
    receiver_name: str
    service_label: str


class EventView(BaseModel):
    """One event of the journey, in the order of its ``time``."""

    event_id: Id
    type: str
    sender: str
    receiver: str
    time: Moment
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
    due_at: Moment
    warned_at: Moment | None
    breached_at: Moment | None
    escalated_at: Moment | None
    escalated_to: str | None
    escalated_to_name: str | None
    escalated_level: Level | None
    stopped_at: Moment | None
    in_time: bool | None


class JourneySummary(BaseModel):
    """A journey in a list."""

    victim_id: Id
    case_id: Id | None
    age_class: str | None
    sex: str | None
    home_region: str | None
    stage: str
    custody: UnitRef | None
    custody_name: str | None
    live_handovers: int
    overdue: int
    escalated: Level | None = Field(description="The highest level of desk that was told of a running clock.")
    registered_at: Moment | None
    closed_at: Moment | None
    outcome: str | None


class JourneyPage(BaseModel):
    """One page of journeys, newest first."""

    items: list[JourneySummary]
    next: str | None


class JourneyView(JourneySummary):
    """A whole journey (perjalanan), from detection to after-care."""

    exploitation: str | None
    destination: str | None
    custody_chain: list[CustodyView]
    stages: list[StageView]
    handovers: list[HandoverView]
    alarms: list[AlarmView]
    same_person: dict[MatchState, int] = Field(
        description="Proposals that another journey is of the same person; linked once both sides agree."
    )
    events: list[EventView]


class Holder(BaseModel):
    """The custody holder at a moment; None before the registration."""

    at: Moment
    custody: CustodyView | None


class Counts(BaseModel):
    """Numbers of journeys, hand-overs and clocks. Keys are codes; provinces are those of the custody holders' desks."""

    journeys_open: int
    journeys_closed: int
    overdue: int
    norm_gaps: int
    escalated: dict[Level, int] = Field(description="Running clocks, by the highest level of desk that was told.")
    by_stage: dict[str, int]
    by_agency: dict[str, int]
    by_province: dict[str, int]
    handovers_by_status: dict[str, int]


class NormGapView(BaseModel):
    """A hand-over that failed for want of a rule."""

    norm_gap: str
    handover: HandoverView


class NormGapPage(BaseModel):
    """One page of norm gaps for the norm-development Subsatgas, newest first."""

    items: list[NormGapView]
    next: str | None
