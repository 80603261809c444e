"""Verify a ledger: every entry with its bytes, hash and signature, and the gapless numbers of every link."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from hashlib import sha256

from sqlalchemy import func, select
from sqlmodel import Session, col

from shared.contracts.envelope import Envelope, Unreadable
from shared.security.keys import KeyDirectory
from shared.security.public_keys import Untrusted
from shared.storage.tables import LedgerEntry, ReceivedLink, SentLink
from shared.storage.unit_of_work import Database

AT_ONCE = 500
"""Entries that one query reads."""


@dataclass(frozen=True, slots=True)
class LedgerFault:
    """An entry (by its position) or a link that fails the check. ``reason`` is a code; neither field names a victim."""

    where: str
    reason: str


def check_ledger(database: Database, keys: KeyDirectory) -> Iterator[LedgerFault | None]:
    """The fault of each link, then of each entry, oldest first; None for each that is sound. Safe while a service
    writes.

    A key that was revoked later still proves earlier entries (``KeyDirectory.verify_recorded``).
    """
    for link, through in database.read(lambda session: _links(session, database.author.agency)).items():
        found = database.read(partial(_numbered, link=link, through=through))
        yield None if found == through else LedgerFault(f"link {link}", "number-missing")
    after = 0

    def some(session: Session) -> list[LedgerEntry]:
        later = select(LedgerEntry).where(col(LedgerEntry.position) > after)
        return list(session.scalars(later.order_by(col(LedgerEntry.position)).limit(AT_ONCE)).all())

    while entries := database.read(some):
        for entry in entries:
            after = entry.position or after
            reason = wrong(entry, keys)
            yield LedgerFault(f"entry {after}", reason) if reason else None


def how_many(database: Database) -> int:
    """The number of links and entries to check, for a progress display."""

    def count(session: Session) -> int:
        entries = int(session.scalar(select(func.count()).select_from(LedgerEntry)) or 0)
        return entries + len(_links(session, database.author.agency))

    return database.read(count)


def wrong(entry: LedgerEntry, keys: KeyDirectory) -> str | None:
    """The code of the fault in an entry; None for a sound entry."""
    if sha256(entry.body).hexdigest() != entry.sha256:
        return "body-changed"
    try:
        signer = keys.verify_recorded(entry.body, entry.signature, entry.recorded_at)
        envelope = Envelope.read(entry.body)
    except (Untrusted, Unreadable) as error:
        return error.reason
    if signer != envelope.sender:
        return "forged-sender"
    named = (envelope.id, envelope.link, envelope.linkseq, envelope.referral_id, envelope.partitionkey, envelope.type)
    columns = (entry.event_id, entry.link, entry.linkseq, entry.referral_id, entry.victim_id, entry.type)
    return None if named == columns else "columns-are-not-the-body"


def _links(session: Session, agency: str) -> dict[str, int]:
    """Link → the number up to which the ledger must hold every event: last sent, or last received without gap."""
    sent = {f"{agency}>{row.peer}": row.last for row in session.scalars(select(SentLink))}
    return sent | {row.link: row.through for row in session.scalars(select(ReceivedLink))}


def _numbered(session: Session, link: str, through: int) -> int:
    here = (col(LedgerEntry.link) == link) & (col(LedgerEntry.linkseq) <= through)
    return int(session.scalar(select(func.count()).where(here)) or 0)
