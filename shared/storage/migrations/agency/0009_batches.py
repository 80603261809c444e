"""Batches of people, and what became of each."""

import sqlalchemy as sa
from alembic import op

revision = "agency_0009"
down_revision = "agency_0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the tables."""
    op.create_table(
        "batches",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("case_id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.Column("client", sa.String(length=100), nullable=False),
        sa.Column("person", sa.String(length=200), nullable=True),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_batches")),
        sa.UniqueConstraint("id", name=op.f("uq_batches_id")),
        sa.UniqueConstraint("name", name=op.f("uq_batches_name")),
    )
    op.create_index("ix_batches_case_id_fingerprint", "batches", ["case_id", "fingerprint"], unique=False)
    op.create_table(
        "batch_people",
        sa.Column("batch_id", sa.String(length=36), nullable=False),
        sa.Column("row", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("role", sa.String(length=64), nullable=True),
        sa.Column("victim_id", sa.String(length=36), nullable=True),
        sa.Column("referrals", sa.JSON(), nullable=False),
        sa.Column("left_out", sa.JSON(), nullable=False),
        sa.Column("problem", sa.JSON(), nullable=True),
        sa.PrimaryKeyConstraint("batch_id", "row", name=op.f("pk_batch_people")),
    )
    op.create_index(op.f("ix_batch_people_victim_id"), "batch_people", ["victim_id"], unique=False)
