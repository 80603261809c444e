"""The wrapped data keys that travel beside events."""

import sqlalchemy as sa
from alembic import op

revision = "exchange_0002"
down_revision = "exchange_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns."""
    for table in ("outbox", "parked"):
        op.add_column(table, sa.Column("key", sa.String(), nullable=True))
