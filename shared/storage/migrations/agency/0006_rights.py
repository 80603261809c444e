"""What a person may ask for, and what falls due by itself: reviews, ends of consents, second persons, retention.

A case has no note any more: nobody could read it, and it was of no victim with whom it could have been erased.
"""

import sqlalchemy as sa
from alembic import op

revision = "agency_0006"
down_revision = "agency_0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add columns and a table; destroy the notes of cases."""
    op.add_column("break_glass", sa.Column("overdue_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("consents", sa.Column("person", sa.String(length=200), nullable=True))
    op.add_column("consents", sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True))
    op.execute("UPDATE consents SET ended_at = withdrawn_at")
    op.create_index(op.f("ix_consents_valid_until"), "consents", ["valid_until"], unique=False)
    op.add_column("legal_holds", sa.Column("person", sa.String(length=200), nullable=True))
    op.add_column("victims", sa.Column("keep_until", sa.DateTime(timezone=True), nullable=True))
    op.create_index(op.f("ix_victims_keep_until"), "victims", ["keep_until"], unique=False)
    op.create_index(op.f("ix_idempotency_answered_at"), "idempotency", ["answered_at"], unique=False)
    op.create_table(
        "erasures",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("victim_id", sa.String(length=36), nullable=False),
        sa.Column("client", sa.String(length=100), nullable=False),
        sa.Column("person", sa.String(length=200), nullable=False),
        sa.Column("unit", sa.String(length=64), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("approved", sa.Boolean(), nullable=True),
        sa.Column("decided_by", sa.String(length=100), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_erasures")),
        sa.UniqueConstraint("id", name=op.f("uq_erasures_id")),
    )
    op.create_index(op.f("ix_erasures_victim_id"), "erasures", ["victim_id"], unique=False)
    op.execute("DELETE FROM sealed WHERE victim_id IN (SELECT id FROM cases)")
    op.execute("DELETE FROM data_keys WHERE victim_id IN (SELECT id FROM cases)")
