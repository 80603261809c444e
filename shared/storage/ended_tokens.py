"""Access tokens that their bearers have ended, in and out of their rows: they stay ended over a restart."""

from datetime import datetime

from sqlalchemy import delete, select
from sqlmodel import Session, col

from shared.storage.database import Transaction
from shared.storage.tables import EndedToken


def keep(tx: Transaction, jti: str, until: datetime) -> None:
    """Remember that a token was ended, and forget those that have ended by themselves meanwhile."""
    tx.session.execute(delete(EndedToken).where(col(EndedToken.until) <= tx.now))
    tx.session.merge(EndedToken(jti=jti, until=until))


def still_kept(session: Session) -> dict[str, datetime]:
    """``jti`` → when it ends by itself."""
    return {row.jti: row.until for row in session.scalars(select(EndedToken))}
