"""The access log refuses to be changed."""

from alembic import op

from shared.storage.append_only import refusing_changes

revision = "agency_0003"
down_revision = "agency_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the triggers."""
    for statement in refusing_changes(op.get_bind().dialect.name, "access_log"):
        op.execute(statement)
