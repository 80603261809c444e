"""The tables of an agency: cases, victims, clocks, records and the work on them. Coordination has none of these.

All moments are in UTC.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from shared.storage.columns import Bytes, Ident, Json, UtcMoment, Word, new_metadata
from shared.storage.tables import number


class AgencyStored(SQLModel):
    """The base class of an agency's tables: one metadata, one migration lineage."""

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
    """A victim as this agency may know the victim: a pseudonym, coarse facts and the custody holder.

    ``custody_*`` is the newest link of the custody chain known here. The columns are None while none is known.
    """

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
    """Until when the identity may be kept, after the journey ended here."""


class ClockRow(AgencyStored, table=True):
    """A running or stopped clock of one of our desks.

    ``about`` is the id of the referral, victim or case that the clock runs for.
    ``moments`` lists the steps as [step, RFC 3339, desks above]; ``told`` counts the steps already published.
    ``next_at`` is the moment of the next step. None: the clock stopped, or has no further step.
    ``peer`` is the agency that the clock waits for, or that waits for our desk.
    """

    __tablename__ = "clocks"
    __table_args__ = (Index("uq_clocks_about_clock_unit", "about", "clock", "unit", unique=True),)

    number: int | None = number()
    about: str = Field(sa_type=Ident)
    kind: str = Field(sa_type=Word)
    clock: str = Field(sa_type=Word)
    victim_id: str | None = Field(default=None, sa_type=Ident, index=True)
    peer: str | None = Field(default=None, sa_type=Word)
    unit: str = Field(sa_type=Word)
    region: str = Field(sa_type=Word)
    started_at: datetime = Field(sa_type=UtcMoment)
    due_at: datetime = Field(sa_type=UtcMoment, index=True)
    moments: Any = Field(sa_type=Json)
    told: int = 0
    next_at: datetime | None = Field(default=None, sa_type=UtcMoment, index=True)
    stopped_at: datetime | None = Field(default=None, sa_type=UtcMoment)


class RecordRow(AgencyStored, table=True):
    """A filed form (``shared/domain/forms.py``): its subject (``about``), its author and its clear fields (``facts``).

    The other fields are sealed in ``sealed``. Their key is the victim's or, without a victim, the subject's.
    """

    __tablename__ = "records"
    __table_args__ = (Index("ix_records_about_form", "about", "form"),)

    number: int | None = number()
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


class LetterRow(AgencyStored, table=True):
    """A printed letter about a referral or a record, ours or the other side's. ``code`` stands on the paper.

    ``event_id`` is the ``letter.issued`` event; ``tells`` is the event that the letter reports.
    """

    __tablename__ = "letters"

    number: int | None = number()
    code: str = Field(sa_type=Word, unique=True)
    kind: str = Field(sa_type=Word)
    agency: str = Field(sa_type=Word)
    unit: str = Field(sa_type=Word)
    region: str = Field(sa_type=Word)
    victim_id: str | None = Field(default=None, sa_type=Ident, index=True)
    referral_id: str | None = Field(default=None, sa_type=Ident, index=True)
    version: int | None = None
    record_id: str | None = Field(default=None, sa_type=Ident)
    event_id: str = Field(sa_type=Ident)
    tells: str | None = Field(default=None, sa_type=Ident)
    issued_at: datetime = Field(sa_type=UtcMoment)
    recorded_at: datetime = Field(sa_type=UtcMoment)


class ToldTokensRow(AgencyStored, table=True):
    """The match tokens that the coordinator has of a victim, made from what we wrote down ourselves.

    ``key`` is the version of the matching key, 0 without one. ``digest`` is our own keyed hash of the tokens: it shows
    whether the tokens have changed since.
    """

    __tablename__ = "told_tokens"

    victim_id: str = Field(sa_type=Ident, primary_key=True)
    key: int
    digest: str = Field(sa_type=Word)


class MatchRow(AgencyStored, table=True):
    """A proposal that a victim of ours and a victim of another desk are the same person: codes and pseudonyms only.

    A proposal about two of our own victims has two rows. ``other_id`` is None once the proposal is withdrawn. The
    empty row stays, so that an older event that arrives late does not restore the proposal.
    """

    __tablename__ = "matches"
    __table_args__ = (Index("uq_matches_match_id_victim_id", "match_id", "victim_id", unique=True),)

    number: int | None = number()
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
    """The person who gave the verdict ``said``. None where the verdict was not given here."""
    other_said: str | None = Field(default=None, sa_type=Word)


class CapacityRow(AgencyStored, table=True):
    """The latest announcement of a desk, ours or another agency's: whether the desk has room for a service."""

    __tablename__ = "capacities"

    agency: str = Field(sa_type=Word, primary_key=True)
    unit: str = Field(sa_type=Word, primary_key=True)
    service: str = Field(sa_type=Word, primary_key=True)
    capacity: str = Field(sa_type=Word)
    announced_at: datetime = Field(sa_type=UtcMoment)
    valid_until: datetime = Field(sa_type=UtcMoment)


class DescriptionRow(AgencyStored, table=True):
    """The latest description that a desk, ours or another agency's, gave of itself: a form and its clear fields."""

    __tablename__ = "descriptions"

    agency: str = Field(sa_type=Word, primary_key=True)
    unit: str = Field(sa_type=Word, primary_key=True)
    form: str = Field(sa_type=Word, primary_key=True)
    record_id: str = Field(sa_type=Ident)
    facts: Any = Field(sa_type=Json)
    occurred_at: datetime = Field(sa_type=UtcMoment)


class BatchRow(AgencyStored, table=True):
    """Many people of one case, sent in one request.

    ``name`` and ``fingerprint`` identify the POST, so that a repeated POST continues where the first one stopped.
    """

    __tablename__ = "batches"
    __table_args__ = (Index("ix_batches_case_id_fingerprint", "case_id", "fingerprint"),)

    number: int | None = number()
    id: str = Field(sa_type=Ident, unique=True)
    case_id: str = Field(sa_type=Ident)
    name: str = Field(max_length=64, unique=True)
    fingerprint: str = Field(max_length=64)
    people: int
    client: str = Field(max_length=100)
    person: str | None = Field(default=None, max_length=200)
    begun_at: datetime = Field(sa_type=UtcMoment)
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


class InterviewRow(AgencyStored, table=True):
    """An interview of a victim, here or elsewhere. Counted, so that nobody has to repeat the story needlessly."""

    __tablename__ = "interviews"

    id: str = Field(sa_type=Ident, primary_key=True)
    victim_id: str = Field(sa_type=Ident, index=True)
    agency: str | None = Field(default=None, sa_type=Word)
    """The agency that held the interview. None: unknown, for a request tells only that the interview took place."""
    held_at: datetime | None = Field(default=None, sa_type=UtcMoment)


class AccessRow(AgencyStored, table=True):
    """One read of an identity. Append-only, and written in the transaction of the read.

    ``client``, ``person``, ``role`` and ``unit`` name the reader; ``purpose`` is the reason that the reader stated.
    ``right`` is the right used (custody, work, break-glass). ``through`` is the id of the break-glass, if one was used.
    ``fields`` is the JSON list of the fields shown.
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
    """The response given to an Idempotency-Key, stored in the transaction of its effect."""

    __tablename__ = "idempotency"

    key: str = Field(max_length=255, primary_key=True)
    fingerprint: str = Field(max_length=64)
    status: int
    location: str | None = None
    etag: str | None = None
    body: bytes = Field(sa_type=Bytes)
    answered_at: datetime = Field(sa_type=UtcMoment, index=True)
