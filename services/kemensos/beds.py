"""Assign, release, add and remove beds. A ward's rows are locked meanwhile, so that no bed is given twice."""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import func, select
from sqlmodel import Session, col

from services.kemensos.shelter import SEPARATE, WARDS, wards_for
from services.kemensos.tables import BedRow
from shared.casework.records.filing import Effect
from shared.casework.records.tables import RecordRow
from shared.contracts.codes import AgeClass, Sex
from shared.domain.refusal import Refused
from shared.domain.routing import farness
from shared.reference.office import Office
from shared.storage.unit_of_work import Transaction
from shared.victims.register.store import load_victim
from shared.victims.register.tables import VictimRow

INSTEAD = 3
"""Other shelters that a refusal names, at most."""


def set_up(tx: Transaction, _: Office, row: RecordRow, values: Mapping[str, Any]) -> None:
    """Set how many beds a desk has in each ward. ``values``: ward code with underscores → number of beds.

    Raises Refused("beds-in-use") where victims lie in more beds than would remain.
    """
    for ward in WARDS:
        field = ward.replace("-", "_")
        beds, wanted = _lock(tx, row.unit, ward), int(values[field])
        free = [bed for bed in beds if bed.victim_id is None]
        if (taken := len(beds) - len(free)) > wanted:
            raise Refused("beds-in-use", field=field, taken=str(taken))
        for bed in free[: max(len(beds) - wanted, 0)]:
            tx.session.delete(bed)
        used = {bed.number for bed in beds}
        unused = (number for number in itertools.count(1) if number not in used)
        for number in itertools.islice(unused, max(wanted - len(beds), 0)):
            tx.session.add(BedRow(unit=row.unit, ward=ward, number=number))


def assign(tx: Transaction, office: Office, row: RecordRow, values: Mapping[str, Any]) -> None:
    """Assign a victim a bed at the desk that files the form. A correction replaces the bed assigned before.

    Raises Refused: "ward-not-for-them", "already-has-bed", or "no-bed-free" with the nearest shelters that have one.
    """
    victim = load_victim(tx.session, row.victim_id or "")
    assert victim is not None  # a form about a victim: ``filing.file`` has locked the victim's row
    ward = str(values["ward"])
    allowed = wards_for(Sex(victim.sex), AgeClass(victim.rule_age))
    if victim.sex_disputed:  # until the custody holder settles it, no ward of either sex
        allowed = frozenset({SEPARATE})
    if ward not in allowed:
        raise Refused("ward-not-for-them", field="ward", wards=", ".join(sorted(allowed)))
    if (has := _bed_of(tx.session, victim.id)) is not None:
        if row.corrects is None:
            raise Refused("already-has-bed")
        has.victim_id = has.since = None
        tx.session.flush()
    bed = next((bed for bed in _lock(tx, row.unit, ward) if bed.victim_id is None), None)
    if bed is None:
        raise Refused("no-bed-free", field="ward", instead=_elsewhere(tx, office, row, ward))
    bed.victim_id, bed.since = victim.id, row.occurred_at


def release(tx: Transaction, _: Office, row: RecordRow, __: Mapping[str, Any]) -> None:
    """Release a victim's bed, at any shelter. Raises Refused("has-no-bed")."""
    if row.corrects is not None:
        return  # the corrected record has released the bed
    bed = _bed_of(tx.session, row.victim_id or "")
    if bed is None:
        raise Refused("has-no-bed")
    bed.victim_id = bed.since = None


EFFECTS: Mapping[str, Effect] = {"shelter-beds": set_up, "bed-assigned": assign, "bed-released": release}
"""Form code → the change of beds when such a form is filed."""


def _bed_of(session: Session, victim_id: str) -> BedRow | None:
    return session.scalars(select(BedRow).where(col(BedRow.victim_id) == victim_id).with_for_update()).first()


def _lock(tx: Transaction, unit: str, ward: str) -> Sequence[BedRow]:
    """Lock all beds of a ward until the commit, and free the beds of victims whose journey has ended."""
    here = (col(BedRow.unit) == unit) & (col(BedRow.ward) == ward)
    statement = select(BedRow).where(here).order_by(col(BedRow.number)).with_for_update()
    beds = tx.session.scalars(statement.execution_options(populate_existing=True)).all()
    lying = [bed.victim_id for bed in beds if bed.victim_id is not None]
    ended = set(tx.session.scalars(_ended().where(col(VictimRow.id).in_(lying)))) if lying else set()
    for bed in beds:
        if bed.victim_id in ended:
            bed.victim_id = bed.since = None
    tx.session.flush()
    return beds


def _ended() -> Any:
    return select(col(VictimRow.id)).where(col(VictimRow.closed_at).is_not(None))


def _elsewhere(tx: Transaction, office: Office, row: RecordRow, ward: str) -> str:
    """The nearest other shelters with a free bed in a ward, as text for a refusal; "–" where there is none."""
    free = {unit for (unit, of), (taken, beds) in counts(tx.session).items() if of == ward and beds > taken}
    return ", ".join(nearest(office, free - {row.unit}, row.region)[:INSTEAD]) or "–"


def nearest(office: Office, units: Iterable[str], region: str) -> list[str]:
    """Sort these Kemensos desks, nearest to a region (Kemendagri code) first."""
    desks = [office.units.units[office.code, unit][-1] for unit in units]
    return [desk.id for desk in sorted(desks, key=lambda desk: farness(desk, region))]


def counts(session: Session) -> dict[tuple[str, str], tuple[int, int]]:
    """(desk, ward) → (beds taken, all beds). A victim whose journey has ended takes no bed."""
    lying = col(BedRow.victim_id).is_not(None) & col(BedRow.victim_id).not_in(_ended())
    statement = select(col(BedRow.unit), col(BedRow.ward), func.count().filter(lying), func.count())
    rows = session.execute(statement.group_by(col(BedRow.unit), col(BedRow.ward)))
    return {(unit, ward): (taken, beds) for unit, ward, taken, beds in rows}
