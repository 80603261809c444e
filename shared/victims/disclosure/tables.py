"""Table: consents, one row for each version. Disclosures are in ``sealed.tables``. All moments are in UTC."""

from datetime import datetime
from typing import Any

from sqlmodel import Field

from shared.storage.agency_tables import AgencyStored
from shared.storage.columns import Ident, Json, UtcMoment, Word
from shared.storage.tables import ascending_key


class ConsentRow(AgencyStored, table=True):
    """A consent as the person gave it, with the officer who recorded it. Each change is a new version."""

    __tablename__ = "consents"

    number: int | None = ascending_key()
    id: str = Field(sa_type=Ident, unique=True)
    victim_id: str = Field(sa_type=Ident, index=True)
    version: int
    notice: str = Field(sa_type=Word)
    purposes: Any = Field(sa_type=Json)
    fields: Any = Field(sa_type=Json)
    recipients: Any = Field(sa_type=Json)
    valid_until: datetime = Field(sa_type=UtcMoment, index=True)
    manner: str = Field(sa_type=Word)
    guardian: str = Field(sa_type=Word)
    client: str = Field(max_length=100)
    person: str | None = Field(default=None, max_length=200)
    unit: str = Field(sa_type=Word)
    recorded_at: datetime = Field(sa_type=UtcMoment)
    withdrawn_at: datetime | None = Field(default=None, sa_type=UtcMoment)
    ended_at: datetime | None = Field(default=None, sa_type=UtcMoment)
    """When the consent ended: withdrawn, expired, or replaced by the next version."""
