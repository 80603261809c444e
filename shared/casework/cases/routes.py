"""Cases and victims: open, register, read, record stages, close the journey, decide a closure.

Long because: each route says in two languages what it does.
"""

from typing import Any

from fastapi import APIRouter, Depends, Request, Response
from sqlmodel import Session

from shared.casework.cases import facts, journey
from shared.casework.cases import registration as cases
from shared.casework.cases import store as closures
from shared.casework.cases.tables import ClosureRow
from shared.casework.cases.views import (
    CaseView,
    ClosureNote,
    ClosurePage,
    ClosureView,
    FactsCorrection,
    case_view,
    closure_view,
    correction_view,
)
from shared.domain.cases import CloseJourney, DecideClosure, OpenCase, RecordStage, RegisterVictim
from shared.domain.facts import ConfirmFacts, CorrectFacts
from shared.domain.matching import is_search
from shared.domain.refusal import Refused
from shared.http.admission import CallerDep, GuardedRoute, SightDep
from shared.http.caller_at_desk import CallerAtDeskDep
from shared.http.dependencies import DatabaseDep, IdPath, OfficeDep, PageDep, PostingDep, PurposeQuery
from shared.http.idempotency import StoredResponse
from shared.http.limits import limit_identifiers, limit_identities
from shared.http.openapi import COMMANDED, NOTED, POSTING, next_steps, responses
from shared.storage.pages import newest_first
from shared.storage.unit_of_work import Transaction
from shared.victims.matching import store as matching
from shared.victims.register import store as register
from shared.victims.register import visibility
from shared.victims.register.facts import known_facts
from shared.victims.register.views import VictimSeen, VictimView, facts_said, victim_view

router = APIRouter(prefix="/v1", route_class=GuardedRoute)
WAITS: dict[int | str, dict[str, Any]] = {
    202: {"model": ClosureView, "description": "Menunggu orang kedua / waits for a second person"}
}


@router.post(
    "/cases",
    status_code=201,
    response_model=CaseView,
    tags=["kasus"],
    summary="Buka kasus / Open a case",
    responses=next_steps(201, "case_id", "see_case", "register_victim")
    | responses("unknown-unit", "unknown-channel", "not-your-unit", *NOTED),
)
def open_case(command: OpenCase, caller: CallerAtDeskDep, posting: PostingDep) -> Response:
    """Kasus adalah satu kejadian perdagangan orang, yang ditemukan oleh satu satuan instansi ini.

    A case is one trafficking incident, found by one desk of this agency.
    """

    def work(tx: Transaction) -> StoredResponse:
        row = cases.open_case(caller.acting(tx), command)
        return StoredResponse(201, case_view(row, []), f"/v1/cases/{row.id}")

    return posting.once(command, work)


@router.get(
    "/cases/{case_id}",
    tags=["kasus"],
    summary="Lihat kasus / See a case",
    responses=responses("unknown-case"),
)
def see_case(case_id: IdPath, database: DatabaseDep, sight: SightDep) -> CaseView:
    """Kasus, dengan nama samaran para korbannya.

    The case, with the pseudonyms of its victims.
    """

    def look(session: Session) -> CaseView:
        row = register.load_case(session, case_id, visibility.cases(sight))
        if row is None:
            raise Refused("unknown-case")
        return case_view(row, register.victims_of(session, case_id))

    return database.read(look)


@router.post(
    "/cases/{case_id}/victims",
    status_code=201,
    response_model=VictimView,
    tags=["korban"],
    summary="Daftarkan korban / Register a victim",
    responses=next_steps(
        201, "victim_id", "see_victim", "record_identity", "see_identity", "record_stage", "close_journey"
    )
    | responses("unknown-case", "unknown-region", "no-such-day", "too-many-searches", *NOTED),
)
def register_victim(
    request: Request, case_id: IdPath, command: RegisterVictim, caller: CallerAtDeskDep, posting: PostingDep
) -> Response:
    """Identitas tidak wajib, dan tetap di instansi ini. Instansi lain hanya mengenal nama samaran (victim_id). NIK,
    paspor, telepon, atau nama dan tanggal lahir dibandingkan di semua instansi: itu pencarian, dibatasi dan dicatat.

    An identity is optional, and stays at this agency. Other agencies know only the pseudonym (victim_id). NIK,
    passport, telephone, or name and birth are compared at all agencies. That is a search, limited and logged.
    """

    def work(tx: Transaction) -> StoredResponse:
        limit_identifiers(request, int(is_search(command.identity)))
        row = cases.register_victim(caller.acting(tx), case_id, command)
        return StoredResponse(201, victim_view(row), f"/v1/victims/{row.id}")

    return posting.once(command, work)


