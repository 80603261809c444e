"""Read a letter by its code, and the letters that exist for a caller."""

from sqlalchemy import ColumnElement, or_, select
from sqlmodel import Session, col

from shared.casework.letters.tables import LetterRow
from shared.casework.records import store as records
from shared.casework.records.tables import RecordRow
from shared.domain.access import Sight
from shared.storage.referrals import EVERY
from shared.storage.tables import ReferralRow
from shared.storage.visibility import of_desk, referrals


def load(session: Session, code: str, those: ColumnElement[bool] = EVERY) -> LetterRow | None:
    """The letter with this code, if it is among ``those``. ``code``: 12 characters, as stored."""
    return session.scalars(select(LetterRow).where(col(LetterRow.code) == code, those)).first()


def visible(sight: Sight) -> ColumnElement[bool]:
    """Letters that a desk in sight printed, or about a referral or a record that exists for the caller."""
    handed = select(col(ReferralRow.id)).where(col(ReferralRow.id) == col(LetterRow.referral_id), referrals(sight))
    filed = select(col(RecordRow.id)).where(col(RecordRow.id) == col(LetterRow.record_id), records.visible(sight))
    printed = (col(LetterRow.agency) == sight.agency) & of_desk(sight, LetterRow.unit)
    return or_(printed, handed.exists(), filed.exists())
