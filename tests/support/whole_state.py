"""Everything that members keep, read from the files of their databases, set back to an earlier state, and compared."""

import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from shared.contracts.events import ReceiptRecorded
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
    JOIN (SELECT event_id, body, signature, type FROM ledger) AS ledger USING (event_id)
    WHERE position > ? AND type <> ? ORDER BY position
"""


@dataclass
class WholeState:
    """The databases of some members, and the saved state of each."""

    folder: Path
    members: Sequence[str]
    _saved: dict[str, sqlite3.Connection] = field(default_factory=dict)

    def save(self) -> None:
        """Keep the state as it is now."""
        for member in self.members:
            self._saved[member] = sqlite3.connect(":memory:")
            with closing(self._open(member)) as live:
                live.backup(self._saved[member])

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
        """The rows of a member, without those of the post."""
        with closing(self._open(member)) as live:
            return Counter(_rows(live))

    def written(self, member: str, after: int) -> list[tuple[int, str, Incoming]]:
        """What a member has written after a place in its outbox, with place and receiver; receipts are left out."""
        with closing(self._open(member)) as live:
            found = live.execute(_WRITTEN, (after, ReceiptRecorded.type())).fetchall()
        return [(at, to, Incoming(subject, body, signed, None, key)) for at, to, subject, body, signed, key in found]  # type: ignore[arg-type]

    def _open(self, member: str) -> sqlite3.Connection:
        return sqlite3.connect(self.folder / f"{member}.db")


def _rows(live: sqlite3.Connection) -> Iterator[Row]:
    tables = live.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'").fetchall()
    for (table,) in tables:
        if table in MAIL or table.startswith("alembic"):
            continue
        found = live.execute(f'SELECT * FROM "{table}"')
        names = [column[0] for column in found.description]
        kept = [at for at, name in enumerate(names) if name != "number" and name not in LEFT_OUT.get(table, ())]
        for row in found:
            yield table, tuple((names[at], row[at]) for at in kept)
