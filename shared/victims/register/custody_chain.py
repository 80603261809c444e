"""The custody chain of a victim, as the transfers show it that this agency knows of."""

from datetime import datetime

from sqlalchemy import bindparam, select
from sqlmodel import Session, col

from shared.contracts import events as e
from shared.contracts.envelope import Envelope
from shared.contracts.types import Custody
from shared.domain.access import NOT_TAKEN_ON
from shared.storage import ledger
from shared.storage.tables import ReferralRow
from shared.victims.register.store import load_case
from shared.victims.register.tables import VictimRow

_BEFORE = (
    select(ReferralRow)
    .where(
        col(ReferralRow.victim_id) == bindparam("victim_id"),
        col(ReferralRow.custody_seq) < bindparam("custody_seq"),
        col(ReferralRow.status).not_in(NOT_TAKEN_ON),
    )
    .order_by(col(ReferralRow.custody_seq).desc(), col(ReferralRow.number))
    .limit(1)
)


def restore_link_before(session: Session, victim: VictimRow, custody_seq: int, ours: str) -> None:
    """Make the newest link before ``custody_seq`` the newest again, or none. ``ours``: the code of this agency.

    Each accepted transfer holds its link, and our own registration holds link 1. So no second copy is kept.
    """
    link, at = _link_before(session, victim, custody_seq, ours)
    victim.custody_agency = link.agency if link else None
    victim.custody_unit = link.unit if link else None
    victim.custody_region = link.region if link else None
    victim.custody_seq = link.seq if link else 0
    victim.custody_at = at


def _link_before(
    session: Session, victim: VictimRow, custody_seq: int, ours: str
) -> tuple[Custody | None, datetime | None]:
    row = session.scalars(_BEFORE, {"victim_id": victim.id, "custody_seq": custody_seq}).first()
    if row is not None and row.custody_seq is not None:
        receiver = {"agency": row.receiver_agency, "unit": row.receiver_unit, "region": row.receiver_region}
        return Custody.model_validate({**receiver, "seq": row.custody_seq}), _accepted_at(session, row.id)
    if not victim.registered_here:
        return None, None
    case = load_case(session, victim.case_id)
    assert case is not None  # a victim of ours is in a case of ours
    return Custody(agency=ours, unit=case.unit, region=case.region, seq=1), victim.registered_at


def _accepted_at(session: Session, referral_id: str) -> datetime | None:
    """The told moment of the acceptance of a referral (UTC)."""
    bodies = [entry.body for entry in ledger.of_referral(session, referral_id) if entry.type == e.Accepted.type()]
    accepted = Envelope.read(bodies[0]).content() if bodies else None
    return accepted.occurred_at if isinstance(accepted, e.Accepted) else None
