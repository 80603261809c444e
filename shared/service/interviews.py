"""How many times a victim was interviewed, by any agency. Each interview has an id and counts once."""

from collections.abc import Iterable

from sqlalchemy import select
from sqlmodel import Session, col

from shared.contracts import events as e
from shared.service.office import Office, draft
from shared.storage import referrals
from shared.storage.agency_tables import InterviewRow
from shared.storage.database import Transaction


def known(session: Session, victim_id: str) -> tuple[str, ...]:
    """The ids of the victim's interviews that are known here, sorted."""
    ids = select(col(InterviewRow.id)).where(col(InterviewRow.victim_id) == victim_id).order_by(col(InterviewRow.id))
    return tuple(session.scalars(ids))


def held(tx: Transaction, office: Office, told: e.VictimInterviewed) -> None:
    """One of our desks interviewed a victim. Tell the coordinator, and every agency that sent or received the victim's
    referrals."""
    keep(tx, told.victim_id, [told.interview_id], told)
    others = referrals.senders_of_victim(tx.session, told.victim_id)
    others |= referrals.receivers_of_victim(tx.session, told.victim_id)
    for agency in sorted(filter(None, (others | {office.agency.coordinator}) - {office.code})):
        tx.emit(draft(told, agency, told.unit, victim_id=told.victim_id))


def keep(tx: Transaction, victim_id: str, ids: Iterable[str], told: e.VictimInterviewed | None = None) -> None:
    """Remember interviews, each once. ``told``: the event with the agency and the time of the interview."""
    for ident in ids:
        row = tx.session.get(InterviewRow, ident)
        if row is None:
            row = InterviewRow(id=ident, victim_id=victim_id)
            tx.session.add(row)
        if told is not None:
            row.agency, row.held_at = told.unit.agency, told.occurred_at
