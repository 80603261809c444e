"""Tables of Kemensos alone, beside those of every agency: the beds of its shelters."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from shared.storage.columns import Ident, UtcMoment, Word, new_metadata


class KemensosStored(SQLModel):
    """The base of Kemensos's own tables."""

    metadata = new_metadata()


class BedRow(KemensosStored, table=True):
    """One bed of a shelter, and the victim who has it since ``since`` (UTC); None: free.

    Each bed has one row, and each victim stands in ``victim_id`` once. So concurrent filings never give one bed to two
    victims, or two beds to one.
    """

    __tablename__ = "beds"

    unit: str = Field(sa_type=Word, primary_key=True)
    ward: str = Field(sa_type=Word, primary_key=True)
    number: int = Field(primary_key=True)
    victim_id: str | None = Field(default=None, sa_type=Ident, unique=True)
    since: datetime | None = Field(default=None, sa_type=UtcMoment)
