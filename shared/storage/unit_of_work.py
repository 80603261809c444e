"""The only access to the database: ``write`` runs a unit of work, ``read`` runs a query.

A unit of work changes rows and files events in the ledger and the outbox. All of that commits together or not at all.
It is a function of a transaction, so that ``write`` can run that function again after a conflict.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlmodel import Session

from shared.contracts.envelope import Draft
from shared.security.vault import Signer
from shared.storage import ledger
from shared.storage.engine import open_engine

T = TypeVar("T")
Now = Callable[[], datetime]
"""The only source of the current time, in UTC."""

RUNS = 5
"""Most attempts for a unit of work that meets conflicts."""


@dataclass(frozen=True, slots=True)
class Author:
    """The agency that owns the database, and the key that signs the agency's events."""

    agency: str
    key: Signer


@dataclass(slots=True)
class Deliveries:
    """The deliveries of other members in a unit of work. A savepoint that rolls back keeps them."""

    arrivals: dict[str, list[int]] = field(default_factory=dict)
    """Link → the numbers recorded. The commit stores how far each link has arrived."""
    repeated: set[str] = field(default_factory=set)
    """Links that delivered an event that was already recorded."""
    witnessed: dict[str, int] = field(default_factory=dict)
    """Peer → the number up to which the coordinator has our link to that peer."""
    keys: dict[str, str] = field(default_factory=dict)
    """Event id → the wrapped data key that arrived beside the event, or that was parked with it."""
    tried_again: set[str] = field(default_factory=set)
    """Ids of the events that had waited parked, and are tried again."""


@dataclass(frozen=True, slots=True)
class KeptNote:
    """Where a note of this unit of work is kept: under the key of a subject (``domain.ids.keyed``), beside an id."""

    subject: str
    beside: str


@dataclass(slots=True)
class Transaction:
    """The objects of a unit of work. ``now`` (UTC) stays the same during the whole unit of work."""

    session: Session
    now: datetime
    author: Author
    drafts: list[Draft] = field(default_factory=list)
    deliveries: Deliveries = field(default_factory=Deliveries)
    erased: bool = False
    """Whether keys were destroyed. No copy of a destroyed key may stay in the write-ahead log."""
    changed: set[str] = field(default_factory=set)
    """Ids and topics (``notifier.Topic``) that changed. The commit wakes every long poll and timer for them."""
    notes: list[KeptNote] = field(default_factory=list)
    afterwards: list[Callable[[], None]] = field(default_factory=list)
    """Run after the commit, such as writing a log line: the log must not report work that was rolled back."""

    def emit(self, draft: Draft) -> None:
        """File an event. The commit numbers and signs the event and puts it in the outbox."""
        self.drafts.append(draft)

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Roll back the rows *and* the events of the block when the block raises. The exception goes on."""
        drafts, afterwards, notes = len(self.drafts), len(self.afterwards), len(self.notes)
        try:
            with self.session.begin_nested():
                yield
        except BaseException:
            del self.drafts[drafts:], self.afterwards[afterwards:], self.notes[notes:]
            raise


@dataclass(frozen=True, slots=True)
class Committed:
    """The changes of a commit, for the listeners that the commit wakes."""

    changed: frozenset[str]
    emitted: bool


class Database:
    """A member's database. The URL chooses SQLite or PostgreSQL.

    ``listeners`` are called after each commit, in the thread that committed. A listener must not block.
    """

    def __init__(self, url: str, author: Author, now: Now) -> None:
        self.engine = open_engine(url)
        self.author = author
        self.now = now
        self.listeners: list[Callable[[Committed], None]] = []
        # SQLite allows one writer. A lock here is fair and fast; SQLite's busy handler is neither
        self._turn = threading.Lock() if self.engine.dialect.name == "sqlite" else nullcontext()
        self._writing = self.engine.execution_options(writes=True)
        self._log_keeps_keys = False
        """Whether SQLite's write-ahead log may still hold destroyed keys."""
        self._users = 0
        self._unused = threading.Condition()

    def write(self, work: Callable[[Transaction], T]) -> T:
        """Run a unit of work, commit, and return the result of ``work``.

        After a conflict (deadlock, lost race) ``work`` runs again, RUNS times at most. Raises what ``work`` raises, or
        the conflict of the last run (sqlalchemy.exc). When ``work`` raises, nothing is stored.
        """
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
                transaction = Transaction(session, self.now(), self.author)
                result = work(transaction)
                ledger.record_arrivals(session, transaction.deliveries.arrivals)
                agency, key, witnessed = self.author.agency, self.author.key, transaction.deliveries.witnessed
                ledger.file_sent(session, agency, key, transaction.drafts, witnessed, transaction.now)
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
        """Empty the write-ahead log; return whether that worked. After a failure each later commit tries again."""
        connection = self.engine.raw_connection()
        cursor = connection.cursor()
        try:
            cursor.execute("PRAGMA busy_timeout=50")  # milliseconds, for every writer waits meanwhile
            busy, *_ = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            return not busy
        finally:
            cursor.execute("PRAGMA busy_timeout=30000")
            connection.close()

    def read(self, look: Callable[[Session], T]) -> T:
        """Run a query and return its result. The transaction is never committed."""
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
        """Wait for running work, then close the connections. A thread can outlive the task that awaits the thread."""
        with self._unused:
            self._unused.wait_for(lambda: self._users == 0)
        self.engine.dispose()


def _is_conflict(error: OperationalError | IntegrityError) -> bool:
    # 40001 serialization failure, 40P01 deadlock. After a unique violation another writer was first: run again
    return isinstance(error, IntegrityError) or getattr(error.orig, "sqlstate", None) in ("40001", "40P01")
