"""Coordination's own tables, beside the ledger and the hand-overs: journeys, custody, stages, cases, clocks, matches.

Events fill all of them (``projection``, ``matching``). Moments are in UTC.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from shared.storage.columns import Ident, Json, UtcMoment, Word, new_metadata
from shared.storage.tables import ascending_key


class CoordinationStored(SQLModel):
    """The base of coordination's own tables."""

    metadata = new_metadata()


class JourneyRow(CoordinationStored, table=True):
    """One victim's journey. ``custody_seq`` 0: another event came before the victim's registration."""

    __tablename__ = "journeys"

    number: int | None = ascending_key()
    victim_id: str = Field(sa_type=Ident, unique=True)
    case_id: str | None = Field(default=None, sa_type=Ident, index=True)
    age_class: str | None = Field(default=None, sa_type=Word)
    sex: str | None = Field(default=None, sa_type=Word)
    home_region: str | None = Field(default=None, sa_type=Word)
    stage: str = Field(sa_type=Word, index=True)
    stage_at: datetime | None = Field(default=None, sa_type=UtcMoment)
    custody_agency: str | None = Field(default=None, sa_type=Word, index=True)
    custody_unit: str | None = Field(default=None, sa_type=Word)
    custody_region: str | None = Field(default=None, sa_type=Word, index=True)
    custody_seq: int = 0
    registered_at: datetime | None = Field(default=None, sa_type=UtcMoment)
    closed_at: datetime | None = Field(default=None, sa_type=UtcMoment)
    outcome: str | None = Field(default=None, sa_type=Word)
    reopened_at: datetime | None = Field(default=None, sa_type=UtcMoment)
    """When a new custody link opened the closed journey again."""
    events: int = 0
    """Events applied to this journey: the version of its view."""


class CustodyRow(CoordinationStored, table=True):
    """One link of a victim's custody chain: the responsible desk, and since when.

    ``told_since``: the beginning as the holder told it, which agencies keep too. ``since`` is no sooner than the link
    before. What is told next is compared with the told moment, so that coordination and the agencies agree.
    """

    __tablename__ = "custody_links"

    victim_id: str = Field(sa_type=Ident, primary_key=True)
    seq: int = Field(primary_key=True)
    agency: str = Field(sa_type=Word)
    unit: str = Field(sa_type=Word)
    region: str = Field(sa_type=Word)
    since: datetime = Field(sa_type=UtcMoment)
    told_since: datetime = Field(sa_type=UtcMoment)
    referral_id: str | None = Field(default=None, sa_type=Ident)


class StageRow(CoordinationStored, table=True):
    """A stage that a journey entered, and the desk that recorded it."""

    __tablename__ = "stages"

    number: int | None = ascending_key()
    victim_id: str = Field(sa_type=Ident, index=True)
    stage: str = Field(sa_type=Word)
    agency: str = Field(sa_type=Word)
    unit: str = Field(sa_type=Word)
    occurred_at: datetime = Field(sa_type=UtcMoment)
    by_holder: bool = False
    """Whether a holder said it, and not the start of a service."""


class CaseFactsRow(CoordinationStored, table=True):
    """The coarse facts of a case."""

    __tablename__ = "case_facts"

    case_id: str = Field(sa_type=Ident, primary_key=True)
    agency: str = Field(sa_type=Word)
    unit: str = Field(sa_type=Word)
    region: str = Field(sa_type=Word)
    channel: str = Field(sa_type=Word)
    exploitation: str = Field(sa_type=Word)
    destination: str | None = Field(default=None, max_length=2)
    opened_at: datetime = Field(sa_type=UtcMoment)


