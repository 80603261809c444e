"""Response models of the HTTP API for clocks."""

from datetime import datetime
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, Field
from sqlalchemy import ColumnElement
from sqlmodel import col

from shared.casework.clocks.due import steps_of
from shared.casework.clocks.tables import ClockRow
from shared.contracts.types import Id, Moment
from shared.domain.clocks import Clock, ClockSubject, Counting, Scope, Step
from shared.reference.office import Office


class ClockRule(BaseModel):
    """One clock of the clock table: its legal basis, its time limit, and the events that start and stop it."""

    code: str
    label: str
    label_en: str
    basis: str
    source: str
    scope: Scope
    about: ClockSubject
    limit_hours: float = Field(description="The time limit in hours, counted in the way of `counting`.")
    counting: Counting
    starts: list[str] = Field(description="The events that start the clock.")
    stops: list[str]
    warn_hours_before: float
    escalate_hours_after: list[float]
    regions: list[str] = Field(
        description="The regions to which the clock applies; everywhere without `regions` and `desks`."
    )
    desks: list[str]
    shortens: str | None


class ClockTable(BaseModel):
    """The clock table of this agency."""

    items: list[ClockRule]


def clock_rule_view(clock: Clock) -> ClockRule:
    """The view of one clock of the clock table."""
    return ClockRule(
        code=clock.code,
        label=clock.label.id,
        label_en=clock.label.en,
        basis=clock.basis,
        source=clock.source,
        scope=clock.scope,
        about=clock.about,
        limit_hours=clock.limit.total_seconds() / 3600,
        counting=clock.counting,
        starts=[trigger.event for trigger in clock.starts],
        stops=[trigger.event for trigger in clock.stops],
        warn_hours_before=clock.warn_before.total_seconds() / 3600,
        escalate_hours_after=[after.total_seconds() / 3600 for after in clock.escalate_after],
        regions=sorted(clock.regions),
        desks=sorted(clock.desks),
        shortens=clock.shortens,
    )


Shown = Literal["open", "running", "overdue", "stopped"]


def shown(state: Shown, now: datetime) -> list[ColumnElement[bool]]:
    """The SQL conditions for the clocks in a state at ``now`` (UTC)."""
    stopped, due = col(ClockRow.stopped_at), col(ClockRow.due_at)
    conditions: dict[str, list[ColumnElement[bool]]] = {
        "open": [stopped.is_(None)],
        "running": [stopped.is_(None), due > now],
        "overdue": [stopped.is_(None), due <= now],
        "stopped": [stopped.is_not(None)],
    }
    return conditions[state]


class ClockState(StrEnum):
    """The state of a clock."""

    RUNNING = "running"
    OVERDUE = "overdue"
    MET = "met"
    LATE = "late"
    """Stopped, but after the time limit."""


class Told(BaseModel):
    """A step of a clock and its moment (UTC). ``told``: the event of the step is signed and in the ledger."""

    step: Step
    at: Moment
    desks_above: int
    told: bool


class ClockView(BaseModel):
    """A clock (batas waktu) that runs for a desk, or that was stopped."""

    about: Id = Field(description="The id of the referral, victim or case that the clock is about.")
    kind: ClockSubject
    clock: str
    label: str
    label_en: str
    basis: str | None
    victim_id: Id | None
    unit: str
    region: str
    peer: str | None = Field(
        description="The other agency of the referral: it waits for the unit, or the unit waits for it."
    )
    state: ClockState
    started_at: Moment = Field(description="When the clock began, from which its time limit counts.")
    due_at: Moment
    stopped_at: Moment | None = Field(description="The told moment of the stop.")
    recorded_at: Moment | None = Field(
        description="When the stop was recorded: it decides whether the clock was met, unless a reply slip proves the "
        "told moment."
    )
    told: int = Field(description="The number of steps that are published.")
    steps: list[Told]


class ClockPage(BaseModel):
    """One page of clocks, the earliest time limit first. ``next`` is the cursor of the next page."""

    items: list[ClockView]
    next: str | None


def clock_view(row: ClockRow, office: Office, now: datetime) -> ClockView:
    """The view of a clock at ``now`` (UTC)."""
    clock = office.clocks.by_code.get(row.clock)
    return ClockView(
        about=row.about,
        kind=ClockSubject(row.kind),
        clock=row.clock,
        label=clock.label.id if clock else row.clock,
        label_en=clock.label.en if clock else row.clock,
        basis=clock.basis if clock else None,
        victim_id=row.victim_id,
        unit=row.unit,
        region=row.region,
        peer=row.peer,
        state=_state(row, now),
        started_at=row.started_at,
        due_at=row.due_at,
        stopped_at=row.stopped_at,
        recorded_at=row.recorded_at,
        told=row.told,
        steps=[
            Told(step=step.step, at=step.at, desks_above=step.height, told=place < row.told)
            for place, step in enumerate(steps_of(row))
        ],
    )


def _state(row: ClockRow, now: datetime) -> ClockState:
    if row.stopped_at is not None:
        return ClockState.MET if row.in_time else ClockState.LATE
    return ClockState.RUNNING if now < row.due_at else ClockState.OVERDUE
