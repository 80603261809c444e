"""Store the sealed text that another agency sent, as it came, with its key wrapped for us."""

import structlog
from pydantic import ValidationError
from sqlalchemy import delete
from sqlmodel import col

from shared.domain.identity import Identity
from shared.messaging.enclosed import open_enclosed
from shared.reference.office import Office
from shared.security.sealing import DataKey, Unopenable
from shared.storage.unit_of_work import Transaction
from shared.victims.register.store import load_victim
from shared.victims.sealed import blind_index, holds, store
from shared.victims.sealed.forgetting import set_aside
from shared.victims.sealed.store import IDENTITY, RECORD, keep_key, key_purpose, of_victim
from shared.victims.sealed.tables import DataKeyRow, SealedRow

log = structlog.get_logger()


def receive_identity(
    tx: Transaction, office: Office, event_id: str, victim_id: str, referral_id: str, sealed: str, first: bool
) -> tuple[str, ...]:
    """Store the identity text that another agency sent with an event of a referral, with its key wrapped for us.

    ``first``: the referral is new, so nothing is stored for it yet. Answers the names of the fields. Without a key
    (erased meanwhile, or another member's) nothing is readable, and the answer is empty.
    """
    try:
        key, fields = open_enclosed(tx, office, event_id, victim_id, sealed, key_purpose(referral_id))
        given = Identity.model_validate(fields).model_dump(exclude_none=True)
    except (Unopenable, ValidationError) as error:
        log.warning("sealed.not-taken", error=type(error).__name__)
        return ()
    if first or tx.session.get(DataKeyRow, key.kid) is None:
        keep_key(tx, office, key.kid, of_victim(victim_id), key)
    if not first:
        _replace(tx, office, victim_id, referral_id, key.kid)
    _keep_as_it_came(tx, victim_id, referral_id, IDENTITY, key, sealed)
    blind_index.keep(tx, office.vault, victim_id, referral_id, given)
    return tuple(sorted(given))


def receive_record(tx: Transaction, office: Office, event_id: str, victim_id: str, record_id: str, sealed: str) -> bool:
    """Store a filed form that another agency delivered, with its key. Answers whether it can be read.

    Without a key (erased meanwhile, or another member's) it cannot.
    """
    try:
        key, _ = open_enclosed(tx, office, event_id, victim_id, sealed, key_purpose(record_id))
    except Unopenable as error:
        log.warning("sealed.not-taken", error=type(error).__name__)
        return False
    keep_key(tx, office, key.kid, of_victim(victim_id), key)
    _keep_as_it_came(tx, victim_id, record_id, RECORD, key, sealed)
    return True


def take_over_with_custody(tx: Transaction, victim_id: str, referral_id: str) -> None:
    """Mark the text that came with a transfer: a person of ours has just accepted the custody, and this text."""
    row = store.find(tx.session, of_victim(victim_id), referral_id)
    if row is not None:
        row.handed_over = True


def leave_with_custody(tx: Transaction, victim_id: str, referral_id: str) -> None:
    """The custody of a transfer was given back: the text that came with it is no longer the holder's word."""
    row = store.find(tx.session, of_victim(victim_id), referral_id)
    if row is not None:
        row.handed_over = False


def _keep_as_it_came(tx: Transaction, victim_id: str, source: str, kind: str, key: DataKey, sealed: str) -> None:
    row = SealedRow(
        subject_id=of_victim(victim_id),
        source=source,
        kind=kind,
        key_id=key.kid,
        sealed=sealed,
        recorded_at=tx.now,
    )
    tx.session.add(row)


def _replace(tx: Transaction, office: Office, victim_id: str, referral_id: str, by_key: str) -> None:
    """Make room for new text of an agency with a referral. Its earlier text is deleted.

    Under a legal hold or in our custody it is set aside, because another agency's word destroys nothing then.
    """
    before = store.find(tx.session, of_victim(victim_id), referral_id)
    if before is None:
        return
    victim = load_victim(tx.session, victim_id)
    ours = victim is not None and victim.custody_agency == office.code
    if ours or holds.holds_of(tx.session, victim_id):
        set_aside(tx, office, victim_id, [referral_id])
        return
    blind_index.drop(tx, victim_id, [referral_id])
    tx.session.delete(before)
    tx.session.flush()
    if before.key_id != by_key:
        tx.erased = True
        of_subject = col(DataKeyRow.subject_id) == of_victim(victim_id)
        tx.session.execute(delete(DataKeyRow).where(of_subject, col(DataKeyRow.id) == before.key_id))
