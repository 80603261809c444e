"""Tables: the latest announcement and description of each desk, ours or another agency's. All moments are in UTC."""

from datetime import datetime
from typing import Any

from sqlmodel import Field

from shared.storage.agency_tables import AgencyStored
from shared.storage.columns import Ident, Json, UtcMoment, Word


class CapacityRow(AgencyStored, table=True):
    """The latest announcement of a desk, ours or another agency's: whether the desk has room for a service."""

    __tablename__ = "capacities"

    agency: str = Field(sa_type=Word, primary_key=True)
    unit: str = Field(sa_type=Word, primary_key=True)
    service: str = Field(sa_type=Word, primary_key=True)
    capacity: str = Field(sa_type=Word)
    announced_at: datetime = Field(sa_type=UtcMoment)
    valid_until: datetime = Field(sa_type=UtcMoment)


class DescriptionRow(AgencyStored, table=True):
    """The latest description that a desk, ours or another agency's, gave of itself: a form and its clear fields."""

    __tablename__ = "descriptions"

    agency: str = Field(sa_type=Word, primary_key=True)
    unit: str = Field(sa_type=Word, primary_key=True)
    form: str = Field(sa_type=Word, primary_key=True)
    record_id: str = Field(sa_type=Ident)
    facts: Any = Field(sa_type=Json)
    occurred_at: datetime = Field(sa_type=UtcMoment)
