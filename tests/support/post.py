"""The post between members that no broker connects: a test says when a letter arrives."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlmodel import Session, col

from shared.contracts.events import ReceiptRecorded
from shared.messaging.broker import Incoming
from shared.storage.tables import LedgerEntry, OutboxEntry
from tests.support.by_hand import deliver
from tests.support.network import Network

Letter = tuple[str, Incoming]
"""A member, and a message that it receives."""

_WRITTEN = (
    select(*map(col, (OutboxEntry.position, OutboxEntry.peer, OutboxEntry.subject, OutboxEntry.key)))
    .add_columns(col(LedgerEntry.body), col(LedgerEntry.signature))
    .join(LedgerEntry, col(LedgerEntry.event_id) == col(OutboxEntry.event_id))
    .where(col(LedgerEntry.type) != ReceiptRecorded.type())
    .order_by(col(OutboxEntry.position))
)


@dataclass
class Post:
    """Takes the letters of all members, without receipts. Coordination reads every letter."""

    network: Network
    _taken: dict[str, int] = field(default_factory=dict)

    def collects(self) -> list[Letter]:
        """The letters written since the last time, each with its reader."""
        letters = []
        for by in self.network.apps:
            for place, to, message in self._written(by):
                letters += [(reader, message) for reader in dict.fromkeys((to, "coordination")) if reader != by]
                self._taken[by] = place
        return letters

    def delivers(self, letters: Sequence[Letter]) -> None:
        """Let letters arrive."""
        for to, message in letters:
            deliver(self.network, message, to=to)

    def goes_round(self) -> None:
        """Let letters arrive until nobody answers any more."""
        while letters := self.collects():
            self.delivers(letters)

    def _written(self, by: str) -> list[tuple[int, str, Incoming]]:
        after = _WRITTEN.where(col(OutboxEntry.position) > self._taken.get(by, 0))

        def look(session: Session) -> list[tuple[int, str, Incoming]]:
            rows = session.execute(after)
            return [
                (place, to, Incoming(subject, body, signature, None, key))  # type: ignore[arg-type]
                for place, to, subject, key, body, signature in rows
            ]

        found: list[tuple[int, str, Incoming]] = self.network.apps[by].state.database.read(look)
        return found
