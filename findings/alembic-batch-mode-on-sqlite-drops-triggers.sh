#!/usr/bin/env bash
# Surprise: batch_alter_table changes one column and the table loses its triggers, without a warning. It loses an
#           unnamed CHECK too; Alembic warns of that since 1.20.
# Library:  Alembic 1.20.1 on SQLAlchemy 2.1.9. SQLite itself comes with Python (3.40.1 as run here).
# Source:   Alembic's page on batch mode says that it copies the reflected table and drops the old one. The page
#           treats constraints at length. Triggers are not reflected, and SQLite drops them with the old table.
# Expected: Whatever the migration does not name stays, or the migration fails.
# Seen:     The index and the named CHECK stay; the trigger and the unnamed CHECK do not. add_column alone copies
#           nothing and keeps everything, so only a later migration shows the loss.
# Estafet:  On SQLite, triggers alone keep ledger and access log append-only (shared/storage/append_only.py). No
#           migration uses batch mode. tests/integration/storage/test_append_only.py tries the triggers after all
#           migrations.
# Output:
#   before: CHECK_NAMED CHECK_UNNAMED INDEX TRIGGER
#   after add_column: CHECK_NAMED CHECK_UNNAMED INDEX TRIGGER
#   after alter_column: CHECK_NAMED INDEX (warned: Unnamed CHECK constraint)
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
bin="$folder/venv/bin"
"$bin/pip" install --quiet --disable-pip-version-check alembic==1.20.1 sqlalchemy==2.1.9

"$bin/python" - <<'PYTHON'
import sys
import warnings

from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Column, Integer, create_engine

TABLE = """\
CREATE TABLE ledger (
    number INTEGER PRIMARY KEY,
    body TEXT,
    CONSTRAINT body_is_short CHECK (length(body) < 100),
    CHECK (number > 0)
)"""
TRIGGER = "CREATE TRIGGER only_added_to BEFORE UPDATE ON ledger BEGIN SELECT RAISE(ABORT, 'append-only'); END"
WHOLE = ["CHECK_NAMED", "CHECK_UNNAMED", "INDEX", "TRIGGER"]

with create_engine("sqlite://").begin() as connection, warnings.catch_warnings(record=True) as warned:
    warnings.simplefilter("always")

    def standing() -> list[str]:
        rows = connection.exec_driver_sql("SELECT type, sql FROM sqlite_master WHERE tbl_name = 'ledger'").all()
        table = next(sql for kind, sql in rows if kind == "table")
        found = {kind.upper() for kind, _ in rows if kind != "table"}
        found |= {"CHECK_NAMED"} if "length(body) < 100" in table else set()
        found |= {"CHECK_UNNAMED"} if "number > 0" in table else set()
        return sorted(found)

    for statement in (TABLE, "CREATE INDEX by_body ON ledger (body)", TRIGGER):
        connection.exec_driver_sql(statement)
    before = standing()
    operations = Operations(MigrationContext.configure(connection))
    with operations.batch_alter_table("ledger") as batch:
        batch.add_column(Column("size", Integer))
    added = standing()
    with operations.batch_alter_table("ledger") as batch:
        batch.alter_column("body", nullable=False)
    altered = standing()

words = [text for warning in warned if "CHECK" in (text := str(warning.message))]
print("before:", *before)
print("after add_column:", *added)
print("after alter_column:", *altered, f"(warned: {' '.join(words[0].split()[:3])})" if words else "(no warning)")
if (before, added, altered, len(words)) != (WHOLE, WHOLE, ["CHECK_NAMED", "INDEX"], 1):
    sys.exit("the behaviour has changed")
PYTHON
