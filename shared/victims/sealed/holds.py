"""Read the legal holds of a victim. Here, because sealed text under a hold must not be erased or replaced."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlmodel import Session, col

from shared.victims.sealed.tables import HoldRow


def holds_of(session: Session, victim_id: str) -> Sequence[HoldRow]:
    """The legal holds of a victim that stand, oldest first. One whose time is over stands until the timer ends it."""
    standing = (col(HoldRow.victim_id) == victim_id) & col(HoldRow.lifted_at).is_(None)
    return session.scalars(select(HoldRow).where(standing).order_by(col(HoldRow.number))).all()


def every_hold_of(session: Session, victim_id: str) -> Sequence[HoldRow]:
    """The legal holds of a victim, also those that have ended, oldest first."""
    theirs = select(HoldRow).where(col(HoldRow.victim_id) == victim_id)
    return session.scalars(theirs.order_by(col(HoldRow.number))).all()