@router.get(
    "/victims/{victim_id}",
    tags=["korban"],
    summary="Lihat korban / See a victim",
    responses=responses("unknown-victim"),
)
def see_victim(victim_id: IdPath, database: DatabaseDep, caller: CallerDep, sight: SightDep) -> VictimSeen:
    """Nama samaran, fakta umum, dan penanggung jawab sejauh diketahui instansi ini. Bila dua instansi menyatakan fakta
    berbeda, keduanya ditampilkan, dan korban diperlakukan sebagai anak bila salah satunya menyebut anak.

    The pseudonym, coarse facts, and the responsible desk as far as this agency knows. Where two agencies state
    different facts, both are shown. The victim is treated as a child if one of them says so.
    """

    def look(session: Session) -> VictimSeen:
        row = register.see_victim(session, sight, victim_id)
        return VictimSeen(
            **dict(victim_view(row)),
            facts_differ=facts_said(known_facts(session, row)),
            same_person=matching.same_person(session, sight, caller.role, victim_id),
        )

    return database.read(look)


@router.post(
    "/victims/{victim_id}/facts",
    response_model=FactsCorrection,
    tags=["korban"],
    summary="Betulkan fakta korban / Correct the facts of a victim",
    responses={
        202: {"model": FactsCorrection, "description": "Menunggu orang kedua / waits for a second person"},
        **responses("unknown-victim", "not-custody-holder", "not-responsible", "unknown-region", *COMMANDED),
    },
)
def correct_facts(victim_id: IdPath, command: CorrectFacts, caller: CallerAtDeskDep, posting: PostingDep) -> Response:
    """Oleh penanggung jawab; semua instansi yang bekerja untuk korban diberi tahu. Bila penanggung jawab tidak
    diketahui di sini, meja yang melayani korban menyatakan kata instansinya sendiri. Kata itu hanya berlaku di sini.
    Bila korban yang diperlakukan sebagai anak menjadi dewasa, orang kedua harus menegaskannya (202).

    By the responsible desk; all agencies at work for the victim are told. Where no responsible desk is known here, a
    desk that serves the victim states its agency's own word. That word counts here alone. Where a victim treated as a
    child becomes an adult, a second person must confirm it (202).
    """

    def work(tx: Transaction) -> StoredResponse:
        row = facts.correct(caller.acting(tx), victim_id, command)
        return StoredResponse(200 if row.applied_at is not None else 202, correction_view(row))

    return posting.once(command, work)


@router.post(
    "/victims/{victim_id}/facts/confirmation",
    response_model=FactsCorrection,
    tags=["korban"],
    summary="Tegaskan pembetulan fakta / Confirm a correction of facts",
    responses=responses(
        "unknown-victim",
        "not-custody-holder",
        "not-responsible",
        "unknown-correction",
        "already-applied",
        "second-person-needed",
        *POSTING,
    ),
)
def confirm_facts(victim_id: IdPath, command: ConfirmFacts, caller: CallerAtDeskDep, posting: PostingDep) -> Response:
    """Oleh orang kedua. Hanya pembetulan terakhir yang dapat ditegaskan.

    By a second person. Only the newest correction can be confirmed.
    """

    def work(tx: Transaction) -> StoredResponse:
        return StoredResponse(200, correction_view(facts.confirm_correction(caller.acting(tx), victim_id, command)))

    return posting.once(command, work)


@router.post(
    "/victims/{victim_id}/stages",
    status_code=201,
    response_model=VictimView,
    tags=["korban"],
    summary="Catat tahap perjalanan / Record a stage",
    responses=responses(
        "unknown-victim",
        "not-custody-holder",
        "journey-closed",
        *NOTED,
    ),
)
def record_stage(victim_id: IdPath, command: RecordStage, caller: CallerAtDeskDep, posting: PostingDep) -> Response:
    """Tahap perjalanan hanya dicatat oleh penanggung jawab korban.

    Only the responsible desk records a stage.
    """

    def work(tx: Transaction) -> StoredResponse:
        row = journey.record_stage(caller.acting(tx), victim_id, command)
        return StoredResponse(201, victim_view(row), f"/v1/victims/{row.id}")

    return posting.once(command, work)


