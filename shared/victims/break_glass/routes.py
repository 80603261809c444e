"""Break-glass: emergency access without the ordinary right. The custody holder is told, and a second person reviews
it."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response
from sqlmodel import Session

from shared.domain.break_glass import BreakGlass, EndBreakGlass, ReviewBreakGlass
from shared.http.admission import GuardedRoute, SightDep
from shared.http.caller_at_desk import CallerAtDeskDep
from shared.http.dependencies import DatabaseDep, IdPath, LongPollDep, OfficeDep, PageDep, PostingDep
from shared.http.idempotency import StoredResponse
from shared.http.limits import limit_break_glasses, limit_identities
from shared.http.openapi import COMMANDED, responses
from shared.storage.notifier import Topic
from shared.storage.pages import newest_first
from shared.storage.unit_of_work import Transaction
from shared.victims.break_glass import opening as glass
from shared.victims.break_glass import reviewing, store
from shared.victims.break_glass.views import BreakGlassNote, BreakGlassPage, BreakGlassView, break_glass_view
from shared.victims.identity.tables import BreakGlassRow

router = APIRouter(prefix="/v1", tags=["akses darurat"], route_class=GuardedRoute)


@router.post(
    "/victims/{victim_id}/break-glass",
    status_code=201,
    response_model=BreakGlassView,
    summary="Akses darurat / Break-glass",
    responses=responses("unknown-victim", "already-open", "reviews-pending", "review-overdue", *COMMANDED),
)
def break_glass(
    victim_id: IdPath,
    command: BreakGlass,
    most_an_hour: Annotated[int, Depends(limit_break_glasses)],
    caller: CallerAtDeskDep,
    posting: PostingDep,
) -> Response:
    """Membuka akses darurat, paling lama 60 menit. Penanggung jawab korban langsung diberi tahu. Penyelia satuan lain
    menilainya dalam 24 jam. Satu orang membuka satu, dan tiga yang belum dinilai menutup yang berikutnya.

    Opens an identity in an emergency, for 60 minutes at most. The responsible desk is told at once. A supervisor of
    another desk reviews it within 24 hours. One person opens one at a time, and three without a review stop the next.
    """

    def work(tx: Transaction) -> StoredResponse:
        row = glass.open_it(caller.acting(tx), victim_id, command, most_an_hour)
        return StoredResponse(201, break_glass_view(row, tx.now), f"/v1/break-glass/{row.id}")

    return posting.once(command, work)


@router.get(
    "/break-glass",
    response_model=BreakGlassPage,
    summary="Daftar akses darurat / Every break-glass",
    responses={304: {"description": "Tidak berubah / not changed"}, **responses("unknown-cursor")},
)
async def list_break_glass(
    office: OfficeDep,
    sight: SightDep,
    database: DatabaseDep,
    poll: LongPollDep,
    page: PageDep,
) -> Response:
    """Akses darurat oleh satuan Anda, atau atas korban yang menjadi tanggung jawab Anda. Terbaru dahulu. Dengan
    `Prefer: wait=20` jawaban menunggu yang baru.

    Those of your desk, or of victims in your care. Newest first. With `Prefer: wait=20` the answer waits for a new one.
    """

    def look(session: Session) -> tuple[str, BreakGlassPage]:
        rows, more = newest_first(session, office.vault, BreakGlassRow, [store.visible(sight)], page)
        shown = BreakGlassPage(items=[break_glass_view(row, database.now()) for row in rows], next=more)
        return glass.etag(rows), shown

    return await poll.list_until_changed(Topic.BREAK_GLASS, lambda: database.read(look))


@router.post(
    "/break-glass/{break_glass_id}/end",
    response_model=BreakGlassView,
    summary="Akhiri akses darurat / End a break-glass",
    responses=responses("unknown-break-glass", *COMMANDED),
)
def end_break_glass(
    break_glass_id: IdPath, command: EndBreakGlass, caller: CallerAtDeskDep, posting: PostingDep
) -> Response:
    """Hanya oleh petugas yang membukanya. Bila tidak diakhiri, akses berakhir sendiri pada waktunya.

    Only the officer who opened it may. Otherwise it ends by itself at its time.
    """

    def work(tx: Transaction) -> StoredResponse:
        return StoredResponse(200, break_glass_view(glass.end_it(caller.acting(tx), break_glass_id), tx.now))

    return posting.once(command, work)


@router.get(
    "/break-glass/{break_glass_id}/note",
    summary="Alasan dengan kata-kata sendiri (dicatat) / Why, in their own words (logged)",
    dependencies=[Depends(limit_identities)],
    responses=responses("unknown-break-glass", "no-note"),
)
def see_break_glass_note(
    break_glass_id: IdPath, caller: CallerAtDeskDep, database: DatabaseDep, response: Response
) -> BreakGlassNote:
    """Alasan tertulis, bagi orang yang menilai. Setiap pembacaan dicatat dalam transaksi yang sama.

    The written reason, for the person who reviews it. Each reading is logged in the same transaction.
    """
    response.headers["Cache-Control"] = "no-store"
    text = database.write(lambda tx: reviewing.read_note(caller.acting(tx), break_glass_id))
    return BreakGlassNote(text=text)


@router.post(
    "/break-glass/{break_glass_id}/review",
    response_model=BreakGlassView,
    summary="Nilai akses darurat / Review a break-glass",
    responses=responses(
        "unknown-break-glass", "second-person-needed", "other-desk-needed", "already-reviewed", *COMMANDED
    ),
)
def review_break_glass(
    break_glass_id: IdPath, command: ReviewBreakGlass, caller: CallerAtDeskDep, posting: PostingDep
) -> Response:
    """Penilaian oleh orang kedua dari satuan lain, dalam 24 jam. Satuan tertinggi dinilai oleh orang lain di satuan
    itu.

    By a second person of another desk, within 24 hours. Those of the highest desk are reviewed by another person of
    that desk.
    """

    def work(tx: Transaction) -> StoredResponse:
        return StoredResponse(
            200, break_glass_view(reviewing.review(caller.acting(tx), break_glass_id, command), tx.now)
        )

    return posting.once(command, work)
