"""The one way to the database: ``write`` for a unit of work, ``read`` for a look.

A unit of work changes rows, files events in ledger and outbox, and commits them together or not at all. It is a
function of a transaction, so that a deadlock or a lost race is simply run again.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlmodel import Session

from shared.contracts.envelope import Draft
from shared.security.vault import Signer
from shared.storage import ledger

T = TypeVar("T")
Clock = Callable[[], datetime]
"""The one source of now, in UTC."""

RUNS = 5
"""How often a unit of work is run before a conflict is given up."""


@dataclass(frozen=True, slots=True)
class Author:
    """Whose database this is and with which keys it speaks."""

    agency: str
    key: Signer


@dataclass(slots=True)
class Transaction:
    """What a unit of work may touch. ``now`` is the same all through it."""

    session: Session
    now: datetime
    author: Author
    drafts: list[Draft] = field(default_factory=list)
    arrivals: dict[str, list[int]] = field(default_factory=dict)
    repeated: set[str] = field(default_factory=set)
    """Links of which something came that was recorded before."""
    witnessed: dict[str, int] = field(default_factory=dict)
    """Peer → up to which number the coordinator has our link to it."""
    keys: dict[str, str] = field(default_factory=dict)
    """Event id → the wrapped data key that came beside it."""
    erased: bool = False
    """Whether keys were destroyed, of which no copy must stay in the write-ahead log."""
    changed: set[str] = field(default_factory=set)
    """Ids of what changed: whoever waits for one of them is woken by the commit."""
    afterwards: list[Callable[[], None]] = field(default_factory=list)
    """What is done once this has committed, such as a line of the log: what is undone is not told."""

    def emit(self, draft: Draft) -> None:
        """File an event to be numbered, signed and sent when this unit of work commits."""
        self.drafts.append(draft)

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Undo rows *and* events of the block if it raises."""
        drafts, afterwards = len(self.drafts), len(self.afterwards)
        try:
            with self.session.begin_nested():
                yield
        except BaseException:
            del self.drafts[drafts:], self.afterwards[afterwards:]
            raise


@dataclass(frozen=True, slots=True)
class Committed:
    """What a commit brought, for those it wakes."""

    changed: frozenset[str]
    emitted: bool


class Database:
    """An agency's database, SQLite or PostgreSQL by its URL.

    ``listeners`` are called after each commit, in the thread that committed; they must not block.
    """

    def __init__(self, url: str, author: Author, clock: Clock) -> None:
        self.engine = open_engine(url)
        self.author = author
        self.clock = clock
        self.listeners: list[Callable[[Committed], None]] = []
        # SQLite has one writer: waiting here costs nothing, waiting in its busy handler costs time and fairness
        self._turn = threading.Lock() if self.engine.dialect.name == "sqlite" else nullcontext()
        self._writing = self.engine.execution_options(writes=True)
        self._log_keeps_keys = False
        """Whether the write-ahead log of SQLite may still hold keys that were destroyed."""
        self._users = 0
        self._unused = threading.Condition()

    def write(self, work: Callable[[Transaction], T]) -> T:
        """Run a unit of work and commit it; run it again when it lost a race. Whatever it raises, nothing is kept."""
        for run in range(1, RUNS + 1):
            try:
                return self._commit(work)
            except (OperationalError, IntegrityError) as error:
                if run == RUNS or not _is_conflict(error):
                    raise
        raise AssertionError("unreachable")

    def _commit(self, work: Callable[[Transaction], T]) -> T:
        with self._turn:
            with self._session(self._writing) as session:
                transaction = Transaction(session, self.clock(), self.author)
                result = work(transaction)
                ledger.note_arrivals(session, transaction.arrivals)
                agency, key = self.author.agency, self.author.key
                ledger.file_sent(session, agency, key, transaction.drafts, transaction.witnessed, transaction.now)
                session.commit()
            if (transaction.erased or self._log_keeps_keys) and self.engine.dialect.name == "sqlite":
                self._log_keeps_keys = not self._empty_write_ahead_log()
        committed = Committed(frozenset(transaction.changed), bool(transaction.drafts))
        for tell in transaction.afterwards:
            tell()
        for listener in self.listeners:
            listener(committed)
        return result

    def _empty_write_ahead_log(self) -> bool:
        """Answers whether it is empty. A reader under way keeps it: then each commit from now on tries again."""
        connection = self.engine.raw_connection()
        cursor = connection.cursor()
        try:
            cursor.execute("PRAGMA busy_timeout=50")  # milliseconds: everybody who writes waits with us
            busy, *_ = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            return not busy
        finally:
            cursor.execute("PRAGMA busy_timeout=30000")
            connection.close()

    def read(self, look: Callable[[Session], T]) -> T:
        """Look at the database without changing it."""
        with self._session(self.engine) as session:
            return look(session)

    @contextmanager
    def _session(self, engine: Engine) -> Iterator[Session]:
        with self._unused:
            self._users += 1
        try:
            with Session(engine, expire_on_commit=False) as session:
                yield session
        finally:
            with self._unused:
                self._users -= 1
                self._unused.notify_all()

    def close(self) -> None:
        """Wait for the work under way (a thread outlives the task that waits for it) and give the connections back."""
        with self._unused:
            self._unused.wait_for(lambda: self._users == 0)
        self.engine.dispose()


_PATIENCE: dict[str, Any] = {
    "connect_timeout": 5,
    "options": "-c lock_timeout=10s -c statement_timeout=60s -c idle_in_transaction_session_timeout=60s",
}
"""How long PostgreSQL may keep us waiting, in seconds, before the work is given up and nothing is stored."""


def open_engine(url: str) -> Engine:
    """An engine with the durability that a 201 promises. Its errors never show parameters: they may be names."""
    if make_url(url).get_backend_name() != "sqlite":
        patience = {**_PATIENCE, "options": f"{_PATIENCE['options']} {make_url(url).query.get('options', '')}".strip()}
        return create_engine(
            url, pool_size=10, max_overflow=20, pool_pre_ping=True, hide_parameters=True, connect_args=patience
        )
    database = make_url(url).database
    if database:
        Path(database).parent.mkdir(parents=True, exist_ok=True)
    options = {"check_same_thread": False, "timeout": 30}
    engine = create_engine(url, connect_args=options, pool_size=20, hide_parameters=True)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _: Any) -> None:
    connection.isolation_level = None  # the driver would begin late and deferred; _begin_sqlite begins
    # NORMAL lost 347 of 5,328 commits at a power cut; without recursive triggers a REPLACE deletes past them;
    # what is deleted is overwritten, for a destroyed key must not lie in a free page
    settings = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "recursive_triggers=ON", "secure_delete=ON")
    for pragma in settings:
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    # a deferred transaction that turns to writing fails instead of waiting: 497 of 600 did
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _is_conflict(error: OperationalError | IntegrityError) -> bool:
    # 40001 serialization failure, 40P01 deadlock; a broken unique key means that somebody was first: look again
    return isinstance(error, IntegrityError) or getattr(error.orig, "sqlstate", None) in ("40001", "40P01")
