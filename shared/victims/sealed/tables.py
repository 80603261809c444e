"""Tables: data keys, sealed text, disclosures, keyed hashes and legal holds. All moments are in UTC."""

from datetime import datetime
from typing import Any

from sqlmodel import Field

from shared.storage.agency_tables import AgencyStored
from shared.storage.columns import Ident, Json, UtcMoment, Word
from shared.storage.tables import ascending_key


class DataKeyRow(AgencyStored, table=True):
    """A data key, wrapped for this agency alone. Deleting the row erases everything that the key opens.

    Ledgers and backups keep the sealed text, but nobody can read that text without the key.
    ``id`` is ``own:<subject>`` for what we wrote down ourselves, else the id of a key that came with an event.
    """

    __tablename__ = "data_keys"

    id: str = Field(max_length=64, primary_key=True)
    subject_id: str = Field(sa_type=Word, index=True)
    """The subject with its kind, such as ``victim:<id>``: a victim, or a case or a record about no victim."""
    wrapped: str
    made_at: datetime = Field(sa_type=UtcMoment)


class SealedRow(AgencyStored, table=True):
    """Sealed text about a victim that only its data key (``key_id``) opens: the identity, a note or a record.

    ``kind`` tells which. A kind that begins with ``held-`` marks what only a legal hold still keeps.
    """

    __tablename__ = "sealed"

    number: int | None = ascending_key()
    subject_id: str = Field(sa_type=Word, index=True)
    """The subject, as in ``data_keys``."""
    source: str = Field(max_length=64, unique=True)
    """The origin: ``own:<subject>``, or the id of the referral or record, or of what a note belongs to."""
    kind: str = Field(sa_type=Word)
    key_id: str = Field(max_length=64)
    sealed: str
    recorded_at: datetime = Field(sa_type=UtcMoment)
    handed_over: bool = False
    """Whether the text came with a transfer by which we took custody. Later text of the same sender did not."""


class DisclosureRow(AgencyStored, table=True):
    """A disclosure: fields of an identity given to another agency (``given``) or received from one.

    ``end`` tells how the disclosure ended. A new disclosure after the end is another row.
    ``given_with``: the id of the referral, or of the delivered record, which has no ``fields`` here.
    """

    __tablename__ = "disclosures"

    number: int | None = ascending_key()
    given_with: str = Field(sa_type=Ident, index=True)
    victim_id: str = Field(sa_type=Ident, index=True)
    given: bool
    agency: str = Field(sa_type=Word)
    fields: Any = Field(sa_type=Json)
    came_with: Any = Field(default=[], sa_type=Json)
    """Of what we gave: the sources of the text, as in ``sealed``. Another agency's text came with a referral."""
    basis: str = Field(sa_type=Word)
    consent_id: str | None = Field(default=None, sa_type=Ident, index=True)
    against_withdrawal: bool = False
    """Given on another basis after the person withdrew the consent for this agency."""
    at: datetime = Field(sa_type=UtcMoment)
    end: str | None = Field(default=None, sa_type=Word)
    kept_because: str | None = Field(default=None, sa_type=Word)
    ended_at: datetime | None = Field(default=None, sa_type=UtcMoment)


class BlindIndexRow(AgencyStored, table=True):
    """A keyed hash of an identifier, so that a victim can be found by it. The identifier itself is stored only sealed.

    ``source`` is the same as in ``sealed``.
    """

    __tablename__ = "blind_index"

    victim_id: str = Field(sa_type=Ident, primary_key=True)
    source: str = Field(max_length=64, primary_key=True)
    field: str = Field(sa_type=Word, primary_key=True)
    digest: str = Field(max_length=64, index=True)


class HoldRow(AgencyStored, table=True):
    """A legal hold: forbids erasing a victim's data until the hold ends (``lifted_at``; ``end``: ``HoldEnd``).

    ``stands_until`` is the moment at which it ends by itself: ``until``, or earlier while no second person has
    confirmed it.
    """

    __tablename__ = "legal_holds"

    number: int | None = ascending_key()
    victim_id: str = Field(sa_type=Ident, index=True)
    basis: str = Field(sa_type=Word)
    client: str = Field(max_length=100)
    person: str | None = Field(default=None, max_length=200)
    unit: str = Field(sa_type=Word)
    placed_at: datetime = Field(sa_type=UtcMoment)
    until: datetime = Field(sa_type=UtcMoment)
    stands_until: datetime = Field(sa_type=UtcMoment)
    confirmed_by: str | None = Field(default=None, max_length=100)
    confirmed_person: str | None = Field(default=None, max_length=200)
    confirmed_at: datetime | None = Field(default=None, sa_type=UtcMoment)
    lifted_at: datetime | None = Field(default=None, sa_type=UtcMoment)
    end: str | None = Field(default=None, sa_type=Word)
