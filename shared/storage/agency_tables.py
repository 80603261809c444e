"""The tables that only an agency has: it knows its victims. Coordination has none of these."""

from datetime import datetime
from typing import Any

from sqlmodel import Field, SQLModel

from shared.storage.columns import Bytes, Ident, Json, UtcMoment, Word, new_metadata
from shared.storage.tables import number


class AgencyStored(SQLModel):
    """The base of the tables of an agency."""

    metadata = new_metadata()


class CaseRow(AgencyStored, table=True):
    """One trafficking incident that this agency opened."""

    __tablename__ = "cases"

    number: int | None = number()
    id: str = Field(sa_type=Ident, unique=True)
    unit: str = Field(sa_type=Word)
    region: str = Field(sa_type=Word)
    channel: str = Field(sa_type=Word)
    exploitation: str = Field(sa_type=Word)
    destination: str | None = Field(default=None, max_length=2)
    opened_at: datetime = Field(sa_type=UtcMoment)


class VictimRow(AgencyStored, table=True):
    """A victim as this agency may know them: a pseudonym, coarse facts and, if it ever had custody, who has it."""

    __tablename__ = "victims"

    number: int | None = number()
    id: str = Field(sa_type=Ident, unique=True)
    case_id: str = Field(sa_type=Ident, index=True)
    age_class: str = Field(sa_type=Word)
    sex: str = Field(sa_type=Word)
    home_region: str | None = Field(default=None, sa_type=Word)
    stage: str = Field(sa_type=Word)
    custody_agency: str | None = Field(default=None, sa_type=Word, index=True)
    custody_unit: str | None = Field(default=None, sa_type=Word)
    custody_region: str | None = Field(default=None, sa_type=Word)
    custody_seq: int = 0
    registered_at: datetime = Field(sa_type=UtcMoment)
    closed_at: datetime | None = Field(default=None, sa_type=UtcMoment)
    outcome: str | None = Field(default=None, sa_type=Word)
    keep_until: datetime | None = Field(default=None, sa_type=UtcMoment, index=True)
    """How long what is known of who they are may be kept after their journey has ended here."""


class AccessRow(AgencyStored, table=True):
    """Somebody looked at an identity; written in the transaction of the read, and never changed.

    ``client``, ``person``, ``role`` and ``unit`` say who, ``purpose`` why by their own word, ``right`` by which right
    (custody, work, break-glass) and ``through`` names the break-glass that gave it.
    """

    __tablename__ = "access_log"

    number: int | None = number()
    victim_id: str = Field(sa_type=Ident, index=True)
    client: str | None = Field(default=None, max_length=100)
    person: str | None = Field(default=None, max_length=200)
    role: str | None = Field(default=None, sa_type=Word)
    unit: str | None = Field(default=None, sa_type=Word)
    purpose: str = Field(sa_type=Word)
    right: str | None = Field(default=None, sa_type=Word)
    through: str | None = Field(default=None, sa_type=Ident)
    fields: Any = Field(sa_type=Json)
    at: datetime = Field(sa_type=UtcMoment)


class IdempotencyRow(AgencyStored, table=True):
    """The answer that was given to an Idempotency-Key, stored in the transaction of its effect."""

    __tablename__ = "idempotency"

    key: str = Field(max_length=255, primary_key=True)
    fingerprint: str = Field(max_length=64)
    status: int
    location: str | None = None
    etag: str | None = None
    body: bytes = Field(sa_type=Bytes)
    answered_at: datetime = Field(sa_type=UtcMoment, index=True)
