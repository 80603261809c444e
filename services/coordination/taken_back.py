"""An acceptance that was taken back before the request that it answers came here (decision 0040)."""

from sqlalchemy import select
from sqlmodel import col

from services.coordination.custody_checks import was_told_against
from shared.contracts.envelope import Envelope
from shared.domain.referral import Referral
from shared.domain.sender_custody import is_taken_back
from shared.storage.tables import ParkedEvent, ReferralRow
from shared.storage.unit_of_work import Transaction


def moves_no_custody(tx: Transaction, accepted: Envelope, row: ReferralRow, after: Referral) -> bool:
    """Whether an acceptance adds no custody link, because its receiver has given the custody back already.

    ``after``: the referral after the acceptance. Both waited here for the request, and coordination itself had told
    the receiver that nothing shows the sender's custody. An acceptance that did not wait runs no statement.
    """
    if accepted.id not in tx.deliveries.tried_again:
        return False
    waiting = select(ParkedEvent).where(
        col(ParkedEvent.referral_id) == row.id,
        col(ParkedEvent.sender) == row.receiver_agency,
        col(ParkedEvent.reason) == "unknown-referral",
        col(ParkedEvent.trusted).is_(True),
        col(ParkedEvent.resolved_at).is_(None),
    )
    later = [Envelope.read(one.body) for one in tx.session.scalars(waiting)]
    return is_taken_back(after, [(one.version, one.content()) for one in later]) and was_told_against(tx, row)