class AlarmRow(CoordinationStored, table=True):
    """The events of one clock at the desk that keeps it. Each side of a hand-over keeps its own clock.

    ``about``: the id of the referral, victim or other subject that the clock runs for.
    """

    __tablename__ = "alarms"

    about: str = Field(sa_type=Ident, primary_key=True)
    clock: str = Field(sa_type=Word, primary_key=True)
    agency: str = Field(sa_type=Word, primary_key=True)
    unit: str = Field(sa_type=Word, primary_key=True)
    region: str = Field(sa_type=Word)
    victim_id: str | None = Field(default=None, sa_type=Ident, index=True)
    started_at: datetime = Field(sa_type=UtcMoment)
    due_at: datetime = Field(sa_type=UtcMoment)
    warned_at: datetime | None = Field(default=None, sa_type=UtcMoment)
    breached_at: datetime | None = Field(default=None, sa_type=UtcMoment)
    escalated_at: datetime | None = Field(default=None, sa_type=UtcMoment)
    escalated_to: str | None = Field(default=None, sa_type=Word)
    escalated_level: str | None = Field(default=None, sa_type=Word)
    """Level of the last desk that the clock was escalated to."""
    stopped_at: datetime | None = Field(default=None, sa_type=UtcMoment)
    in_time: bool | None = None


class ToldRow(CoordinationStored, table=True):
    """The link number of an agency's last match tokens of a victim: an older event must not replace them."""

    __tablename__ = "tokens_told"

    victim_id: str = Field(sa_type=Ident, primary_key=True)
    agency: str = Field(sa_type=Word, primary_key=True)
    linkseq: int


class MatchTokenRow(CoordinationStored, table=True):
    """A match token (keyed hash) of a victim, as an agency sent it. Coordination lacks the key that makes them."""

    __tablename__ = "tokens"
    __table_args__ = (Index("ix_tokens_token_agency", "token", "agency"),)

    victim_id: str = Field(sa_type=Ident, primary_key=True)
    agency: str = Field(sa_type=Word, primary_key=True)
    token: str = Field(sa_type=Word, primary_key=True)


class ProposalRow(CoordinationStored, table=True):
    """A proposal that two victims are one person: the kinds of common match tokens, and each side's last decision."""

    __tablename__ = "proposals"
    __table_args__ = (Index("uq_proposals_first_id_second_id", "first_id", "second_id", unique=True),)

    id: str = Field(sa_type=Ident, primary_key=True)
    first_id: str = Field(sa_type=Ident)
    second_id: str = Field(sa_type=Ident, index=True)
    """The greater of the two ids."""
    asked_first: str = Field(sa_type=Ident)
    """The victim whose side decides first: the met one, unless the one that searched was brought to safety."""
    kinds: Any = Field(sa_type=Json)
    strength: str = Field(sa_type=Word)
    people: int | None = None
    """The number of people with one NIK or passport of these two, where it is an alarm."""
    proposed_at: datetime = Field(sa_type=UtcMoment)
    first_said: str | None = Field(default=None, sa_type=Word)
    first_said_at: datetime | None = Field(default=None, sa_type=UtcMoment)
    second_said: str | None = Field(default=None, sa_type=Word)
    second_said_at: datetime | None = Field(default=None, sa_type=UtcMoment)


class MeetingRow(CoordinationStored, table=True):
    """A victim's new identifiers met another victim. ``agency`` and ``unit``: the desk that registered the victim.

    The row outlives the proposal, so that a desk cannot search and then withdraw the traces.
    """

    __tablename__ = "meetings"

    number: int | None = ascending_key()
    victim_id: str = Field(sa_type=Ident)
    agency: str = Field(sa_type=Word, index=True)
    unit: str = Field(sa_type=Word)
    met_at: datetime = Field(sa_type=UtcMoment)


class MatchAlarmRow(CoordinationStored, table=True):
    """An alarm about match tokens: the desk that registered the victim, and a count. Names no victim.

    ``reason``: ``number-of-many``, with the kind of the number; or ``meetings-without-referral``.
    """

    __tablename__ = "match_alarms"

    number: int | None = ascending_key()
    reason: str = Field(sa_type=Word)
    kind: str | None = Field(default=None, sa_type=Word)
    agency: str = Field(sa_type=Word)
    unit: str = Field(sa_type=Word)
    region: str = Field(sa_type=Word)
    count: int
    raised_at: datetime = Field(sa_type=UtcMoment)
