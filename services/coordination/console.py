"""Coordination's pages: the list of journeys and the timeline of one. The server renders them; htmx is optional and
loads parts of a page faster."""

import asyncio
import re
from dataclasses import dataclass
from datetime import date, timedelta, timezone
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles
from starlette.routing import Mount

from services.coordination import counts, journey_view, queries, words
from services.coordination.journey_view import Reader
from services.coordination.names import Names
from services.coordination.queries import JourneyFilter
from services.coordination.read_models import AlarmView, JourneyView
from services.coordination.sign_in import HEADERS, PageRoute, templates
from shared.contracts.codes import Stage
from shared.contracts.types import UUID7
from shared.domain.refusal import Refused
from shared.domain.text import Text
from shared.http import problems
from shared.http.admission import CallerDep, SightDep
from shared.http.dependencies import DatabaseDep, NowDep, OfficeDep
from shared.http.route_traits import route_traits
from shared.storage.pages import Page

HERE = Path(__file__).parent
PAGE = 25
WIB = timezone(timedelta(hours=7), "WIB")

templates.env.filters["wib"] = lambda moment: moment.astimezone(WIB).strftime("%d-%m-%Y %H.%M WIB") if moment else "–"
templates.env.filters["day"] = lambda day: day.strftime("%d-%m-%Y") if day else "–"
templates.env.filters["number"] = lambda count: words.both(words.FEW) if count.suppressed else f"≥ {count.at_least}"
templates.env.filters["short"] = lambda ident: f"…{ident[-8:]}"

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse, route_class=PageRoute)
STATIC = Mount("/static", route_traits(cacheable=True)(StaticFiles(directory=HERE / "static")), name="static")


@dataclass(frozen=True, slots=True)
class FilterForm:
    """The filters that a person has chosen above the list; empty for no choice, or for an invalid choice."""

    region: str
    stage: str
    agency: str
    show: str
    faults: tuple[Text, ...] = ()

    def wanted(self) -> JourneyFilter:
        """The filter for the query of journeys."""
        return JourneyFilter(
            self.region or None,
            Stage(self.stage) if self.stage else None,
            self.agency or None,
            {"open": True, "closed": False}.get(self.show),
            self.show == "overdue",
            self.show == "escalated",
            self.show == "alarmed",
        )


async def _filter(office: OfficeDep, region: str = "", stage: str = "", agency: str = "", show: str = "") -> FilterForm:
    faults: tuple[Text, ...] = ()
    if region and not office.units.is_region(region):
        faults = (words.NO_SUCH_REGION,)  # what was typed is not said again: it may be a name
        region = ""
    if stage not in words.STAGES:
        stage = ""
    if agency not in words.AGENCIES:
        agency = ""
    return FilterForm(region, stage, agency, show, faults)


@router.get("/")
def list_page(
    request: Request,
    office: OfficeDep,
    database: DatabaseDep,
    sight: SightDep,
    now: NowDep,
    chosen: Annotated[FilterForm, Depends(_filter)],
    cursor: str | None = None,
) -> HTMLResponse:
    """The list of journeys, with filters. An invalid filter is ignored; the page says so of a region."""
    names, wanted = Names(office, now), chosen.wanted()

    def look(session: Any) -> tuple[Any, Any]:
        try:
            page = queries.journeys(session, names, sight, wanted, Page(cursor, PAGE))
        except Refused:
            page = queries.journeys(session, names, sight, wanted, Page(None, PAGE))
        return page, counts.counts(session, names, sight)

    page, numbers = database.read(look)
    context = {
        "page": page,
        "counts": numbers,
        "faults": chosen.faults,
        "filter": {"region": chosen.region, "stage": chosen.stage, "agency": chosen.agency, "show": chosen.show},
        "words": words,
        "region_name": office.units.region_name(chosen.region) if chosen.region else "",
        "more": cursor is not None,
    }
    part = "rows.html" if cursor and request.headers.get("hx-request") else "journeys.html"
    return templates.TemplateResponse(request, part, context, headers=HEADERS)


@router.get("/journeys/{victim_id}")
async def journey_page(
    request: Request,
    victim_id: str,
    office: OfficeDep,
    database: DatabaseDep,
    caller: CallerDep,
    sight: SightDep,
    now: NowDep,
) -> HTMLResponse:
    """One journey: the responsible desk, and everything that happened, latest last. 404 where it does not exist."""
    names, found = Names(office, now), None
    if re.fullmatch(UUID7, victim_id):
        reader = Reader(caller.role, sight)
        look = partial(journey_view.journey, names=names, reader=reader, victim_id=victim_id)
        found = await asyncio.to_thread(database.read, look)
    if found is None:
        return templates.TemplateResponse(request, "missing.html", {}, status_code=404, headers=HEADERS)
    journey = found[1]
    home = office.units.region_name(journey.facts.home) if journey.facts and journey.facts.home else None
    context = {"journey": journey, "timeline": timeline(journey), "home": home, "names": names, "words": words}
    return templates.TemplateResponse(request, "journey.html", context, headers=HEADERS)


def timeline(journey: JourneyView) -> list[dict[str, Any]]:
    """Everything that happened to the person, as entries with ``at`` and ``kind``, oldest first.

    Their moments are days. Within a day the registration comes first, and each kind follows in its own order.
    """
    entries: list[dict[str, Any]] = []
    for handover in journey.handovers:
        entries.append({"at": handover.requested_at, "kind": "handover", "handover": handover})
    for before, stage in zip([None, *journey.stages], journey.stages, strict=False):
        if before and (before.stage, before.unit) == (stage.stage, stage.unit):
            continue  # the start of a service and its desk's own event record the same stage
        entries.append({"at": stage.occurred_at, "kind": "stage", "stage": stage})
    for alarm in journey.alarms:
        entries += [{"at": at, "kind": "alarm", "said": said, "alarm": alarm} for said, at in _said(alarm) if at]
    for link in journey.custody_chain:
        entries.append({"at": link.since, "kind": "custody", "custody": link})
    if journey.closed_at is not None:
        entries.append({"at": journey.closed_at, "kind": "closed"})
    if journey.reopened_at is not None:
        entries.append({"at": journey.reopened_at, "kind": "reopened"})
    order = {"handover": 0, "custody": 1, "stage": 2, "alarm": 3, "reopened": 4, "closed": 5}
    first = [*journey.custody_chain[:1], *journey.stages[:1]]

    def place(entry: dict[str, Any]) -> tuple[date, bool, int]:
        return entry["at"], entry.get(entry["kind"]) not in first, order[entry["kind"]]

    return sorted(entries, key=place)


def _said(alarm: AlarmView) -> list[tuple[str, date | None]]:
    """The events of a clock, and the day of each."""
    stopped = "clock-in-time" if alarm.in_time else "clock-late"
    return [
        ("clock-warned", alarm.warned_at),
        ("clock-breached", alarm.breached_at),
        ("clock-escalated", alarm.escalated_at),
        (stopped, alarm.stopped_at),
    ]


async def on_no_such_page(request: Request, error: Exception) -> Response:
    """Answer an unknown address: a page for a browser, a problem document for an agency's system."""
    refused = await problems.on_http(request, error)
    if refused.status_code == 404 and "text/html" in request.headers.get("accept", ""):
        return templates.TemplateResponse(request, "nowhere.html", {}, status_code=404, headers=HEADERS)
    return refused
