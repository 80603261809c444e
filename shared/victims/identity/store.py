"""SQL conditions: the rows of the access log that exist for a caller, and the caller's open break-glasses."""

from sqlalchemy import ColumnElement, and_
from sqlmodel import col

from shared.domain.access import Sight
from shared.reference.acting import Acting
from shared.storage.visibility import of_desk
from shared.victims.identity.tables import AccessRow, BreakGlassRow


def visible(sight: Sight) -> ColumnElement[bool]:
    """Rows of the access log for reads by a desk in sight."""
    return of_desk(sight, AccessRow.unit)


def opened_by(acting: Acting) -> ColumnElement[bool]:
    """Break-glasses that the caller has opened here."""
    return and_(
        col(BreakGlassRow.agency) == acting.office.code,
        col(BreakGlassRow.client) == acting.caller.client,
        col(BreakGlassRow.person) == acting.caller.person,
    )


def open_for(acting: Acting) -> ColumnElement[bool]:
    """Break-glasses that the caller has opened here and that are still open."""
    return and_(
        opened_by(acting),
        col(BreakGlassRow.ended_at).is_(None),
        col(BreakGlassRow.until) > acting.tx.now,
    )
