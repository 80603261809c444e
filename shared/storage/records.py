"""Filed forms in and out of their rows."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, select
from sqlmodel import Session, col

from shared.domain.forms import Filed
from shared.storage.agency_tables import RecordRow
from shared.storage.referrals import EVERY


def load(session: Session, record_id: str, seen: ColumnElement[bool] = EVERY) -> RecordRow | None:
    """The row of a record, if it is among those ``seen``."""
    return session.scalars(select(RecordRow).where(col(RecordRow.id) == record_id, seen)).first()


def filed_about(session: Session, about: str) -> Sequence[RecordRow]:
    """What was filed about a case, victim, referral or desk and has not been corrected since, oldest first."""
    standing = (col(RecordRow.about) == about) & col(RecordRow.corrected_by).is_(None)
    return session.scalars(
        select(RecordRow).where(standing).order_by(col(RecordRow.occurred_at), col(RecordRow.number))
    ).all()


def first_of(session: Session, row: RecordRow) -> RecordRow:
    """The record that was filed first, of one and its corrections."""
    while row.corrects is not None and (before := load(session, row.corrects)) is not None:
        row = before
    return row


def to_filed(row: RecordRow) -> Filed:
    """What a rule may know of a record."""
    return Filed(row.id, row.form, row.facts, row.unit, row.occurred_at)
