#!/usr/bin/env bash
# Surprise: A transaction reads, then writes, and fails at once with "database is locked". Its connection has a
#           timeout of 30 seconds, and no other connection holds a lock any more.
# Library:  Python's sqlite3 through SQLAlchemy 2.1.9. SQLite itself comes with Python (3.40.1 as run here).
# Source:   Python's page on sqlite3 says that a connection waits for the timeout while a table is locked. SQLite's
#           page on result codes explains SQLITE_BUSY_SNAPSHOT. In WAL mode a reader with an outdated view cannot
#           become a writer, and waiting cannot help.
# Expected: The second writer waits for up to 30 seconds, then writes.
# Seen:     It fails within a second. With BEGIN IMMEDIATE both write, one after the other.
# Estafet:  _begin_sqlite (shared/storage/engine.py) begins each unit of work that may write with BEGIN IMMEDIATE.
#           Writers queue on a lock of the process. With deferred transactions 497 of 600 failed.
# Output:
#   BEGIN            second writer: SQLITE_BUSY_SNAPSHOT within a second
#   BEGIN IMMEDIATE  second writer: has written
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
bin="$folder/venv/bin"
"$bin/pip" install --quiet --disable-pip-version-check sqlalchemy==2.1.9

"$bin/python" - "$folder/database" <<'PYTHON'
import sys
import threading
import time

from sqlalchemy import create_engine, event
from sqlalchemy.exc import OperationalError

engine = create_engine(f"sqlite:///{sys.argv[1]}", connect_args={"timeout": 30})


@event.listens_for(engine, "connect")
def leave_beginning_to_us(connection, _) -> None:
    connection.isolation_level = None
    connection.execute("PRAGMA journal_mode=WAL")


def second_writer(begin: str) -> str:
    """Two transactions read a number and write it plus one, the second while the first is under way."""
    told: list[str] = []
    both_have_begun = threading.Event()

    def add_one() -> None:
        with engine.connect() as connection:
            try:
                connection.exec_driver_sql(begin)
                number = connection.exec_driver_sql("SELECT number FROM counter").scalar_one()
                both_have_begun.set()
                first_is_done.wait()
                since = time.monotonic()
                connection.exec_driver_sql(f"UPDATE counter SET number = {number} + 1")
                connection.exec_driver_sql("COMMIT")
                told.append("has written")
            except OperationalError as error:
                waited = "within a second" if time.monotonic() - since < 1 else "after a wait"
                told.append(f"{error.orig.sqlite_errorname} {waited}")

    first_is_done = threading.Event()
    with engine.connect() as first:
        first.exec_driver_sql(begin)
        number = first.exec_driver_sql("SELECT number FROM counter").scalar_one()
        second = threading.Thread(target=add_one)
        second.start()
        both_have_begun.wait(timeout=1)  # a second BEGIN IMMEDIATE waits for the first to end
        first.exec_driver_sql(f"UPDATE counter SET number = {number} + 1")
        first.exec_driver_sql("COMMIT")
    first_is_done.set()
    second.join()
    return told[0]


with engine.connect() as connection:
    connection.exec_driver_sql("CREATE TABLE counter (number)")
    connection.exec_driver_sql("INSERT INTO counter VALUES (0)")
deferred, immediate = second_writer("BEGIN"), second_writer("BEGIN IMMEDIATE")
print("BEGIN            second writer:", deferred)
print("BEGIN IMMEDIATE  second writer:", immediate)
if (deferred, immediate) != ("SQLITE_BUSY_SNAPSHOT within a second", "has written"):
    sys.exit("the behaviour has changed")
PYTHON
