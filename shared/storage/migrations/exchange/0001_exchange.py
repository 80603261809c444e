"""The tables that every member has: ledger, outbox, links, parked events, referrals, ended tokens, key directory."""

import sqlalchemy as sa
from alembic import op

from shared.storage.append_only import refusing_changes

revision = "exchange_0001"
down_revision = None
branch_labels = ("exchange",)
depends_on = None

# SQLite numbers rows by itself only in a column that is exactly INTEGER
Number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
Moment = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the tables, and the triggers that refuse to change the ledger."""
    _make_ledger()
    _make_outbox()
    _make_sent_links()
    _make_received_links()
    _make_parked()
    _make_unkept_messages()
    _make_referrals()
    op.create_index("ix_referrals_victim_id", "referrals", ["victim_id"], unique=False)
    _make_ended_tokens()
    _make_seen_directory()
    for statement in refusing_changes(op.get_bind().dialect.name, "ledger"):
        op.execute(statement)


def _make_ledger() -> None:
    op.create_table(
        "ledger",
        sa.Column("position", Number, autoincrement=True, nullable=False),
        sa.Column("event_id", sa.String(36), nullable=False),
        sa.Column("sent", sa.Boolean(), nullable=False),
        sa.Column("type", sa.String(120), nullable=False),
        sa.Column("link", sa.String(64), nullable=False),
        sa.Column("linkseq", Number, nullable=True),
        sa.Column("referral_id", sa.String(36), nullable=True),
        sa.Column("victim_id", sa.String(36), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("signature", sa.String(200), nullable=False),
        sa.Column("recorded_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("position", name="pk_ledger"),
        sa.UniqueConstraint("event_id", name="uq_ledger_event_id"),
    )
    op.create_index("ix_ledger_referral_id", "ledger", ["referral_id"], unique=False)
    op.create_index("ix_ledger_victim_id", "ledger", ["victim_id"], unique=False)
    op.create_index("uq_ledger_link_linkseq", "ledger", ["link", "linkseq"], unique=True)


def _make_outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column("position", Number, autoincrement=True, nullable=False),
        sa.Column("event_id", sa.String(36), nullable=False),
        sa.Column("peer", sa.String(64), nullable=False),
        sa.Column("linkseq", Number, nullable=True),
        sa.Column("subject", sa.String(200), nullable=False),
        sa.Column("published_at", Moment, nullable=True),
        sa.Column("confirmed_at", Moment, nullable=True),
        sa.Column("receipt_id", sa.String(36), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("resend_at", Moment, nullable=True),
        sa.Column("key", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("position", name="pk_outbox"),
        sa.UniqueConstraint("event_id", name="uq_outbox_event_id"),
    )
    op.create_index("ix_outbox_peer_linkseq", "outbox", ["peer", "linkseq"], unique=False)
    op.create_index(
        "ix_outbox_unconfirmed",
        "outbox",
        ["resend_at"],
        unique=False,
        postgresql_where=sa.text("confirmed_at IS NULL"),
        sqlite_where=sa.text("confirmed_at IS NULL"),
    )
    op.create_index(
        "ix_outbox_unsent",
        "outbox",
        ["position"],
        unique=False,
        postgresql_where=sa.text("published_at IS NULL"),
        sqlite_where=sa.text("published_at IS NULL"),
    )


def _make_sent_links() -> None:
    op.create_table(
        "sent_links",
        sa.Column("peer", sa.String(64), nullable=False),
        sa.Column("last", Number, nullable=False),
        sa.Column("witnessed", Number, nullable=False),
        sa.PrimaryKeyConstraint("peer", name="pk_sent_links"),
    )


def _make_received_links() -> None:
    op.create_table(
        "received_links",
        sa.Column("link", sa.String(64), nullable=False),
        sa.Column("through", Number, nullable=False),
        sa.Column("highest", Number, nullable=False),
        sa.PrimaryKeyConstraint("link", name="pk_received_links"),
    )


def _make_parked() -> None:
    op.create_table(
        "parked",
        sa.Column("number", Number, autoincrement=True, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("trusted", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String(64), nullable=False),
        sa.Column("sender", sa.String(64), nullable=False),
        sa.Column("event_id", sa.String(36), nullable=True),
        sa.Column("referral_id", sa.String(36), nullable=True),
        sa.Column("subject", sa.String(200), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("signature", sa.String(400), nullable=True),
        sa.Column("parked_at", Moment, nullable=False),
        sa.Column("resolved_at", Moment, nullable=True),
        sa.Column("told_at", Moment, nullable=True),
        sa.Column("key", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("number", name="pk_parked"),
    )
    op.create_index("ix_parked_event_id", "parked", ["event_id"], unique=False)
    op.create_index("ix_parked_referral_id", "parked", ["referral_id"], unique=False)
    op.create_index("uq_parked_sha256_trusted", "parked", ["sha256", "trusted"], unique=True)
    op.create_index("ix_parked_sender", "parked", ["sender", "trusted", "parked_at"], unique=False)


def _make_unkept_messages() -> None:
    op.create_table(
        "unkept_messages",
        sa.Column("sender", sa.String(64), nullable=False),
        sa.Column("messages", Number, nullable=False),
        sa.Column("bytes", Number, nullable=False),
        sa.Column("first_at", Moment, nullable=False),
        sa.Column("last_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("sender", name="pk_unkept_messages"),
    )


def _make_referrals() -> None:
    op.create_table(
        "referrals",
        sa.Column("number", Number, autoincrement=True, nullable=False),
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("case_id", sa.String(36), nullable=False),
        sa.Column("victim_id", sa.String(36), nullable=False),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("service", sa.String(64), nullable=False),
        sa.Column("priority", sa.String(64), nullable=False),
        sa.Column("sender_agency", sa.String(64), nullable=False),
        sa.Column("sender_unit", sa.String(64), nullable=False),
        sa.Column("sender_region", sa.String(64), nullable=False),
        sa.Column("receiver_agency", sa.String(64), nullable=False),
        sa.Column("receiver_unit", sa.String(64), nullable=False),
        sa.Column("receiver_region", sa.String(64), nullable=False),
        sa.Column("requested_at", Moment, nullable=False),
        sa.Column("due_at", Moment, nullable=False),
        sa.Column("custody_seq", sa.Integer(), nullable=True),
        sa.Column("replaces", sa.String(36), nullable=True),
        sa.Column("forced", sa.Boolean(), nullable=False),
        sa.Column("status", sa.String(64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("hold_reason", sa.String(64), nullable=True),
        sa.Column("sender_due_at", Moment, nullable=True),
        sa.Column("moved_at", Moment, nullable=True),
        sa.Column("ask_id", sa.String(36), nullable=True),
        sa.Column("asks", sa.Integer(), nullable=False),
        sa.Column("reject_reason", sa.String(64), nullable=True),
        sa.Column("better_agency", sa.String(64), nullable=True),
        sa.Column("better_unit", sa.String(64), nullable=True),
        sa.Column("outcome", sa.String(64), nullable=True),
        sa.Column("fail_reason", sa.String(64), nullable=True),
        *(sa.Column(name, sa.String(64), nullable=True) for name in ("norm_gap", "basis", "sender_custody")),
        sa.Column("told_interviews", sa.JSON(), nullable=False),
        *(sa.Column(name, sa.Boolean(), nullable=False) for name in ("closed", "repeats", "facts_meet")),
        sa.Column("updated_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_referrals"),
        sa.UniqueConstraint("id", name="uq_referrals_id"),
    )


def _make_ended_tokens() -> None:
    op.create_table(
        "ended_tokens",
        sa.Column("jti", sa.String(200), nullable=False),
        sa.Column("until", Moment, nullable=False),
        sa.PrimaryKeyConstraint("jti", name="pk_ended_tokens"),
    )


def _make_seen_directory() -> None:
    op.create_table(
        "seen_directory",
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("seen_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("version", name="pk_seen_directory"),
    )
