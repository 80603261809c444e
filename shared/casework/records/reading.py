"""Read a filed form: the sealed fields that the caller may read. Each reading is logged."""

from typing import Any

from sqlalchemy import select
from sqlmodel import col

from shared.casework.records import store
from shared.casework.records.tables import RecordRow
from shared.contracts.types import DeskRef
from shared.domain.refusal import Refused
from shared.reference.acting import Acting
from shared.victims.identity import access_log, rights
from shared.victims.identity import store as identity_store
from shared.victims.identity.rights import AUTHOR, Ground
from shared.victims.identity.tables import BreakGlassRow
from shared.victims.sealed import records as sealed_records
from shared.victims.sealed import store as sealed


def sealed_under(row: RecordRow) -> str:
    """The victim, case or record whose key seals the fields. Erasing the victim, or the last of a case, erases them."""
    if row.victim_id is not None:
        return sealed.of_victim(row.victim_id)
    return sealed.of_case(row.case_id) if row.case_id is not None else sealed.of_record(row.id)


def read(acting: Acting, record_id: str, purpose: str) -> tuple[RecordRow, dict[str, Any]]:
    """A record and those sealed fields that the caller may read; each reading is logged. Raises Refused.

    The desk that filed the record reads all of it. So do units with custody of the victim, and an open break-glass.
    Other callers who may know of the record read its clear fields.
    """
    tx, office = acting.tx, acting.office
    looking = select(col(BreakGlassRow.victim_id)).where(identity_store.open_for(acting))
    here = store.visible(acting.sight) | col(RecordRow.victim_id).in_(looking)
    row = store.load(tx.session, record_id, here)
    if row is None:
        raise Refused("unknown-record")
    ours = acting.sight.covers(DeskRef(agency=office.code, unit=row.unit))
    if row.victim_id is None:
        return row, sealed_records.record_fields(tx.session, office, sealed_under(row), row.id) if ours else {}
    victim, right = rights.right_of(acting, row.victim_id)
    if not ours and right.ground is Ground.WORK:
        return row, {}
    found = sealed_records.record_fields(
        tx.session, office, sealed_under(row), row.id, legal_hold=right.glass is not None
    )
    if found:
        access_log.log(acting, victim.id, purpose, AUTHOR if ours and not right.fields else right, [row.form])
        access_log.count_look(right)
    return row, found
