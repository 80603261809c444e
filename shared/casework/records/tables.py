"""Table: filed forms with their clear fields; the other fields are sealed (``sealed.tables``). Moments are in UTC."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index
from sqlmodel import Field

from shared.storage.agency_tables import AgencyStored
from shared.storage.columns import Ident, Json, UtcMoment, Word
from shared.storage.tables import ascending_key


class RecordRow(AgencyStored, table=True):
    """A filed form (``shared/domain/forms.py``): its subject (``about``), its author and its clear fields (``facts``).

    The other fields are in ``SealedRow``. Their key is the victim's or, without a victim, the subject's.
    """

    __tablename__ = "records"
    __table_args__ = (Index("ix_records_about_form", "about", "form"),)

    number: int | None = ascending_key()
    id: str = Field(sa_type=Ident, unique=True)
    form: str = Field(sa_type=Word)
    form_version: str = Field(sa_type=Word)
    kind: str = Field(sa_type=Word)
    about: str = Field(max_length=64)
    victim_id: str | None = Field(default=None, sa_type=Ident, index=True)
    case_id: str | None = Field(default=None, sa_type=Ident, index=True)
    unit: str = Field(sa_type=Word)
    region: str = Field(sa_type=Word)
    delivered_by: str | None = Field(default=None, sa_type=Word)
    """The agency that filed the record and delivered it to us. ``unit`` is then our desk that asked for the service."""
    client: str | None = Field(default=None, max_length=100)
    person: str | None = Field(default=None, max_length=200)
    facts: Any = Field(sa_type=Json)
    corrects: str | None = Field(default=None, sa_type=Ident)
    corrected_by: str | None = Field(default=None, sa_type=Ident)
    occurred_at: datetime = Field(sa_type=UtcMoment)
    recorded_at: datetime = Field(sa_type=UtcMoment)
