"""Park an event that cannot be applied: stored and listed, never dropped.

An applied event leaves the list 90 days later. ``reception`` tries parked events again.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog
from sqlalchemy import delete, select
from sqlmodel import Session, col

from shared.contracts.envelope import Envelope
from shared.messaging.broker import Incoming
from shared.reference.office import Office
from shared.storage.notifier import RETENTION
from shared.storage.tables import ParkedEvent
from shared.storage.timers import Deadline
from shared.storage.unit_of_work import Transaction

log = structlog.get_logger()

PARKED_KEPT = timedelta(days=90)
"""How long a parked event stays listed after it was applied. The ledger keeps it anyway."""
AT_ONCE = 500
"""Rows that one transaction deletes."""


class Park(Exception):
    """This event cannot be applied now, or ever. ``reason`` is a code."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def set_aside(tx: Transaction, batch: Sequence[Incoming]) -> None:
    """Park messages that make the reception itself fail: exact bytes, untrusted, no field read."""
    for message in batch:
        park(tx, message.body, None, message.subject, "cannot-be-recorded", None)


def park(
    tx: Transaction,
    body: bytes,
    signature: str | None,
    subject: str,
    reason: str,
    envelope: Envelope | None,
) -> None:
    """Store a message that cannot be applied, once. ``envelope``: given for a trusted message only."""
    digest = hashlib.sha256(body).hexdigest()
    trusted = envelope is not None
    same = (col(ParkedEvent.sha256) == digest) & (col(ParkedEvent.trusted) == trusted)
    if tx.session.scalars(select(ParkedEvent).where(same)).first() is None:
        tx.session.add(
            ParkedEvent(
                sha256=digest,
                trusted=trusted,
                reason=reason,
                event_id=envelope.id if envelope is not None else None,
                referral_id=envelope.referral_id if envelope is not None else None,
                subject=subject[:200],
                body=body,
                signature=signature and signature[:400],
                key=tx.keys.get(envelope.id) if envelope is not None else None,
                parked_at=tx.now,
            )
        )
        tx.session.flush()
        tx.changed.add("parked")
    log.warning("reception.parked", reason=reason, trusted=trusted)


def deadline_of_parked(_: Office) -> Deadline:
    """The retention timer of every member, an agency or not."""
    return Deadline(RETENTION, next_forgotten_parked, forget_parked)


def forget_parked(tx: Transaction) -> int:
    """Delete parked events that were applied more than ``PARKED_KEPT`` ago; answers how many."""
    old = select(col(ParkedEvent.number)).where(col(ParkedEvent.resolved_at) <= tx.now - PARKED_KEPT)
    numbers = tx.session.scalars(old.limit(AT_ONCE)).all()
    tx.session.execute(delete(ParkedEvent).where(col(ParkedEvent.number).in_(numbers)))
    return len(numbers)


def next_forgotten_parked(session: Session) -> datetime | None:
    """When the next parked event is due for deletion (UTC); None if there is none."""
    oldest = select(col(ParkedEvent.resolved_at)).where(col(ParkedEvent.resolved_at).is_not(None))
    first: datetime | None = session.scalars(oldest.order_by(col(ParkedEvent.resolved_at)).limit(1)).first()
    return None if first is None else first + PARKED_KEPT
