"""A number that a victim is searched by stands beside the source it came from. Those there are, we wrote ourselves."""

import sqlalchemy as sa
from alembic import op

revision = "agency_0005"
down_revision = "agency_0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table anew: its key is another."""
    op.drop_index(op.f("ix_blind_index_digest"), table_name="blind_index")
    op.rename_table("blind_index", "blind_index_before")
    op.create_table(
        "blind_index",
        sa.Column("victim_id", sa.String(length=36), nullable=False),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("field", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("victim_id", "source", "field", name=op.f("pk_blind_index_numbers")),
    )
    op.execute(
        "INSERT INTO blind_index (victim_id, source, field, digest) "
        "SELECT victim_id, 'own:' || victim_id, field, digest FROM blind_index_before"
    )
    op.drop_table("blind_index_before")
    op.create_index(op.f("ix_blind_index_digest"), "blind_index", ["digest"], unique=False)
