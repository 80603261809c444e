"""Whether a victim is protected or in a shelter. Proposals depend on it."""

from sqlalchemy import select
from sqlmodel import Session, col

from services.coordination.queries import journey_row
from services.coordination.tables import CustodyRow, JourneyRow, StageRow
from shared.contracts.codes import Stage
from shared.domain.access import NOT_TAKEN_ON
from shared.domain.matching import PROTECTED_WHILE, PROTECTION, SHELTERED
from shared.domain.refusal import Refused
from shared.reference.office import Office
from shared.storage import referrals
from shared.storage.tables import ReferralRow


def brought_to_safety(session: Session, office: Office, victim_id: str) -> bool:
    """Whether a hand-over brought the victim to protection or a shelter.

    It took custody for such a service, or began one. A stage that a holder records alone is anybody's word.
    """
    row = journey_row(session, victim_id)
    assert row is not None  # every victim with match tokens has a custody holder
    if _taken_for(session, office, victim_id, row.custody_seq) in SHELTERED:
        return True
    return row.stage in SHELTERED and _was_begun(session, row)


def _was_begun(session: Session, journey: JourneyRow) -> bool:
    """Whether a service began the journey's stage at some time."""
    same = (col(StageRow.victim_id) == journey.victim_id) & (col(StageRow.stage) == journey.stage)
    begun = select(col(StageRow.number)).where(same, col(StageRow.by_holder).is_(False))
    return session.scalars(begun.limit(1)).first() is not None


def _taken_for(session: Session, office: Office, victim_id: str, seq: int) -> Stage | None:
    """The stage of the service for which the custody holder took the victim; None after a registration."""
    link = session.get(CustodyRow, (victim_id, seq))
    taken = referrals.look(session, link.referral_id) if link is not None and link.referral_id is not None else None
    try:
        return office.directory.stage_of(taken.receiver.agency, taken.service) if taken is not None else None
    except Refused:
        return None  # a service that nobody offers


def taken_on_elsewhere(session: Session, victim_id: str) -> bool:
    """Whether an agency other than the one that registered the victim has taken the victim on.

    Only then is the person surely real, and its side may know which agency has searched.
    """
    registered = session.get(CustodyRow, (victim_id, 1))
    if registered is None:
        return False
    taken = select(col(ReferralRow.id)).where(
        col(ReferralRow.victim_id) == victim_id,
        col(ReferralRow.receiver_agency) != registered.agency,
        col(ReferralRow.custody_seq).is_not(None),
        col(ReferralRow.status).not_in(NOT_TAKEN_ON),
    )
    return session.scalars(taken.limit(1)).first() is not None


def is_protected(session: Session, victim_id: str) -> bool:
    """Whether a desk protects the victim, or did so before the LPSK. The present holder may not know of it."""
    protecting = select(col(ReferralRow.id)).where(
        col(ReferralRow.victim_id) == victim_id,
        col(ReferralRow.service).in_(sorted(PROTECTION)),
        col(ReferralRow.status).in_(sorted(PROTECTED_WHILE)),
    )
    return session.scalars(protecting.limit(1)).first() is not None
