"""The ledger refuses to be changed."""

from alembic import op

from shared.storage.append_only import refusing_changes

revision = "exchange_0003"
down_revision = "exchange_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the triggers."""
    for statement in refusing_changes(op.get_bind().dialect.name, "ledger"):
        op.execute(statement)
