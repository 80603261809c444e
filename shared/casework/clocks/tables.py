"""Table: the running and stopped clocks of our desks. All moments are in UTC."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index
from sqlmodel import Field

from shared.storage.agency_tables import AgencyStored
from shared.storage.columns import Ident, Json, UtcMoment, Word
from shared.storage.tables import ascending_key


class ClockRow(AgencyStored, table=True):
    """A running or stopped clock of one of our desks.

    ``about`` is the id of the referral, victim or case that the clock runs for.
    ``moments`` lists the steps as [step, RFC 3339, desks above]; ``told`` counts the steps already published.
    ``next_at`` is the moment of the next step. None: the clock stopped, or has no further step.
    ``peer`` is the agency that the clock waits for, or that waits for our desk.
    """

    __tablename__ = "clocks"
    __table_args__ = (Index("uq_clocks_about_clock_unit", "about", "clock", "unit", unique=True),)

    number: int | None = ascending_key()
    about: str = Field(sa_type=Ident)
    kind: str = Field(sa_type=Word)
    clock: str = Field(sa_type=Word)
    victim_id: str | None = Field(default=None, sa_type=Ident, index=True)
    peer: str | None = Field(default=None, sa_type=Word)
    unit: str = Field(sa_type=Word)
    region: str = Field(sa_type=Word)
    started_at: datetime = Field(sa_type=UtcMoment)
    due_at: datetime = Field(sa_type=UtcMoment, index=True)
    moments: Any = Field(sa_type=Json)
    told: int = 0
    next_at: datetime | None = Field(default=None, sa_type=UtcMoment, index=True)
    stopped_at: datetime | None = Field(default=None, sa_type=UtcMoment)
    """The told moment of the stop."""
    recorded_at: datetime | None = Field(default=None, sa_type=UtcMoment)
    """The moment at which the event that stopped the clock was recorded."""
    in_time: bool | None = None
