"""Victims and cases in and out of their rows."""

from sqlalchemy import ColumnElement, bindparam, select
from sqlmodel import Session, col

from shared.contracts.types import Custody, UnitRef
from shared.storage.agency_tables import CaseRow, VictimRow
from shared.storage.referrals import EVERY

_LOADED = select(VictimRow).where(col(VictimRow.id) == bindparam("victim_id")).with_for_update()
"""Built once: every hand-over comes through it."""


def load_victim(session: Session, victim_id: str, seen: ColumnElement[bool] = EVERY) -> VictimRow | None:
    """A victim's row if it is among those ``seen``, locked until the end of the transaction where the database has
    such locks."""
    statement = _LOADED if seen is EVERY else _LOADED.where(seen)
    return session.scalars(statement, {"victim_id": victim_id}).first()


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


def take_custody(session: Session, victim_id: str, custody: Custody) -> None:
    """Add a link to the custody chain as we know it. An older link than the one we know changes nothing."""
    victim = load_victim(session, victim_id)
    if victim is None or custody.seq <= victim.custody_seq:
        return
    victim.custody_agency = custody.agency
    victim.custody_unit = custody.unit
    victim.custody_region = custody.region
    victim.custody_seq = custody.seq
