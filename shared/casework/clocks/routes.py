"""Clocks: the table of time limits, and the clocks that are due or overdue at a desk."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response
from sqlalchemy import ColumnElement
from sqlmodel import Session, col

from shared.casework.clocks import store
from shared.casework.clocks.tables import ClockRow
from shared.casework.clocks.views import ClockPage, ClockTable, Shown, clock_rule_view, clock_view, shown
from shared.contracts.types import CODE, UNIT
from shared.http.admission import GuardedRoute, SightDep
from shared.http.dependencies import DatabaseDep, LongPollDep, OfficeDep, PageDep
from shared.http.long_polling import tag_of
from shared.http.openapi import responses
from shared.storage.notifier import Topic
from shared.storage.pages import soonest_first

router = APIRouter(prefix="/v1", tags=["batas waktu"], route_class=GuardedRoute)


@router.get("/clock-table", summary="Tabel batas waktu / The table of clocks")
def list_clock_table(office: OfficeDep) -> ClockTable:
    """Setiap batas waktu dengan dasar hukum, sumber, peristiwa awal, satuan waktu, dan lingkupnya.

    Each clock with its legal basis, source, start event, unit of time and scope.
    """
    return ClockTable(items=[clock_rule_view(clock) for clock in office.clocks.by_code.values()])


@dataclass(frozen=True, slots=True)
class ClockFilter:
    """Which clocks a list shows. ``unit`` and ``clock`` None: this field does not filter."""

    state: Shown
    unit: str | None
    clock: str | None

    def conditions(self, now: datetime) -> list[ColumnElement[bool]]:
        """The filter as SQL conditions. ``now``: UTC."""
        found = list(shown(self.state, now))
        found += [col(ClockRow.unit) == self.unit] if self.unit else []
        found += [col(ClockRow.clock) == self.clock] if self.clock else []
        return found


# a coroutine, as in ``shared.http.dependencies``: FastAPI would run a plain function in a thread
async def _filter(
    state: Shown = "open",
    unit: Annotated[str | None, Query(pattern=UNIT, max_length=48)] = None,
    clock: Annotated[str | None, Query(pattern=CODE, max_length=48)] = None,
) -> ClockFilter:
    return ClockFilter(state, unit, clock)


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
    poll: LongPollDep,
    wanted: Annotated[ClockFilter, Depends(_filter)],
    page: PageDep,
) -> Response:
    """Batas waktu milik satuan Anda dan satuan di bawahnya, yang terdekat dahulu. `state=overdue`: yang terlewat dan
    belum dipenuhi. `Prefer: wait=20` menunggu perubahan.

    The clocks of your desk and of those below, the nearest first. `state=overdue`: those missed and not yet met.
    `Prefer: wait=20` waits for a change.
    """

    def look(session: Session) -> tuple[str, ClockPage]:
        now = database.now()
        conditions = [store.visible(sight), *wanted.conditions(now)]
        rows, more = soonest_first(session, office.vault, ClockRow, col(ClockRow.due_at), conditions, page)
        clocks = ClockPage(items=[clock_view(row, office, now) for row in rows], next=more)
        return _etag(clocks), clocks

    return await poll.list_until_changed(Topic.CLOCKS, lambda: database.read(look))


def _etag(page: ClockPage) -> str:
    stands = "".join(f"{c.about}{c.clock}{c.unit}{c.state}{c.told}" for c in page.items)
    return tag_of(stands)
