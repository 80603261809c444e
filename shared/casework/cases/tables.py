"""Table: ends of journeys, and the decision of a second person. All moments are in UTC."""

from datetime import datetime

from sqlmodel import Field

from shared.storage.agency_tables import AgencyStored
from shared.storage.columns import Ident, UtcMoment, Word
from shared.storage.tables import ascending_key


class ClosureRow(AgencyStored, table=True):
    """The end of a journey, as a desk asked for it. ``approved`` is None until a second person decides.

    ``occurred_at`` is the told moment of the end. Where one person suffices, ``decided_by`` stays None.
    """

    __tablename__ = "closures"

    number: int | None = ascending_key()
    id: str = Field(sa_type=Ident, unique=True)
    victim_id: str = Field(sa_type=Ident, index=True)
    outcome: str = Field(sa_type=Word)
    occurred_at: datetime = Field(sa_type=UtcMoment)
    client: str = Field(max_length=100)
    person: str = Field(max_length=200)
    unit: str = Field(sa_type=Word)
    asked_at: datetime = Field(sa_type=UtcMoment)
    approved: bool | None = None
    decided_by: str | None = Field(default=None, max_length=100)
    decided_at: datetime | None = Field(default=None, sa_type=UtcMoment)
