"""Tables: the match tokens that the coordinator was told last, and its proposals. All moments are in UTC."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index
from sqlmodel import Field

from shared.storage.agency_tables import AgencyStored
from shared.storage.columns import Ident, Json, UtcMoment, Word
from shared.storage.tables import ascending_key


class ToldMatchTokensRow(AgencyStored, table=True):
    """The match tokens that the coordinator has of a victim, made from what we wrote down ourselves.

    ``key`` is the version of the matching key, 0 without one. ``digest`` is our own keyed hash of the match tokens: it
    shows whether they have changed since.
    """

    __tablename__ = "told_tokens"

    victim_id: str = Field(sa_type=Ident, primary_key=True)
    key: int
    digest: str = Field(sa_type=Word)


class MatchRow(AgencyStored, table=True):
    """A proposal that a victim of ours and another desk's victim are one person: codes and pseudonyms only.

    A proposal about two of our own victims has two rows. ``other_*`` is None unless both sides said ``same-person``. A
    withdrawn proposal stays: supervisors and auditors see it, and an older event that arrives late does not restore it.
    """

    __tablename__ = "matches"
    __table_args__ = (Index("uq_matches_match_id_victim_id", "match_id", "victim_id", unique=True),)

    number: int | None = ascending_key()
    match_id: str = Field(sa_type=Ident)
    victim_id: str = Field(sa_type=Ident, index=True)
    linkseq: int
    """The link number of the coordinator's newest event applied here."""
    other_id: str | None = Field(default=None, sa_type=Ident)
    other_agency: str | None = Field(default=None, sa_type=Word)
    other_unit: str | None = Field(default=None, sa_type=Word)
    kinds: Any = Field(sa_type=Json)
    strength: str | None = Field(default=None, sa_type=Word)
    proposed_at: datetime = Field(sa_type=UtcMoment)
    said: str | None = Field(default=None, sa_type=Word)
    said_at: datetime | None = Field(default=None, sa_type=UtcMoment)
    client: str | None = Field(default=None, max_length=100)
    person: str | None = Field(default=None, max_length=200)
    """The person who made the decision ``said``. None where the decision was not made here."""
    other_said: str | None = Field(default=None, sa_type=Word)
    turn: str | None = Field(default=None, sa_type=Word)
    """The side that is asked to decide now (``MatchTurn``). None once both sides have decided."""
    protected: bool = False
    """Whether the coordinator knows that the victim is in the protection of a desk."""
    people: int | None = None
    """The number of people with one NIK or passport of the victim, where it is an alarm."""
    withdrawn_at: datetime | None = Field(default=None, sa_type=UtcMoment)
