"""Tell the receiver of a transfer whether its sender has custody of the victim, by coordination's custody chain.

Where another agency has custody, coordination says so without being asked. It never names the other agency.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import select
from sqlmodel import col

from services.coordination.queries import known_journey, newest_link_of
from shared.contracts import events as e
from shared.contracts.codes import CustodyFinding
from shared.contracts.envelope import Envelope, Unreadable
from shared.domain.objection import custody_finding
from shared.reference.office import Office, draft
from shared.storage import referrals
from shared.storage.tables import LedgerEntry, ReferralRow
from shared.storage.unit_of_work import Transaction


@dataclass(frozen=True, slots=True)
class Offer:
    """A custody link that one agency offers to another in a transfer."""

    referral_id: str
    victim_id: str
    sender: str
    receiver: str
    custody_seq: int


@dataclass(frozen=True, slots=True)
class Contested:
    """Coordination's ``Objected``: tells the receiver of a parked transfer that another agency has custody."""

    office: Office

    def __call__(self, tx: Transaction, envelope: Envelope, event: e.EventData) -> None:
        """Tell the receiver, once."""
        if isinstance(event, e.Requested):
            tell_contested(tx, self.office, envelope, event)


def tell_contested(tx: Transaction, office: Office, envelope: Envelope, event: e.Requested) -> None:
    """Tell the receiver of a transfer, once, where another agency than the sender has custody."""
    offer = _offered(envelope, event)
    if offer is not None and event.receiver.agency == envelope.receiver != envelope.sender:
        _tell_if_contested(tx, office, offer, envelope.id)


def tell_overtaken(tx: Transaction, office: Office, envelope: Envelope, accepted: e.Accepted) -> None:
    """Tell the receivers of a victim's other open transfers that an acceptance has taken their link."""
    for row in referrals.live_of_victim(tx.session, accepted.victim_id):
        offer = _of_row(row)
        is_open = row.id != accepted.referral_id and row.moved_at is None
        if offer is not None and is_open and offer.receiver != offer.sender:
            _tell_if_contested(tx, office, offer, envelope.id)


def on_custody_asked(tx: Transaction, office: Office, envelope: Envelope, event: e.CustodyAsked) -> None:
    """Answer the receiver of a transfer. Any other agency, and an unknown transfer, gets ``unknown``."""
    offers = (one for one in _offers(tx, event.referral_id) if one.receiver == envelope.sender)
    offer = next((one for one in offers if one.victim_id == event.victim_id), None)
    found = CustodyFinding.UNKNOWN if offer is None else _finding(tx, offer)
    answer = e.CustodyChecked(
        referral_id=event.referral_id, victim_id=event.victim_id, occurred_at=tx.now, finding=found
    )
    _emit(tx, office, answer, envelope.sender, envelope.id)


def _offers(tx: Transaction, referral_id: str) -> Iterator[Offer]:
    """The transfer of this id: the applied one, or else the parked requests with this id, oldest first."""
    row = referrals.load(tx.session, referral_id)
    if row is not None:
        offer = _of_row(row)
        if offer is not None:
            yield offer
        return
    requests = select(LedgerEntry).where(
        col(LedgerEntry.referral_id) == referral_id, col(LedgerEntry.type) == e.Requested.type()
    )
    for entry in tx.session.scalars(requests.order_by(col(LedgerEntry.position))):
        envelope = Envelope.read(entry.body)
        try:
            content = envelope.content()
        except Unreadable:
            continue  # parked for its shape
        offer = _offered(envelope, content) if isinstance(content, e.Requested) else None
        if offer is not None:
            yield offer


def _of_row(row: ReferralRow) -> Offer | None:
    if row.custody_seq is None:
        return None
    return Offer(row.id, row.victim_id, row.sender_agency, row.receiver_agency, row.custody_seq)


def _offered(envelope: Envelope, event: e.Requested) -> Offer | None:
    if event.custody_seq is None:
        return None
    return Offer(event.referral_id, event.victim_id, envelope.sender, envelope.receiver, event.custody_seq)


def _finding(tx: Transaction, offer: Offer) -> CustodyFinding:
    newest = newest_link_of(known_journey(tx.session, offer.victim_id))
    return custody_finding(newest, offer.sender, offer.custody_seq)


def _tell_if_contested(tx: Transaction, office: Office, offer: Offer, causation_id: str) -> None:
    if _finding(tx, offer) is not CustodyFinding.CONTESTED:
        return
    told = e.CustodyChecked(
        referral_id=offer.referral_id,
        victim_id=offer.victim_id,
        occurred_at=tx.now,
        finding=CustodyFinding.CONTESTED,
    )
    if not _is_told(tx, told, offer.receiver):
        _emit(tx, office, told, offer.receiver, causation_id)


def _is_told(tx: Transaction, told: e.CustodyChecked, receiver: str) -> bool:
    """Whether the receiver was told the same before, in this transaction too."""
    if any(isinstance(one.data, e.CustodyChecked) and one.data.referral_id == told.referral_id for one in tx.drafts):
        return True
    link = f"{tx.author.agency}>{receiver}"
    sent = select(LedgerEntry).where(
        col(LedgerEntry.referral_id) == told.referral_id,
        col(LedgerEntry.type) == told.type(),
        col(LedgerEntry.link) == link,
    )
    said = (Envelope.read(entry.body).data["finding"] for entry in tx.session.scalars(sent))
    return told.finding in said


def _emit(tx: Transaction, office: Office, event: e.CustodyChecked, receiver: str, causation_id: str) -> None:
    unit = office.speaker(tx.now.date())
    tx.emit(draft(event, receiver, unit, victim_id=event.victim_id, causation_id=causation_id))
