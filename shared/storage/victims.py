"""Victims and cases in and out of their rows."""

from sqlalchemy import ColumnElement, bindparam, select
from sqlmodel import Session, col

from shared.contracts.types import Custody, UnitRef
from shared.domain.access import Sight
from shared.domain.refusal import Refused
from shared.storage import seen
from shared.storage.agency_tables import CaseRow, VictimRow
from shared.storage.referrals import EVERY

_SEEN = select(VictimRow).where(col(VictimRow.id) == bindparam("victim_id"))
_LOCKED = _SEEN.with_for_update()
"""Built once: every hand-over comes through it."""


def load_victim(session: Session, victim_id: str) -> VictimRow | None:
    """A victim's row, locked until the end of the transaction where the database has such locks."""
    return session.scalars(_LOCKED, {"victim_id": victim_id}).first()


def lock_victim(session: Session, sight: Sight | None, victim_id: str, field: str | None = None) -> VictimRow:
    """The row of a victim that exists for the caller, to be changed: what else is kept of the victim is written under
    this lock. ``sight``: None where it does not matter whose the victim is; ``field``: the one that named the victim.
    Raises Refused("unknown-victim")."""
    statement = _LOCKED if sight is None else _LOCKED.where(seen.victims(sight))
    return _there(session.scalars(statement, {"victim_id": victim_id}).first(), field)


def see_victim(session: Session, sight: Sight, victim_id: str) -> VictimRow:
    """The row of a victim that exists for the caller, only to be looked at. Raises Refused("unknown-victim")."""
    return _there(session.scalars(_SEEN.where(seen.victims(sight)), {"victim_id": victim_id}).first(), None)


def lock_concerned(session: Session, sight: Sight, victim_id: str) -> VictimRow:
    """The row of a victim in whom the caller's desk has or had a part, to be changed. Raises Refused."""
    victim = lock_victim(session, sight, victim_id)
    _require_part(session, sight, victim_id)
    return victim


def see_concerned(session: Session, sight: Sight, victim_id: str) -> VictimRow:
    """The row of a victim in whom the caller's desk has or had a part, only to be looked at. Raises Refused."""
    victim = see_victim(session, sight, victim_id)
    _require_part(session, sight, victim_id)
    return victim


def _require_part(session: Session, sight: Sight, victim_id: str) -> None:
    theirs = select(col(VictimRow.id)).where(col(VictimRow.id) == victim_id, seen.concerned(sight))
    if session.scalars(theirs).first() is None:
        raise Refused("not-responsible")


def _there(row: VictimRow | None, field: str | None) -> VictimRow:
    if row is None:
        raise Refused("unknown-victim", field=field)
    return row


def load_case(session: Session, case_id: str, seen: ColumnElement[bool] = EVERY) -> CaseRow | None:
    """The row of a case, if it is among those ``seen``."""
    return session.scalars(select(CaseRow).where(col(CaseRow.id) == case_id, seen)).first()


def victims_of(session: Session, case_id: str) -> list[VictimRow]:
    """The victims of a case, in the order in which they were registered."""
    statement = select(VictimRow).where(col(VictimRow.case_id) == case_id).order_by(col(VictimRow.number))
    return list(session.scalars(statement))


def holder_of(victim: VictimRow) -> UnitRef | None:
    """Who is responsible for a victim, as far as this agency has ever known it."""
    if victim.custody_agency is None:
        return None
    return UnitRef(agency=victim.custody_agency, unit=victim.custody_unit or "", region=victim.custody_region or "")


def take_custody(session: Session, victim_id: str, custody: Custody, agency: str) -> VictimRow | None:
    """Add a link to the custody chain as we know it; answers the victim if they have left ``agency`` with it. An older
    link than the one we know changes nothing."""
    victim = load_victim(session, victim_id)
    if victim is None or custody.seq <= victim.custody_seq:
        return None
    left = victim.custody_agency == agency != custody.agency
    victim.custody_agency = custody.agency
    victim.custody_unit = custody.unit
    victim.custody_region = custody.region
    victim.custody_seq = custody.seq
    return victim if left else None
