"""HTTP routes: record and read an identity, search victims by a number, list the access log."""

from fastapi import APIRouter, Depends, Request, Response
from sqlmodel import Session

from shared.domain.identity import Identity, Search, TakeOver
from shared.domain.matching import may_complete_search
from shared.http.admission import GuardedRoute, SightDep
from shared.http.caller_at_desk import CallerAtDeskDep
from shared.http.dependencies import DatabaseDep, IdPath, OfficeDep, PageDep, PostingDep, PurposeQuery
from shared.http.idempotency import StoredResponse
from shared.http.limits import limit_identifiers, limit_identities, limit_searches
from shared.http.openapi import POSTING, responses
from shared.storage.pages import newest_first
from shared.storage.unit_of_work import Transaction
from shared.victims.identity import recording, searching, security_log, showing, store, taking_over, views
from shared.victims.identity.tables import AccessRow
from shared.victims.identity.views import AccessPage, IdentitySeen
from shared.victims.register.views import VictimList, VictimView, victim_view

router = APIRouter(prefix="/v1", route_class=GuardedRoute)


@router.post(
    "/victims/{victim_id}/identity",
    status_code=200,
    response_model=VictimView,
    tags=["korban"],
    summary="Catat identitas / Record an identity",
    responses=responses("unknown-victim", "not-responsible", "no-such-day", "too-many-searches", *POSTING),
)
def record_identity(
    request: Request, victim_id: IdPath, identity: Identity, caller: CallerAtDeskDep, posting: PostingDep
) -> Response:
    """Isian yang dikirim menggantikan isian lama; isian yang tidak dikirim tetap. NIK, paspor, telepon, nama dan
    tanggal lahir dibandingkan di semua instansi: itu pencarian, dibatasi dan dicatat.

    Fields that are sent replace the earlier ones; fields that are not sent stay. NIK, passport, telephone, name and
    birth are compared at all agencies. That is a search, limited and logged.
    """

    def work(tx: Transaction) -> StoredResponse:
        limit_identifiers(request, int(may_complete_search(identity)))
        return StoredResponse(200, victim_view(recording.record(caller.acting(tx), victim_id, identity)))

    return posting.once(identity, work)


@router.get(
    "/victims/{victim_id}/identity",
    tags=["korban"],
    summary="Lihat identitas (dicatat) / See an identity (logged)",
    dependencies=[Depends(limit_identities)],
    responses=responses("unknown-victim", "no-identity"),
)
def see_identity(
    victim_id: IdPath, purpose: PurposeQuery, caller: CallerAtDeskDep, database: DatabaseDep, response: Response
) -> IdentitySeen:
    """Penanggung jawab melihat semua isian. Satuan yang sedang melayani hanya melihat isian yang diperlukan layanannya.
    Setiap pembacaan dicatat dalam transaksi yang sama. Yang dipakai lebih dahulu: tulisan instansi ini, lalu kata
    penanggung jawab, lalu kata instansi lain; yang berbeda ditampilkan dengan sumbernya.

    The responsible desk sees every field. A desk at work sees only the fields that its service needs. Each reading is
    logged in the same transaction. Our own text counts first, then the responsible agency's, then others'. Differences
    are shown with their source.
    """
    response.headers["Cache-Control"] = "no-store"
    return database.write(lambda tx: showing.read(caller.acting(tx), victim_id, purpose))


@router.post(
    "/victims/{victim_id}/identity/take-over",
    response_model=VictimView,
    tags=["korban"],
    summary="Ambil alih isian instansi lain (dicatat) / Take over a field of another agency (logged)",
    responses=responses("unknown-victim", "not-responsible", "nothing-to-take-over", "said-since", *POSTING),
)
def take_over_identity(victim_id: IdPath, command: TakeOver, caller: CallerAtDeskDep, posting: PostingDep) -> Response:
    """Setelah diperiksa petugas, kata instansi lain menjadi tulisan instansi ini, dan boleh diteruskan. Sebelum itu
    kata pihak ketiga tidak pernah diteruskan.

    After an officer has checked it, another agency's word becomes our own text, and may be passed on. Before that, a
    third party's word is never passed on.
    """

    def work(tx: Transaction) -> StoredResponse:
        return StoredResponse(200, victim_view(taking_over.take_over(caller.acting(tx), victim_id, command)))

    return posting.once(command, work)


@router.post(
    "/victim-search",
    tags=["korban"],
    summary="Cari korban menurut NIK atau telepon / Find a victim by NIK or telephone",
    dependencies=[Depends(limit_searches)],
    responses=responses("not-such-a-number", "malformed-json", "body-too-large", "unsupported-media-type"),
)
def search_victims(command: Search, caller: CallerAtDeskDep, database: DatabaseDep) -> VictimList:
    """Nomor tidak disimpan dan tidak dicatat; hanya sidiknya yang dibandingkan. Jumlah pencarian dibatasi.

    The number is neither stored nor logged; only its keyed hash is compared. The number of searches is limited.
    """

    def work(tx: Transaction) -> VictimList:
        acting = caller.acting(tx)
        found = searching.search(acting, command.field, command.value)
        security_log.searched(acting, command.field)
        return VictimList(items=[victim_view(row) for row in found])

    return database.write(work)


@router.get("/access-log", tags=["akses"], summary="Buku akses / The access log", responses=responses("unknown-cursor"))
def list_access(office: OfficeDep, sight: SightDep, database: DatabaseDep, page: PageDep) -> AccessPage:
    """Siapa melihat identitas siapa, kapan, dan untuk apa; oleh satuan Anda dan satuan di bawahnya. Terbaru dahulu.

    Each look at an identity by your desk and those below: by which caller, when and why. Newest first.
    """

    def look(session: Session) -> AccessPage:
        rows, more = newest_first(session, office.vault, AccessRow, [store.visible(sight)], page)
        return AccessPage(items=[views.access_view(row) for row in rows], next=more)

    return database.read(look)
