"""Tables: batches, each many people of one request, and the result for each person. All moments are in UTC."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index
from sqlmodel import Field

from shared.storage.agency_tables import AgencyStored
from shared.storage.columns import Ident, Json, UtcMoment, Word
from shared.storage.tables import ascending_key


class BatchRow(AgencyStored, table=True):
    """Many people of one case, sent in one request.

    ``name`` and ``fingerprint`` identify the POST, so that a repeated POST continues where the first one stopped. Once
    one of the people is erased, the fingerprint is None, and the POST continues no more.
    """

    __tablename__ = "batches"
    __table_args__ = (Index("uq_batches_case_id_fingerprint", "case_id", "fingerprint", unique=True),)

    number: int | None = ascending_key()
    id: str = Field(sa_type=Ident, unique=True)
    case_id: str = Field(sa_type=Ident)
    name: str = Field(max_length=64, unique=True)
    fingerprint: str | None = Field(max_length=64)
    people: int
    client: str = Field(max_length=100)
    person: str | None = Field(default=None, max_length=200)
    unit: str = Field(sa_type=Word)
    """The desk of the caller that began it. A supervisor of this desk may continue it."""
    continued_as: str | None = Field(default=None, max_length=64, unique=True)
    """The name of the POST with which a supervisor continued it last."""
    begun_at: datetime = Field(sa_type=UtcMoment)
    counted_at: datetime = Field(sa_type=UtcMoment)
    """When its urgent hand-overs were last counted: at the last request that began or continued it."""
    finished_at: datetime | None = Field(default=None, sa_type=UtcMoment)


class BatchPersonRow(AgencyStored, table=True):
    """The result for one person of a batch: registered with referrals, or refused, with nothing about the person kept.

    ``row`` is the place in the list, from 1. ``referrals`` and ``left_out`` are JSON lists of ids and of names.
    """

    __tablename__ = "batch_people"

    batch_id: str = Field(sa_type=Ident, primary_key=True)
    row: int = Field(primary_key=True)
    role: str | None = Field(default=None, sa_type=Word)
    """A ``PersonRole``, such as suspected recruiter. None: the row was unreadable, or the person was erased."""
    victim_id: str | None = Field(default=None, sa_type=Ident, index=True)
    referrals: Any = Field(sa_type=Json)
    left_out: Any = Field(sa_type=Json)
    problem: Any = Field(default=None, sa_type=Json, nullable=True)
    """The problem document of a refusal."""
