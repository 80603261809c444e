"""The beds of the shelters."""

import sqlalchemy as sa
from alembic import op

revision = "kemensos_0001"
down_revision = None
branch_labels = ("kemensos",)
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "beds",
        sa.Column("unit", sa.String(length=64), nullable=False),
        sa.Column("ward", sa.String(length=64), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("victim_id", sa.String(length=36), nullable=True),
        sa.Column("since", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("unit", "ward", "number", name=op.f("pk_beds")),
        sa.UniqueConstraint("victim_id", name=op.f("uq_beds_victim_id")),
    )
