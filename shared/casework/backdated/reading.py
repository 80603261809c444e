"""Read the list of facts that were told late, and the notes beside them."""

from sqlalchemy import ColumnElement, select
from sqlmodel import col

from shared.domain.access import Sight
from shared.domain.refusal import Refused
from shared.reference.acting import Acting
from shared.storage.agency_tables import BackdatedRow
from shared.storage.visibility import of_desk
from shared.victims.identity import rights
from shared.victims.identity.reading_notes import read_beside
from shared.victims.sealed.notes import note_under


def visible(sight: Sight) -> ColumnElement[bool]:
    """What desks in sight told late."""
    return of_desk(sight, BackdatedRow.unit)


def read_note(acting: Acting, row_id: str, purpose: str) -> str | None:
    """The note beside a fact that was told late, or None. The reading is logged for the victim, if there is one.

    Raises Refused: ``unknown-backdating`` or ``unknown-victim``.
    """
    wanted = select(BackdatedRow).where(col(BackdatedRow.id) == row_id, visible(acting.sight))
    row = acting.tx.session.scalars(wanted).first()
    if row is None:
        raise Refused("unknown-backdating")
    if row.noted_under is None or row.noted_beside is None:
        return None
    if row.victim_id is None:
        return note_under(acting.tx.session, acting.office, row.noted_under, row.noted_beside)
    victim, right = rights.right_of(acting, row.victim_id)
    return read_beside(acting, victim.id, right, [row.noted_beside], purpose).get(row.noted_beside)
