"""Everything that members keep, read from the files of their databases, set back to an earlier state, and compared."""

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from shared.messaging.broker import Incoming

Row = tuple[str, tuple[tuple[str, object], ...]]
"""A table, and the columns of one of its rows."""

MAIL = (
    *("ledger", "outbox", "sent_links", "received_links", "parked", "unkept_messages", "seen_directory"),
    *("idempotency", "alembic_version"),
)
"""Tables of the post itself: they keep whatever arrives, and nothing in them counts."""
LEFT_OUT: Mapping[str, Sequence[str]] = {"journeys": ("events",), "data_keys": ("wrapped",)}
"""Table → columns that every event counts in, or that no two runs share."""

_WRITTEN = """
    SELECT position, peer, subject, body, signature, outbox.key
    FROM (SELECT position, event_id, peer, subject, key FROM outbox) AS outbox
    JOIN (SELECT event_id, body, signature FROM ledger) AS ledger USING (event_id)
    WHERE position > ? ORDER BY position
"""
_CONFIRMED = "SELECT peer, event_id FROM outbox WHERE confirmed_at IS NOT NULL AND position <= ?"
_OUTCOME = """
    SELECT CASE WHEN resolved_at IS NULL THEN reason END
    FROM (SELECT event_id FROM ledger WHERE event_id = ?) AS ledger LEFT JOIN parked USING (event_id)
"""
NOT_RECORDED = "not-recorded"
APPLIED = "applied"


@dataclass
class WholeState:
    """The databases of some members, and the saved state of each."""

    folder: Path
    members: Sequence[str]
    _saved: dict[str, sqlite3.Connection] = field(default_factory=dict)
    _last: dict[str, int] = field(default_factory=dict)
    """Member → the place of its last letter when the state was saved."""

    def save(self) -> None:
        """Keep the state as it is now."""
        for member in self.members:
            self._saved[member] = sqlite3.connect(":memory:")
            with closing(self._open(member)) as live:
                live.backup(self._saved[member])
                self._last[member] = live.execute("SELECT coalesce(max(position), 0) FROM outbox").fetchone()[0]

    def restore(self) -> None:
        """Set every database back to the saved state."""
        for member in self.members:
            with closing(self._open(member)) as live:
                self._saved[member].backup(live)

    def close(self) -> None:
        """Let the saved states go."""
        for saved in self._saved.values():
            saved.close()

    def rows(self, member: str) -> Counter[Row]:
        """The rows of a member, without those of the post, and its saved letters with a receipt."""
        receipted = self._ask(member, _CONFIRMED, self._last[member])
        return Counter(self._all(member)) + Counter(
            ("receipted", (("to", to), ("letter", letter))) for to, letter in receipted
        )

    def outcome(self, member: str, event_id: str) -> str:
        """What became of an event at a member: applied, not recorded, or the reason for which it waits."""
        found = self._ask(member, _OUTCOME, event_id)
        return found[0][0] or APPLIED if found else NOT_RECORDED

    def written(self, member: str, after: int) -> list[tuple[int, str, Incoming]]:
        """What a member has written after a place in its outbox, with place and receiver."""
        found = self._ask(member, _WRITTEN, after)
        return [(at, to, Incoming(subject, body, signed, None, key)) for at, to, subject, body, signed, key in found]  # type: ignore[arg-type]

    def _all(self, member: str) -> Iterator[Row]:
        with closing(self._open(member)) as live:
            yield from _rows(live)

    def _ask(self, member: str, statement: str, *values: object) -> Sequence[tuple[Any, ...]]:
        with closing(self._open(member)) as live:
            return live.execute(statement, values).fetchall()

    def _open(self, member: str) -> sqlite3.Connection:
        return sqlite3.connect(self.folder / f"{member}.db")


def is_of_the_post(table: str) -> bool:
    """Whether nothing in a table counts."""
    return table in MAIL or table.startswith("alembic")


def _rows(live: sqlite3.Connection) -> Iterator[Row]:
    tables = live.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'").fetchall()
    for (table,) in tables:
        if is_of_the_post(table):
            continue
        found = live.execute(f'SELECT * FROM "{table}"')
        names = [column[0] for column in found.description]
        kept = [at for at, name in enumerate(names) if name != "number" and name not in LEFT_OUT.get(table, ())]
        for row in found:
            yield table, tuple((names[at], row[at]) for at in kept)


_TABLES = "SELECT quote_literal(tablename), quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public'"


@dataclass
class PostgresState(WholeState):
    """The same of databases of PostgreSQL. The saved state lies in a schema of its own in each database."""

    urls: Mapping[str, str] = field(default_factory=dict)
    _live: dict[str, psycopg.Connection[tuple[Any, ...]]] = field(default_factory=dict)
    _queries: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Member → the statements that read and that restore all of its tables."""

    def save(self) -> None:
        """Keep the state as it is now."""
        for member in self.members:
            live = self._live[member] = psycopg.connect(self.urls[member], autocommit=True)
            live.execute("SET session_replication_role = replica")  # rows of append-only tables go too
            live.execute("CREATE SCHEMA saved")
            tables = live.execute(_TABLES).fetchall()
            live.execute("".join(f"CREATE TABLE saved.{table} AS TABLE public.{table};" for _, table in tables))
            self._queries[member] = (
                " UNION ALL ".join(f"SELECT {name}, row_to_json(t)::text FROM {table} t" for name, table in tables),
                "".join(f"DELETE FROM {one}; INSERT INTO {one} SELECT * FROM saved.{one};" for _, one in tables),
            )
            last = live.execute("SELECT coalesce(max(position), 0) FROM outbox").fetchone()
            self._last[member] = last[0] if last else 0

    def restore(self) -> None:
        """Set every database back to the saved state."""
        for member in self.members:
            self._live[member].execute(self._queries[member][1])

    def close(self) -> None:
        """Let the databases go."""
        for live in self._live.values():
            live.close()

    def _all(self, member: str) -> Iterator[Row]:
        for table, text in self._live[member].execute(self._queries[member][0]):
            if is_of_the_post(table):
                continue
            values, left_out = json.loads(text), ("number", *LEFT_OUT.get(table, ()))
            yield table, tuple((name, str(one)) for name, one in values.items() if name not in left_out)

    def _ask(self, member: str, statement: str, *values: object) -> Sequence[tuple[Any, ...]]:
        live = self._live.get(member) or psycopg.connect(self.urls[member], autocommit=True)
        found = live.execute(statement.replace("?", "%s"), values).fetchall()
        if member not in self._live:
            live.close()
        return found
