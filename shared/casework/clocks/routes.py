"""Clocks: the table of time limits, and the clocks that are due or overdue at a desk."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from sqlmodel import Session, col

from shared.casework.clocks import store
from shared.casework.clocks.tables import ClockRow
from shared.casework.clocks.views import ClockPage, ClockTable, Shown, clock_rule_view, clock_view, shown
from shared.contracts.types import CODE, UNIT
from shared.http.admission import GuardedRoute, SightDep
from shared.http.dependencies import ChangesDep, Cursor, DatabaseDep, Limit, OfficeDep
from shared.http.long_polling import IfNoneMatch, Prefer, held_list, tag_of
from shared.http.problems import responses
from shared.storage.notifier import Topic
from shared.storage.pages import soonest_first

router = APIRouter(prefix="/v1", tags=["batas waktu"], route_class=GuardedRoute)


@router.get("/clock-table", summary="Tabel batas waktu / The table of clocks")
def list_clock_table(office: OfficeDep) -> ClockTable:
    """Setiap batas waktu dengan dasar hukum, sumber, peristiwa awal, satuan waktu, dan lingkupnya."""
    return ClockTable(items=[clock_rule_view(clock) for clock in office.clocks.by_code.values()])


@router.get(
    "/clocks",
    response_model=ClockPage,
    summary="Yang jatuh tempo dan terlewat / What is due and overdue",
    responses={304: {"description": "Tidak berubah / not changed"}, **responses("unknown-cursor")},
)
async def list_clocks(
    office: OfficeDep,
    sight: SightDep,
    database: DatabaseDep,
    changes: ChangesDep,
    state: Shown = "open",
    unit: Annotated[str | None, Query(pattern=UNIT, max_length=48)] = None,
    clock: Annotated[str | None, Query(pattern=CODE, max_length=48)] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
    prefer: Prefer = None,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Batas waktu milik satuan Anda dan satuan di bawahnya, yang terdekat dahulu. `state=overdue`: yang terlewat dan
    belum dipenuhi. `Prefer: wait=20` menunggu perubahan."""

    def look(session: Session) -> tuple[str, ClockPage]:
        now = database.clock()
        conditions = [store.visible(sight), *shown(state, now)]
        conditions += [col(ClockRow.unit) == unit] if unit else []
        conditions += [col(ClockRow.clock) == clock] if clock else []
        rows, more = soonest_first(session, office.vault, ClockRow, col(ClockRow.due_at), conditions, cursor, limit)
        page = ClockPage(items=[clock_view(row, office, now) for row in rows], next=more)
        return _etag(page), page

    return await held_list(changes, Topic.CLOCKS, lambda: database.read(look), prefer, if_none_match)


def _etag(page: ClockPage) -> str:
    stands = "".join(f"{c.about}{c.clock}{c.unit}{c.state}{c.told}" for c in page.items)
    return tag_of(stands)
