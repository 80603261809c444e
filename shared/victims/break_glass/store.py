"""Read break-glasses: those that exist for a caller, and those without a review."""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, or_, select, true
from sqlmodel import Session, col

from shared.domain.access import Sight
from shared.storage.visibility import of_desk
from shared.victims.identity.tables import BreakGlassRow

REVIEW_WITHIN = timedelta(hours=24)


def review_due(row: BreakGlassRow) -> datetime:
    """The moment (UTC) until which a second person must review the break-glass."""
    return row.opened_at + REVIEW_WITHIN


def is_overdue(row: BreakGlassRow, now: datetime) -> bool:
    """Whether the review is overdue at ``now`` (UTC)."""
    return row.verdict is None and review_due(row) <= now


def unjudged(agency: str) -> ColumnElement[bool]:
    """Break-glasses that our desks opened, without a review and not yet published as overdue."""
    return (
        (col(BreakGlassRow.agency) == agency)
        & col(BreakGlassRow.verdict).is_(None)
        & col(BreakGlassRow.overdue_at).is_(None)
    )


def load_break_glass(session: Session, glass_id: str) -> BreakGlassRow | None:
    """The locked row of a break-glass, or None."""
    return session.scalars(select(BreakGlassRow).where(col(BreakGlassRow.id) == glass_id).with_for_update()).first()


def visible(sight: Sight) -> ColumnElement[bool]:
    """Break-glasses that a desk in sight opened, or at a victim that a desk in sight is responsible for."""
    if sight.units is None:
        return true()
    opened = (col(BreakGlassRow.agency) == sight.agency) & of_desk(sight, BreakGlassRow.unit)
    owned = (col(BreakGlassRow.owner_agency) == sight.agency) & of_desk(sight, BreakGlassRow.owner_unit)
    return or_(opened, owned)
