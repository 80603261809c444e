"""Publish the steps of a clock when they are due, from a timer, with nobody logged in."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from shared.casework.clocks.tables import ClockRow
from shared.contracts import events as e
from shared.contracts.types import UnitRef
from shared.domain.clocks import DueStep, Step
from shared.domain.routing import NATION
from shared.reference.office import Office, draft
from shared.storage.notifier import Topic
from shared.storage.timers import Timer
from shared.storage.unit_of_work import Transaction

AT_ONCE = 200
"""Most clocks whose steps are published in one transaction."""


def due_steps(office: Office) -> Timer:
    """The timer that publishes the steps of clocks when they are due."""
    return Timer(Topic.CLOCKS_DUE, next_due, lambda tx: tell_due(tx, office), after_mail=True)


def tell_due(tx: Transaction, office: Office) -> int:
    """Publish the next step of every clock that is due, the earliest first, AT_ONCE clocks at most.

    Returns the number of clocks.
    """
    due = select(ClockRow).where(col(ClockRow.next_at) <= tx.now).order_by(col(ClockRow.next_at)).limit(AT_ONCE)
    rows = tx.session.scalars(due.with_for_update()).all()
    for row in rows:
        tell_next(tx, office, row)
    return len(rows)


def next_due(session: Session) -> datetime | None:
    """The moment (UTC) of the next step of any clock, or None."""
    due = select(col(ClockRow.next_at)).where(col(ClockRow.next_at).is_not(None)).order_by(col(ClockRow.next_at))
    found: datetime | None = session.scalars(due.limit(1)).first()
    return found


def steps_of(row: ClockRow) -> Sequence[DueStep]:
    """All steps of a clock, published or not."""
    return [DueStep(Step(step), datetime.fromisoformat(at), height) for step, at, height in row.moments]


def tell_next(tx: Transaction, office: Office, row: ClockRow) -> None:
    """Publish the next step of a clock. Store the moment (UTC) of the step after it, or None when none is left."""
    steps = steps_of(row)
    tell_clock(tx, office, row, _told(tx, office, row, steps[row.told]))
    row.told += 1
    row.next_at = steps[row.told].at if row.told < len(steps) else None


def common_fields(office: Office, row: ClockRow, at: datetime) -> dict[str, Any]:
    """The fields that every clock event has. ``at``: the moment (UTC) of the event."""
    return {
        "about": row.about,
        "clock": row.clock,
        "victim_id": row.victim_id,
        "unit": UnitRef(agency=office.code, unit=row.unit, region=row.region),
        "started_at": row.started_at,
        "due_at": row.due_at,
        "occurred_at": at,
    }


def _told(tx: Transaction, office: Office, row: ClockRow, due: DueStep) -> e.ClockEvent:
    """The event for a step, with the moment at which the step was due. This service may have been down then."""
    said = common_fields(office, row, due.at)
    if due.step is Step.WARNED:
        return e.ClockWarned(**said)
    if due.step is Step.BREACHED:
        return e.ClockBreached(**said)
    on = tx.now.date()
    above = office.units.above(office.code, row.unit, on) or (office.units.desk_for(office.code, NATION, on),)
    desk = above[min(due.height, len(above)) - 1]
    return e.ClockEscalated(**said, to=desk.as_ref(), level=desk.level)


def tell_clock(tx: Transaction, office: Office, row: ClockRow, event: e.ClockEvent) -> None:
    """Send to the coordinator. Without a coordinator, send to the other side, or else record in our own ledger only."""
    tx.changed.add(Topic.CLOCKS)
    unit = UnitRef(agency=office.code, unit=row.unit, region=row.region)
    receiver = office.agency.coordinator or row.peer or office.code
    tx.emit(draft(event, receiver, unit, victim_id=row.victim_id))
