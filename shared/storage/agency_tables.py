"""The base class of an agency's tables, and the stored responses of repeated requests. Coordination has none of these.

The other tables of an agency are in ``tables`` of each slice. All moments are in UTC.
"""

from datetime import datetime

from sqlmodel import Field, SQLModel

from shared.storage.columns import Bytes, Ident, UtcMoment, Word, new_metadata
from shared.storage.tables import ascending_key


class AgencyStored(SQLModel):
    """The base class of an agency's tables: one metadata, one migration lineage."""

    metadata = new_metadata()


class BackdatedRow(AgencyStored, table=True):
    """A fact that a desk told more than a day after it happened.

    ``occurred_at`` is the told moment, ``recorded_at`` ours. ``event_id`` and ``type`` name the event that says it.
    """

    __tablename__ = "backdated"

    number: int | None = ascending_key()
    id: str = Field(sa_type=Ident, unique=True)
    operation: str = Field(sa_type=Word)
    unit: str = Field(sa_type=Word, index=True)
    client: str = Field(max_length=100)
    person: str = Field(max_length=200)
    victim_id: str | None = Field(default=None, sa_type=Ident)
    event_id: str | None = Field(default=None, sa_type=Ident)
    type: str | None = Field(default=None, max_length=120)
    noted_under: str | None = Field(default=None, sa_type=Word)
    """The subject whose key seals the note of the act. None: the act has no note."""
    noted_beside: str | None = Field(default=None, sa_type=Ident)
    """The id beside which the note is kept."""
    occurred_at: datetime = Field(sa_type=UtcMoment)
    recorded_at: datetime = Field(sa_type=UtcMoment)


class IdempotencyRow(AgencyStored, table=True):
    """The response given to an Idempotency-Key, stored in the transaction of its effect."""

    __tablename__ = "idempotency"

    key: str = Field(max_length=255, primary_key=True)
    fingerprint: str | None = Field(max_length=64)
    """None after the victim was erased: a keyed hash could be tried for a name or a NIK."""
    victim_id: str | None = Field(default=None, sa_type=Ident, index=True)
    """The victim that the request was about."""
    status: int
    location: str | None = None
    etag: str | None = None
    body: bytes = Field(sa_type=Bytes)
    answered_at: datetime = Field(sa_type=UtcMoment, index=True)
