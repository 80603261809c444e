"""Receipts, and the coordinator's word of how far it has seen a link: proof of our events elsewhere."""

from shared.contracts import events as e
from shared.contracts.envelope import Envelope
from shared.messaging.parked import Park
from shared.reference.office import Office
from shared.storage import outbox, referrals
from shared.storage.notifier import Topic
from shared.storage.unit_of_work import Transaction


def on_receipt(tx: Transaction, office: Office, envelope: Envelope, receipt: e.ReceiptRecorded) -> None:
    """Mark our event confirmed. The receipt for an outcome also closes the referral. Raises Park."""
    sent = outbox.load_sent(tx.session, receipt.event_id)
    wrong = outbox.confirm(tx.session, sent, receipt, envelope.id, envelope.sender, tx.now)
    if wrong is not None:
        raise Park(wrong)
    if sent is None or sent.referral_id is None:
        return
    tx.changed.add(sent.referral_id)
    if is_outcome(sent.type):
        row = referrals.load(tx.session, sent.referral_id)
        if row is not None:
            row.closed = True


def on_link_witnessed(tx: Transaction, office: Office, envelope: Envelope, event: e.LinkWitnessed) -> None:
    """Note up to which number the coordinator has our link to a peer. Raises Park."""
    sender, _, peer = event.link.partition(">")
    if sender != office.code:
        raise Park("not-the-coordinator")
    witnessed = tx.deliveries.witnessed
    witnessed[peer] = max(event.through, witnessed.get(peer, 0))
    tx.changed.add(Topic.LINKS)


def is_outcome(event_type: str) -> bool:
    """Whether events of this type end a referral."""
    return e.CATALOGUE.get(event_type) in (e.Completed, e.Rejected, e.Failed, e.Cancelled)
