"""The tables of coordination: journeys, custody chains, stages, cases, alarms, tokens and proposals."""

import sqlalchemy as sa
from alembic import op

revision = "coordination_0001"
down_revision = None
branch_labels = ("coordination",)
depends_on = None

# SQLite numbers rows by itself only in a column that is exactly INTEGER
Number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
Moment = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the tables."""
    _make_journeys()
    _make_custody_links()
    _make_stages()
    _make_case_facts()
    _make_alarms()
    _make_tokens_told()
    _make_tokens()
    _make_proposals()
    _make_meetings()
    _make_match_alarms()


def _make_journeys() -> None:
    op.create_table(
        "journeys",
        sa.Column("number", Number, autoincrement=True, nullable=False),
        sa.Column("victim_id", sa.String(36), nullable=False),
        sa.Column("case_id", sa.String(36), nullable=True),
        sa.Column("age_class", sa.String(64), nullable=True),
        sa.Column("sex", sa.String(64), nullable=True),
        sa.Column("home_region", sa.String(64), nullable=True),
        sa.Column("stage", sa.String(64), nullable=False),
        sa.Column("stage_at", Moment, nullable=True),
        sa.Column("custody_agency", sa.String(64), nullable=True),
        sa.Column("custody_unit", sa.String(64), nullable=True),
        sa.Column("custody_region", sa.String(64), nullable=True),
        sa.Column("custody_seq", sa.Integer(), nullable=False),
        sa.Column("registered_at", Moment, nullable=True),
        sa.Column("closed_at", Moment, nullable=True),
        sa.Column("outcome", sa.String(64), nullable=True),
        sa.Column("reopened_at", Moment, nullable=True),
        sa.Column("events", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_journeys"),
        sa.UniqueConstraint("victim_id", name="uq_journeys_victim_id"),
    )
    op.create_index("ix_journeys_case_id", "journeys", ["case_id"], unique=False)
    op.create_index("ix_journeys_custody_agency", "journeys", ["custody_agency"], unique=False)
    op.create_index("ix_journeys_custody_region", "journeys", ["custody_region"], unique=False)
    op.create_index("ix_journeys_stage", "journeys", ["stage"], unique=False)


def _make_custody_links() -> None:
    op.create_table(
        "custody_links",
        sa.Column("victim_id", sa.String(36), nullable=False),
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("agency", sa.String(64), nullable=False),
        sa.Column("unit", sa.String(64), nullable=False),
        sa.Column("region", sa.String(64), nullable=False),
        sa.Column("since", Moment, nullable=False),
        sa.Column("told_since", Moment, nullable=False),
        sa.Column("referral_id", sa.String(36), nullable=True),
        sa.PrimaryKeyConstraint("victim_id", "seq", name="pk_custody_links"),
    )


def _make_stages() -> None:
    op.create_table(
        "stages",
        sa.Column("number", Number, autoincrement=True, nullable=False),
        sa.Column("victim_id", sa.String(36), nullable=False),
        sa.Column("stage", sa.String(64), nullable=False),
        sa.Column("agency", sa.String(64), nullable=False),
        sa.Column("unit", sa.String(64), nullable=False),
        sa.Column("occurred_at", Moment, nullable=False),
        sa.Column("by_holder", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_stages"),
    )
    op.create_index("ix_stages_victim_id", "stages", ["victim_id"], unique=False)


def _make_case_facts() -> None:
    op.create_table(
        "case_facts",
        sa.Column("case_id", sa.String(36), nullable=False),
        sa.Column("agency", sa.String(64), nullable=False),
        sa.Column("unit", sa.String(64), nullable=False),
        sa.Column("region", sa.String(64), nullable=False),
        sa.Column("channel", sa.String(64), nullable=False),
        sa.Column("exploitation", sa.String(64), nullable=False),
        sa.Column("destination", sa.String(2), nullable=True),
        sa.Column("opened_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("case_id", name="pk_case_facts"),
    )


def _make_alarms() -> None:
    op.create_table(
        "alarms",
        sa.Column("about", sa.String(36), nullable=False),
        sa.Column("clock", sa.String(64), nullable=False),
        sa.Column("agency", sa.String(64), nullable=False),
        sa.Column("unit", sa.String(64), nullable=False),
        sa.Column("region", sa.String(64), nullable=False),
        sa.Column("victim_id", sa.String(36), nullable=True),
        sa.Column("started_at", Moment, nullable=False),
        sa.Column("due_at", Moment, nullable=False),
        sa.Column("warned_at", Moment, nullable=True),
        sa.Column("breached_at", Moment, nullable=True),
        sa.Column("escalated_at", Moment, nullable=True),
        sa.Column("escalated_to", sa.String(64), nullable=True),
        sa.Column("escalated_level", sa.String(64), nullable=True),
        sa.Column("stopped_at", Moment, nullable=True),
        sa.Column("in_time", sa.Boolean(), nullable=True),
        sa.PrimaryKeyConstraint("about", "clock", "agency", "unit", name="pk_alarms"),
    )
    op.create_index("ix_alarms_victim_id", "alarms", ["victim_id"], unique=False)


def _make_tokens_told() -> None:
    op.create_table(
        "tokens_told",
        sa.Column("victim_id", sa.String(36), nullable=False),
        sa.Column("agency", sa.String(64), nullable=False),
        sa.Column("linkseq", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("victim_id", "agency", name="pk_tokens_told"),
    )


def _make_tokens() -> None:
    op.create_table(
        "tokens",
        sa.Column("victim_id", sa.String(36), nullable=False),
        sa.Column("agency", sa.String(64), nullable=False),
        sa.Column("token", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("victim_id", "agency", "token", name="pk_tokens"),
    )
    op.create_index("ix_tokens_token_agency", "tokens", ["token", "agency"], unique=False)


def _make_proposals() -> None:
    op.create_table(
        "proposals",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("first_id", sa.String(36), nullable=False),
        sa.Column("second_id", sa.String(36), nullable=False),
        sa.Column("asked_first", sa.String(36), nullable=False),
        sa.Column("kinds", sa.JSON(), nullable=False),
        sa.Column("strength", sa.String(64), nullable=False),
        sa.Column("people", sa.Integer(), nullable=True),
        sa.Column("proposed_at", Moment, nullable=False),
        sa.Column("first_said", sa.String(64), nullable=True),
        sa.Column("first_said_at", Moment, nullable=True),
        sa.Column("second_said", sa.String(64), nullable=True),
        sa.Column("second_said_at", Moment, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_proposals"),
    )
    op.create_index("ix_proposals_second_id", "proposals", ["second_id"], unique=False)
    op.create_index("uq_proposals_first_id_second_id", "proposals", ["first_id", "second_id"], unique=True)


def _make_meetings() -> None:
    op.create_table(
        "meetings",
        sa.Column("number", Number, autoincrement=True, nullable=False),
        sa.Column("victim_id", sa.String(36), nullable=False),
        sa.Column("agency", sa.String(64), nullable=False),
        sa.Column("unit", sa.String(64), nullable=False),
        sa.Column("met_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_meetings"),
    )
    op.create_index("ix_meetings_agency", "meetings", ["agency"], unique=False)


def _make_match_alarms() -> None:
    op.create_table(
        "match_alarms",
        sa.Column("number", Number, autoincrement=True, nullable=False),
        sa.Column("reason", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(64), nullable=True),
        sa.Column("agency", sa.String(64), nullable=False),
        sa.Column("unit", sa.String(64), nullable=False),
        sa.Column("region", sa.String(64), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("raised_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_match_alarms"),
    )