@router.post(
    "/victims/{victim_id}/closure",
    status_code=201,
    response_model=ClosureView,
    tags=["korban"],
    summary="Tutup perjalanan / Close the journey",
    responses=WAITS
    | responses(
        "unknown-victim",
        "not-custody-holder",
        "journey-closed",
        "referral-still-live",
        "stages-missing",
        "closure-already-asked",
        *NOTED,
    ),
)
def close_journey(victim_id: IdPath, command: CloseJourney, caller: CallerAtDeskDep, posting: PostingDep) -> Response:
    """Hanya oleh penanggung jawab, dan bila semua rujukan sudah berakhir. `reintegrated` hanya setelah tahap
    reintegrasi dan bina lanjut dicatat; `returned-abroad` setelah pemulangan; hasil lain memerlukan catatan. Perjalanan
    anak (atau usia yang belum diketahui) dan pendaftaran keliru ditutup oleh dua orang: jawabannya 202, dan orang kedua
    memutuskan.

    Only by the responsible desk, once every referral has ended. `reintegrated` follows the stages reintegration and
    after-care; `returned-abroad` follows repatriation; other outcomes need a note. Two people end the journey of a
    child (or of unknown age), and a mistaken registration. The answer is then 202, and a second person decides.
    """

    def work(tx: Transaction) -> StoredResponse:
        row = journey.close_journey(caller.acting(tx), victim_id, command)
        return StoredResponse(201 if row.approved else 202, closure_view(row), f"/v1/victims/{victim_id}")

    return posting.once(command, work)


@router.post(
    "/victims/{victim_id}/closure/decision",
    response_model=ClosureView,
    tags=["korban"],
    summary="Putuskan penutupan / Decide a closure",
    responses=responses(
        "unknown-victim",
        "not-custody-holder",
        "journey-closed",
        "referral-still-live",
        "unknown-closure",
        "closure-already-decided",
        "second-person-needed",
        *POSTING,
    ),
)
def decide_closure(victim_id: IdPath, command: DecideClosure, caller: CallerAtDeskDep, posting: PostingDep) -> Response:
    """Keputusan oleh orang kedua dari penanggung jawab. Bila disetujui, perjalanan berakhir.

    By a second person of the responsible agency. If approved, the journey ends.
    """

    def work(tx: Transaction) -> StoredResponse:
        return StoredResponse(200, closure_view(journey.decide_closure(caller.acting(tx), victim_id, command)))

    return posting.once(command, work)


@router.get(
    "/closures",
    tags=["korban"],
    summary="Penutupan perjalanan / Ends of journeys",
    responses=responses("unknown-cursor"),
)
def list_closures(office: OfficeDep, sight: SightDep, database: DatabaseDep, page: PageDep) -> ClosurePage:
    """Penutupan yang diminta satuan Anda, atau atas korban yang menjadi tanggung jawab Anda. Terbaru dahulu.

    Ends asked for by your desk, or of victims in your care. Newest first.
    """

    def look(session: Session) -> ClosurePage:
        rows, more = newest_first(session, office.vault, ClosureRow, [closures.visible(sight)], page)
        return ClosurePage(items=[closure_view(row) for row in rows], next=more)

    return database.read(look)


@router.get(
    "/closures/{closure_id}/note",
    tags=["korban"],
    summary="Catatan penutupan (dicatat) / The note of an end (logged)",
    dependencies=[Depends(limit_identities)],
    responses=responses("unknown-closure"),
)
def see_closure_note(
    closure_id: IdPath, purpose: PurposeQuery, caller: CallerAtDeskDep, database: DatabaseDep, response: Response
) -> ClosureNote:
    """Mengapa perjalanan diakhiri, untuk orang kedua. Setiap pembacaan dicatat dalam transaksi yang sama.

    The reason why the journey ends, for the second person. Each reading is logged in the same transaction.
    """
    response.headers["Cache-Control"] = "no-store"
    return ClosureNote(text=database.write(lambda tx: journey.read_note(caller.acting(tx), closure_id, purpose)))
