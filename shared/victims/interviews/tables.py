"""Table: interviews of victims, here or elsewhere. All moments are in UTC."""

from datetime import datetime

from sqlmodel import Field

from shared.storage.agency_tables import AgencyStored
from shared.storage.columns import Ident, UtcMoment, Word


class InterviewRow(AgencyStored, table=True):
    """An interview of a victim, here or elsewhere. Counted, so that nobody has to repeat the story needlessly."""

    __tablename__ = "interviews"

    id: str = Field(sa_type=Ident, primary_key=True)
    victim_id: str = Field(sa_type=Ident, index=True)
    agency: str | None = Field(default=None, sa_type=Word)
    """The agency that did the interview. None: unknown, for a request tells only that the interview took place."""
    held_at: datetime | None = Field(default=None, sa_type=UtcMoment)
