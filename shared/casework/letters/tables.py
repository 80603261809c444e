"""Table: printed letters, ours and those of the other side of a referral. All moments are in UTC."""

from datetime import datetime

from sqlmodel import Field

from shared.storage.agency_tables import AgencyStored
from shared.storage.columns import Ident, UtcMoment, Word
from shared.storage.tables import ascending_key


class LetterRow(AgencyStored, table=True):
    """A printed letter about a referral or a record, ours or the other side's. ``code`` stands on the paper.

    ``event_id`` is the ``letter.issued`` event; ``tells`` is the event that the letter reports.
    """

    __tablename__ = "letters"

    number: int | None = ascending_key()
    code: str = Field(sa_type=Word, unique=True)
    kind: str = Field(sa_type=Word)
    agency: str = Field(sa_type=Word)
    unit: str = Field(sa_type=Word)
    region: str = Field(sa_type=Word)
    victim_id: str | None = Field(default=None, sa_type=Ident, index=True)
    referral_id: str | None = Field(default=None, sa_type=Ident, index=True)
    version: int | None = None
    record_id: str | None = Field(default=None, sa_type=Ident)
    event_id: str = Field(sa_type=Ident)
    tells: str | None = Field(default=None, sa_type=Ident)
    issued_at: datetime = Field(sa_type=UtcMoment)
    recorded_at: datetime = Field(sa_type=UtcMoment)
