"""HTTP answers about break-glasses."""

from datetime import datetime

from pydantic import BaseModel

from shared.contracts.codes import BreakGlassEnd, BreakGlassReason, Verdict
from shared.contracts.types import Id, Moment
from shared.victims.break_glass.store import is_overdue, review_due
from shared.victims.identity.tables import BreakGlassRow


class BreakGlassView(BaseModel):
    """A break-glass (akses darurat): emergency access to an identity without the ordinary right.

    ``looks`` counts the readings. A second person of another desk must review it by ``review_due_at`` (UTC).
    ``person`` is the pseudonym of the human; empty where the token named none, null for another agency's.
    """

    id: Id
    victim_id: Id
    agency: str
    unit: str
    client: str | None
    person: str | None
    reason: BreakGlassReason
    opened_at: Moment
    until: Moment
    looks: int
    end: BreakGlassEnd | None
    ended_at: Moment | None
    verdict: Verdict | None
    reviewed_at: Moment | None
    review_due_at: Moment
    review_overdue: bool


def break_glass_view(row: BreakGlassRow, now: datetime) -> BreakGlassView:
    """The view of a break-glass at a moment."""
    return BreakGlassView(
        id=row.id,
        victim_id=row.victim_id,
        agency=row.agency,
        unit=row.unit,
        client=row.client,
        person=row.person,
        reason=BreakGlassReason(row.reason),
        opened_at=row.opened_at,
        until=row.until,
        looks=row.looks,
        end=BreakGlassEnd(row.end) if row.end else None,
        ended_at=row.ended_at,
        verdict=Verdict(row.verdict) if row.verdict else None,
        reviewed_at=row.reviewed_at,
        review_due_at=review_due(row),
        review_overdue=is_overdue(row, now),
    )


class BreakGlassNote(BaseModel):
    """The reason for a break-glass, in the words of the person who opened it."""

    text: str


class BreakGlassPage(BaseModel):
    """One page of break-glasses, newest first. Send ``next`` as ``cursor`` for the following page."""

    items: list[BreakGlassView]
    next: str | None
