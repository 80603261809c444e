"""The tables that only an agency has: cases and victims, their rights, the work of its desks."""
# Long because: a lineage has one revision while nothing is released, and a revision writes each table out. It must
# not change with the code that it would call.

import sqlalchemy as sa
from alembic import op

from shared.storage.append_only import refusing_changes

revision = "agency_0001"
down_revision = None
branch_labels = ("agency",)
depends_on = None

# SQLite numbers rows by itself only in a column that is exactly INTEGER
Number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
Moment = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the tables, and the triggers that refuse to change the access log."""
    _make_cases()
    _make_victims()
    _make_facts_words()
    _make_facts_corrections()
    _make_interviews()
    _make_data_keys()
    _make_sealed()
    _make_blind_index()
    _make_consents()
    _make_disclosures()
    _make_obeyed()
    _make_erasures()
    _make_closures()
    _make_legal_holds()
    _make_break_glass()
    _make_access_log()
    _make_clocks()
    _make_records()
    _make_letters()
    _make_batches()
    _make_batch_people()
    _make_capacities()
    _make_descriptions()
    _make_told_tokens()
    _make_matches()
    _make_idempotency()
    _make_backdated()
    _make_urgent_requests()
    for statement in refusing_changes(op.get_bind().dialect.name, "access_log"):
        op.execute(statement)


def _make_cases() -> None:
    op.create_table(
        "cases",
        sa.Column("number", Number, autoincrement=True, nullable=False),
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("unit", sa.String(64), nullable=False),
        sa.Column("region", sa.String(64), nullable=False),
        sa.Column("channel", sa.String(64), nullable=False),
        sa.Column("exploitation", sa.String(64), nullable=False),
        sa.Column("destination", sa.String(2), nullable=True),
        sa.Column("opened_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_cases"),
        sa.UniqueConstraint("id", name="uq_cases_id"),
    )


def _make_victims() -> None:
    op.create_table(
        "victims",
        sa.Column("number", Number, autoincrement=True, nullable=False),
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("case_id", sa.String(36), nullable=False),
        sa.Column("registered_here", sa.Boolean(), nullable=False),
        sa.Column("age_class", sa.String(64), nullable=False),
        sa.Column("sex", sa.String(64), nullable=False),
        sa.Column("home_region", sa.String(64), nullable=True),
        sa.Column("facts_from", sa.String(64), nullable=False),
        sa.Column("facts_at", Moment, nullable=False),
        sa.Column("facts_came_with", sa.String(36), nullable=True),
        sa.Column("rule_age", sa.String(64), nullable=False),
        sa.Column("sex_disputed", sa.Boolean(), nullable=False),
        sa.Column("home_disputed", sa.Boolean(), nullable=False),
        sa.Column("facts_differ", sa.Boolean(), nullable=False),
        sa.Column("facts_untold", sa.Boolean(), nullable=False),
        sa.Column("stage", sa.String(64), nullable=False),
        sa.Column("stages", sa.JSON(), nullable=False),
        sa.Column("consent_withdrawn_at", Moment, nullable=True),
        sa.Column("custody_agency", sa.String(64), nullable=True),
        sa.Column("custody_unit", sa.String(64), nullable=True),
        sa.Column("custody_region", sa.String(64), nullable=True),
        sa.Column("custody_seq", sa.Integer(), nullable=False),
        sa.Column("custody_at", Moment, nullable=True),
        sa.Column("registered_at", Moment, nullable=False),
        sa.Column("closed_at", Moment, nullable=True),
        sa.Column("outcome", sa.String(64), nullable=True),
        sa.Column("keep_until", Moment, nullable=True),
        sa.PrimaryKeyConstraint("number", name="pk_victims"),
        sa.UniqueConstraint("id", name="uq_victims_id"),
    )
    op.create_index("ix_victims_case_id", "victims", ["case_id"], unique=False)
    op.create_index("ix_victims_custody_agency", "victims", ["custody_agency"], unique=False)
    op.create_index("ix_victims_keep_until", "victims", ["keep_until"], unique=False)


def _make_facts_words() -> None:
    op.create_table(
        "facts_words",
        sa.Column("victim_id", sa.String(36), nullable=False),
        sa.Column("agency", sa.String(64), nullable=False),
        sa.Column("age_class", sa.String(64), nullable=False),
        sa.Column("sex", sa.String(64), nullable=False),
        sa.Column("home_region", sa.String(64), nullable=True),
        sa.Column("at", Moment, nullable=False),
        sa.Column("settled_by", sa.String(64), nullable=True),
        sa.Column("waiting", sa.Boolean(), nullable=False),
        sa.Column("came_with", sa.String(36), nullable=False),
        sa.PrimaryKeyConstraint("victim_id", "agency", "came_with", name="pk_facts_words"),
    )


def _make_facts_corrections() -> None:
    op.create_table(
        "facts_corrections",
        sa.Column("number", Number, autoincrement=True, nullable=False),
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("victim_id", sa.String(36), nullable=False),
        sa.Column("age_class", sa.String(64), nullable=False),
        sa.Column("sex", sa.String(64), nullable=False),
        sa.Column("home_region", sa.String(64), nullable=True),
        sa.Column("basis", sa.String(64), nullable=False),
        sa.Column("client", sa.String(100), nullable=False),
        sa.Column("person", sa.String(200), nullable=True),
        sa.Column("unit", sa.String(64), nullable=False),
        sa.Column("asked_at", Moment, nullable=False),
        sa.Column("occurred_at", Moment, nullable=False),
        sa.Column("confirmed_by", sa.String(100), nullable=True),
        sa.Column("confirmed_person", sa.String(200), nullable=True),
        sa.Column("applied_at", Moment, nullable=True),
        sa.PrimaryKeyConstraint("number", name="pk_facts_corrections"),
        sa.UniqueConstraint("id", name="uq_facts_corrections_id"),
    )
    op.create_index("ix_facts_corrections_victim_id", "facts_corrections", ["victim_id"], unique=False)


def _make_interviews() -> None:
    op.create_table(
        "interviews",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("victim_id", sa.String(36), nullable=False),
        sa.Column("agency", sa.String(64), nullable=True),
        sa.Column("held_at", Moment, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_interviews"),
    )
    op.create_index("ix_interviews_victim_id", "interviews", ["victim_id"], unique=False)


def _make_data_keys() -> None:
    op.create_table(
        "data_keys",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("subject_id", sa.String(64), nullable=False),
        sa.Column("wrapped", sa.String(), nullable=False),
        sa.Column("made_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_data_keys"),
    )
    op.create_index("ix_data_keys_subject_id", "data_keys", ["subject_id"], unique=False)


def _make_sealed() -> None:
    op.create_table(
        "sealed",
        sa.Column("number", Number, autoincrement=True, nullable=False),
        sa.Column("subject_id", sa.String(64), nullable=False),
        sa.Column("source", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("key_id", sa.String(64), nullable=False),
        sa.Column("sealed", sa.String(), nullable=False),
        sa.Column("recorded_at", Moment, nullable=False),
        sa.Column("handed_over", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_sealed"),
        sa.UniqueConstraint("source", name="uq_legal_holds_source"),
    )
    op.create_index("ix_sealed_subject_id", "sealed", ["subject_id"], unique=False)


def _make_blind_index() -> None:
    op.create_table(
        "blind_index",
        sa.Column("victim_id", sa.String(36), nullable=False),
        sa.Column("source", sa.String(64), nullable=False),
        sa.Column("field", sa.String(64), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("victim_id", "source", "field", name="pk_blind_index_numbers"),
    )
    op.create_index("ix_blind_index_digest", "blind_index", ["digest"], unique=False)


def _make_consents() -> None:
    op.create_table(
        "consents",
        sa.Column("number", Number, autoincrement=True, nullable=False),
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("victim_id", sa.String(36), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("notice", sa.String(64), nullable=False),
        sa.Column("purposes", sa.JSON(), nullable=False),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.Column("recipients", sa.JSON(), nullable=False),
        sa.Column("valid_until", Moment, nullable=False),
        sa.Column("manner", sa.String(64), nullable=False),
        sa.Column("guardian", sa.String(64), nullable=False),
        sa.Column("client", sa.String(100), nullable=False),
        sa.Column("unit", sa.String(64), nullable=False),
        sa.Column("recorded_at", Moment, nullable=False),
        sa.Column("withdrawn_at", Moment, nullable=True),
        sa.Column("person", sa.String(200), nullable=True),
        sa.Column("ended_at", Moment, nullable=True),
        sa.PrimaryKeyConstraint("number", name="pk_consents"),
        sa.UniqueConstraint("id", name="uq_consents_id"),
    )
    op.create_index("ix_consents_valid_until", "consents", ["valid_until"], unique=False)
    op.create_index("ix_consents_victim_id", "consents", ["victim_id"], unique=False)


def _make_disclosures() -> None:
    op.create_table(
        "disclosures",
        sa.Column("number", Number, autoincrement=True, nullable=False),
        sa.Column("given_with", sa.String(36), nullable=False),
        sa.Column("victim_id", sa.String(36), nullable=False),
        sa.Column("given", sa.Boolean(), nullable=False),
        sa.Column("agency", sa.String(64), nullable=False),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.Column("came_with", sa.JSON(), nullable=False),
        sa.Column("basis", sa.String(64), nullable=False),
        sa.Column("consent_id", sa.String(36), nullable=True),
        sa.Column("against_withdrawal", sa.Boolean(), nullable=False),
        sa.Column("at", Moment, nullable=False),
        sa.Column("end", sa.String(64), nullable=True),
        sa.Column("kept_because", sa.String(64), nullable=True),
        sa.Column("ended_at", Moment, nullable=True),
        sa.PrimaryKeyConstraint("number", name="pk_disclosures"),
    )
    op.create_index("ix_disclosures_consent_id", "disclosures", ["consent_id"], unique=False)
    op.create_index("ix_disclosures_given_with", "disclosures", ["given_with"], unique=False)
    op.create_index("ix_disclosures_victim_id", "disclosures", ["victim_id"], unique=False)


def _make_obeyed() -> None:
    op.create_table(
        "obeyed",
        sa.Column("cause_id", sa.String(36), nullable=False),
        sa.Column("sender", sa.String(64), nullable=False),
        sa.Column("cause", sa.String(100), nullable=False),
        sa.Column("victim_id", sa.String(36), nullable=False),
        sa.Column("end", sa.String(64), nullable=False),
        sa.Column("kept_because", sa.String(64), nullable=True),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.Column("first_said_by", sa.String(64), nullable=True),
        sa.Column("at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("cause_id", "sender", name="pk_obeyed"),
    )
    op.create_index("ix_obeyed_victim_id", "obeyed", ["victim_id"], unique=False)


def _make_erasures() -> None:
    op.create_table(
        "erasures",
        sa.Column("number", Number, autoincrement=True, nullable=False),
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("victim_id", sa.String(36), nullable=False),
        sa.Column("cause", sa.String(64), nullable=False),
        sa.Column("said_by", sa.String(64), nullable=True),
        sa.Column("passed_on_by", sa.String(64), nullable=True),
        sa.Column("end", sa.String(64), nullable=True),
        sa.Column("kept_because", sa.String(64), nullable=True),
        sa.Column("client", sa.String(100), nullable=True),
        sa.Column("person", sa.String(200), nullable=True),
        sa.Column("unit", sa.String(64), nullable=True),
        sa.Column("asked_at", Moment, nullable=False),
        sa.Column("approved", sa.Boolean(), nullable=True),
        sa.Column("decided_by", sa.String(100), nullable=True),
        sa.Column("decided_at", Moment, nullable=True),
        sa.Column("decided_person", sa.String(200), nullable=True),
        sa.PrimaryKeyConstraint("number", name="pk_erasures"),
    )
    op.create_index("ix_erasures_id", "erasures", ["id"], unique=False)
    op.create_index("ix_erasures_victim_id", "erasures", ["victim_id"], unique=False)


def _make_closures() -> None:
    op.create_table(
        "closures",
        sa.Column("number", Number, autoincrement=True, nullable=False),
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("victim_id", sa.String(36), nullable=False),
        sa.Column("outcome", sa.String(64), nullable=False),
        sa.Column("occurred_at", Moment, nullable=False),
        sa.Column("client", sa.String(100), nullable=False),
        sa.Column("person", sa.String(200), nullable=False),
        sa.Column("unit", sa.String(64), nullable=False),
        sa.Column("asked_at", Moment, nullable=False),
        sa.Column("approved", sa.Boolean(), nullable=True),
        sa.Column("decided_by", sa.String(100), nullable=True),
        sa.Column("decided_at", Moment, nullable=True),
        sa.PrimaryKeyConstraint("number", name="pk_closures"),
        sa.UniqueConstraint("id", name="uq_closures_id"),
    )
    op.create_index("ix_closures_victim_id", "closures", ["victim_id"], unique=False)


def _make_legal_holds() -> None:
    op.create_table(
        "legal_holds",
        sa.Column("number", Number, autoincrement=True, nullable=False),
        sa.Column("victim_id", sa.String(36), nullable=False),
        sa.Column("basis", sa.String(64), nullable=False),
        sa.Column("client", sa.String(100), nullable=False),
        sa.Column("unit", sa.String(64), nullable=False),
        sa.Column("placed_at", Moment, nullable=False),
        sa.Column("lifted_at", Moment, nullable=True),
        sa.Column("person", sa.String(200), nullable=True),
        sa.Column("until", Moment, nullable=False),
        sa.Column("stands_until", Moment, nullable=False),
        sa.Column("confirmed_by", sa.String(100), nullable=True),
        sa.Column("confirmed_person", sa.String(200), nullable=True),
        sa.Column("confirmed_at", Moment, nullable=True),
        sa.Column("end", sa.String(64), nullable=True),
        sa.PrimaryKeyConstraint("number", name="pk_legal_holds"),
    )
    op.create_index("ix_legal_holds_victim_id", "legal_holds", ["victim_id"], unique=False)


def _make_break_glass() -> None:
    op.create_table(
        "break_glass",
        sa.Column("number", Number, autoincrement=True, nullable=False),
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("victim_id", sa.String(36), nullable=False),
        sa.Column("agency", sa.String(64), nullable=False),
        sa.Column("unit", sa.String(64), nullable=False),
        sa.Column("region", sa.String(64), nullable=False),
        sa.Column("client", sa.String(100), nullable=True),
        sa.Column("person", sa.String(200), nullable=True),
        sa.Column("owner_agency", sa.String(64), nullable=True),
        sa.Column("owner_unit", sa.String(64), nullable=True),
        sa.Column("reason", sa.String(64), nullable=False),
        sa.Column("opened_at", Moment, nullable=False),
        sa.Column("until", Moment, nullable=False),
        sa.Column("looks", sa.Integer(), nullable=False),
        sa.Column("end", sa.String(64), nullable=True),
        sa.Column("ended_at", Moment, nullable=True),
        sa.Column("verdict", sa.String(64), nullable=True),
        sa.Column("reviewer", sa.String(100), nullable=True),
        sa.Column("reviewed_at", Moment, nullable=True),
        sa.Column("overdue_at", Moment, nullable=True),
        sa.Column("opener", sa.String(200), nullable=True),
        sa.Column("reviewer_person", sa.String(200), nullable=True),
        sa.PrimaryKeyConstraint("number", name="pk_break_glass"),
        sa.UniqueConstraint("id", name="uq_blind_index_id"),
    )
    op.create_index("ix_break_glass_victim_id", "break_glass", ["victim_id"], unique=False)
    op.create_index("ix_break_glass_opener", "break_glass", ["opener"], unique=False)
    op.create_index(
        "uq_break_glass_opener_open",
        "break_glass",
        ["opener"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )


def _make_access_log() -> None:
    op.create_table(
        "access_log",
        sa.Column("number", Number, autoincrement=True, nullable=False),
        sa.Column("victim_id", sa.String(36), nullable=False),
        sa.Column("purpose", sa.String(64), nullable=False),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.Column("at", Moment, nullable=False),
        sa.Column("agency", sa.String(64), nullable=True),
        sa.Column("client", sa.String(100), nullable=True),
        sa.Column("person", sa.String(200), nullable=True),
        sa.Column("role", sa.String(64), nullable=True),
        sa.Column("unit", sa.String(64), nullable=True),
        sa.Column("right", sa.String(64), nullable=True),
        sa.Column("through", sa.String(36), nullable=True),
        sa.PrimaryKeyConstraint("number", name="pk_access_log"),
    )
    op.create_index("ix_access_log_victim_id", "access_log", ["victim_id"], unique=False)


def _make_clocks() -> None:
    op.create_table(
        "clocks",
        sa.Column("number", Number, autoincrement=True, nullable=False),
        sa.Column("about", sa.String(36), nullable=False),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("clock", sa.String(64), nullable=False),
        sa.Column("victim_id", sa.String(36), nullable=True),
        sa.Column("peer", sa.String(64), nullable=True),
        sa.Column("unit", sa.String(64), nullable=False),
        sa.Column("region", sa.String(64), nullable=False),
        sa.Column("started_at", Moment, nullable=False),
        sa.Column("due_at", Moment, nullable=False),
        sa.Column("moments", sa.JSON(), nullable=False),
        sa.Column("told", sa.Integer(), nullable=False),
        sa.Column("next_at", Moment, nullable=True),
        sa.Column("stopped_at", Moment, nullable=True),
        sa.Column("recorded_at", Moment, nullable=True),
        sa.Column("in_time", sa.Boolean(), nullable=True),
        sa.PrimaryKeyConstraint("number", name="pk_clocks"),
    )
    op.create_index("ix_clocks_due_at", "clocks", ["due_at"], unique=False)
    op.create_index("ix_clocks_next_at", "clocks", ["next_at"], unique=False)
    op.create_index("ix_clocks_victim_id", "clocks", ["victim_id"], unique=False)
    op.create_index("uq_clocks_about_clock_unit", "clocks", ["about", "clock", "unit"], unique=True)


def _make_records() -> None:
    op.create_table(
        "records",
        sa.Column("number", Number, autoincrement=True, nullable=False),
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("form", sa.String(64), nullable=False),
        sa.Column("form_version", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("about", sa.String(64), nullable=False),
        sa.Column("victim_id", sa.String(36), nullable=True),
        sa.Column("case_id", sa.String(36), nullable=True),
        sa.Column("unit", sa.String(64), nullable=False),
        sa.Column("region", sa.String(64), nullable=False),
        sa.Column("client", sa.String(100), nullable=True),
        sa.Column("person", sa.String(200), nullable=True),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("corrects", sa.String(36), nullable=True),
        sa.Column("corrected_by", sa.String(36), nullable=True),
        sa.Column("occurred_at", Moment, nullable=False),
        sa.Column("recorded_at", Moment, nullable=False),
        sa.Column("delivered_by", sa.String(64), nullable=True),
        sa.PrimaryKeyConstraint("number", name="pk_records"),
        sa.UniqueConstraint("id", name="uq_records_id"),
    )
    op.create_index("ix_records_about_form", "records", ["about", "form"], unique=False)
    op.create_index("ix_records_case_id", "records", ["case_id"], unique=False)
    op.create_index("ix_records_victim_id", "records", ["victim_id"], unique=False)


def _make_letters() -> None:
    op.create_table(
        "letters",
        sa.Column("number", Number, autoincrement=True, nullable=False),
        sa.Column("code", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("agency", sa.String(64), nullable=False),
        sa.Column("unit", sa.String(64), nullable=False),
        sa.Column("region", sa.String(64), nullable=False),
        sa.Column("victim_id", sa.String(36), nullable=True),
        sa.Column("referral_id", sa.String(36), nullable=True),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("record_id", sa.String(36), nullable=True),
        sa.Column("event_id", sa.String(36), nullable=False),
        sa.Column("tells", sa.String(36), nullable=True),
        sa.Column("issued_at", Moment, nullable=False),
        sa.Column("recorded_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_letters"),
        sa.UniqueConstraint("code", name="uq_letters_code"),
    )
    op.create_index("ix_letters_referral_id", "letters", ["referral_id"], unique=False)
    op.create_index("ix_letters_victim_id", "letters", ["victim_id"], unique=False)


def _make_batches() -> None:
    op.create_table(
        "batches",
        sa.Column("number", Number, autoincrement=True, nullable=False),
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("case_id", sa.String(36), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("fingerprint", sa.String(64), nullable=True),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.Column("client", sa.String(100), nullable=False),
        sa.Column("person", sa.String(200), nullable=True),
        sa.Column("unit", sa.String(64), nullable=False),
        sa.Column("continued_as", sa.String(64), nullable=True),
        sa.Column("begun_at", Moment, nullable=False),
        sa.Column("counted_at", Moment, nullable=False),
        sa.Column("finished_at", Moment, nullable=True),
        sa.PrimaryKeyConstraint("number", name="pk_batches"),
        sa.UniqueConstraint("id", name="uq_batches_id"),
        sa.UniqueConstraint("name", name="uq_batches_name"),
        sa.UniqueConstraint("continued_as", name="uq_batches_continued_as"),
    )
    op.create_index("uq_batches_case_id_fingerprint", "batches", ["case_id", "fingerprint"], unique=True)


def _make_batch_people() -> None:
    op.create_table(
        "batch_people",
        sa.Column("batch_id", sa.String(36), nullable=False),
        sa.Column("row", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("role", sa.String(64), nullable=True),
        sa.Column("victim_id", sa.String(36), nullable=True),
        sa.Column("referrals", sa.JSON(), nullable=False),
        sa.Column("left_out", sa.JSON(), nullable=False),
        sa.Column("problem", sa.JSON(), nullable=True),
        sa.PrimaryKeyConstraint("batch_id", "row", name="pk_batch_people"),
    )
    op.create_index("ix_batch_people_victim_id", "batch_people", ["victim_id"], unique=False)


def _make_capacities() -> None:
    op.create_table(
        "capacities",
        sa.Column("agency", sa.String(64), nullable=False),
        sa.Column("unit", sa.String(64), nullable=False),
        sa.Column("service", sa.String(64), nullable=False),
        sa.Column("capacity", sa.String(64), nullable=False),
        sa.Column("announced_at", Moment, nullable=False),
        sa.Column("valid_until", Moment, nullable=False),
        sa.PrimaryKeyConstraint("agency", "unit", "service", name="pk_capacities"),
    )


def _make_descriptions() -> None:
    op.create_table(
        "descriptions",
        sa.Column("agency", sa.String(64), nullable=False),
        sa.Column("unit", sa.String(64), nullable=False),
        sa.Column("form", sa.String(64), nullable=False),
        sa.Column("record_id", sa.String(36), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("occurred_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("agency", "unit", "form", name="pk_descriptions"),
    )


def _make_told_tokens() -> None:
    op.create_table(
        "told_tokens",
        sa.Column("victim_id", sa.String(36), nullable=False),
        sa.Column("key", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("victim_id", name="pk_told_tokens"),
    )


def _make_matches() -> None:
    op.create_table(
        "matches",
        sa.Column("number", Number, autoincrement=True, nullable=False),
        sa.Column("match_id", sa.String(36), nullable=False),
        sa.Column("victim_id", sa.String(36), nullable=False),
        sa.Column("linkseq", sa.Integer(), nullable=False),
        sa.Column("other_id", sa.String(36), nullable=True),
        sa.Column("other_agency", sa.String(64), nullable=True),
        sa.Column("other_unit", sa.String(64), nullable=True),
        sa.Column("kinds", sa.JSON(), nullable=False),
        sa.Column("strength", sa.String(64), nullable=True),
        sa.Column("proposed_at", Moment, nullable=False),
        sa.Column("said", sa.String(64), nullable=True),
        sa.Column("said_at", Moment, nullable=True),
        sa.Column("client", sa.String(100), nullable=True),
        sa.Column("person", sa.String(200), nullable=True),
        sa.Column("other_said", sa.String(64), nullable=True),
        sa.Column("turn", sa.String(64), nullable=True),
        sa.Column("protected", sa.Boolean(), nullable=False),
        sa.Column("people", sa.Integer(), nullable=True),
        sa.Column("withdrawn_at", Moment, nullable=True),
        sa.PrimaryKeyConstraint("number", name="pk_matches"),
    )
    op.create_index("ix_matches_victim_id", "matches", ["victim_id"], unique=False)
    op.create_index("uq_matches_match_id_victim_id", "matches", ["match_id", "victim_id"], unique=True)


def _make_idempotency() -> None:
    op.create_table(
        "idempotency",
        sa.Column("key", sa.String(255), nullable=False),
        sa.Column("fingerprint", sa.String(64), nullable=True),
        sa.Column("victim_id", sa.String(36), nullable=True),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("location", sa.String(), nullable=True),
        sa.Column("etag", sa.String(), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("answered_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_idempotency"),
    )
    op.create_index("ix_idempotency_answered_at", "idempotency", ["answered_at"], unique=False)
    op.create_index("ix_idempotency_victim_id", "idempotency", ["victim_id"], unique=False)


def _make_backdated() -> None:
    op.create_table(
        "backdated",
        sa.Column("number", Number, autoincrement=True, nullable=False),
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("operation", sa.String(64), nullable=False),
        sa.Column("unit", sa.String(64), nullable=False),
        sa.Column("client", sa.String(100), nullable=False),
        sa.Column("person", sa.String(200), nullable=False),
        sa.Column("victim_id", sa.String(36), nullable=True),
        sa.Column("event_id", sa.String(36), nullable=True),
        sa.Column("type", sa.String(120), nullable=True),
        sa.Column("noted_under", sa.String(64), nullable=True),
        sa.Column("noted_beside", sa.String(36), nullable=True),
        sa.Column("occurred_at", Moment, nullable=False),
        sa.Column("recorded_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_backdated"),
        sa.UniqueConstraint("id", name="uq_backdated_id"),
    )
    op.create_index("ix_backdated_unit", "backdated", ["unit"], unique=False)


def _make_urgent_requests() -> None:
    op.create_table(
        "urgent_requests",
        sa.Column("requested_by", sa.String(310), nullable=False),
        sa.Column("agency", sa.String(64), nullable=False),
        sa.Column("unit", sa.String(64), nullable=False),
        sa.Column("times", sa.JSON(), nullable=False),
        sa.Column("forced", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("requested_by", "agency", "unit", name="pk_urgent_requests"),
    )
