"""Storage of filed forms (records)."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, or_, select
from sqlmodel import Session, col

from shared.casework.records.tables import RecordRow
from shared.domain.access import Sight
from shared.domain.forms import Filed
from shared.storage.referrals import EVERY
from shared.storage.visibility import of_desk
from shared.victims.register.tables import VictimRow
from shared.victims.register.visibility import concerned


def load(session: Session, record_id: str, condition: ColumnElement[bool] = EVERY) -> RecordRow | None:
    """The row of a record that satisfies the condition, or None."""
    return session.scalars(select(RecordRow).where(col(RecordRow.id) == record_id, condition)).first()


def filed_about(session: Session, about: str) -> Sequence[RecordRow]:
    """The uncorrected records about a case, victim, referral or desk, by the time of what they report, oldest first."""
    standing = (col(RecordRow.about) == about) & col(RecordRow.corrected_by).is_(None)
    return session.scalars(
        select(RecordRow).where(standing).order_by(col(RecordRow.occurred_at), col(RecordRow.number))
    ).all()


def first_of(session: Session, row: RecordRow) -> RecordRow:
    """The original of a record: follows the corrections back to the record that was filed first."""
    while row.corrects is not None and (before := load(session, row.corrects)) is not None:
        row = before
    return row


def to_filed(row: RecordRow) -> Filed:
    """Convert a row to what a rule may know of a record: no sealed field."""
    return Filed(row.id, row.form, row.facts, row.unit, row.occurred_at)


def visible(sight: Sight) -> ColumnElement[bool]:
    """Records that a desk in sight filed, or of a victim in whom such a desk has had a part."""
    theirs = select(col(VictimRow.id)).where(col(VictimRow.id) == col(RecordRow.victim_id), concerned(sight))
    return or_(of_desk(sight, RecordRow.unit), theirs.exists())
