"""What is still owed: events to publish, receipts to wait for, and what to send again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, or_, select, update
from sqlmodel import Session, col

from shared.contracts.events import ReceiptRecorded
from shared.storage.tables import LedgerEntry, OutboxEntry, SentLink

FIRST_RESEND = timedelta(seconds=10)
LAST_RESEND = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Unsent:
    """One message to publish: exact bytes and their signature."""

    position: int
    event_id: str
    subject: str
    body: bytes
    signature: str
    key: str | None


def unsent(session: Session, limit: int) -> list[Unsent]:
    """The oldest unpublished events. By "unsent" and not by "id > last": ids commit out of order."""
    statement = (
        select(
            col(OutboxEntry.position),
            col(OutboxEntry.event_id),
            col(OutboxEntry.subject),
            col(LedgerEntry.body),
            col(LedgerEntry.signature),
            col(OutboxEntry.key),
        )
        .join(LedgerEntry, col(LedgerEntry.event_id) == col(OutboxEntry.event_id))
        .where(col(OutboxEntry.published_at).is_(None))
        .order_by(col(OutboxEntry.position))
        .limit(limit)
    )
    return [Unsent(*row) for row in session.execute(statement)]


def mark_published(session: Session, positions: Sequence[int], now: datetime) -> None:
    """The broker has these; if no receipt comes they are sent again, later and later."""
    rows = session.scalars(select(OutboxEntry).where(col(OutboxEntry.position).in_(positions)))
    for row in rows:
        row.published_at = now
        row.resend_at = now + min(FIRST_RESEND * 2**row.attempts, LAST_RESEND)
        row.attempts = min(row.attempts + 1, 30)


def resend_due(session: Session, now: datetime) -> int:
    """Put back what has waited too long for its receipt; answers how many."""
    due = and_(
        col(OutboxEntry.confirmed_at).is_(None),
        col(OutboxEntry.published_at).is_not(None),
        col(OutboxEntry.resend_at) <= now,
    )
    return _put_back(session, due)


def resend_unread(session: Session, witnessed: bool) -> int:
    """Put back everything that its receiver has not receipted or, where there is one, the coordinator not witnessed.

    Called when the stream has been made anew (what was in it and not yet read is gone) and at start, since it may
    have been made anew meanwhile. Answers how many.
    """
    missing: ColumnElement[bool] = col(OutboxEntry.confirmed_at).is_(None)
    if witnessed:
        behind = select(col(SentLink.peer)).where(
            col(SentLink.peer) == col(OutboxEntry.peer), col(OutboxEntry.linkseq) > SentLink.witnessed
        )
        missing = or_(missing, behind.exists())
    return _put_back(session, and_(col(OutboxEntry.published_at).is_not(None), missing))


def _put_back(session: Session, owed: object) -> int:
    statement = update(OutboxEntry).where(owed).values(published_at=None)  # type: ignore[arg-type]
    result = session.execute(statement, execution_options={"synchronize_session": False})
    return int(result.rowcount)  # type: ignore[attr-defined]


def confirm(
    session: Session, entry: LedgerEntry | None, receipt: ReceiptRecorded, receipt_id: str, peer: str, now: datetime
) -> str | None:
    """Take a receipt for an entry of the ledger. Answers None, or the code of what is wrong with it.

    A receipt counts only for an event that we sent to this peer and for exactly the bytes that we sent.
    """
    owed = session.scalars(
        select(OutboxEntry).where(col(OutboxEntry.event_id) == receipt.event_id).with_for_update()
    ).first()
    if entry is None or owed is None or owed.peer != peer:
        return "receipt-of-unknown-event"
    if entry.sha256 != receipt.sha256 or entry.linkseq != receipt.linkseq:
        return "receipt-of-other-bytes"
    if owed.confirmed_at is None:
        owed.confirmed_at = now
        owed.receipt_id = receipt_id
    return None


def witness(session: Session, peer: str, through: int) -> None:
    """The coordinator has everything of our link to ``peer`` up to ``through``."""
    session.execute(
        update(SentLink)
        .where(col(SentLink.peer) == peer, col(SentLink.witnessed) < through, col(SentLink.last) >= through)
        .values(witnessed=through)
    )
