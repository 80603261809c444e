"""The access log says who looked, and by which right."""

import sqlalchemy as sa
from alembic import op

revision = "agency_0002"
down_revision = "agency_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name, length in (("client", 100), ("role", 64), ("unit", 64), ("right", 64)):
        op.add_column("access_log", sa.Column(name, sa.String(length), nullable=True))
    op.add_column("access_log", sa.Column("through", sa.String(36), nullable=True))
