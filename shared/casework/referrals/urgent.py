"""Count the urgent requests of a person to a desk. The count is in the database, so a restart forgets none."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, tuple_
from sqlmodel import col

from shared.casework.referrals.tables import UrgentRow
from shared.contracts.types import UnitRef
from shared.domain.urgency import check_forced, check_urgent, counted_anew, is_limited, still_counted
from shared.reference.acting import Acting


@dataclass(frozen=True, slots=True)
class UrgentToDesk:
    """The urgent requests of one call to one desk: how many, and the field that names the desk.

    ``forced``: whether the caller overrules the desk's word that it is full. Only a single request can.
    ``counted_at``: when the same requests were counted before. They count once, from now on.
    """

    desk: UnitRef
    field: str
    number: int = 1
    forced: bool = False
    counted_at: datetime | None = None


def count_urgent(acting: Acting, asked: Sequence[UrgentToDesk]) -> None:
    """Count urgent requests of an officer, with one statement for all desks. ``asked`` names each desk once.

    Raises Refused: ``urgent-needs-supervisor`` or ``forcing-needs-supervisor``. Two first requests at once both add the
    row. The second then fails as a conflict, and its unit of work runs again.
    """
    if not asked or not is_limited(acting.caller.role):
        return
    rows = _rows(acting, [one.desk for one in asked])
    for one in asked:
        desk = one.desk.agency, one.desk.unit
        if (row := rows.get(desk)) is None:
            agency, unit = desk
            row = UrgentRow(requested_by=acting.caller.counts_as, agency=agency, unit=unit, times=[], forced=[])
            acting.tx.session.add(row)
        _count(row, one, acting.tx.now)


def _rows(acting: Acting, desks: Sequence[UnitRef]) -> dict[tuple[str, str], UrgentRow]:
    """Desk → the caller's row for it, locked. The order of the locks is that of the desks, in every call."""
    key = col(UrgentRow.agency), col(UrgentRow.unit)
    named = tuple_(*key).in_([(desk.agency, desk.unit) for desk in desks])
    theirs = select(UrgentRow).where(col(UrgentRow.requested_by) == acting.caller.counts_as, named)
    rows = acting.tx.session.scalars(theirs.order_by(*key).with_for_update())
    return {(row.agency, row.unit): row for row in rows}


def _count(row: UrgentRow, asked: UrgentToDesk, now: datetime) -> None:
    times, forced = _recent(row.times, now), _recent(row.forced, now)
    times = counted_anew(times, asked.number, asked.counted_at)
    check_urgent(times, asked.number, asked.field)
    if asked.forced:
        check_forced(forced)
        forced.append(now)
    row.times = [at.isoformat() for at in [*times, *[now] * asked.number]]
    row.forced = [at.isoformat() for at in forced]


def _recent(times: Sequence[str], now: datetime) -> list[datetime]:
    return still_counted([datetime.fromisoformat(at) for at in times], now)
