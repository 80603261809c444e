"""HTTP route: the alarms about match tokens."""

from datetime import date

from fastapi import APIRouter
from pydantic import BaseModel, Field
from sqlalchemy import ColumnElement, true
from sqlmodel import Session, col

from services.coordination.counts import count_view
from services.coordination.read_models import CountView
from services.coordination.tables import MatchAlarmRow
from shared.contracts.codes import MatchKind
from shared.domain.access import Sight
from shared.domain.anonymity import at_least, day_of
from shared.http.admission import GuardedRoute, SightDep
from shared.http.dependencies import DatabaseDep, OfficeDep, PageDep
from shared.http.openapi import responses
from shared.storage.pages import newest_first

router = APIRouter(prefix="/v1", tags=["orang yang sama"], route_class=GuardedRoute)


class MatchAlarmView(BaseModel):
    """An alarm about match tokens: the desk, a day and a rounded count. It names no victim and no number.

    It is raised in the moment of a registration, and its count is of people. So it follows decision 0039.
    """

    reason: str = Field(description="`number-of-many` or `meetings-without-referral`.")
    kind: MatchKind | None
    agency: str
    unit: str
    count: CountView = Field(
        description="Orang dengan satu nomor; atau pertemuan tanpa rujukan. / People, or meetings."
    )
    raised_at: date


class MatchAlarmPage(BaseModel):
    """One page of alarms, newest first. Send ``next`` as ``cursor`` for the following page."""

    items: list[MatchAlarmView]
    next: str | None


@router.get("/match-alarms", summary="Alarm pembanding / Alarms of matching", responses=responses("unknown-cursor"))
def list_match_alarms(office: OfficeDep, sight: SightDep, database: DatabaseDep, page: PageDep) -> MatchAlarmPage:
    """Satu nomor di bawah terlalu banyak orang, atau satuan yang pendaftarannya berulang kali bertemu korban instansi
    lain tanpa rujukan. Terbaru dahulu.

    A number under too many people. Or a desk whose registrations meet victims of other agencies often, without a
    referral. Newest first.
    """

    def look(session: Session) -> MatchAlarmPage:
        rows, more = newest_first(session, office.vault, MatchAlarmRow, [_seen(sight)], page)
        return MatchAlarmPage(items=[_view(row) for row in rows], next=more)

    return database.read(look)


def _view(row: MatchAlarmRow) -> MatchAlarmView:
    return MatchAlarmView(
        reason=row.reason,
        kind=MatchKind(row.kind) if row.kind else None,
        agency=row.agency,
        unit=row.unit,
        count=count_view(at_least(row.count)),
        raised_at=day_of(row.raised_at),
    )


def _seen(sight: Sight) -> ColumnElement[bool]:
    return true() if sight.regions is None else col(MatchAlarmRow.region).in_(sorted(sight.regions))
