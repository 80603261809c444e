"""The base class of an agency's tables, and the stored responses of repeated requests. Coordination has none of these.

The other tables of an agency are in ``tables`` of each slice. All moments are in UTC.
"""

from datetime import datetime

from sqlmodel import Field, SQLModel

from shared.storage.columns import Bytes, Ident, UtcMoment, new_metadata


class AgencyStored(SQLModel):
    """The base class of an agency's tables: one metadata, one migration lineage."""

    metadata = new_metadata()


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
