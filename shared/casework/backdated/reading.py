"""Read the list of facts that were told late, and the notes beside them."""

from sqlalchemy import ColumnElement, select
from sqlmodel import col

from shared.domain.access import Sight
from shared.domain.refusal import Refused
from shared.reference.acting import Acting
from shared.storage.agency_tables import BackdatedRow
from shared.storage.visibility import of_desk
from shared.victims.identity import access_log, rights
from shared.victims.identity.rights import AUTHOR
from shared.victims.sealed import notes as sealed_notes


def visible(sight: Sight) -> ColumnElement[bool]:
    """What desks in sight told late."""
    return of_desk(sight, BackdatedRow.unit)


def read_note(acting: Acting, row_id: str, purpose: str) -> str | None:
    """The note beside a fact that was told late, or None. The reading is logged.

    Raises Refused: ``unknown-backdating`` or ``unknown-victim``.
    """
    wanted = select(BackdatedRow).where(col(BackdatedRow.id) == row_id, visible(acting.sight))
    row = acting.tx.session.scalars(wanted).first()
    if row is None:
        raise Refused("unknown-backdating")
    if row.victim_id is None or row.noted_beside is None:
        return None
    victim, right = rights.right_of(acting, row.victim_id)
    held = right.glass is not None
    found = sealed_notes.notes(acting.tx.session, acting.office, victim.id, [row.noted_beside], legal_hold=held)
    if found:
        access_log.log(acting, victim.id, purpose, right if right.fields else AUTHOR, [access_log.NOTED])
        access_log.count_look(right)
    return found.get(row.noted_beside)
