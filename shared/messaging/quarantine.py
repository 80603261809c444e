"""Keep untrusted messages for a while, bounded for each sender: anybody with an account may send any bytes.

Kept are digest, size, reason, sender and the declared words of the subject. The first EXCERPT bytes of the body are
sealed under a storage key of our own. Only an operator on the host opens them. The sender is the account that
published: the broker lets each account publish under its own name alone.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

import structlog
from sqlalchemy import func, select
from sqlmodel import Session, col

from shared.contracts.events import EVERYONE
from shared.contracts.subjects import declared_words
from shared.messaging.broker import Incoming
from shared.security.key_directory import DirectoryFile
from shared.security.sealing import DataKey, Unopenable, open_at_rest, seal_at_rest
from shared.security.vault import Vault
from shared.storage.notifier import Topic
from shared.storage.tables import ParkedEvent, UnkeptMessages
from shared.storage.unit_of_work import Transaction

log = structlog.get_logger()

KEPT = timedelta(days=30)
"""Time during which an untrusted message stays listed, as long as the broker keeps messages."""
EXCERPT = 1024
"""Bytes of a body that are kept, sealed."""
MOST_MESSAGES = 100
"""Untrusted messages that are listed for one sender."""
MOST_BYTES = 64 * 1024
"""Sealed bytes that are kept for one sender. Beyond either number only counters grow."""
UNKNOWN = "?"
"""The sender of a message whose subject names no member: the broker itself let it in."""


@dataclass(frozen=True, slots=True)
class Quarantine:
    """Where a member keeps untrusted messages. ``keys`` names the members, ``is_region`` the regions."""

    vault: Vault
    keys: DirectoryFile
    is_region: Callable[[str], bool]

    def park_all(self, tx: Transaction, batch: Sequence[Incoming]) -> None:
        """Park messages that make the reception itself fail: untrusted, no field read."""
        for message in batch:
            self.park(tx, message, "cannot-be-recorded")

    def park(self, tx: Transaction, message: Incoming, reason: str) -> None:
        """Keep a message once, or only count it where its sender has too many."""
        digest = hashlib.sha256(message.body).hexdigest()
        same = (col(ParkedEvent.sha256) == digest) & col(ParkedEvent.trusted).is_(False)
        if tx.session.scalars(select(col(ParkedEvent.number)).where(same)).first() is not None:
            return
        subject = self.declared(message.subject)
        sender = subject.split(".")[1]
        excerpt = message.body[:EXCERPT]
        if not _has_room(tx.session, sender, len(excerpt)):
            _count(tx, sender, len(message.body))
            return
        body, key = self._seal(excerpt, digest)
        tx.session.add(
            ParkedEvent(
                sha256=digest,
                trusted=False,
                reason=reason,
                sender=sender,
                subject=subject,
                size=len(message.body),
                body=body,
                key=key,
                parked_at=tx.now,
            )
        )
        tx.session.flush()
        tx.changed |= {Topic.PARKED, Topic.RETENTION}
        log.warning("reception.parked", reason=reason, trusted=False, sender=sender)

    def declared(self, subject: str) -> str:
        """A subject with its declared words alone. The rest may hold a name or a number."""
        members = {key.agency for key in self.keys.current().keys.values()}
        return declared_words(subject, members, members | {EVERYONE}, self.is_region)

    def _seal(self, excerpt: bytes, digest: str) -> tuple[bytes, str]:
        key = DataKey.generate()
        return seal_at_rest(excerpt, key, digest), self.vault.wrap_at_rest(key.secret, digest)


def open_excerpt(vault: Vault, row: ParkedEvent) -> bytes:
    """The first bytes of an untrusted message. Raises Unopenable, also for a message that is not sealed here."""
    if row.trusted or row.key is None:
        raise Unopenable("malformed")
    return open_at_rest(row.body, DataKey(vault.unwrap_at_rest(row.key, row.sha256)), row.sha256)


def _has_room(session: Session, sender: str, more: int) -> bool:
    kept = (col(ParkedEvent.sender) == sender) & col(ParkedEvent.trusted).is_(False)
    sealed = func.coalesce(func.sum(func.length(col(ParkedEvent.body))), 0)
    messages, size = session.execute(select(func.count(), sealed).where(kept)).one()
    return int(messages) < MOST_MESSAGES and int(size) + more <= MOST_BYTES


def _count(tx: Transaction, sender: str, size: int) -> None:
    """Count a message that is not kept. The alarm sounds for the first one, and whenever their number doubles."""
    row = tx.session.get(UnkeptMessages, sender, with_for_update=True)
    if row is None:
        row = UnkeptMessages(sender=sender, first_at=tx.now, last_at=tx.now)
        tx.session.add(row)
    row.messages, row.bytes, row.last_at = row.messages + 1, row.bytes + size, tx.now
    tx.session.flush()
    if row.messages & (row.messages - 1) == 0:
        tx.changed |= {Topic.PARKED, Topic.RETENTION}
        messages = row.messages
        tx.afterwards.append(lambda: log.error("reception.sender-floods", sender=sender, messages=messages))
