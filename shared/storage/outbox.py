"""The outbox: events to publish, receipts to wait for, and events to publish again."""

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
    """One message to publish: the exact bytes and their signature.

    ``key`` is the wrapped data key that travels beside the event. ``attempts`` counts publications so far.
    """

    position: int
    event_id: str
    subject: str
    body: bytes
    signature: str
    key: str | None
    attempts: int


# Every event and every receipt runs this code, so it uses plain tables and statements that are built once
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
    .values(confirmed_at=bindparam("at"), receipt_id=bindparam("receipt"), key=None)  # the receiver has the key
)


def unsent(session: Session, limit: int) -> list[Unsent]:
    """The oldest unpublished events, ``limit`` at most.

    Selected by "unpublished", not by "id > last": ids commit out of order, and such a poll would lose rows.
    """
    return [Unsent(*row) for row in session.connection().execute(_UNSENT, {"limit": limit})]


def mark_published(session: Session, published: Sequence[Unsent], now: datetime) -> None:
    """Store that the broker has these messages.

    Without a receipt each is published again: first after FIRST_RESEND, then after twice as long each time, up to
    LAST_RESEND. ``now``: UTC.
    """
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
    """Mark as unpublished every event whose receipt is overdue at ``now`` (UTC). Returns the number of events."""
    due = and_(
        col(OutboxEntry.confirmed_at).is_(None),
        col(OutboxEntry.published_at).is_not(None),
        col(OutboxEntry.resend_at) <= now,
    )
    return _put_back(session, due)


def resend_unread(session: Session, witnessed: bool) -> int:
    """Mark as unpublished every event without a receipt. Returns the number of events.

    With ``witnessed`` (there is a coordinator), also every event that the coordinator has not witnessed.
    Called when the stream was created anew, for unread messages of the old stream are lost. Called at start too, for
    the stream may have been created anew while this service was down.
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
    """An event that we sent: its row in the outbox with what a receipt is compared with."""

    position: int
    peer: str
    linkseq: int | None
    confirmed: bool
    sha256: str
    type: str
    referral_id: str | None


def load_sent(session: Session, event_id: str) -> Sent | None:
    """An event that we sent, or None. Locked until the transaction ends, where the database has row locks."""
    found = session.connection().execute(_SENT, {"event_id": event_id}).first()
    return None if found is None else Sent(*found)


def confirm(
    session: Session, sent: Sent | None, receipt: ReceiptRecorded, receipt_id: str, peer: str, now: datetime
) -> str | None:
    """Apply a receipt: mark the event as confirmed. Returns None, or the code of the fault in the receipt.

    A receipt counts only for an event that we sent to this peer, and only for exactly those bytes.
    ``sent``: the event, as ``load_sent`` loads it. ``now``: UTC.
    """
    if sent is None or sent.peer != peer:
        return "receipt-of-unknown-event"
    if sent.sha256 != receipt.sha256 or sent.linkseq != receipt.linkseq:
        return "receipt-of-other-bytes"
    if not sent.confirmed:
        session.connection().execute(_CONFIRMED, {"of": sent.position, "at": now, "receipt": receipt_id})
    return None


def witness(session: Session, peer: str, through: int) -> None:
    """Store that the coordinator has our link to ``peer`` completely, up to the number ``through``."""
    session.execute(
        update(SentLink)
        .where(col(SentLink.peer) == peer, col(SentLink.witnessed) < through, col(SentLink.last) >= through)
        .values(witnessed=through)
    )
