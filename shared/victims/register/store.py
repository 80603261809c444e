"""Read, lock and change the rows of cases and victims."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, bindparam, select
from sqlmodel import Session, col

from shared.contracts.types import Custody, UnitRef
from shared.domain.access import Sight
from shared.domain.refusal import Refused
from shared.domain.words import Speakers
from shared.storage.locked import locked_once
from shared.storage.referrals import EVERY
from shared.victims.register import visibility
from shared.victims.register.tables import CaseRow, VictimRow

_SEEN = select(VictimRow).where(col(VictimRow.id) == bindparam("victim_id"))
_LOCKED = _SEEN.with_for_update()
"""Built once, for every hand-over runs this statement."""


def load_victim(session: Session, victim_id: str) -> VictimRow | None:
    """A victim's row, or None. Locked until the transaction ends, where the database has row locks."""
    return locked_once(session, VictimRow, victim_id, _LOCKED, {"victim_id": victim_id})


def lock_victim(session: Session, sight: Sight | None, victim_id: str, field: str | None = None) -> VictimRow:
    """Lock and return the row of a victim that exists for the caller, in order to change the victim.

    Everything stored about a victim is written under this lock. ``sight`` None: every victim exists for the caller.
    ``field``: the field of the request that named the victim. Raises Refused("unknown-victim").
    """
    statement = _LOCKED if sight is None else _LOCKED.where(visibility.victims(sight))
    return _there(session.scalars(statement, {"victim_id": victim_id}).first(), field)


def see_victim(session: Session, sight: Sight, victim_id: str) -> VictimRow:
    """The row of a victim that exists for the caller, without a lock, for reading. Raises Refused("unknown-victim")."""
    return _there(session.scalars(_SEEN.where(visibility.victims(sight)), {"victim_id": victim_id}).first(), None)


def lock_concerned(session: Session, sight: Sight, victim_id: str) -> VictimRow:
    """Lock and return the row of a victim in whom the caller's desk has or had a part.

    Raises Refused: ``unknown-victim`` or ``not-responsible``.
    """
    victim = lock_victim(session, sight, victim_id)
    _require_part(session, sight, victim_id)
    return victim


def see_concerned(session: Session, sight: Sight, victim_id: str) -> VictimRow:
    """The row of a victim in whom the caller's desk has or had a part, without a lock, for reading.

    Raises Refused: ``unknown-victim`` or ``not-responsible``.
    """
    victim = see_victim(session, sight, victim_id)
    _require_part(session, sight, victim_id)
    return victim


def _require_part(session: Session, sight: Sight, victim_id: str) -> None:
    theirs = select(col(VictimRow.id)).where(col(VictimRow.id) == victim_id, visibility.concerned(sight))
    if session.scalars(theirs).first() is None:
        raise Refused("not-responsible")


def _there(row: VictimRow | None, field: str | None) -> VictimRow:
    if row is None:
        raise Refused("unknown-victim", field=field)
    return row


def load_case(session: Session, case_id: str, condition: ColumnElement[bool] = EVERY) -> CaseRow | None:
    """The row of a case that satisfies the condition, or None."""
    return session.scalars(select(CaseRow).where(col(CaseRow.id) == case_id, condition)).first()


def victims_of(session: Session, case_id: str) -> list[VictimRow]:
    """The victims that we registered in a case of ours, in the order of registration."""
    ours = (col(VictimRow.case_id) == case_id) & col(VictimRow.registered_here)
    statement = select(VictimRow).where(ours).order_by(col(VictimRow.number))
    return list(session.scalars(statement))


def holder_of(victim: VictimRow) -> UnitRef | None:
    """The custody holder of a victim as last known here, or None."""
    if victim.custody_agency is None:
        return None
    return UnitRef(agency=victim.custody_agency, unit=victim.custody_unit or "", region=victim.custody_region or "")


def custody_of(victim: VictimRow) -> Custody | None:
    """The newest custody link of a victim known here, or None."""
    holder = holder_of(victim)
    return None if holder is None else Custody(**dict(holder), seq=victim.custody_seq)


def speakers_of(victim: VictimRow, ours: str) -> Speakers:
    """The agencies whose words about a victim count, as known here. ``ours``: the code of this agency."""
    return Speakers(victim.id, ours, victim.custody_agency)


def require_custody(sight: Sight, victim: VictimRow) -> UnitRef:
    """The custody holder of a victim, when it is a desk in sight. Raises Refused("not-custody-holder")."""
    holder = holder_of(victim)
    if holder is None or not sight.covers(holder):
        raise Refused("not-custody-holder")
    return holder


@dataclass(frozen=True, slots=True)
class CustodyMove:
    """A new link of a victim's custody chain. ``before``: the agency that had custody, as far as known here."""

    victim: VictimRow
    before: str | None


def take_custody(session: Session, victim_id: str, custody: Custody, at: datetime) -> CustodyMove | None:
    """Apply a link of the custody chain, of the told moment ``at`` (UTC). None: the link is not newer, and changes
    nothing."""
    victim = load_victim(session, victim_id)
    if victim is None or custody.seq <= victim.custody_seq:
        return None
    move = CustodyMove(victim, victim.custody_agency)
    victim.custody_agency = custody.agency
    victim.custody_unit = custody.unit
    victim.custody_region = custody.region
    victim.custody_seq = custody.seq
    victim.custody_at = at
    return move
