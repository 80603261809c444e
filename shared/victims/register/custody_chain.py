"""The custody chain of a victim, as the transfers show it that this agency knows of."""

from datetime import datetime

from sqlalchemy import select
from sqlmodel import Session, col

from shared.contracts import events as e
from shared.contracts.envelope import Envelope
from shared.contracts.types import Custody
from shared.domain.access import NOT_TAKEN_ON
from shared.domain.sender_custody import Handover, newest_before
from shared.storage import ledger
from shared.storage.tables import ReferralRow
from shared.victims.register.store import load_case
from shared.victims.register.tables import VictimRow


def handovers_of(session: Session, victim_id: str) -> list[Handover]:
    """The accepted transfers of a victim. One that was given back is none of them."""
    accepted = select(ReferralRow).where(
        col(ReferralRow.victim_id) == victim_id,
        col(ReferralRow.custody_seq).is_not(None),
        col(ReferralRow.status).not_in(NOT_TAKEN_ON),
    )
    return [Handover(row.id, row.sender_agency, _link(row)) for row in session.scalars(accepted)]


def restore_link_before(session: Session, victim: VictimRow, custody_seq: int, ours: str) -> None:
    """Make the newest link before ``custody_seq`` the newest again, or none. ``ours``: the code of this agency."""
    before = newest_before(handovers_of(session, victim.id), custody_seq)
    link, at = (None, None) if before is None else (before.link, _accepted_at(session, before.referral_id))
    if link is None and victim.registered_here:
        case = load_case(session, victim.case_id)
        assert case is not None  # a victim of ours is in a case of ours
        link, at = Custody(agency=ours, unit=case.unit, region=case.region, seq=1), victim.registered_at
    victim.custody_agency = link.agency if link else None
    victim.custody_unit = link.unit if link else None
    victim.custody_region = link.region if link else None
    victim.custody_seq = link.seq if link else 0
    victim.custody_at = at


def _link(row: ReferralRow) -> Custody:
    assert row.custody_seq is not None
    return Custody(agency=row.receiver_agency, unit=row.receiver_unit, region=row.receiver_region, seq=row.custody_seq)


def _accepted_at(session: Session, referral_id: str) -> datetime | None:
    """The told moment of the acceptance of a referral (UTC)."""
    bodies = [entry.body for entry in ledger.of_referral(session, referral_id) if entry.type == e.Accepted.type()]
    accepted = Envelope.read(bodies[0]).content() if bodies else None
    return accepted.occurred_at if isinstance(accepted, e.Accepted) else None
