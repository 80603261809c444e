"""Tell the receiver of a transfer whether its sender has custody of the victim, by coordination's custody chain.

Where another agency has custody, coordination says so without being asked. It never names the other agency.
"""

from dataclasses import dataclass

from sqlalchemy import select
from sqlmodel import col

from services.coordination.queries import known_journey, newest_link_of
from shared.contracts import events as e
from shared.contracts.codes import CustodyFinding, SenderCustody
from shared.contracts.envelope import Envelope
from shared.domain.referral import LIVE, UNANSWERED
from shared.domain.sender_custody import DOUBTED, custody_finding
from shared.reference.office import Office, draft
from shared.storage import referrals
from shared.storage.tables import LedgerEntry, ReferralRow
from shared.storage.unit_of_work import Transaction


@dataclass(frozen=True, slots=True)
class Offer:
    """A custody link that one agency offers to another in a transfer. Between two desks of one agency there is none."""

    referral_id: str
    victim_id: str
    sender: str
    receiver: str
    custody_seq: int


@dataclass(frozen=True, slots=True)
class Contested:
    """Coordination's ``TellParked``: tells the receiver of a parked transfer what speaks against it."""

    office: Office

    def __call__(self, tx: Transaction, envelope: Envelope, event: e.EventData) -> None:
        """Tell the receiver, once."""
        if isinstance(event, e.Requested):
            tell_contested(tx, self.office, envelope, event)


def tell_contested(tx: Transaction, office: Office, envelope: Envelope, event: e.Requested) -> None:
    """Tell the receiver of a transfer, once, where nothing shows that the sender has custody."""
    offer = _offered(envelope, event)
    if offer is not None and event.receiver.agency == offer.receiver:
        _tell_if_against(tx, office, offer, envelope.id)


def tell_overtaken(tx: Transaction, office: Office, envelope: Envelope, accepted: e.Accepted) -> None:
    """Tell the receivers of a victim's other open transfers that an acceptance has taken their link."""
    for row in referrals.live_of_victim(tx.session, accepted.victim_id):
        offer = _of_row(row)
        is_open = row.id != accepted.referral_id and row.status in UNANSWERED
        if offer is not None and is_open:
            _tell_if_against(tx, office, offer, envelope.id)


def on_custody_asked(tx: Transaction, office: Office, envelope: Envelope, event: e.CustodyAsked) -> None:
    """Answer the receiver of a transfer that waits for its answer. Nobody else gets an answer.

    A parked transfer has its word already. After the answer, the question would show that the victim was moved.
    """
    row = referrals.load(tx.session, event.referral_id)
    offer = _of_row(row) if row is not None and row.status in UNANSWERED else None
    if offer is not None and (offer.receiver, offer.victim_id) == (envelope.sender, event.victim_id):
        _emit(tx, office, offer, _finding(tx, offer), envelope.id)


def was_told_against(tx: Transaction, row: ReferralRow) -> bool:
    """Whether the receiver of a transfer was told that nothing shows the sender's custody, or that it is another's."""
    offer = _of_row(row)
    return offer is not None and any(SenderCustody(found) in DOUBTED for found in _told(tx, offer))


def _of_row(row: ReferralRow) -> Offer | None:
    if row.custody_seq is None or row.sender_agency == row.receiver_agency:
        return None
    return Offer(row.id, row.victim_id, row.sender_agency, row.receiver_agency, row.custody_seq)


def _offered(envelope: Envelope, event: e.Requested) -> Offer | None:
    if event.custody_seq is None or envelope.sender == envelope.receiver:
        return None
    return Offer(event.referral_id, event.victim_id, envelope.sender, envelope.receiver, event.custody_seq)


def _finding(tx: Transaction, offer: Offer) -> CustodyFinding:
    newest = newest_link_of(known_journey(tx.session, offer.victim_id))
    # asked only where links are missing: no statement more for a sound transfer
    on_its_way = newest is not None and newest.seq < offer.custody_seq - 1 and _is_link_before_coming(tx, offer)
    return custody_finding(newest, offer.sender, offer.custody_seq, on_its_way)


def _is_link_before_coming(tx: Transaction, offer: Offer) -> bool:
    """Whether a live transfer offers the sender the link before the one that the sender offers."""
    coming = select(col(ReferralRow.id)).where(
        col(ReferralRow.victim_id) == offer.victim_id,
        col(ReferralRow.receiver_agency) == offer.sender,
        col(ReferralRow.custody_seq) == offer.custody_seq - 1,
        col(ReferralRow.status).in_(sorted(LIVE)),
    )
    return tx.session.scalars(coming).first() is not None


def _tell_if_against(tx: Transaction, office: Office, offer: Offer, causation_id: str) -> None:
    """Tell the receiver, once, what speaks against an offer; and that nothing does, after a word against it."""
    found = _finding(tx, offer)
    if found is CustodyFinding.UNKNOWN or (found is CustodyFinding.CONFIRMED and offer.custody_seq == 2):
        return  # no word went before: the first holder of a victim offers link 2, and is never far from it
    told = _told(tx, offer)
    if found not in told and (found is not CustodyFinding.CONFIRMED or CustodyFinding.UNCONFIRMED in told):
        _emit(tx, office, offer, found, causation_id)


def _told(tx: Transaction, offer: Offer) -> set[str]:
    """The findings that the receiver was told of this offer, in this transaction too."""
    sent = select(LedgerEntry).where(
        col(LedgerEntry.referral_id) == offer.referral_id,
        col(LedgerEntry.type) == e.CustodyChecked.type(),
        col(LedgerEntry.link) == f"{tx.author.agency}>{offer.receiver}",
    )
    said = [Envelope.read(entry.body).content() for entry in tx.session.scalars(sent)]
    said += [one.data for one in tx.drafts if one.receiver == offer.receiver]
    about = (offer.referral_id, offer.sender, offer.custody_seq)
    words = (one for one in said if isinstance(one, e.CustodyChecked))
    return {one.finding for one in words if (one.referral_id, one.offered_by, one.custody_seq) == about}


def _emit(tx: Transaction, office: Office, offer: Offer, finding: CustodyFinding, causation_id: str) -> None:
    checked = e.CustodyChecked(
        referral_id=offer.referral_id,
        victim_id=offer.victim_id,
        occurred_at=tx.now,
        offered_by=offer.sender,
        custody_seq=offer.custody_seq,
        finding=finding,
    )
    unit = office.speaker(tx.now.date())
    tx.emit(draft(checked, offer.receiver, unit, victim_id=offer.victim_id, causation_id=causation_id))
