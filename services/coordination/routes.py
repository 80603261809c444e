"""Coordination's JSON API: journeys, custody, counts, norm gaps."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Response
from sqlmodel import Session

from services.coordination import counts, journey_view, queries
from services.coordination import read_models as m
from services.coordination.access import journeys_seen
from services.coordination.journey_view import Reader
from services.coordination.names import Names
from services.coordination.queries import JourneyFilter
from shared.contracts.codes import Stage
from shared.contracts.types import CODE, REGION, AskedMoment
from shared.domain.anonymity import day_of
from shared.domain.refusal import Refused
from shared.http.admission import CallerDep, GuardedRoute, SightDep
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
    alarmed: Literal["true"] | None = None,
) -> JourneyFilter:
    is_open = None if open is None else open == "true"
    late, told, disputed = (asked is not None for asked in (overdue, escalated, alarmed))
    return JourneyFilter(region, stage, agency, is_open, late, told, disputed)


JourneyFilterDep = Annotated[JourneyFilter, Depends(_wanted)]


async def _reader(caller: CallerDep, sight: SightDep) -> Reader:
    return Reader(caller.role, sight)


ReaderDep = Annotated[Reader, Depends(_reader)]


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
    `escalated=true`: ada batas waktu terlewat yang sudah disampaikan ke satuan di atasnya. `alarmed=true`: ada
    keterangan yang bertentangan, atau dibuka kembali setelah ditutup.

    Newest first. `open=false`: those closed. `overdue=true`: a referral is overdue. `escalated=true`: a missed clock
    has been told to the desk above. `alarmed=true`: words contradict each other, or it was opened again after its end.
    """
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
    reader: ReaderDep,
    poll: LongPollDep,
) -> Response:
    """Setiap serah terima, penanggung jawab kini dan sepanjang waktu, per hari. `Prefer: wait=20` menunggu perubahan.
    Provinsi melihat bagian tempat satuannya sendiri berperan (`part`). Fakta korban (`facts`) tampil bagi koordinator
    wilayah penanggung jawab saja.

    Each hand-over, and the responsible desk now and over time, by day. `Prefer: wait=20` waits for a change. A province
    sees the part in which its own desks stood (`part`). Facts of the victim (`facts`) are shown to coordinators of the
    responsible desk's region alone.
    """

    def look(session: Session) -> tuple[str, m.JourneyView] | None:
        return journey_view.journey(session, Names(office, database.now()), reader, victim_id)

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
    """Pada akhir hari `at` (waktu Jakarta). Tanpa `at`: sekarang.

    At the end of the day `at` (Jakarta time). Without `at`: now.
    """

    def look(session: Session) -> m.Holder:
        row = queries.journey_row(session, victim_id, journeys_seen(sight))
        if row is None:
            raise Refused("unknown-journey")
        part = journey_view.seen(session, sight, row)
        return journey_view.holder_at(session, Names(office, now), part, day_of(at or now))

    return database.read(look)


@router.get("/counts", summary="Jumlah / Counts")
def see_counts(office: OfficeDep, database: DatabaseDep, sight: SightDep, now: NowDep) -> m.Counts:
    """Perjalanan menurut tahap, instansi, provinsi dan status rujukan; yang lewat batas waktu. Dibulatkan ke bawah ke
    puluhan; kurang dari sepuluh tidak disebut.

    Journeys by stage, agency, province and status of referrals; those overdue. Rounded down to tens; fewer than ten are
    not named.
    """
    return database.read(lambda session: counts.counts(session, Names(office, now), sight))


@router.get("/norm-gaps", summary="Kekosongan norma / Norm gaps", responses=responses("unknown-cursor"))
def list_norm_gaps(
    office: OfficeDep,
    database: DatabaseDep,
    sight: SightDep,
    now: NowDep,
    page: PageDep,
) -> m.NormGapPage:
    """Serah terima yang gagal karena tidak ada aturannya: bahan Subsatgas Pengembangan Norma.

    Hand-overs that failed for want of a rule: material for the Subsatgas for norm development.
    """
    return database.read(lambda session: queries.norm_gaps(session, Names(office, now), sight, page))
