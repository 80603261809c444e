"""Tables: the access log, and break-glasses. All moments are in UTC.

Break-glasses are here because an open one gives a right to read (``rights``).
"""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, text
from sqlmodel import Field

from shared.storage.agency_tables import AgencyStored
from shared.storage.columns import Ident, Json, UtcMoment, Word
from shared.storage.tables import ascending_key


class AccessRow(AgencyStored, table=True):
    """One reading, change or search hit of what is sealed about a victim. Append-only, written in its transaction.

    ``client``, ``person``, ``role`` and ``unit`` name the caller. ``purpose`` is the reason that a reader stated. For
    a change, a search and a review the code writes ``record``, ``search`` and ``audit``; for a take-over,
    ``take-over``. ``right`` is the ground (``rights.Ground``). ``through`` is the id of the break-glass that was used
    or reviewed. ``fields`` is the JSON list of the fields that were shown, changed or searched. ``agency`` is another
    agency that searched by matching, where we may know it; then no caller is named.
    """

    __tablename__ = "access_log"

    number: int | None = ascending_key()
    victim_id: str = Field(sa_type=Ident, index=True)
    agency: str | None = Field(default=None, sa_type=Word)
    client: str | None = Field(default=None, max_length=100)
    person: str | None = Field(default=None, max_length=200)
    role: str | None = Field(default=None, sa_type=Word)
    unit: str | None = Field(default=None, sa_type=Word)
    purpose: str = Field(sa_type=Word)
    right: str | None = Field(default=None, sa_type=Word)
    through: str | None = Field(default=None, sa_type=Ident)
    fields: Any = Field(sa_type=Json)
    at: datetime = Field(sa_type=UtcMoment)


class BreakGlassRow(AgencyStored, table=True):
    """A break-glass: access to an identity without the ordinary right, for a limited time.

    ``agency`` is the agency that opened it: ours, or another one, for a victim of ours. ``owner_*`` is the desk
    responsible for the victim. ``looks`` counts the reads. ``opener`` is ``Caller.counts_as``: the human, at any
    client. It is unique among the open ones, so one person has one open, in every process.
    """

    __tablename__ = "break_glass"
    __table_args__ = (
        Index(
            "uq_break_glass_opener_open",
            "opener",
            unique=True,
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
    )

    number: int | None = ascending_key()
    id: str = Field(sa_type=Ident, unique=True)
    victim_id: str = Field(sa_type=Ident, index=True)
    agency: str = Field(sa_type=Word)
    unit: str = Field(sa_type=Word)
    region: str = Field(sa_type=Word)
    client: str | None = Field(default=None, max_length=100)
    person: str | None = Field(default=None, max_length=200)
    opener: str | None = Field(default=None, max_length=200, index=True)
    owner_agency: str | None = Field(default=None, sa_type=Word)
    owner_unit: str | None = Field(default=None, sa_type=Word)
    reason: str = Field(sa_type=Word)
    opened_at: datetime = Field(sa_type=UtcMoment)
    until: datetime = Field(sa_type=UtcMoment)
    looks: int = 0
    end: str | None = Field(default=None, sa_type=Word)
    ended_at: datetime | None = Field(default=None, sa_type=UtcMoment)
    overdue_at: datetime | None = Field(default=None, sa_type=UtcMoment)
    """When the missing review was published. None: not overdue so far."""
    verdict: str | None = Field(default=None, sa_type=Word)
    reviewer: str | None = Field(default=None, max_length=100)
    reviewer_person: str | None = Field(default=None, max_length=200)
    reviewed_at: datetime | None = Field(default=None, sa_type=UtcMoment)
