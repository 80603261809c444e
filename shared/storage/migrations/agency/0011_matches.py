"""By what a victim may be known again, and who may be the same person as somebody of another agency."""

import sqlalchemy as sa
from alembic import op

revision = "agency_0011"
down_revision = "agency_0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the tables."""
    op.create_table(
        "told_tokens",
        sa.Column("victim_id", sa.String(length=36), nullable=False),
        sa.Column("key", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("victim_id", name=op.f("pk_told_tokens")),
    )
    op.create_table(
        "matches",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("match_id", sa.String(length=36), nullable=False),
        sa.Column("victim_id", sa.String(length=36), nullable=False),
        sa.Column("linkseq", sa.Integer(), nullable=False),
        sa.Column("other_id", sa.String(length=36), nullable=True),
        sa.Column("other_agency", sa.String(length=64), nullable=True),
        sa.Column("other_unit", sa.String(length=64), nullable=True),
        sa.Column("kinds", sa.JSON(), nullable=False),
        sa.Column("strength", sa.String(length=64), nullable=True),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("said", sa.String(length=64), nullable=True),
        sa.Column("said_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("client", sa.String(length=100), nullable=True),
        sa.Column("person", sa.String(length=200), nullable=True),
        sa.Column("other_said", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_matches")),
    )
    op.create_index("uq_matches_match_id_victim_id", "matches", ["match_id", "victim_id"], unique=True)
    op.create_index(op.f("ix_matches_victim_id"), "matches", ["victim_id"], unique=False)
