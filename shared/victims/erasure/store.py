"""Read erasures, legal holds, and the withdrawals and erasures that this agency was told of."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, or_, select, true
from sqlmodel import Session, col

from shared.contracts.codes import KeptBecause
from shared.domain.access import Sight
from shared.domain.erasure import ErasureCause
from shared.storage.visibility import of_desk
from shared.victims.erasure.tables import AnswerRow, ErasureRow
from shared.victims.register.tables import VictimRow
from shared.victims.register.visibility import concerned, in_custody
from shared.victims.sealed.tables import HoldRow


def load_erasure(session: Session, erasure_id: str) -> ErasureRow | None:
    """The erasure requested here under this id, of any victim, or None."""
    asked = (col(ErasureRow.id) == erasure_id) & (col(ErasureRow.cause) == ErasureCause.ASKED)
    return session.scalars(select(ErasureRow).where(asked)).first()


def waiting_erasure(session: Session, victim_id: str) -> ErasureRow | None:
    """The erasure of a victim that waits for the decision of a second person, or None."""
    waiting = (col(ErasureRow.victim_id) == victim_id) & col(ErasureRow.approved).is_(None)
    return session.scalars(select(ErasureRow).where(waiting)).first()


def answers_to(session: Session, cause_id: str) -> Sequence[AnswerRow]:
    """Every notice of one withdrawal or erasure (``cause_id``), with our answer, in the order of time."""
    return session.scalars(
        select(AnswerRow).where(col(AnswerRow.cause_id) == cause_id).order_by(col(AnswerRow.at))
    ).all()


def answers_keeping(session: Session, victim_id: str, because: KeptBecause) -> Sequence[AnswerRow]:
    """The notices about a victim whose answer kept something, for the reason ``because``, in the order of time."""
    here = (col(AnswerRow.victim_id) == victim_id) & (col(AnswerRow.kept_because) == because)
    return session.scalars(select(AnswerRow).where(here).order_by(col(AnswerRow.at))).all()


def visible(sight: Sight) -> ColumnElement[bool]:
    """Erasures that a desk in sight requested, or of a victim that a desk in sight has in custody.

    Those that another agency told us: of a victim in whom a desk in sight has or had a part.
    """
    asked = _of_desk_or_custody(sight, ErasureRow.unit, ErasureRow.victim_id)
    with_part = select(col(VictimRow.id)).where(col(VictimRow.id) == col(ErasureRow.victim_id), concerned(sight))
    return or_(asked, (col(ErasureRow.cause) != ErasureCause.ASKED) & with_part.exists())


def visible_holds(sight: Sight) -> ColumnElement[bool]:
    """Legal holds that a desk in sight placed, or of a victim that a desk in sight has in custody."""
    return _of_desk_or_custody(sight, HoldRow.unit, HoldRow.victim_id)


def _of_desk_or_custody(sight: Sight, unit: Any, victim_id: Any) -> ColumnElement[bool]:
    if sight.units is None:
        return true()
    in_custody_here = select(col(VictimRow.id)).where(col(VictimRow.id) == col(victim_id), in_custody(sight))
    return or_(of_desk(sight, unit), in_custody_here.exists())
