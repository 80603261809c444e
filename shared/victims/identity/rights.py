"""The right of a caller to read what is sealed about a victim, and the ground of that right."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import select
from sqlmodel import col

from shared.contracts.codes import IdentityField
from shared.domain.access import Sight, Work, fields_shown
from shared.reference.acting import Acting
from shared.reference.office import Office
from shared.storage import referrals
from shared.storage.tables import ReferralRow
from shared.victims.identity import store
from shared.victims.identity.tables import BreakGlassRow
from shared.victims.register.store import holder_of, lock_victim
from shared.victims.register.tables import VictimRow


class Ground(StrEnum):
    """The ground of a right to read, as the access log stores it."""

    CUSTODY = "custody"
    WORK = "work"
    """The desk has no custody. It reads the fields that its services at work need, or none."""
    BREAK_GLASS = "break-glass"
    AUTHOR = "author"
    """The desk wrote the text itself."""
    MATCH = "match"
    """Another agency wrote down an identifier that the person has, and so searched for the person."""
    REVIEW = "review"
    """A second person reviews a break-glass, and reads its written reason."""


@dataclass(frozen=True, slots=True)
class Right:
    """The fields that a caller may read, the ground, and the break-glass that is used or reviewed, if any."""

    fields: frozenset[IdentityField]
    ground: Ground
    glass: BreakGlassRow | None = None


AUTHOR = Right(frozenset(), Ground.AUTHOR)
"""The right of a desk without custody or work for the victim: it reads its own notes."""


def right_of(acting: Acting, victim_id: str) -> tuple[VictimRow, Right]:
    """A victim that exists for the caller, and the caller's right to read. An open break-glass comes before the
    desk."""
    session = acting.tx.session
    glass = session.scalars(
        select(BreakGlassRow).where(col(BreakGlassRow.victim_id) == victim_id, store.open_for(acting))
    ).first()
    # an open break-glass counts also where the caller's desk has a smaller right
    victim = lock_victim(session, acting.sight if glass is None else None, victim_id)
    if glass is not None:
        return victim, Right(frozenset(IdentityField), Ground.BREAK_GLASS, glass)
    live = referrals.live_of_victim(session, victim_id)
    return victim, ordinary_right(acting.office, acting.sight, victim, live)


def ordinary_right(office: Office, sight: Sight, victim: VictimRow, live: Sequence[ReferralRow]) -> Right:
    """The right that follows from custody and from services at work. ``live``: the victim's live referrals."""
    needs = {service.code: service.needs for service in office.agency.services}
    works = [
        Work(referral.receiver, referral.status, needs.get(referral.service, frozenset()))
        for referral in map(referrals.to_referral, live)
        if referral.receiver.agency == office.code
    ]
    holder = holder_of(victim)
    ground = Ground.CUSTODY if sight.covers(holder) else Ground.WORK
    return Right(fields_shown(sight, holder, works), ground)
