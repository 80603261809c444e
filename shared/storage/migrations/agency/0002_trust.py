"""Identities and notes sealed, the keys that open them, consents, disclosures, holds, break-glass; and who looked."""

import sqlalchemy as sa
from alembic import op

revision = "agency_0002"
down_revision = "agency_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables, and take out those that held identities and notes in clear."""
    _refuse_clear_text()
    for name, length in (("client", 100), ("person", 200), ("role", 64), ("unit", 64), ("right", 64)):
        op.add_column("access_log", sa.Column(name, sa.String(length), nullable=True))
    op.add_column("access_log", sa.Column("through", sa.String(36), nullable=True))
    op.create_table(
        "blind_index",
        sa.Column("victim_id", sa.String(length=36), nullable=False),
        sa.Column("field", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("victim_id", "field", name=op.f("pk_blind_index")),
    )
    op.create_index(op.f("ix_blind_index_digest"), "blind_index", ["digest"], unique=False)
    op.create_table(
        "break_glass",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("victim_id", sa.String(length=36), nullable=False),
        sa.Column("agency", sa.String(length=64), nullable=False),
        sa.Column("unit", sa.String(length=64), nullable=False),
        sa.Column("region", sa.String(length=64), nullable=False),
        sa.Column("client", sa.String(100), nullable=True),
        sa.Column("person", sa.String(200), nullable=True),
        sa.Column("owner_agency", sa.String(length=64), nullable=True),
        sa.Column("owner_unit", sa.String(length=64), nullable=True),
        sa.Column("reason", sa.String(length=64), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("looks", sa.Integer(), nullable=False),
        sa.Column("end", sa.String(length=64), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("verdict", sa.String(length=64), nullable=True),
        sa.Column("reviewer", sa.String(100), nullable=True),
        sa.Column("reviewed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_break_glass")),
        sa.UniqueConstraint("id", name=op.f("uq_blind_index_id")),
    )
    op.create_index(op.f("ix_break_glass_victim_id"), "break_glass", ["victim_id"], unique=False)
    op.create_table(
        "consents",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("victim_id", sa.String(length=36), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("notice", sa.String(length=64), nullable=False),
        sa.Column("purposes", sa.JSON(), nullable=False),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.Column("recipients", sa.JSON(), nullable=False),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("manner", sa.String(length=64), nullable=False),
        sa.Column("guardian", sa.String(length=64), nullable=False),
        sa.Column("client", sa.String(100), nullable=False),
        sa.Column("unit", sa.String(length=64), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_consents")),
        sa.UniqueConstraint("id", name=op.f("uq_consents_id")),
    )
    op.create_index(op.f("ix_consents_victim_id"), "consents", ["victim_id"], unique=False)
    op.create_table(
        "data_keys",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("victim_id", sa.String(length=36), nullable=False),
        sa.Column("wrapped", sa.String(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_data_keys")),
    )
    op.create_index(op.f("ix_data_keys_victim_id"), "data_keys", ["victim_id"], unique=False)
    op.create_table(
        "disclosures",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("referral_id", sa.String(length=36), nullable=False),
        sa.Column("victim_id", sa.String(length=36), nullable=False),
        sa.Column("given", sa.Boolean(), nullable=False),
        sa.Column("agency", sa.String(length=64), nullable=False),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.Column("basis", sa.String(length=64), nullable=False),
        sa.Column("consent_id", sa.String(length=36), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("end", sa.String(length=64), nullable=True),
        sa.Column("kept_because", sa.String(length=64), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_disclosures")),
        sa.UniqueConstraint("referral_id", name=op.f("uq_data_keys_referral_id")),
    )
    op.create_index(op.f("ix_disclosures_consent_id"), "disclosures", ["consent_id"], unique=False)
    op.create_index(op.f("ix_disclosures_victim_id"), "disclosures", ["victim_id"], unique=False)
    op.create_table(
        "legal_holds",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("victim_id", sa.String(length=36), nullable=False),
        sa.Column("basis", sa.String(length=64), nullable=False),
        sa.Column("client", sa.String(100), nullable=False),
        sa.Column("unit", sa.String(length=64), nullable=False),
        sa.Column("placed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lifted_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_legal_holds")),
    )
    op.create_index(op.f("ix_legal_holds_victim_id"), "legal_holds", ["victim_id"], unique=False)
    op.create_table(
        "obeyed",
        sa.Column("cause_id", sa.String(length=36), nullable=False),
        sa.Column("victim_id", sa.String(length=36), nullable=False),
        sa.Column("end", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("cause_id", name=op.f("pk_obeyed")),
    )
    op.create_index(op.f("ix_obeyed_victim_id"), "obeyed", ["victim_id"], unique=False)
    op.create_table(
        "sealed",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("victim_id", sa.String(length=36), nullable=False),
        sa.Column("source", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("key_id", sa.String(64), nullable=False),
        sa.Column("sealed", sa.String(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_sealed")),
        sa.UniqueConstraint("source", name=op.f("uq_legal_holds_source")),
    )
    op.create_index(op.f("ix_sealed_victim_id"), "sealed", ["victim_id"], unique=False)
    op.drop_index(op.f("ix_notes_referral_id"), table_name="notes")
    op.drop_table("notes")
    op.drop_table("identities")
    op.drop_column("cases", "note")


def _refuse_clear_text() -> None:
    """What lies here in clear would have to be sealed, which a migration cannot: it has no keys."""
    for question in ("SELECT 1 FROM identities", "SELECT 1 FROM notes", "SELECT 1 FROM cases WHERE note IS NOT NULL"):
        if op.get_bind().execute(sa.text(question + " LIMIT 1")).first() is not None:
            raise RuntimeError(
                "this database holds identities or notes in clear, from before the first release that seals them: "
                "record them anew through the API of this version, on an empty database"
            )
