"""Coordination's JSON API: journeys, custody, counts, norm gaps."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Response
from sqlmodel import Session

from services.coordination import journey_view, queries
from services.coordination import read_models as m
from services.coordination.access import journeys_seen
from services.coordination.names import Names
from services.coordination.queries import JourneyFilter
from shared.contracts.codes import Stage
from shared.contracts.types import CODE, REGION, AskedMoment
from shared.domain.refusal import Refused
from shared.http.admission import GuardedRoute, SightDep
from shared.http.dependencies import DatabaseDep, IdPath, LongPollDep, NowDep, OfficeDep, PageDep
from shared.http.openapi import responses

router = APIRouter(prefix="/v1", tags=["perjalanan"], route_class=GuardedRoute)

Region = Annotated[str | None, Query(pattern=REGION, description="Wilayah penanggung jawab / of the custody holder")]
AgencyCode = Annotated[str | None, Query(pattern=CODE, max_length=48)]
Truth = Literal["true", "false"]


# coroutines, as in ``shared.http.dependencies``: plain functions would each be handed to a thread
async def _wanted(
    region: Region = None,
    stage: Stage | None = None,
    agency: AgencyCode = None,
    open: Truth | None = None,
    overdue: Literal["true"] | None = None,
    escalated: Literal["true"] | None = None,
) -> JourneyFilter:
    is_open = None if open is None else open == "true"
    return JourneyFilter(region, stage, agency, is_open, overdue is not None, escalated is not None)


JourneyFilterDep = Annotated[JourneyFilter, Depends(_wanted)]


@router.get("/journeys", summary="Daftar perjalanan / List journeys", responses=responses("unknown-cursor"))
def list_journeys(
    office: OfficeDep,
    database: DatabaseDep,
    sight: SightDep,
    now: NowDep,
    wanted: JourneyFilterDep,
    page: PageDep,
) -> m.JourneyPage:
    """Terbaru dahulu. `open=false`: yang sudah ditutup. `overdue=true`: ada rujukan yang lewat batas waktu.
    `escalated=true`: ada batas waktu terlewat yang sudah disampaikan ke satuan di atasnya."""
    return database.read(lambda s: queries.journeys(s, Names(office, now), sight, wanted, page))


@router.get(
    "/journeys/{victim_id}",
    response_model=m.JourneyView,
    summary="Lihat perjalanan / See a journey",
    responses={304: {"description": "Tidak berubah / not changed"}, **responses("unknown-journey")},
)
async def see_journey(
    victim_id: IdPath,
    office: OfficeDep,
    database: DatabaseDep,
    sight: SightDep,
    poll: LongPollDep,
) -> Response:
    """Setiap serah terima, penanggung jawab kini dan sepanjang waktu. `Prefer: wait=20` menunggu perubahan."""

    def look(session: Session) -> tuple[str, m.JourneyView] | None:
        return journey_view.journey(session, Names(office, database.now()), sight, victim_id)

    response = await poll.until_changed(victim_id, lambda: database.read(look))
    if response is None:
        raise Refused("unknown-journey")
    return response


@router.get(
    "/journeys/{victim_id}/custody",
    summary="Penanggung jawab pada suatu saat / Custody at a moment",
    responses=responses("unknown-journey"),
)
def see_custody(
    victim_id: IdPath,
    office: OfficeDep,
    database: DatabaseDep,
    sight: SightDep,
    now: NowDep,
    at: AskedMoment | None = None,
) -> m.Holder:
    """Tanpa `at`: sekarang."""

    def look(session: Session) -> m.Holder:
        if queries.journey_row(session, victim_id, journeys_seen(sight)) is None:
            raise Refused("unknown-journey")
        return journey_view.holder_at(session, Names(office, now), victim_id, at or now)

    return database.read(look)


@router.get("/counts", summary="Jumlah / Counts")
def see_counts(database: DatabaseDep, sight: SightDep, now: NowDep) -> m.Counts:
    """Perjalanan menurut tahap, instansi dan provinsi; rujukan menurut status; yang lewat batas waktu."""
    return database.read(lambda session: queries.counts(session, sight, now))


@router.get("/norm-gaps", summary="Kekosongan norma / Norm gaps", responses=responses("unknown-cursor"))
def list_norm_gaps(
    office: OfficeDep,
    database: DatabaseDep,
    sight: SightDep,
    now: NowDep,
    page: PageDep,
) -> m.NormGapPage:
    """Serah terima yang gagal karena tidak ada aturannya: bahan Subsatgas Pengembangan Norma."""
    return database.read(lambda session: queries.norm_gaps(session, Names(office, now), sight, page))
