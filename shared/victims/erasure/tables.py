"""Tables: erasures asked for here, and our answer to each withdrawal or erasure. All moments are in UTC."""

from datetime import datetime
from typing import Any

from sqlmodel import Field

from shared.storage.agency_tables import AgencyStored
from shared.storage.columns import Ident, Json, UtcMoment, Word
from shared.storage.tables import ascending_key


class AnswerRow(AgencyStored, table=True):
    """A notice of a withdrawal or an erasure from ``sender`` (ourselves, if made here), and our answer.

    Each sender decides over what that sender gave us, so the notice of each sender is applied once. A repeated notice
    is only answered again.
    """

    __tablename__ = "obeyed"

    cause_id: str = Field(sa_type=Ident, primary_key=True)
    sender: str = Field(sa_type=Word, primary_key=True)
    cause: str = Field(max_length=100)
    """The type of the event that brought the notice."""
    victim_id: str = Field(sa_type=Ident, index=True)
    end: str = Field(sa_type=Word)
    kept_because: str | None = Field(default=None, sa_type=Word)
    fields: Any = Field(sa_type=Json)
    at: datetime = Field(sa_type=UtcMoment)


class ErasureRow(AgencyStored, table=True):
    """A request made here to erase a victim, and the decision of a second person. ``approved`` is None until then."""

    __tablename__ = "erasures"

    number: int | None = ascending_key()
    id: str = Field(sa_type=Ident, unique=True)
    victim_id: str = Field(sa_type=Ident, index=True)
    client: str = Field(max_length=100)
    person: str = Field(max_length=200)
    unit: str = Field(sa_type=Word)
    asked_at: datetime = Field(sa_type=UtcMoment)
    approved: bool | None = None
    decided_by: str | None = Field(default=None, max_length=100)
    decided_person: str | None = Field(default=None, max_length=200)
    decided_at: datetime | None = Field(default=None, sa_type=UtcMoment)
