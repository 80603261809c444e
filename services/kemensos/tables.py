"""What Kemensos keeps beside what every agency does: the beds of its shelters."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from shared.storage.columns import Ident, UtcMoment, Word, new_metadata


class KemensosStored(SQLModel):
    """The base of Kemensos's own tables."""

    metadata = new_metadata()


class BedRow(KemensosStored, table=True):
    """One bed of a shelter, and who has it. One row for each bed, and nobody twice in the column of those who have one:
    so no bed can be given to two, and nobody can have two, whatever happens at once."""

    __tablename__ = "beds"

    unit: str = Field(sa_type=Word, primary_key=True)
    ward: str = Field(sa_type=Word, primary_key=True)
    number: int = Field(primary_key=True)
    victim_id: str | None = Field(default=None, sa_type=Ident, unique=True)
    since: datetime | None = Field(default=None, sa_type=UtcMoment)
