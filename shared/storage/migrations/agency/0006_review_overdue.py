"""That nobody has judged a break-glass in time is told once."""

import sqlalchemy as sa
from alembic import op

revision = "agency_0006"
down_revision = "agency_0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add when it was told."""
    op.add_column("break_glass", sa.Column("overdue_at", sa.DateTime(timezone=True), nullable=True))
