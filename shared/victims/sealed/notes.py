"""Seal and read the free-text notes of officers, each beside the event that it belongs to."""

from collections.abc import Collection

from sqlalchemy import select
from sqlmodel import Session, col

from shared.reference.office import Office
from shared.storage.unit_of_work import KeptNote, Transaction
from shared.victims.sealed import store
from shared.victims.sealed.store import LEGAL_HOLD, NOTE, origin
from shared.victims.sealed.tables import SealedRow


def keep_note(tx: Transaction, office: Office, victim_id: str, event_id: str, text: str) -> None:
    """Store an officer's free text about a victim, sealed, beside an event or another id."""
    keep_note_under(tx, office, store.of_victim(victim_id), event_id, text)


def keep_note_under(tx: Transaction, office: Office, subject: str, beside: str, text: str) -> None:
    """Store an officer's free text, sealed under the key of a subject, such as a case without a victim."""
    store.put(tx, office, subject, beside, NOTE, {"text": text})
    tx.notes.append(KeptNote(subject, beside))


def note_under(session: Session, office: Office, subject: str, beside: str) -> str | None:
    """The note kept beside an id, for a subject without a victim. None: it can no longer be read."""
    row = store.find(session, subject, beside)
    return store.opened(session, office, row).get("text") if row is not None else None


def notes(
    session: Session, office: Office, victim_id: str, event_ids: Collection[str], legal_hold: bool = False
) -> dict[str, str]:
    """Event id → note, for the notes about a victim that can still be read. ``legal_hold``: also those kept by one
    alone."""
    kinds = [NOTE, LEGAL_HOLD[NOTE]] if legal_hold else [NOTE]
    statement = select(SealedRow).where(
        col(SealedRow.subject_id) == store.of_victim(victim_id), col(SealedRow.kind).in_(kinds)
    )
    rows = [row for row in session.scalars(statement) if origin(row.source) in event_ids]
    found = {origin(row.source): store.opened(session, office, row) for row in rows}
    return {event_id: what["text"] for event_id, what in found.items() if "text" in what}
