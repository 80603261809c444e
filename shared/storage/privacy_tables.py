"""What an agency keeps of a victim's rights: keys and sealed identity, consents, disclosures, holds, break-glass."""

from datetime import datetime
from typing import Any

from sqlmodel import Field

from shared.storage.agency_tables import AgencyStored
from shared.storage.columns import Ident, Json, UtcMoment, Word
from shared.storage.tables import number


class DataKeyRow(AgencyStored, table=True):
    """A key that opens something sealed, itself wrapped for this agency alone. Deleting the row erases what it opens:
    ledgers and backups of sealed text stay, and nobody can read them any more.

    ``id`` is ``own:<victim>`` for the key of what we wrote down ourselves, or the id of a key that came with an event.
    """

    __tablename__ = "data_keys"

    id: str = Field(max_length=64, primary_key=True)
    victim_id: str = Field(sa_type=Ident, index=True)
    wrapped: str
    made_at: datetime = Field(sa_type=UtcMoment)


class SealedRow(AgencyStored, table=True):
    """Something about a victim that only its key opens: who they are (``identity``), or a note of an officer."""

    __tablename__ = "sealed"

    number: int | None = number()
    victim_id: str = Field(sa_type=Ident, index=True)
    source: str = Field(max_length=64, unique=True)
    """Where it comes from: ``own:<victim>``, the referral it came with, or the event that a note stands beside."""
    kind: str = Field(sa_type=Word)
    key_id: str = Field(max_length=64)
    sealed: str
    recorded_at: datetime = Field(sa_type=UtcMoment)


class ConsentRow(AgencyStored, table=True):
    """A consent as it was taken, with who took it."""

    __tablename__ = "consents"

    number: int | None = number()
    id: str = Field(sa_type=Ident, unique=True)
    victim_id: str = Field(sa_type=Ident, index=True)
    version: int
    notice: str = Field(sa_type=Word)
    purposes: Any = Field(sa_type=Json)
    fields: Any = Field(sa_type=Json)
    recipients: Any = Field(sa_type=Json)
    valid_until: datetime = Field(sa_type=UtcMoment, index=True)
    manner: str = Field(sa_type=Word)
    guardian: str = Field(sa_type=Word)
    client: str = Field(max_length=100)
    person: str | None = Field(default=None, max_length=200)
    unit: str = Field(sa_type=Word)
    recorded_at: datetime = Field(sa_type=UtcMoment)
    withdrawn_at: datetime | None = Field(default=None, sa_type=UtcMoment)
    ended_at: datetime | None = Field(default=None, sa_type=UtcMoment)
    """When it was over: withdrawn, expired, or replaced by the next version."""


class DisclosureRow(AgencyStored, table=True):
    """Something of an identity that was given to another agency, or came from one: which fields, on which basis, and
    what became of it. What is given again after its end is another disclosure.

    Of a record that was delivered, ``referral_id`` is the id, and ``fields`` are none.
    """

    __tablename__ = "disclosures"

    number: int | None = number()
    referral_id: str = Field(sa_type=Ident, index=True)
    victim_id: str = Field(sa_type=Ident, index=True)
    given: bool
    agency: str = Field(sa_type=Word)
    fields: Any = Field(sa_type=Json)
    basis: str = Field(sa_type=Word)
    consent_id: str | None = Field(default=None, sa_type=Ident, index=True)
    at: datetime = Field(sa_type=UtcMoment)
    end: str | None = Field(default=None, sa_type=Word)
    kept_because: str | None = Field(default=None, sa_type=Word)
    ended_at: datetime | None = Field(default=None, sa_type=UtcMoment)


class ObeyedRow(AgencyStored, table=True):
    """A withdrawal or an erasure that ``sender`` told us of (ourselves, where it was made here), and our answer.

    Each sender has a say over what it gave us, so that each is obeyed once; told again, it is answered and no more.
    """

    __tablename__ = "obeyed"

    cause_id: str = Field(sa_type=Ident, primary_key=True)
    sender: str = Field(sa_type=Word, primary_key=True)
    cause: str = Field(max_length=100)
    """The type of the event."""
    victim_id: str = Field(sa_type=Ident, index=True)
    end: str = Field(sa_type=Word)
    kept_because: str | None = Field(default=None, sa_type=Word)
    fields: Any = Field(sa_type=Json)
    at: datetime = Field(sa_type=UtcMoment)


class ErasureRow(AgencyStored, table=True):
    """An erasure that somebody has asked for here, and what a second person says of it."""

    __tablename__ = "erasures"

    number: int | None = number()
    id: str = Field(sa_type=Ident, unique=True)
    victim_id: str = Field(sa_type=Ident, index=True)
    client: str = Field(max_length=100)
    person: str = Field(max_length=200)
    unit: str = Field(sa_type=Word)
    asked_at: datetime = Field(sa_type=UtcMoment)
    approved: bool | None = None
    decided_by: str | None = Field(default=None, max_length=100)
    decided_at: datetime | None = Field(default=None, sa_type=UtcMoment)


class BlindIndexRow(AgencyStored, table=True):
    """A keyed hash of a number that a victim can be searched by; the number itself is nowhere. ``source`` as in
    ``sealed``."""

    __tablename__ = "blind_index"

    victim_id: str = Field(sa_type=Ident, primary_key=True)
    source: str = Field(max_length=64, primary_key=True)
    field: str = Field(sa_type=Word, primary_key=True)
    digest: str = Field(max_length=64, index=True)


class HoldRow(AgencyStored, table=True):
    """A legal hold: why a victim's data must not be erased now."""

    __tablename__ = "legal_holds"

    number: int | None = number()
    victim_id: str = Field(sa_type=Ident, index=True)
    basis: str = Field(sa_type=Word)
    client: str = Field(max_length=100)
    person: str | None = Field(default=None, max_length=200)
    unit: str = Field(sa_type=Word)
    placed_at: datetime = Field(sa_type=UtcMoment)
    lifted_at: datetime | None = Field(default=None, sa_type=UtcMoment)


class BreakGlassRow(AgencyStored, table=True):
    """A look without the right to: at our own data (``agency`` is ours), or at a victim of ours elsewhere."""

    __tablename__ = "break_glass"

    number: int | None = number()
    id: str = Field(sa_type=Ident, unique=True)
    victim_id: str = Field(sa_type=Ident, index=True)
    agency: str = Field(sa_type=Word)
    unit: str = Field(sa_type=Word)
    region: str = Field(sa_type=Word)
    client: str | None = Field(default=None, max_length=100)
    person: str | None = Field(default=None, max_length=200)
    owner_agency: str | None = Field(default=None, sa_type=Word)
    owner_unit: str | None = Field(default=None, sa_type=Word)
    reason: str = Field(sa_type=Word)
    opened_at: datetime = Field(sa_type=UtcMoment)
    until: datetime = Field(sa_type=UtcMoment)
    looks: int = 0
    end: str | None = Field(default=None, sa_type=Word)
    ended_at: datetime | None = Field(default=None, sa_type=UtcMoment)
    overdue_at: datetime | None = Field(default=None, sa_type=UtcMoment)
    """When it was told that nobody had judged it in time."""
    verdict: str | None = Field(default=None, sa_type=Word)
    reviewer: str | None = Field(default=None, max_length=100)
    reviewed_at: datetime | None = Field(default=None, sa_type=UtcMoment)
