"""Tables: cases and victims, by pseudonym and coarse facts. All moments are in UTC."""

from datetime import datetime
from typing import Any

from sqlmodel import Field

from shared.storage.agency_tables import AgencyStored
from shared.storage.columns import Ident, Json, UtcMoment, Word
from shared.storage.tables import ascending_key


class CaseRow(AgencyStored, table=True):
    """One trafficking incident that this agency opened."""

    __tablename__ = "cases"

    number: int | None = ascending_key()
    id: str = Field(sa_type=Ident, unique=True)
    unit: str = Field(sa_type=Word)
    region: str = Field(sa_type=Word)
    channel: str = Field(sa_type=Word)
    exploitation: str = Field(sa_type=Word)
    destination: str | None = Field(default=None, max_length=2)
    opened_at: datetime = Field(sa_type=UtcMoment)


class VictimRow(AgencyStored, table=True):
    """A victim as this agency may know the victim: a pseudonym, coarse facts and the custody holder.

    ``custody_*`` is the newest link of the custody chain known here. The columns are None while none is known.
    ``age_class``, ``sex`` and ``home_region`` are the word that counts, of the agency ``facts_from``.
    """

    __tablename__ = "victims"

    number: int | None = ascending_key()
    id: str = Field(sa_type=Ident, unique=True)
    case_id: str = Field(sa_type=Ident, index=True)
    """The case of a victim that we registered; for any other victim, another agency's word."""
    registered_here: bool = False
    """Whether a desk of ours registered the victim, in a case of ours."""
    age_class: str = Field(sa_type=Word)
    sex: str = Field(sa_type=Word)
    home_region: str | None = Field(default=None, sa_type=Word)
    facts_from: str = Field(sa_type=Word)
    facts_at: datetime = Field(sa_type=UtcMoment)
    facts_came_with: str | None = Field(default=None, sa_type=Ident)
    """The id of the transfer with which these facts came to us, together with the custody."""
    rule_age: str = Field(sa_type=Word)
    """The age class for every rule: the one with the most protection, where two agencies differ."""
    sex_disputed: bool = False
    home_disputed: bool = False
    facts_differ: bool = False
    """Whether another agency states other facts, and nobody has settled it (see ``facts_words``)."""
    facts_untold: bool = False
    """Whether we state facts that those we asked were not told. We heard them as the holder, or third-hand."""
    stage: str = Field(sa_type=Word)
    stages: Any = Field(default=[], sa_type=Json)
    """The stages that this agency has recorded."""
    consent_withdrawn_at: datetime | None = Field(default=None, sa_type=UtcMoment)
    """When the person last withdrew a consent, as told here. None: never."""
    custody_agency: str | None = Field(default=None, sa_type=Word, index=True)
    custody_unit: str | None = Field(default=None, sa_type=Word)
    custody_region: str | None = Field(default=None, sa_type=Word)
    custody_seq: int = 0
    custody_at: datetime | None = Field(default=None, sa_type=UtcMoment)
    """The told moment of the newest link."""
    registered_at: datetime = Field(sa_type=UtcMoment)
    closed_at: datetime | None = Field(default=None, sa_type=UtcMoment)
    outcome: str | None = Field(default=None, sa_type=Word)
    keep_until: datetime | None = Field(default=None, sa_type=UtcMoment, index=True)
    """Until when the identity may be kept, after the journey ended here."""


class FactsWordRow(AgencyStored, table=True):
    """The facts of a victim as another agency states them, beside the word that counts."""

    __tablename__ = "facts_words"

    victim_id: str = Field(sa_type=Ident, primary_key=True)
    agency: str = Field(sa_type=Word, primary_key=True)
    came_with: str = Field(default="", sa_type=Ident, primary_key=True)
    """The id of the transfer with which the word came, together with the custody, or nothing."""
    age_class: str = Field(sa_type=Word)
    sex: str = Field(sa_type=Word)
    home_region: str | None = Field(default=None, sa_type=Word)
    at: datetime = Field(sa_type=UtcMoment)
    settled_by: str | None = Field(default=None, sa_type=Word)
    """The agency whose correction has settled this word."""
    waiting: bool = False
    """Nobody here has taken a referral of the agency on."""


class FactsCorrectionRow(AgencyStored, table=True):
    """A correction of a victim's facts by our desk, as the custody holder, with the people who made it.

    ``applied_at`` None: a second person has not confirmed it. ``confirmed_by``: the client of the second person.
    """

    __tablename__ = "facts_corrections"

    number: int | None = ascending_key()
    id: str = Field(sa_type=Ident, unique=True)
    victim_id: str = Field(sa_type=Ident, index=True)
    age_class: str = Field(sa_type=Word)
    sex: str = Field(sa_type=Word)
    home_region: str | None = Field(default=None, sa_type=Word)
    basis: str = Field(sa_type=Word)
    client: str = Field(max_length=100)
    person: str | None = Field(default=None, max_length=200)
    unit: str = Field(sa_type=Word)
    asked_at: datetime = Field(sa_type=UtcMoment)
    occurred_at: datetime = Field(sa_type=UtcMoment)
    confirmed_by: str | None = Field(default=None, max_length=100)
    confirmed_person: str | None = Field(default=None, max_length=200)
    applied_at: datetime | None = Field(default=None, sa_type=UtcMoment)
