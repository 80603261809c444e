"""The tables of every member of the network. Rows are storage only: the rules live in ``domain``.

All moments are in UTC.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import Column, Index, Text, text
from sqlmodel import Field, SQLModel

from shared.storage.columns import Bytes, Ident, Json, Number, UtcMoment, Word, new_metadata


class Stored(SQLModel):
    """The base class of the tables that every member has: one metadata, one migration lineage."""

    metadata = new_metadata()


def ascending_key(**more: Any) -> Any:
    """A primary key field that the database numbers in ascending order. ``more`` goes to ``Field``."""
    return Field(default=None, sa_column=Column(Number, primary_key=True, autoincrement=True), **more)


class LedgerEntry(Stored, table=True):
    """One signed event, sent or received, as its exact bytes. Append-only.

    The unique ``event_id`` makes the ledger the inbox too: a second delivery finds the entry of the first.
    ``link`` is "from>to"; ``linkseq`` is the gapless number on that link, None for unnumbered events.
    """

    __tablename__ = "ledger"
    __table_args__ = (Index("uq_ledger_link_linkseq", "link", "linkseq", unique=True),)

    position: int | None = ascending_key()
    event_id: str = Field(sa_type=Ident, unique=True)
    sent: bool
    type: str = Field(max_length=120)
    link: str = Field(sa_type=Word)
    linkseq: int | None = Field(default=None, sa_type=Number)
    referral_id: str | None = Field(default=None, sa_type=Ident, index=True)
    victim_id: str | None = Field(default=None, sa_type=Ident, index=True)
    body: bytes = Field(sa_type=Bytes)
    sha256: str = Field(max_length=64)
    signature: str = Field(max_length=200)
    recorded_at: datetime = Field(sa_type=UtcMoment)


class OutboxEntry(Stored, table=True):
    """The open steps of a sent event: publication, and the receiver's receipt."""

    __tablename__ = "outbox"
    __table_args__ = (
        Index(
            "ix_outbox_unsent",
            "position",
            postgresql_where=text("published_at IS NULL"),
            sqlite_where=text("published_at IS NULL"),
        ),
        Index(
            "ix_outbox_unconfirmed",
            "resend_at",
            postgresql_where=text("confirmed_at IS NULL"),
            sqlite_where=text("confirmed_at IS NULL"),
        ),
        Index("ix_outbox_peer_linkseq", "peer", "linkseq"),
    )

    position: int | None = ascending_key()
    event_id: str = Field(sa_type=Ident, unique=True)
    peer: str = Field(sa_type=Word)
    linkseq: int | None = Field(default=None, sa_type=Number)
    subject: str = Field(max_length=200)
    key: str | None = None
    """The wrapped data key that travels beside the event. Deleted after a receipt or an erasure: never sent again."""
    published_at: datetime | None = Field(default=None, sa_type=UtcMoment)
    confirmed_at: datetime | None = Field(default=None, sa_type=UtcMoment)
    receipt_id: str | None = Field(default=None, sa_type=Ident)
    attempts: int = 0
    resend_at: datetime | None = Field(default=None, sa_type=UtcMoment)


class SentLink(Stored, table=True):
    """The last number of our link to a peer, and the number up to which the coordinator witnessed it."""

    __tablename__ = "sent_links"

    peer: str = Field(sa_type=Word, primary_key=True)
    last: int = Field(sa_type=Number)
    witnessed: int = Field(default=0, sa_type=Number)


class ReceivedLink(Stored, table=True):
    """The arrivals of a link: every number up to ``through``. A ``highest`` above ``through`` shows a gap."""

    __tablename__ = "received_links"

    link: str = Field(sa_type=Word, primary_key=True)
    through: int = Field(default=0, sa_type=Number)
    highest: int = Field(default=0, sa_type=Number)


