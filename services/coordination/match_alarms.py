"""Alarms about match tokens: a number of too many people, and a desk that meets others and refers nobody."""

import structlog
from sqlalchemy import delete, func, select
from sqlmodel import col

from services.coordination.tables import CustodyRow, MatchAlarmRow, MeetingRow
from shared.contracts.codes import MatchKind
from shared.domain.matching import MEETINGS, MEETINGS_WITHIN
from shared.storage.tables import ReferralRow
from shared.storage.unit_of_work import Transaction

log = structlog.get_logger()


def raise_number_of_many(tx: Transaction, victim_id: str, kind: MatchKind, people: int) -> None:
    """Alarm that one number stands under too many people; the desk is that of the victim who made it so."""
    _raise(tx, victim_id, "number-of-many", kind, people)


def count_meeting(tx: Transaction, victim_id: str) -> int | None:
    """Count that a victim's new identifiers met another victim.

    Answers the meetings of the desk without a referral, where they are an alarm; then raises it.
    """
    desk = tx.session.get(CustodyRow, (victim_id, 1))
    if desk is None:
        return None
    theirs = (col(MeetingRow.agency) == desk.agency) & (col(MeetingRow.unit) == desk.unit)
    tx.session.execute(delete(MeetingRow).where(theirs, col(MeetingRow.met_at) < tx.now - MEETINGS_WITHIN))
    tx.session.add(MeetingRow(victim_id=victim_id, agency=desk.agency, unit=desk.unit, met_at=tx.now))
    tx.session.flush()
    referred = select(col(ReferralRow.id)).where(col(ReferralRow.victim_id) == col(MeetingRow.victim_id))
    count = select(func.count()).select_from(MeetingRow).where(theirs, ~referred.exists())
    meetings = int(tx.session.execute(count).scalar_one())
    if meetings < MEETINGS:
        return None
    if meetings % MEETINGS == 0:
        _raise(tx, victim_id, "meetings-without-referral", None, meetings)
    return meetings


def _raise(tx: Transaction, victim_id: str, reason: str, kind: MatchKind | None, count: int) -> None:
    desk = tx.session.get(CustodyRow, (victim_id, 1))
    if desk is None:
        return
    unit = desk.unit
    alarm = MatchAlarmRow(
        reason=reason,
        kind=kind,
        agency=desk.agency,
        unit=unit,
        region=desk.region,
        count=count,
        raised_at=tx.now,
    )
    tx.session.add(alarm)
    tx.afterwards.append(lambda: log.warning("match.alarm", reason=reason, unit=unit, count=count))
