"""Register and refer many people in one request. The answer is a stream with one line for each person."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal

import structlog
from fastapi import APIRouter, Body, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ValidationError
from sqlalchemy import select
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlmodel import Session, col

from shared.casework.people_list import store
from shared.casework.people_list import taking_in as batches
from shared.casework.people_list.tables import BatchRow
from shared.casework.people_list.taking_in import Listed, TakingIn
from shared.casework.people_list.views import (
    BatchList,
    BeginLine,
    EndLine,
    PersonLine,
    ProgressLine,
    WholeBatch,
    batch_view,
    person_line,
    whole_batch,
)
from shared.contracts.codes import LegalBasis, Priority
from shared.domain.people_csv import HEADINGS, people_of
from shared.domain.people_list import ASK, AskFor, BatchPerson, TakeIn, written_twice
from shared.domain.referral_commands import Receiver
from shared.domain.refusal import Refused
from shared.http import problems
from shared.http.admission import CallerDep, GuardedRoute, SightDep
from shared.http.dependencies import DatabaseDep, IdPath, OfficeDep, PostingDep
from shared.http.idempotency import Posting
from shared.http.openapi import COMMANDED, responses
from shared.http.route_traits import route_traits
from shared.http.validation_messages import fields_of
from shared.security.vault import VaultUnavailable
from shared.storage.unit_of_work import Database, Transaction
from shared.victims.register import store as register
from shared.victims.register import visibility

router = APIRouter(prefix="/v1", tags=["daftar orang"], route_class=GuardedRoute)
log = structlog.get_logger()

LINES = "application/x-ndjson"
REFUSALS = (
    *("unknown-case", "no-such-route", "unknown-unit", "unknown-region", "desk-is-full", "id-taken"),
    "batch-already-taken-in",
    *COMMANDED,
)
ANSWER: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Satu objek JSON per baris: `batch`, lalu tiap `person` dan `progress`, terakhir `end`. / One "
        "JSON object a line: `batch`, then each `person` with `progress` between, and `end`. The lines of people are "
        "`PersonLine` of GET /v1/batches/{batch_id}.",
        "content": {LINES: {"schema": {"type": "string"}}},
    }
}
MAX_PEOPLE = 1024 * 1024
"""Most bytes of a list of people."""


@router.post(
    "/cases/{case_id}/batches",
    response_class=StreamingResponse,
    summary="Daftarkan dan rujuk banyak orang / Take in many people",
    responses=ANSWER | responses(*REFUSALS),
)
@route_traits(max_body=MAX_PEOPLE)
def take_in(
    case_id: IdPath,
    command: TakeIn,
    request: Request,
    office: OfficeDep,
    caller: CallerDep,
    sight: SightDep,
    posting: PostingDep,
) -> StreamingResponse:
    """Tiap orang didaftarkan dan dirujuk sekaligus, atau tidak sama sekali. Kesalahan satu orang tidak menghambat yang
    lain. Bila sambungan terputus, kirim lagi dengan Idempotency-Key yang sama: pekerjaan dilanjutkan. `check: true`
    hanya memeriksa; tidak ada yang disimpan."""
    return _answer(request, office, caller, sight, case_id, command, posting, None)


@router.post(
    "/cases/{case_id}/batches.csv",
    response_class=StreamingResponse,
    summary="Daftarkan dan rujuk banyak orang dari CSV / Take in many people from CSV",
    responses=ANSWER | responses(*REFUSALS, "malformed-csv", "unknown-column", "column-twice", "too-many-people"),
)
@route_traits(max_body=MAX_PEOPLE, json_body=False)
def take_in_csv(
    case_id: IdPath,
    table: Annotated[
        bytes,
        Body(
            media_type="text/csv",
            description=f"Judul kolom / headings: {', '.join(sorted(HEADINGS))}.",
            examples=["nama;jenis_kelamin;kelompok_usia\nContoh Rekaan;perempuan;dewasa\n"],
        ),
    ],
    request: Request,
    office: OfficeDep,
    caller: CallerDep,
    sight: SightDep,
    posting: PostingDep,
    refer: Annotated[list[Annotated[str, Query(pattern=ASK, max_length=150)]], Query(max_length=5)] = [],  # noqa: B006
    basis: LegalBasis = LegalBasis.VITAL_INTEREST,
    priority: Priority = Priority.ROUTINE,
    check: Annotated[Literal["true"] | None, Query(description="`true`: hanya diperiksa / only checked")] = None,
) -> StreamingResponse:
    """Daftar dari tabel CSV, dengan pemisah koma atau titik koma. `refer=clinic:first-aid` boleh diulang."""
    people, headings = people_of(table)
    asks = tuple(_ask(text, basis, priority) for text in refer)
    command = TakeIn.model_construct(refer=asks, check=check is not None, people=people)
    return _answer(request, office, caller, sight, case_id, command, posting, headings)


def _ask(text: str, basis: LegalBasis, priority: Priority) -> AskFor:
    agency, service, *unit = text.split(":")
    try:
        receiver = Receiver(agency=agency, unit=unit[0] if unit else None)
        return AskFor(service=service, receiver=receiver, basis=basis, priority=priority)
    except ValidationError:
        fault = {"type": "string_pattern_mismatch", "loc": ("query", "refer"), "msg": "", "ctx": {"pattern": ASK}}
        raise RequestValidationError([fault]) from None


def _answer(
    request: Request,
    office: OfficeDep,
    caller: CallerDep,
    sight: SightDep,
    case_id: str,
    command: TakeIn,
    posting: Posting,
    headings: Mapping[str, str] | None,
) -> StreamingResponse:
    """Store the batch first, so that an invalid batch is refused as a whole. Then stream a line for each person."""

    def told(refused: Refused) -> dict[str, Any]:
        errors = problems.fault_of(request, refused)
        return _told_of_columns(problems.document(request, refused.problem, errors, refused.facts), headings)

    batch = TakingIn(office, caller, sight, case_id, command.refer, told)
    fingerprint = posting.fingerprint(command.model_dump_json(exclude={"people"}) + repr(command.people))
    row = _begun(posting.database, batch, command, posting.name, fingerprint)
    listed = list(_listed(request, command, batch, headings))
    batch = TakingIn(office, caller, sight, case_id, command.refer, told, row.id)
    lines = _lines(request, posting.database, batch, listed, command.check)
    return StreamingResponse(lines, media_type=LINES)


def _begun(database: Database, batch: TakingIn, command: TakeIn, name: str, fingerprint: str) -> BatchRow:
    def work(tx: Transaction) -> BatchRow:
        row = batches.begin(tx, batch, command, name, fingerprint)
        tx.session.flush()
        if command.check:
            raise _Undone(row)
        return row

    return _undone(database, work) if command.check else database.write(work)


class _Undone(Exception):
    """Carries the result of a check out of the transaction, which is then rolled back."""

    def __init__(self, what: Any) -> None:
        super().__init__()
        self.what = what


def _undone(database: Database, work: Callable[[Transaction], Any]) -> Any:
    try:
        database.write(work)
    except _Undone as undone:
        return undone.what
    raise AssertionError("it was to be undone")


def _listed(request: Request, command: TakeIn, batch: TakingIn, headings: Mapping[str, str] | None) -> Iterator[Listed]:
    """Each person of the list: readable, or with the problem of the row."""
    read: list[BatchPerson | ValidationError] = [_person(raw, command) for raw in command.people]
    twice = written_twice([person if isinstance(person, BatchPerson) else None for person in read])
    for row, person in enumerate(read, 1):
        if isinstance(person, ValidationError):
            faults = [{**fault, "loc": ("body", *fault["loc"])} for fault in person.errors()]
            errors = problems.faults_of(request, faults, fields_of(BatchPerson))
            yield Listed(row, None, _told_of_columns(problems.document(request, "invalid-request", errors), headings))
        elif row in twice:
            earlier, of = twice[row]
            yield Listed(row, person, batch.told(Refused("written-twice", field=f"identity/{of}", row=str(earlier))))
        else:
            yield Listed(row, person)


def _person(raw: Any, command: TakeIn) -> BatchPerson | ValidationError:
    try:
        person = BatchPerson.model_validate(raw)
    except ValidationError as error:
        return error
    return person.model_copy(update={"occurred_at": person.occurred_at or command.occurred_at})


def _told_of_columns(problem: problems.Problem, headings: Mapping[str, str] | None) -> dict[str, Any]:
    """The problem of a person; for a person from a table, its fields are named by the column headings."""
    told = problem.model_dump()
    for fault in told["errors"] if headings is not None else ():
        fault["field"] = (headings or {}).get(fault["field"].removeprefix("/"), fault["field"])
    return told


async def _lines(
    request: Request, database: Database, batch: TakingIn, listed: Sequence[Listed], check: bool
) -> AsyncIterator[str]:
    yield _line(BeginLine(batch_id=batch.batch_id, people=len(listed), check=check))
    registered = refused = 0
    try:
        for start in range(0, len(listed), batches.AT_ONCE):
            some = listed[start : start + batches.AT_ONCE]
            lines = await asyncio.to_thread(_some, database, batch, some, check)
            for line in lines:
                refused, registered = refused + (line.problem is not None), registered + (line.problem is None)
            left = len(listed) - registered - refused
            yield "".join(map(_line, [*lines, ProgressLine(registered=registered, refused=refused, left=left)]))
        if not check:
            await asyncio.to_thread(database.write, batch.end)
    except (OperationalError, InterfaceError, VaultUnavailable) as error:
        log.error("batch.stopped", error=type(error).__name__)
        problem = problems.document(request, "unavailable")
        yield _line(EndLine(registered=registered, refused=refused, problem=problem))
        return
    yield _line(EndLine(registered=registered, refused=refused, problem=None))


def _some(database: Database, batch: TakingIn, some: Sequence[Listed], check: bool) -> list[PersonLine]:
    def work(tx: Transaction) -> list[PersonLine]:
        lines = [person_line(row) for row in batch.some(tx, some)]
        if check:
            raise _Undone(lines)
        return lines

    if not check:
        return database.write(work)
    lines: list[PersonLine] = _undone(database, work)
    return [line.model_copy(update={"victim_id": None, "referrals": []}) for line in lines]


def _line(what: BaseModel) -> str:
    return what.model_dump_json() + "\n"


@router.get(
    "/cases/{case_id}/batches",
    summary="Daftar orang dalam kasus / The batches of a case",
    responses=responses("unknown-case"),
)
def list_batches(case_id: IdPath, database: DatabaseDep, sight: SightDep) -> BatchList:
    """Semua daftar orang dalam kasus ini, dengan jumlah yang terdaftar dan yang ditolak."""

    def look(session: Session) -> BatchList:
        if register.load_case(session, case_id, visibility.cases(sight)) is None:
            raise Refused("unknown-case")
        rows = session.scalars(select(BatchRow).where(col(BatchRow.case_id) == case_id).order_by(col(BatchRow.number)))
        return BatchList(items=[batch_view(row, *store.counts(session, row.id)) for row in rows])

    return database.read(look)


@router.get(
    "/batches/{batch_id}",
    summary="Hasil daftar orang / What became of a batch",
    responses=responses("unknown-batch"),
)
def see_batch(batch_id: IdPath, database: DatabaseDep, sight: SightDep) -> WholeBatch:
    """Setiap orang dalam daftar: nama samaran dan rujukannya, atau masalahnya."""

    def look(session: Session) -> WholeBatch:
        row = store.load(session, batch_id, store.visible(sight))
        if row is None:
            raise Refused("unknown-batch")
        return whole_batch(row, store.people(session, batch_id))

    return database.read(look)
