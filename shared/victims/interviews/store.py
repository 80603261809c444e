"""The number of interviews of a victim, by any agency. Each interview has an id and counts once."""

from collections.abc import Iterable

from sqlalchemy import select
from sqlmodel import Session, col

from shared.contracts import events as e
from shared.domain.trust import MOST_INTERVIEWS
from shared.storage.unit_of_work import Transaction
from shared.victims.interviews.tables import InterviewRow


def ids_of(session: Session, victim_id: str) -> tuple[str, ...]:
    """The ids of the victim's interviews that are known here, sorted."""
    ids = select(col(InterviewRow.id)).where(col(InterviewRow.victim_id) == victim_id).order_by(col(InterviewRow.id))
    return tuple(session.scalars(ids))


def to_tell(session: Session, victim_id: str) -> tuple[str, ...]:
    """The ids that a request tells: MOST_INTERVIEWS at most, first those whose agency is known."""
    theirs = select(col(InterviewRow.id)).where(col(InterviewRow.victim_id) == victim_id)
    return tuple(
        session.scalars(
            theirs.order_by(col(InterviewRow.agency).is_(None), col(InterviewRow.id)).limit(MOST_INTERVIEWS)
        )
    )


def keep(tx: Transaction, victim_id: str, ids: Iterable[str], told: e.VictimInterviewed | None = None) -> None:
    """Remember interviews, each once. ``told``: the event with the agency and the time of the interview.

    Without it, nobody vouches for the ids. Then no more than MOST_INTERVIEWS of a victim are remembered. The first
    agency that tells of an interview keeps it.
    """
    named = list(ids)
    room = MOST_INTERVIEWS - len(ids_of(tx.session, victim_id)) if told is None and named else None
    for ident in named:
        row = tx.session.get(InterviewRow, ident)
        if row is None and room is not None:
            if room <= 0:
                continue
            room -= 1
        if row is None:
            row = InterviewRow(id=ident, victim_id=victim_id)
            tx.session.add(row)
        if told is not None and row.victim_id == victim_id and row.agency in (None, told.unit.agency):
            row.agency, row.held_at = told.unit.agency, told.occurred_at
