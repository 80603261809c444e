"""Destroy, withhold or set aside the keys of a victim, so that sealed text no longer opens."""

from collections.abc import Collection
from collections.abc import Set as AbstractSet

from sqlalchemy import ColumnElement, delete, select, update
from sqlmodel import Session, col

from shared.reference.office import Office
from shared.storage.tables import LedgerEntry, OutboxEntry, ParkedEvent
from shared.storage.unit_of_work import Transaction
from shared.victims.sealed import blind_index, may_forget, store
from shared.victims.sealed.holds import holds_of
from shared.victims.sealed.may_forget import NotToForget
from shared.victims.sealed.store import LEGAL_HOLD, OWN, of_case, of_victim, own_source, seal_row
from shared.victims.sealed.tables import DataKeyRow, SealedRow


def withhold(tx: Transaction, referral_ids: Collection[str]) -> None:
    """Remove the keys of these referrals from the outbox: a repeated event goes without its key, so it stays
    unreadable."""
    events = select(col(LedgerEntry.event_id)).where(col(LedgerEntry.referral_id).in_(referral_ids))
    tx.session.execute(update(OutboxEntry).where(col(OutboxEntry.event_id).in_(events)).values(key=None))


def withhold_all(tx: Transaction, victim_id: str) -> None:
    """Remove the keys of a victim from the outbox and from parked events."""
    events = select(col(LedgerEntry.event_id)).where(col(LedgerEntry.victim_id) == victim_id)
    for table in (OutboxEntry, ParkedEvent):
        tx.session.execute(update(table).where(col(table.event_id).in_(events)).values(key=None))


def sources(session: Session, victim_id: str) -> list[str]:
    """The sources of our own text about a victim that may be shown: identity, notes and records."""
    ours = (col(SealedRow.subject_id) == of_victim(victim_id)) & (col(SealedRow.key_id) == OWN)
    return list(session.scalars(select(col(SealedRow.source)).where(ours, col(SealedRow.kind).in_(list(LEGAL_HOLD)))))


def keeps_anything(session: Session, victim_id: str) -> bool:
    """Whether any data key of a victim is here. A key counts even where it seals notes alone, or only derived
    recipients' keys."""
    return (
        session.scalars(select(col(DataKeyRow.id)).where(col(DataKeyRow.subject_id) == of_victim(victim_id))).first()
        is not None
    )


def renew_own_key(tx: Transaction, office: Office, victim_id: str) -> None:
    """Seal our own text about a victim under a new data key.

    The old key must go: from it come the keys of everything we gave. It would open the sealed text in our ledger. And a
    recipient that gets data again would receive the key that it has destroyed.
    """
    tx.session.flush()
    old = tx.session.get(DataKeyRow, own_source(of_victim(victim_id)))
    if old is None:
        return
    ours = (col(SealedRow.subject_id) == of_victim(victim_id)) & (col(SealedRow.key_id) == OWN)
    kept = [(row, store.opened(tx.session, office, row)) for row in tx.session.scalars(select(SealedRow).where(ours))]
    tx.session.delete(old)
    tx.session.flush()
    tx.erased = True
    for row, what in kept:
        seal_row(tx, office, row, what)


def set_aside(tx: Transaction, office: Office, victim_id: str, only: Collection[str] | None = None) -> None:
    """Keep the text of these sources (None: all) where only a break-glass finds it, because of a legal hold.

    A legal hold forbids erasing or replacing the text. Later text stands beside it and is independent of its end.
    """
    tx.session.flush()
    here = (col(SealedRow.subject_id) == of_victim(victim_id)) & col(SealedRow.kind).in_(list(LEGAL_HOLD))
    if only is None:
        withhold_all(tx, victim_id)
    else:
        here &= col(SealedRow.source).in_(only)
    for row in tx.session.scalars(select(SealedRow).where(here)).all():
        what = store.opened(tx.session, office, row)
        row.source, row.kind = f"held:{row.number}:{row.source}", LEGAL_HOLD[row.kind]
        if row.key_id == OWN:  # the sealing is bound to the source
            seal_row(tx, office, row, what)
    tx.session.flush()
    blind_index.drop(tx, victim_id, only)


def forget(
    tx: Transaction, office: Office, victim_id: str, by: AbstractSet[str], only: Collection[str] | None = None
) -> None:
    """Destroy the keys of a victim here. Nothing sealed opens any more, and no event is sent again with a key.

    ``by``: the agencies whose word it is. ``only``: the text of these sources and nothing else. Raises NotToForget.
    """
    may_forget.require_right(tx, office, victim_id, by, only)
    tx.erased = True
    blind_index.drop(tx, victim_id, only)
    if only is None:
        _delete_all(tx, of_victim(victim_id))
        withhold_all(tx, victim_id)
    else:
        withhold(tx, only)
        _delete(tx, office, victim_id, col(SealedRow.source).in_(only))


def forget_case(tx: Transaction, case_id: str) -> None:
    """Destroy the keys of a case of ours. Raises NotToForget."""
    if not may_forget.case_may_be_forgotten(tx, case_id):
        raise NotToForget("not-our-case-or-held")
    tx.erased = True
    _delete_all(tx, of_case(case_id))


def forget_held(tx: Transaction, office: Office, victim_id: str) -> None:
    """Destroy the text that only a legal hold or our custody has kept, after its end. Raises NotToForget."""
    if holds_of(tx.session, victim_id):
        raise NotToForget("legal-hold")
    tx.erased = True
    _delete(tx, office, victim_id, col(SealedRow.kind).in_(list(LEGAL_HOLD.values())))


def _delete_all(tx: Transaction, subject: str) -> None:
    tx.session.execute(delete(DataKeyRow).where(col(DataKeyRow.subject_id) == subject))
    tx.session.execute(delete(SealedRow).where(col(SealedRow.subject_id) == subject))


def _delete(tx: Transaction, office: Office, victim_id: str, these: ColumnElement[bool]) -> None:
    subject = of_victim(victim_id)
    here = col(SealedRow.subject_id) == subject
    keys = set(tx.session.scalars(select(col(SealedRow.key_id)).where(here, these)))
    tx.session.execute(delete(SealedRow).where(here, these))
    keys -= set(tx.session.scalars(select(col(SealedRow.key_id)).where(here)))
    of_subject = col(DataKeyRow.subject_id) == subject
    tx.session.execute(delete(DataKeyRow).where(of_subject, col(DataKeyRow.id).in_(keys)))
    renew_own_key(tx, office, victim_id)
