"""Tokens by which a person may be known again, and proposals that two victims are one."""

import sqlalchemy as sa
from alembic import op

revision = "coordination_0003"
down_revision = "coordination_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the tables."""
    op.create_table(
        "tokens_told",
        sa.Column("victim_id", sa.String(length=36), nullable=False),
        sa.Column("agency", sa.String(length=64), nullable=False),
        sa.Column("linkseq", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("victim_id", "agency", name=op.f("pk_tokens_told")),
    )
    op.create_table(
        "tokens",
        sa.Column("victim_id", sa.String(length=36), nullable=False),
        sa.Column("agency", sa.String(length=64), nullable=False),
        sa.Column("token", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("victim_id", "agency", "token", name=op.f("pk_tokens")),
    )
    op.create_index(op.f("ix_tokens_token"), "tokens", ["token"], unique=False)
    op.create_table(
        "proposals",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("first_id", sa.String(length=36), nullable=False),
        sa.Column("second_id", sa.String(length=36), nullable=False),
        sa.Column("kinds", sa.JSON(), nullable=False),
        sa.Column("strength", sa.String(length=64), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("first_said", sa.String(length=64), nullable=True),
        sa.Column("first_said_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("second_said", sa.String(length=64), nullable=True),
        sa.Column("second_said_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_proposals")),
    )
    op.create_index("uq_proposals_first_id_second_id", "proposals", ["first_id", "second_id"], unique=True)
    op.create_index(op.f("ix_proposals_second_id"), "proposals", ["second_id"], unique=False)
