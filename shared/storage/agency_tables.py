"""The tables that only an agency has: it knows its victims. Coordination has none of these."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index
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


class ClockRow(AgencyStored, table=True):
    """A clock that one of our desks keeps: what it runs for (``about``), its moments, and how many have been told.

    ``moments`` are its steps as [step, RFC 3339, desks above], ``next_at`` the first that is not told yet: None once
    it has stopped, or has said all it had to say. ``peer`` is the agency that it waits for, or that waits for it.
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
    """A form that was filed (``shared/domain/forms.py``): what it is about, by whom, and its clear fields.

    Its other fields are sealed beside it, under the key of the victim or, where there is none, of what it is about.
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
    """The agency that filed it and delivered it to us; ``unit`` is then our desk, which had asked for it."""
    client: str | None = Field(default=None, max_length=100)
    person: str | None = Field(default=None, max_length=200)
    facts: Any = Field(sa_type=Json)
    corrects: str | None = Field(default=None, sa_type=Ident)
    corrected_by: str | None = Field(default=None, sa_type=Ident)
    occurred_at: datetime = Field(sa_type=UtcMoment)
    recorded_at: datetime = Field(sa_type=UtcMoment)


class LetterRow(AgencyStored, table=True):
    """Something of a referral or a record that a desk has printed, ours or the other side's, by its code.

    ``event_id`` is the ``letter.issued`` that says so, ``tells`` the event that the paper tells of.
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
    """That the coordinator was told by what a victim may be known again, of what we wrote down ourselves: with which
    key the tokens were made (0: without one), and our own keyed hash of them, to see that they are still the same."""

    __tablename__ = "told_tokens"

    victim_id: str = Field(sa_type=Ident, primary_key=True)
    key: int
    digest: str = Field(sa_type=Word)


class MatchRow(AgencyStored, table=True):
    """A proposal that a victim of ours may be somebody whom another desk has: codes, pseudonyms, and what was said.

    A proposal of two victims of ours has two rows. ``other_id`` is None once it is withdrawn: the row stays, with
    nothing in it, so that an older word which comes late brings nothing back.
    """

    __tablename__ = "matches"
    __table_args__ = (Index("uq_matches_match_id_victim_id", "match_id", "victim_id", unique=True),)

    number: int | None = number()
    match_id: str = Field(sa_type=Ident)
    victim_id: str = Field(sa_type=Ident, index=True)
    linkseq: int
    """The number of the coordinator's last word that we have taken in."""
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
    """Who said it, where it was said here."""
    other_said: str | None = Field(default=None, sa_type=Word)


class CapacityRow(AgencyStored, table=True):
    """The latest word of a desk, ours or another agency's, on whether it can take anybody on for a service."""

    __tablename__ = "capacities"

    agency: str = Field(sa_type=Word, primary_key=True)
    unit: str = Field(sa_type=Word, primary_key=True)
    service: str = Field(sa_type=Word, primary_key=True)
    capacity: str = Field(sa_type=Word)
    announced_at: datetime = Field(sa_type=UtcMoment)
    valid_until: datetime = Field(sa_type=UtcMoment)


class DescriptionRow(AgencyStored, table=True):
    """The latest word of a desk, ours or another agency's, on what it is and can do: a form, and what it says."""

    __tablename__ = "descriptions"

    agency: str = Field(sa_type=Word, primary_key=True)
    unit: str = Field(sa_type=Word, primary_key=True)
    form: str = Field(sa_type=Word, primary_key=True)
    record_id: str = Field(sa_type=Ident)
    facts: Any = Field(sa_type=Json)
    occurred_at: datetime = Field(sa_type=UtcMoment)


class BatchRow(AgencyStored, table=True):
    """Many people of one case who were sent in one call. ``name`` and ``fingerprint`` are those of its POST, so that
    sending it again goes on where it stopped."""

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
    """What became of one person of a batch: registered with their referrals, or refused and nothing of them kept."""

    __tablename__ = "batch_people"

    batch_id: str = Field(sa_type=Ident, primary_key=True)
    row: int = Field(primary_key=True)
    role: str | None = Field(default=None, sa_type=Word)
    """What they are taken for; None where the row could not be read, or the person was erased."""
    victim_id: str | None = Field(default=None, sa_type=Ident, index=True)
    referrals: Any = Field(sa_type=Json)
    left_out: Any = Field(sa_type=Json)
    problem: Any = Field(default=None, sa_type=Json, nullable=True)
    """The problem document of a refusal."""


class InterviewRow(AgencyStored, table=True):
    """An interview of a victim, here or elsewhere, as far as it is known here."""

    __tablename__ = "interviews"

    id: str = Field(sa_type=Ident, primary_key=True)
    victim_id: str = Field(sa_type=Ident, index=True)
    agency: str | None = Field(default=None, sa_type=Word)
    """Who held it, where that is known: of others a request tells only that there was one."""
    held_at: datetime | None = Field(default=None, sa_type=UtcMoment)


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
