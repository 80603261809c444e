"""Which agency said a withdrawal or an erasure first. An event that is passed on encloses the one before it."""

import base64

from sqlalchemy import select
from sqlmodel import col

from shared.contracts import events as e
from shared.contracts.envelope import Envelope, Unreadable
from shared.contracts.events import EventData, SignedEvent
from shared.domain.erasure import MOST_HANDS, Word
from shared.messaging.parked import Park
from shared.reference.office import Office
from shared.security.public_keys import Untrusted
from shared.storage.tables import LedgerEntry
from shared.storage.unit_of_work import Transaction
from shared.victims.erasure.carry_out import Cause, cause_id_of

LONGEST_ENCLOSED = 16 * 1024
"""Bytes of the largest event that is passed on inside another. An honest one has about 1 KiB for each hand."""


def word_of(tx: Transaction, office: Office, envelope: Envelope, cause: Cause) -> Word:
    """Who told us, and who said it first. Raises Park: ``original-not-proven`` or ``passed-on-too-often``."""
    told_by, inner, proven, hands = envelope.sender, cause, True, 0
    while inner.original is not None:
        hands += 1
        if hands > MOST_HANDS:
            raise Park("passed-on-too-often")
        before, content = _proven(tx, office, inner.original)
        same = isinstance(content, type(cause)) and _subject(content) == _subject(cause)
        if not same or before.receiver != told_by or before.sender == told_by:
            raise Park("original-not-proven")
        taken_over = getattr(inner, "custody", None)
        proven = proven and taken_over is not None and _took_over(tx, office, taken_over, before, cause.victim_id)
        assert isinstance(content, Cause)
        told_by, inner = before.sender, content
    return Word(envelope.sender, told_by, hands > 0 and proven)


def _subject(cause: EventData) -> tuple[str, str]:
    assert isinstance(cause, Cause)
    return cause_id_of(cause), cause.victim_id


def _proven(tx: Transaction, office: Office, signed: SignedEvent) -> tuple[Envelope, EventData | None]:
    """A signed event inside another, if its own agency signed it. Raises Park("original-not-proven")."""
    try:
        body, signature = _decoded(signed.body), _decoded(signed.signature).decode("ascii")
        signer = office.keys.verify(body, signature, tx.now)
        envelope = Envelope.read(body)
        content = envelope.content()
    except (Untrusted, Unreadable, ValueError):
        raise Park("original-not-proven") from None
    if envelope.sender != signer:
        raise Park("original-not-proven")
    return envelope, content


def _took_over(tx: Transaction, office: Office, signed: SignedEvent, told: Envelope, victim_id: str) -> bool:
    """Whether the signed event is the acceptance by which the sender of ``told`` took custody from its receiver."""
    envelope, content = _proven(tx, office, signed)
    if not isinstance(content, e.Accepted) or content.custody is None or envelope.link != told.link:
        return False
    return content.victim_id == victim_id and content.custody.agency == told.sender


def enclosed(tx: Transaction, envelope: Envelope) -> SignedEvent | None:
    """The signed event that we received, to pass on; None for one that is too long to be honest."""
    return _from_ledger(tx, col(LedgerEntry.event_id) == envelope.id)


def custody_taken_by(tx: Transaction, envelope: Envelope) -> SignedEvent | None:
    """The latest signed acceptance by which the sender of an event took custody from us, or None."""
    accepted = (col(LedgerEntry.type) == e.Accepted.type()) & (col(LedgerEntry.link) == envelope.link)
    theirs = accepted & (col(LedgerEntry.victim_id) == envelope.partitionkey)
    for row in tx.session.scalars(select(LedgerEntry).where(theirs).order_by(col(LedgerEntry.position).desc())):
        content = Envelope.read(row.body).content()
        if isinstance(content, e.Accepted) and content.custody is not None:
            return _signed(row)
    return None


def _from_ledger(tx: Transaction, these: object) -> SignedEvent | None:
    row = tx.session.scalars(select(LedgerEntry).where(these)).first()  # type: ignore[arg-type]
    return None if row is None or len(row.body) > LONGEST_ENCLOSED else _signed(row)


def _signed(row: LedgerEntry) -> SignedEvent:
    return SignedEvent(body=_encoded(row.body), signature=_encoded(row.signature.encode("ascii")))


def _encoded(what: bytes) -> str:
    return base64.urlsafe_b64encode(what).decode("ascii").rstrip("=")


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
