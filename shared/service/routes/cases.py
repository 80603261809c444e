"""Cases and victims."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response
from sqlmodel import Session

from shared.contracts.types import CODE
from shared.domain import commands as c
from shared.domain.refusal import Refused
from shared.service import cases
from shared.service.dependencies import DatabaseDep, IdPath, OfficeDep, PostingDep
from shared.service.idempotency import Answer
from shared.service.limits import limit_identities
from shared.service.problems import COMMANDED, POSTING, next_steps, responses
from shared.service.read_models import CaseView, VictimView, case_view, victim_view
from shared.storage.agency_tables import VictimRow
from shared.storage.database import Transaction
from shared.storage.victims import load_case, load_victim, victims_of

router = APIRouter(prefix="/v1")

Purpose = Annotated[
    str,
    Query(
        pattern=CODE,
        max_length=48,
        description="Untuk apa identitas dilihat / why: `first-aid`, `family-tracing` …",
    ),
]


@router.post(
    "/cases",
    status_code=201,
    response_model=CaseView,
    tags=["kasus"],
    summary="Buka kasus / Open a case",
    responses=next_steps(201, "case_id", "see_case", "register_victim")
    | responses("id-taken", "unknown-unit", "unknown-channel", *COMMANDED),
)
def open_case(command: c.OpenCase, office: OfficeDep, posting: PostingDep) -> Response:
    """Satu kejadian perdagangan orang yang ditemukan oleh satu satuan instansi ini."""

    def work(tx: Transaction) -> Answer:
        row = cases.open_case(tx, office, command)
        return Answer(201, case_view(row, []), f"/v1/cases/{row.id}")

    return posting.once(command, work)


@router.get(
    "/cases/{case_id}",
    tags=["kasus"],
    summary="Lihat kasus / See a case",
    responses=responses("unknown-case"),
)
def see_case(case_id: IdPath, database: DatabaseDep) -> CaseView:
    """Kasus dan nama samaran para korbannya."""

    def look(session: Session) -> CaseView:
        row = load_case(session, case_id)
        if row is None:
            raise Refused("unknown-case")
        return case_view(row, victims_of(session, case_id))

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
    | responses("unknown-case", "id-taken", "unknown-region", *COMMANDED),
)
def register_victim(case_id: IdPath, command: c.RegisterVictim, office: OfficeDep, posting: PostingDep) -> Response:
    """Identitas tidak wajib dan tinggal di instansi ini; instansi lain hanya mengenal nama samaran (victim_id)."""

    def work(tx: Transaction) -> Answer:
        row = cases.register_victim(tx, office, case_id, command)
        return Answer(201, victim_view(row), f"/v1/victims/{row.id}")

    return posting.once(command, work)


@router.get(
    "/victims/{victim_id}",
    tags=["korban"],
    summary="Lihat korban / See a victim",
    responses=responses("unknown-victim"),
)
def see_victim(victim_id: IdPath, database: DatabaseDep) -> VictimView:
    """Nama samaran, fakta kasar, dan penanggung jawab sejauh diketahui instansi ini."""
    return database.read(lambda session: victim_view(_victim(session, victim_id)))


@router.post(
    "/victims/{victim_id}/identity",
    status_code=200,
    response_model=VictimView,
    tags=["korban"],
    summary="Catat identitas / Record an identity",
    responses=responses("unknown-victim", *POSTING),
)
def record_identity(victim_id: IdPath, identity: c.Identity, posting: PostingDep) -> Response:
    """Yang dikirim menggantikan isian lama; isian yang tidak dikirim tetap."""

    def work(tx: Transaction) -> Answer:
        victim = _victim(tx.session, victim_id)
        cases.write_identity(tx, victim_id, identity)
        return Answer(200, victim_view(victim))

    return posting.once(identity, work)


@router.get(
    "/victims/{victim_id}/identity",
    tags=["korban"],
    summary="Lihat identitas (dicatat) / See an identity (logged)",
    dependencies=[Depends(limit_identities)],
    responses=responses("unknown-victim", "no-identity"),
)
def see_identity(victim_id: IdPath, purpose: Purpose, database: DatabaseDep, response: Response) -> c.Identity:
    """Setiap pembacaan dicatat dalam transaksi yang sama. Identitas hanya ada di instansi yang mencatatnya."""
    response.headers["Cache-Control"] = "no-store"

    def work(tx: Transaction) -> c.Identity:
        _victim(tx.session, victim_id)
        return cases.read_identity(tx, victim_id, purpose)

    return database.write(work)


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
def record_stage(victim_id: IdPath, command: c.RecordStage, office: OfficeDep, posting: PostingDep) -> Response:
    """Hanya oleh penanggung jawab korban."""

    def work(tx: Transaction) -> Answer:
        row = cases.record_stage(tx, office, victim_id, command)
        return Answer(201, victim_view(row), f"/v1/victims/{row.id}")

    return posting.once(command, work)


@router.post(
    "/victims/{victim_id}/closure",
    status_code=201,
    response_model=VictimView,
    tags=["korban"],
    summary="Tutup perjalanan / Close the journey",
    responses=responses("unknown-victim", "not-custody-holder", "journey-closed", "referral-still-live", *COMMANDED),
)
def close_journey(victim_id: IdPath, command: c.CloseJourney, office: OfficeDep, posting: PostingDep) -> Response:
    """Oleh penanggung jawab, setelah bina lanjut dan bila tidak ada rujukan yang masih berjalan."""

    def work(tx: Transaction) -> Answer:
        row = cases.close_journey(tx, office, victim_id, command)
        return Answer(201, victim_view(row), f"/v1/victims/{row.id}")

    return posting.once(command, work)


def _victim(session: Session, victim_id: str) -> VictimRow:
    row = load_victim(session, victim_id)
    if row is None:
        raise Refused("unknown-victim")
    return row
