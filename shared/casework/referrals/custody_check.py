"""Whether the sender of a received transfer has custody: by our own chain, or by coordination's word."""

from shared.contracts import events as e
from shared.contracts.codes import SenderCustody
from shared.contracts.envelope import Envelope
from shared.domain.referral import LIVE
from shared.domain.refusal import Refused
from shared.domain.sender_custody import first_known, heard
from shared.messaging.parked import Park
from shared.reference.acting import Acting
from shared.reference.office import Office, draft
from shared.storage import referrals, visibility
from shared.storage.tables import ReferralRow
from shared.storage.unit_of_work import Transaction
from shared.victims.register.store import custody_of
from shared.victims.register.tables import VictimRow


def known_here(victim: VictimRow | None, event: e.Requested) -> SenderCustody | None:
    """What our own custody chain says about the sender of a transfer. None for another request."""
    if event.custody_seq is None:
        return None
    newest = custody_of(victim) if victim is not None else None
    return first_known(newest, event.sender.agency, event.custody_seq)


def ask(acting: Acting, referral_id: str) -> ReferralRow:
    """Ask coordination whether the sender of a transfer has custody. Returns the row of the transfer.

    Raises Refused: ``unknown-referral``, ``not-your-move``, ``not-an-open-transfer`` or ``no-coordinator``.
    """
    row = referrals.load(acting.tx.session, referral_id, visibility.referrals(acting.sight))
    if row is None:
        raise Refused("unknown-referral")
    receiver = referrals.to_referral(row).receiver
    if not acting.sight.covers(receiver):
        raise Refused("not-your-move", command="custody-check")
    if row.sender_custody is None or row.status not in LIVE or row.moved_at is not None:
        raise Refused("not-an-open-transfer", status=row.status)
    coordinator = acting.office.agency.coordinator
    if coordinator is None:
        raise Refused("no-coordinator")
    asked = e.CustodyAsked(referral_id=row.id, victim_id=row.victim_id, occurred_at=acting.tx.now, unit=receiver)
    acting.tx.emit(draft(asked, coordinator, receiver, victim_id=row.victim_id))
    acting.tx.changed.add(row.id)
    return row


def on_custody_checked(tx: Transaction, office: Office, envelope: Envelope, event: e.CustodyChecked) -> None:
    """Keep coordination's word about the sender of a transfer. Raises Park.

    Codes: ``unknown-referral``, ``id-of-another-victim``, ``not-for-this-receiver``.
    """
    row = referrals.load(tx.session, event.referral_id)
    if row is None:
        raise Park("unknown-referral")
    if row.victim_id != event.victim_id:
        raise Park("id-of-another-victim")
    if row.sender_custody is None:
        raise Park("not-for-this-receiver")
    row.sender_custody = heard(SenderCustody(row.sender_custody), event.finding)
    tx.changed.add(row.id)
