"""The clocks that desks keep. Referrals that were live before have none: what was due then is in their ``due_at``."""

import sqlalchemy as sa
from alembic import op

revision = "agency_0007"
down_revision = "agency_0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "clocks",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("about", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("clock", sa.String(length=64), nullable=False),
        sa.Column("victim_id", sa.String(length=36), nullable=True),
        sa.Column("peer", sa.String(length=64), nullable=True),
        sa.Column("unit", sa.String(length=64), nullable=False),
        sa.Column("region", sa.String(length=64), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("moments", sa.JSON(), nullable=False),
        sa.Column("told", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("stopped_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_clocks")),
    )
    op.create_index("uq_clocks_about_clock_unit", "clocks", ["about", "clock", "unit"], unique=True)
    op.create_index(op.f("ix_clocks_victim_id"), "clocks", ["victim_id"], unique=False)
    op.create_index(op.f("ix_clocks_due_at"), "clocks", ["due_at"], unique=False)
    op.create_index(op.f("ix_clocks_next_at"), "clocks", ["next_at"], unique=False)
