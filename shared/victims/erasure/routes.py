"""HTTP routes: legal holds and erasures of a victim."""

from enum import Enum

from fastapi import APIRouter, Response
from sqlmodel import Session

from shared.domain.erasure import ConfirmHold, DecideErasure, Erase, LiftHold, PlaceHold
from shared.http.admission import GuardedRoute, SightDep
from shared.http.caller_at_desk import CallerAtDeskDep
from shared.http.dependencies import DatabaseDep, IdPath, OfficeDep, PageDep, PostingDep
from shared.http.idempotency import StoredResponse
from shared.http.openapi import COMMANDED, NOTED, responses
from shared.storage.pages import newest_first
from shared.storage.unit_of_work import Transaction
from shared.victims.erasure import deciding, holds, store
from shared.victims.erasure import views as m
from shared.victims.erasure.tables import ErasureRow
from shared.victims.erasure.views import ErasurePage, ErasureView, HoldList, HoldPage, HoldView
from shared.victims.sealed.tables import HoldRow

router = APIRouter(prefix="/v1", route_class=GuardedRoute)
RIGHTS: list[str | Enum] = ["hak korban"]


@router.post(
    "/victims/{victim_id}/legal-holds",
    status_code=201,
    response_model=HoldView,
    tags=RIGHTS,
    summary="Tahan penghapusan / Place a legal hold",
    responses=responses("unknown-victim", "not-responsible", "hold-unconfirmed", "hold-end-not-allowed", *NOTED),
)
def place_hold(victim_id: IdPath, command: PlaceHold, caller: CallerAtDeskDep, posting: PostingDep) -> Response:
    """Selama penahanan berlaku, data korban tidak dihapus di instansi ini. Orang kedua menguatkannya dalam 14 hari;
    bila tidak, penahanan gugur. Penahanan berakhir sendiri pada waktunya.

    While a hold stands, the victim's data is not erased at this agency. A second person confirms it within 14 days, or
    it lapses. A hold ends by itself at its time.
    """

    def work(tx: Transaction) -> StoredResponse:
        return StoredResponse(201, m.hold_view(holds.place_hold(caller.acting(tx), victim_id, command)))

    return posting.once(command, work)


@router.post(
    "/victims/{victim_id}/legal-holds/confirmation",
    response_model=HoldView,
    tags=RIGHTS,
    summary="Kuatkan penahanan / Confirm a legal hold",
    responses=responses("unknown-victim", "not-responsible", "unknown-hold", "second-person-needed", *COMMANDED),
)
def confirm_hold(victim_id: IdPath, command: ConfirmHold, caller: CallerAtDeskDep, posting: PostingDep) -> Response:
    """Oleh orang kedua. Penahanan lalu berlaku sampai akhirnya.

    By a second person. The hold then stands until its end.
    """

    def work(tx: Transaction) -> StoredResponse:
        return StoredResponse(200, m.hold_view(holds.confirm_hold(caller.acting(tx), victim_id, command)))

    return posting.once(command, work)


@router.get(
    "/legal-holds",
    tags=RIGHTS,
    summary="Daftar penahanan / Every legal hold",
    responses=responses("unknown-cursor"),
)
def list_holds(office: OfficeDep, sight: SightDep, database: DatabaseDep, page: PageDep) -> HoldPage:
    """Penahanan oleh satuan Anda, atau atas korban yang menjadi tanggung jawab Anda, juga yang sudah berakhir. Terbaru
    dahulu.

    Holds of your desk, or on victims in your care, also those that have ended. Newest first.
    """

    def look(session: Session) -> HoldPage:
        rows, more = newest_first(session, office.vault, HoldRow, [store.visible_holds(sight)], page)
        return HoldPage(items=[m.hold_view(row) for row in rows], next=more)

    return database.read(look)


@router.post(
    "/victims/{victim_id}/legal-holds/lifting",
    response_model=HoldList,
    tags=RIGHTS,
    summary="Cabut penahanan / Lift the legal holds",
    responses=responses("unknown-victim", "not-responsible", "not-your-unit", *COMMANDED),
)
def lift_holds(victim_id: IdPath, command: LiftHold, caller: CallerAtDeskDep, posting: PostingDep) -> Response:
    """Mencabut semua penahanan atas korban ini di instansi ini.

    Lifts every hold on this victim at this agency.
    """

    def work(tx: Transaction) -> StoredResponse:
        rows = holds.lift_holds(caller.acting(tx), victim_id, command)
        return StoredResponse(200, HoldList(items=[m.hold_view(row) for row in rows]))

    return posting.once(command, work)


@router.post(
    "/victims/{victim_id}/erasure",
    status_code=202,
    response_model=ErasureView,
    tags=RIGHTS,
    summary="Minta penghapusan identitas di mana-mana / Ask that an identity be erased everywhere",
    responses=responses("unknown-victim", "not-custody-holder", "legal-hold", "already-asked", *COMMANDED),
)
def erase(victim_id: IdPath, command: Erase, caller: CallerAtDeskDep, posting: PostingDep) -> Response:
    """Penghapusan menunggu keputusan orang kedua (`/erasure/decision`), karena data yang dimusnahkan tidak dapat
    dikembalikan.

    The erasure waits for the decision of a second person (`/erasure/decision`), because destroyed data cannot be
    restored.
    """

    def work(tx: Transaction) -> StoredResponse:
        return StoredResponse(
            202, m.erasure_view(deciding.ask(caller.acting(tx), victim_id, command), caller.office.code)
        )

    return posting.once(command, work)


@router.post(
    "/victims/{victim_id}/erasure/decision",
    response_model=ErasureView,
    tags=RIGHTS,
    summary="Putuskan penghapusan / Decide an erasure",
    responses=responses(
        "unknown-victim",
        "not-custody-holder",
        "legal-hold",
        "unknown-erasure",
        "already-decided",
        "second-person-needed",
        *COMMANDED,
    ),
)
def decide_erasure(victim_id: IdPath, command: DecideErasure, caller: CallerAtDeskDep, posting: PostingDep) -> Response:
    """Keputusan oleh orang kedua. Bila disetujui, kunci di sini langsung dimusnahkan. Setiap pemegang data diminta
    melakukan hal yang sama, lalu menjawab.

    By a second person. If approved, the keys here are destroyed at once. Each controller of the data is asked to do the
    same, and answers.
    """

    def work(tx: Transaction) -> StoredResponse:
        return StoredResponse(
            200, m.erasure_view(deciding.decide(caller.acting(tx), victim_id, command), caller.office.code)
        )

    return posting.once(command, work)


@router.get(
    "/erasures",
    tags=RIGHTS,
    summary="Penghapusan / Erasures asked for here, and carried out for others",
    responses=responses("unknown-cursor"),
)
def list_erasures(office: OfficeDep, sight: SightDep, database: DatabaseDep, page: PageDep) -> ErasurePage:
    """Penghapusan yang diminta satuan Anda, atau atas korban yang menjadi tanggung jawab Anda. Terbaru dahulu. Juga
    yang dilakukan karena masa simpan berakhir atau atas kata instansi lain, dengan siapa yang mengatakannya.

    Erasures asked for by your desk, or of victims in your care. Newest first. Also those at the end of retention or on
    the word of another agency, with the agency that said so.
    """

    def look(session: Session) -> ErasurePage:
        rows, more = newest_first(session, office.vault, ErasureRow, [store.visible(sight)], page)
        return ErasurePage(items=[m.erasure_view(row, office.code) for row in rows], next=more)

    return database.read(look)
