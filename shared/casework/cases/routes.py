"""Cases and victims: open, register, read, record stages, close the journey."""

from fastapi import APIRouter, Response
from sqlmodel import Session

from shared.casework.cases import journey
from shared.casework.cases import registration as cases
from shared.casework.cases.views import CaseView, case_view
from shared.domain.cases import CloseJourney, OpenCase, RecordStage, RegisterVictim
from shared.domain.refusal import Refused
from shared.http.admission import GuardedRoute, SightDep
from shared.http.caller_at_desk import CallerAtDeskDep
from shared.http.dependencies import DatabaseDep, IdPath, PostingDep
from shared.http.idempotency import StoredResponse
from shared.http.openapi import COMMANDED, next_steps, responses
from shared.storage.unit_of_work import Transaction
from shared.victims.matching import store as matching
from shared.victims.register import store as register
from shared.victims.register import visibility
from shared.victims.register.views import VictimSeen, VictimView, victim_view

router = APIRouter(prefix="/v1", route_class=GuardedRoute)


@router.post(
    "/cases",
    status_code=201,
    response_model=CaseView,
    tags=["kasus"],
    summary="Buka kasus / Open a case",
    responses=next_steps(201, "case_id", "see_case", "register_victim")
    | responses("id-taken", "unknown-unit", "unknown-channel", "not-your-unit", *COMMANDED),
)
def open_case(command: OpenCase, caller: CallerAtDeskDep, posting: PostingDep) -> Response:
    """Kasus adalah satu kejadian perdagangan orang, yang ditemukan oleh satu satuan instansi ini."""

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
    """Kasus, dengan nama samaran para korbannya."""

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
    | responses("unknown-case", "id-taken", "unknown-region", "no-such-day", *COMMANDED),
)
def register_victim(case_id: IdPath, command: RegisterVictim, caller: CallerAtDeskDep, posting: PostingDep) -> Response:
    """Identitas tidak wajib, dan tetap di instansi ini. Instansi lain hanya mengenal nama samaran (victim_id)."""

    def work(tx: Transaction) -> StoredResponse:
        row = cases.register_victim(caller.acting(tx), case_id, command)
        return StoredResponse(201, victim_view(row), f"/v1/victims/{row.id}")

    return posting.once(command, work)


@router.get(
    "/victims/{victim_id}",
    tags=["korban"],
    summary="Lihat korban / See a victim",
    responses=responses("unknown-victim"),
)
def see_victim(victim_id: IdPath, database: DatabaseDep, sight: SightDep) -> VictimSeen:
    """Nama samaran, fakta umum, dan penanggung jawab sejauh diketahui instansi ini."""

    def look(session: Session) -> VictimSeen:
        found = victim_view(register.see_victim(session, sight, victim_id))
        return VictimSeen(**dict(found), same_person=matching.same_person(session, sight, victim_id))

    return database.read(look)


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
        *COMMANDED,
    ),
)
def record_stage(victim_id: IdPath, command: RecordStage, caller: CallerAtDeskDep, posting: PostingDep) -> Response:
    """Tahap perjalanan hanya dicatat oleh penanggung jawab korban."""

    def work(tx: Transaction) -> StoredResponse:
        row = journey.record_stage(caller.acting(tx), victim_id, command)
        return StoredResponse(201, victim_view(row), f"/v1/victims/{row.id}")

    return posting.once(command, work)


@router.post(
    "/victims/{victim_id}/closure",
    status_code=201,
    response_model=VictimView,
    tags=["korban"],
    summary="Tutup perjalanan / Close the journey",
    responses=responses("unknown-victim", "not-custody-holder", "journey-closed", "referral-still-live", *COMMANDED),
)
def close_journey(victim_id: IdPath, command: CloseJourney, caller: CallerAtDeskDep, posting: PostingDep) -> Response:
    """Hanya oleh penanggung jawab, setelah bina lanjut, dan bila semua rujukan sudah berakhir."""

    def work(tx: Transaction) -> StoredResponse:
        row = journey.close_journey(caller.acting(tx), victim_id, command)
        return StoredResponse(201, victim_view(row), f"/v1/victims/{row.id}")

    return posting.once(command, work)
