"""Storage of access tokens that were ended by signing out, so that they stay ended after a restart."""

from datetime import datetime

from sqlalchemy import delete, select
from sqlmodel import Session, col

from shared.storage.tables import EndedToken
from shared.storage.unit_of_work import Transaction


def keep(tx: Transaction, jti: str, until: datetime) -> None:
    """Store that an access token (``jti``) was ended, and delete the rows of tokens that have expired.

    ``until`` (UTC) is the moment at which the token expires by itself.
    """
    tx.session.execute(delete(EndedToken).where(col(EndedToken.until) <= tx.now))
    tx.session.merge(EndedToken(jti=jti, until=until))


def still_kept(session: Session) -> dict[str, datetime]:
    """``jti`` → the moment (UTC) at which the access token expires by itself."""
    return {row.jti: row.until for row in session.scalars(select(EndedToken))}
