"""What desks have said of their capacity."""

import sqlalchemy as sa
from alembic import op

revision = "agency_0010"
down_revision = "agency_0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "capacities",
        sa.Column("agency", sa.String(length=64), nullable=False),
        sa.Column("unit", sa.String(length=64), nullable=False),
        sa.Column("service", sa.String(length=64), nullable=False),
        sa.Column("capacity", sa.String(length=64), nullable=False),
        sa.Column("announced_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("agency", "unit", "service", name=op.f("pk_capacities")),
    )
