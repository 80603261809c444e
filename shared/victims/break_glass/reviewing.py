"""A second person of another desk reviews a break-glass within 24 hours. A review that is late is published, once."""

from datetime import datetime

from sqlalchemy import select
from sqlmodel import Session, col

from shared.contracts import events as e
from shared.domain.access import require_second_person
from shared.domain.break_glass import ReviewBreakGlass, require_other_desk
from shared.domain.refusal import Refused
from shared.reference.acting import Acting
from shared.reference.office import Office
from shared.storage.unit_of_work import Transaction
from shared.victims.break_glass import security_log
from shared.victims.break_glass.store import REVIEW_WITHIN, load_break_glass, review_due, unjudged
from shared.victims.break_glass.telling import is_concerned, tell_other_side
from shared.victims.identity import access_log
from shared.victims.identity.access_log import NOTED
from shared.victims.identity.rights import Ground, Right
from shared.victims.identity.tables import BreakGlassRow
from shared.victims.sealed import notes as sealed_notes


def tell_overdue(tx: Transaction, office: Office) -> int:
    """Publish, once, that the review of a break-glass is overdue, for each of them. Returns the number published."""
    late = unjudged(office.code) & (col(BreakGlassRow.opened_at) <= tx.now - REVIEW_WITHIN)
    rows = tx.session.scalars(select(BreakGlassRow).where(late).with_for_update()).all()
    for row in rows:
        row.overdue_at = tx.now
        overdue = e.BreakGlassReviewOverdue(
            break_glass_id=row.id, victim_id=row.victim_id, due_at=review_due(row), occurred_at=tx.now
        )
        tell_other_side(tx, office, row, overdue)
        security_log.review_overdue(tx, row)
    return len(rows)


def next_overdue(session: Session, agency: str) -> datetime | None:
    """The moment (UTC) at which the next review becomes overdue, or None."""
    opened = select(col(BreakGlassRow.opened_at)).where(unjudged(agency)).order_by(col(BreakGlassRow.opened_at))
    first: datetime | None = session.scalars(opened.limit(1)).first()
    return None if first is None else first + REVIEW_WITHIN


def review(acting: Acting, glass_id: str, command: ReviewBreakGlass) -> BreakGlassRow:
    """Record the verdict of a second person, of a desk above the opener's or of the desk responsible.

    Raises Refused: ``unknown-break-glass``, ``second-person-needed``, ``other-desk-needed`` or ``already-reviewed``.
    """
    row = load_break_glass(acting.tx.session, glass_id)
    if row is None or row.agency != acting.office.code or not is_concerned(acting.sight, row):
        raise Refused("unknown-break-glass")
    require_second_person(acting.caller, row.client, row.person)
    above = acting.office.units.above(acting.office.code, row.unit, acting.tx.now.date())
    require_other_desk(acting.caller.unit, row.unit, has_desk_above=bool(above))
    if row.verdict is not None:
        raise Refused("already-reviewed")
    row.verdict, row.reviewed_at = command.verdict, acting.tx.now
    row.reviewer, row.reviewer_person = acting.caller.client, acting.caller.person
    reviewed = e.BreakGlassReviewed(
        break_glass_id=row.id, victim_id=row.victim_id, verdict=command.verdict, occurred_at=row.reviewed_at
    )
    tell_other_side(acting.tx, acting.office, row, reviewed)
    security_log.break_glass_reviewed(acting, row)
    return row


def read_note(acting: Acting, glass_id: str) -> str:
    """The written reason for a break-glass, for the reviewer. The read is logged as a read of the victim's data.

    Raises Refused: ``unknown-break-glass`` or ``no-note``.
    """
    row = load_break_glass(acting.tx.session, glass_id)
    if row is None or row.agency != acting.office.code or not is_concerned(acting.sight, row):
        raise Refused("unknown-break-glass")
    text = sealed_notes.notes(acting.tx.session, acting.office, row.victim_id, [row.id], legal_hold=True).get(row.id)
    if text is None:
        raise Refused("no-note")
    access_log.log(acting, row.victim_id, "audit", Right(frozenset(), Ground.REVIEW, row), [NOTED])
    return text
