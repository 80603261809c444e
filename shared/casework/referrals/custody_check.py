"""Whether the sender of a received transfer has custody: by our own chain, or by coordination's word."""

from shared.contracts import events as e
from shared.contracts.codes import SenderCustody
from shared.contracts.envelope import Envelope
from shared.domain.referral import UNANSWERED
from shared.domain.refusal import Refused
from shared.domain.sender_custody import check_sender_custody, first_known, heard, known_now
from shared.messaging.parked import Park
from shared.reference.acting import Acting
from shared.reference.office import Office, draft
from shared.storage import ledger, referrals, visibility
from shared.storage.tables import ReferralRow
from shared.storage.unit_of_work import Transaction
from shared.victims.register.store import custody_of, load_victim
from shared.victims.register.tables import VictimRow


def known_here(victim: VictimRow | None, event: e.Requested) -> SenderCustody | None:
    """What our own custody chain says about the sender of a transfer. None for another request."""
    if event.custody_seq is None:
        return None
    newest = custody_of(victim) if victim is not None else None
    return first_known(newest, event.sender.agency, event.custody_seq)


def ask(acting: Acting, referral_id: str) -> ReferralRow:
    """Ask coordination, unless a question is open, whether the sender of a transfer has custody. Returns the transfer.

    Raises Refused: ``unknown-referral``, ``not-your-move``, ``not-an-open-transfer`` or ``no-coordinator``.
    """
    row = referrals.load(acting.tx.session, referral_id, visibility.referrals(acting.sight))
    if row is None:
        raise Refused("unknown-referral")
    receiver = referrals.to_referral(row).receiver
    if not acting.sight.covers(receiver):
        raise Refused("not-your-move", command="custody-check")
    if row.sender_custody is None or row.status not in UNANSWERED:
        raise Refused("not-an-open-transfer", status=row.status)
    coordinator = acting.office.agency.coordinator
    if coordinator is None:
        raise Refused("no-coordinator")
    if _is_open(acting.tx, row.id):
        return row
    asked = e.CustodyAsked(referral_id=row.id, victim_id=row.victim_id, occurred_at=acting.tx.now, unit=receiver)
    acting.tx.emit(draft(asked, coordinator, receiver, victim_id=row.victim_id))
    acting.tx.changed.add(row.id)
    return row


def _is_open(tx: Transaction, referral_id: str) -> bool:
    """Whether coordination has not answered the last question about a transfer yet."""
    types = [entry.type for entry in ledger.of_referral(tx.session, referral_id)]
    return types.count(e.CustodyAsked.type()) > types.count(e.CustodyChecked.type())


def require(acting: Acting, row: ReferralRow, note: str | None) -> None:
    """Raise Refused unless the caller may take custody over from the sender of this transfer. Keep what is known.

    Codes: ``custody-held-here`` where our own agency has custody, ``custody-contested``, ``note-required``.
    """
    if row.sender_custody is None or row.custody_seq is None:
        return
    if row.status not in UNANSWERED:
        return  # decided already: the rules of the referral say so
    victim = load_victim(acting.tx.session, row.victim_id)
    newest = custody_of(victim) if victim is not None else None
    if newest is not None and newest.agency == acting.office.code:
        raise Refused("custody-held-here", unit=newest.unit)
    known = known_now(SenderCustody(row.sender_custody), newest, row.sender_agency, row.custody_seq)
    check_sender_custody(known, acting.caller.role, note)
    row.sender_custody = known  # after the acceptance, our chain no longer shows who held the link before


def on_custody_checked(tx: Transaction, office: Office, envelope: Envelope, event: e.CustodyChecked) -> None:
    """Keep coordination's word about the sender of a transfer. Raises Park.

    Codes: ``unknown-referral``, ``id-of-another-victim``, ``not-for-this-receiver``.
    """
    row = referrals.load(tx.session, event.referral_id)
    if row is None:
        raise Park("unknown-referral")
    if row.victim_id != event.victim_id:
        raise Park("id-of-another-victim")
    if row.sender_custody is None or (row.sender_agency, row.custody_seq) != (event.offered_by, event.custody_seq):
        raise Park("not-for-this-receiver")
    row.sender_custody = heard(SenderCustody(row.sender_custody), event.finding)
    tx.changed.add(row.id)
