"""What is still owed: events to publish, receipts to wait for, and what to send again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, bindparam, or_, select, update
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
    attempts: int


# Every event goes through here and every receipt comes: plain tables, and statements that are built once
_OUTBOX, _LEDGER = OutboxEntry.__table__, LedgerEntry.__table__  # type: ignore[attr-defined]
_FILED = _OUTBOX.join(_LEDGER, _LEDGER.c.event_id == _OUTBOX.c.event_id)
_UNSENT = (
    select(
        *(_OUTBOX.c.position, _OUTBOX.c.event_id, _OUTBOX.c.subject),
        *(_LEDGER.c.body, _LEDGER.c.signature, _OUTBOX.c.key, _OUTBOX.c.attempts),
    )
    .select_from(_FILED)
    .where(_OUTBOX.c.published_at.is_(None))
    .order_by(_OUTBOX.c.position)
    .limit(bindparam("limit"))
)
_PUBLISHED = (
    update(_OUTBOX)
    .where(_OUTBOX.c.position == bindparam("of"))
    .values(published_at=bindparam("at"), resend_at=bindparam("again_at"), attempts=bindparam("tries"))
)
_SENT = (
    select(
        *(_OUTBOX.c.position, _OUTBOX.c.peer, _OUTBOX.c.linkseq, _OUTBOX.c.confirmed_at.is_not(None)),
        *(_LEDGER.c.sha256, _LEDGER.c.type, _LEDGER.c.referral_id),
    )
    .select_from(_FILED)
    .where(_OUTBOX.c.event_id == bindparam("event_id"))
    .with_for_update(of=_OUTBOX)
)
_CONFIRMED = (
    update(_OUTBOX)
    .where(_OUTBOX.c.position == bindparam("of"))
    .values(confirmed_at=bindparam("at"), receipt_id=bindparam("receipt"), key=None)  # it is where it was to go
)


def unsent(session: Session, limit: int) -> list[Unsent]:
    """The oldest unpublished events. By "unsent" and not by "id > last": ids commit out of order."""
    return [Unsent(*row) for row in session.connection().execute(_UNSENT, {"limit": limit})]


def mark_published(session: Session, published: Sequence[Unsent], now: datetime) -> None:
    """The broker has these; if no receipt comes they are sent again, later and later."""
    marks = [
        {
            "of": one.position,
            "at": now,
            "again_at": now + min(FIRST_RESEND * 2**one.attempts, LAST_RESEND),
            "tries": min(one.attempts + 1, 30),
        }
        for one in published
    ]
    if marks:
        session.connection().execute(_PUBLISHED, marks)


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


@dataclass(frozen=True, slots=True)
class Sent:
    """An event that we sent: what is owed of it, and what the ledger says of it."""

    position: int
    peer: str
    linkseq: int | None
    confirmed: bool
    sha256: str
    type: str
    referral_id: str | None


def sent(session: Session, event_id: str) -> Sent | None:
    """An event that we sent, locked until the end of the transaction where the database has such locks."""
    found = session.connection().execute(_SENT, {"event_id": event_id}).first()
    return None if found is None else Sent(*found)


def confirm(
    session: Session, sent: Sent | None, receipt: ReceiptRecorded, receipt_id: str, peer: str, now: datetime
) -> str | None:
    """Take a receipt for what we sent. Answers None, or the code of what is wrong with it.

    A receipt counts only for an event that we sent to this peer and for exactly the bytes that we sent.
    """
    if sent is None or sent.peer != peer:
        return "receipt-of-unknown-event"
    if sent.sha256 != receipt.sha256 or sent.linkseq != receipt.linkseq:
        return "receipt-of-other-bytes"
    if not sent.confirmed:
        session.connection().execute(_CONFIRMED, {"of": sent.position, "at": now, "receipt": receipt_id})
    return None


def witness(session: Session, peer: str, through: int) -> None:
    """The coordinator has everything of our link to ``peer`` up to ``through``."""
    session.execute(
        update(SentLink)
        .where(col(SentLink.peer) == peer, col(SentLink.witnessed) < through, col(SentLink.last) >= through)
        .values(witnessed=through)
    )
