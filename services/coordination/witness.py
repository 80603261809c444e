"""Taking in what arrives, and telling senders how far their links are recorded here."""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.contracts import events as e
from shared.messaging.broker import Incoming
from shared.service.office import draft
from shared.service.reception import Reception
from shared.storage import ledger
from shared.storage.database import Transaction

WITNESSED_EVERY = 16
"""Numbers of a link. A sender that must send again sends so many too many, at most, and they are known here."""


@dataclass(frozen=True, slots=True)
class Witness:
    """Takes in a batch, and tells senders up to where their links are recorded here without a hole.

    Each sixteenth number is worth a word, and a repetition is: its sender has missed our last one.
    """

    reception: Reception

    def __call__(self, tx: Transaction, batch: Sequence[Incoming]) -> None:
        """Record a batch in one unit of work."""
        self.reception(tx, batch)
        moved = ledger.note_arrivals(tx.session, tx.arrivals)
        tx.arrivals.clear()
        grown = {link for link, (past, now) in moved.items() if now // WITNESSED_EVERY > past // WITNESSED_EVERY}
        for link in sorted(grown | tx.repeated):
            through, _ = ledger.arrived(tx.session, link) or (0, 0)
            if through:
                witnessed = e.LinkWitnessed(link=link, through=through)
                tx.emit(draft(witnessed, link.partition(">")[0], self.reception.unit))
