"""Read the ends of journeys that desks asked for."""

from sqlalchemy import ColumnElement, or_, select, true
from sqlmodel import Session, col

from shared.casework.cases.tables import ClosureRow
from shared.domain.access import Sight
from shared.storage.referrals import EVERY
from shared.storage.visibility import of_desk
from shared.victims.register.tables import VictimRow
from shared.victims.register.visibility import in_custody


def load_closure(session: Session, closure_id: str, condition: ColumnElement[bool] = EVERY) -> ClosureRow | None:
    """The closure with this id that satisfies the condition, or None."""
    return session.scalars(select(ClosureRow).where(col(ClosureRow.id) == closure_id, condition)).first()


def waiting_closure(session: Session, victim_id: str) -> ClosureRow | None:
    """The closure of a victim's journey that waits for a second person, or None."""
    waiting = (col(ClosureRow.victim_id) == victim_id) & col(ClosureRow.approved).is_(None)
    return session.scalars(select(ClosureRow).where(waiting)).first()


def visible(sight: Sight) -> ColumnElement[bool]:
    """Closures that a desk in sight asked for, or of a victim that a desk in sight has in custody."""
    if sight.units is None:
        return true()
    held = select(col(VictimRow.id)).where(col(VictimRow.id) == col(ClosureRow.victim_id), in_custody(sight))
    return or_(of_desk(sight, ClosureRow.unit), held.exists())
