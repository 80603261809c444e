"""Taking in what arrives, and telling senders how far their links are recorded here."""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.contracts import events as e
from shared.messaging.broker import Incoming
from shared.messaging.reception import Reception
from shared.reference.office import draft
from shared.storage import ledger
from shared.storage.unit_of_work import Transaction

WITNESSED_EVERY = 16
"""Link numbers between two events. A sender that resends repeats at most so many events, which are recorded here."""


@dataclass(frozen=True, slots=True)
class Witness:
    """Receives a batch, and tells each sender up to which number its link is recorded here without a gap.

    It tells a sender at every WITNESSED_EVERY numbers. It also tells after a repetition, because then the sender has
    missed the last such event (``shared/decisions/0014-link-witness-interval.md``).
    """

    reception: Reception

    def __call__(self, tx: Transaction, batch: Sequence[Incoming]) -> None:
        """Record a batch in one transaction."""
        self.reception(tx, batch)
        moved = ledger.record_arrivals(tx.session, tx.deliveries.arrivals)
        tx.deliveries.arrivals.clear()
        grown = {link for link, (past, now) in moved.items() if now // WITNESSED_EVERY > past // WITNESSED_EVERY}
        for link in sorted(grown | tx.deliveries.repeated):
            through, _ = ledger.arrived(tx.session, link) or (0, 0)
            if through:
                witnessed = e.LinkWitnessed(link=link, through=through)
                tx.emit(draft(witnessed, link.partition(">")[0], self.reception.unit))
