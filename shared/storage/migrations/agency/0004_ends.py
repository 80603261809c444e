"""What is given again after its end is another disclosure; each sender of a withdrawal or an erasure is obeyed.

What was obeyed before is forgotten: told again it is done again, which changes nothing.
"""

import sqlalchemy as sa
from alembic import op

revision = "agency_0004"
down_revision = "agency_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change both tables."""
    with op.batch_alter_table("disclosures") as disclosures:
        disclosures.drop_constraint(op.f("uq_data_keys_referral_id"), type_="unique")
    op.create_index(op.f("ix_disclosures_referral_id"), "disclosures", ["referral_id"], unique=False)
    op.drop_table("obeyed")
    op.create_table(
        "obeyed",
        sa.Column("cause_id", sa.String(length=36), nullable=False),
        sa.Column("sender", sa.String(length=64), nullable=False),
        sa.Column("cause", sa.String(length=100), nullable=False),
        sa.Column("victim_id", sa.String(length=36), nullable=False),
        sa.Column("end", sa.String(length=64), nullable=False),
        sa.Column("kept_because", sa.String(length=64), nullable=True),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("cause_id", "sender", name=op.f("pk_obeyed")),
    )
    op.create_index(op.f("ix_obeyed_victim_id"), "obeyed", ["victim_id"], unique=False)
