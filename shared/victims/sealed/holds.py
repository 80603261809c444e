"""Read the legal holds of a victim. Here, because sealed text under a hold must not be erased or replaced."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlmodel import Session, col

from shared.victims.sealed.tables import HoldRow


def holds_of(session: Session, victim_id: str) -> Sequence[HoldRow]:
    """The legal holds of a victim that are not lifted, oldest first."""
    standing = (col(HoldRow.victim_id) == victim_id) & col(HoldRow.lifted_at).is_(None)
    return session.scalars(select(HoldRow).where(standing).order_by(col(HoldRow.number))).all()