class ParkedEvent(Stored, table=True):
    """A message that cannot be applied yet, or at all: kept, visible, replayable.

    ``sha256`` identifies the message, not an id from its body: a forgery must not replace the real event. ``trusted``:
    the signature was verified. Only then does the ledger have the event, and the sender gets a receipt.
    An untrusted message has no ids here, and ``body`` is its first bytes, sealed (``messaging/quarantine``).
    """

    __tablename__ = "parked"
    __table_args__ = (
        Index("uq_parked_sha256_trusted", "sha256", "trusted", unique=True),
        Index("ix_parked_sender", "sender", "trusted", "parked_at"),
    )

    number: int | None = ascending_key()
    sha256: str = Field(max_length=64)
    trusted: bool
    reason: str = Field(sa_type=Word)
    sender: str = Field(sa_type=Word)
    """The member that sent it: by its signature if trusted, else by its account at the broker."""
    event_id: str | None = Field(default=None, sa_type=Ident, index=True)
    referral_id: str | None = Field(default=None, sa_type=Ident, index=True)
    subject: str = Field(max_length=200)
    """The declared words of the NATS subject."""
    size: int
    """The bytes of the body as it arrived."""
    body: bytes = Field(sa_type=Bytes)
    signature: str | None = Field(default=None, max_length=400)
    key: str | None = None
    """A wrapped data key: the one that arrived beside a trusted event, or our own that seals an untrusted body."""
    parked_at: datetime = Field(sa_type=UtcMoment)
    resolved_at: datetime | None = Field(default=None, sa_type=UtcMoment)
    told_at: datetime | None = Field(default=None, sa_type=UtcMoment)
    """When the security log told that this trusted event waits too long, or that its sender has too many."""


class UnkeptMessages(Stored, table=True):
    """The untrusted messages of a sender that were not kept, because too many are: their number and their bytes."""

    __tablename__ = "unkept_messages"

    sender: str = Field(sa_type=Word, primary_key=True)
    messages: int = Field(default=0, sa_type=Number)
    bytes: int = Field(default=0, sa_type=Number)
    first_at: datetime = Field(sa_type=UtcMoment)
    last_at: datetime = Field(sa_type=UtcMoment)


class EndedToken(Stored, table=True):
    """An access token that was ended by signing out. Kept until ``until``, when the token expires by itself."""

    __tablename__ = "ended_tokens"

    jti: str = Field(max_length=200, primary_key=True)
    until: datetime = Field(sa_type=UtcMoment)


class SeenDirectory(Stored, table=True):
    """The newest signed key directory that was accepted: at most one row. After a restart no older one is accepted."""

    __tablename__ = "seen_directory"

    version: int = Field(primary_key=True)
    document: str = Field(sa_type=Text)
    seen_at: datetime = Field(sa_type=UtcMoment)


class ReferralRow(Stored, table=True):
    """The current state of a referral, computed from its events, for lists and for the next decision.

    ``due_at`` is the time limit for the start of the work.
    """

    __tablename__ = "referrals"

    number: int | None = ascending_key()
    id: str = Field(sa_type=Ident, unique=True)
    case_id: str = Field(sa_type=Ident)
    victim_id: str = Field(sa_type=Ident, index=True)
    kind: str = Field(sa_type=Word)
    service: str = Field(sa_type=Word)
    priority: str = Field(sa_type=Word)
    sender_agency: str = Field(sa_type=Word)
    sender_unit: str = Field(sa_type=Word)
    sender_region: str = Field(sa_type=Word)
    receiver_agency: str = Field(sa_type=Word)
    receiver_unit: str = Field(sa_type=Word)
    receiver_region: str = Field(sa_type=Word)
    requested_at: datetime = Field(sa_type=UtcMoment)
    due_at: datetime = Field(sa_type=UtcMoment)
    sender_due_at: datetime | None = Field(default=None, sa_type=UtcMoment)
    """At the receiver: the time limit as the sender computed it. It changes nothing here."""
    custody_seq: int | None = None
    sender_custody: str | None = Field(default=None, sa_type=Word)
    """At the receiver of a transfer: what is known about the custody of the sender."""
    replaces: str | None = Field(default=None, sa_type=Ident)
    forced: bool = False
    status: str = Field(sa_type=Word)
    version: int
    hold_reason: str | None = Field(default=None, sa_type=Word)
    moved_at: datetime | None = Field(default=None, sa_type=UtcMoment)
    ask_id: str | None = Field(default=None, sa_type=Ident)
    asks: int = 0
    reject_reason: str | None = Field(default=None, sa_type=Word)
    better_agency: str | None = Field(default=None, sa_type=Word)
    better_unit: str | None = Field(default=None, sa_type=Word)
    outcome: str | None = Field(default=None, sa_type=Word)
    fail_reason: str | None = Field(default=None, sa_type=Word)
    norm_gap: str | None = Field(default=None, sa_type=Word)
    basis: str | None = Field(default=None, sa_type=Word)
    closed: bool = False
    told_interviews: Any = Field(default=[], sa_type=Json)
    """At the receiver: the ids of interviews that the request tells. They count once the referral is taken on."""
    repeats: bool = False
    """At the receiver: the sender had asked the same, and that request had not ended."""
    facts_meet: bool = False
    """At the receiver: other agencies state facts of the victim too. Each answer decides again whose word counts."""
    updated_at: datetime = Field(sa_type=UtcMoment)
