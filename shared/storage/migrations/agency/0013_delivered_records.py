"""Records that another agency filed and delivered: by whom. They were sent by no client of ours."""

import sqlalchemy as sa
from alembic import op

revision = "agency_0013"
down_revision = "agency_0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    with op.batch_alter_table("records") as records:
        records.add_column(sa.Column("delivered_by", sa.String(length=64), nullable=True))
        records.alter_column("client", existing_type=sa.String(length=100), nullable=True)
