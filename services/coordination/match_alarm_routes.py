"""HTTP route: the alarms about match tokens."""

from fastapi import APIRouter
from pydantic import BaseModel, Field
from sqlalchemy import ColumnElement, true
from sqlmodel import Session, col

from services.coordination.tables import MatchAlarmRow
from shared.contracts.codes import MatchKind
from shared.contracts.types import Moment
from shared.domain.access import Sight
from shared.http.admission import GuardedRoute, SightDep
from shared.http.dependencies import DatabaseDep, OfficeDep, PageDep
from shared.http.openapi import responses
from shared.storage.pages import newest_first

router = APIRouter(prefix="/v1", tags=["orang yang sama"], route_class=GuardedRoute)


class MatchAlarmView(BaseModel):
    """An alarm about match tokens: the desk, and a count. It names no victim and no number."""

    reason: str = Field(description="`number-of-many` or `meetings-without-referral`.")
    kind: MatchKind | None
    agency: str
    unit: str
    count: int = Field(description="Orang dengan satu nomor; atau pertemuan tanpa rujukan. / People, or meetings.")
    raised_at: Moment


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
        return MatchAlarmPage(
            items=[MatchAlarmView.model_validate(row, from_attributes=True) for row in rows], next=more
        )

    return database.read(look)


def _seen(sight: Sight) -> ColumnElement[bool]:
    return true() if sight.regions is None else col(MatchAlarmRow.region).in_(sorted(sight.regions))
