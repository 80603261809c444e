"""Register and refer many people in one request, and read what became of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Depends, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import StreamingResponse
from pydantic import ValidationError
from sqlalchemy import select
from sqlmodel import Session, col

from shared.casework.people_list import store, streaming
from shared.casework.people_list.streaming import Sending
from shared.casework.people_list.tables import BatchRow
from shared.casework.people_list.views import BatchList, WholeBatch, batch_view, whole_batch
from shared.contracts.codes import LegalBasis, Priority
from shared.domain.people_csv import HEADINGS, people_of
from shared.domain.people_list import ASK, AskFor, TakeIn
from shared.domain.referral_commands import Receiver
from shared.domain.refusal import Refused
from shared.http.admission import GuardedRoute, SightDep
from shared.http.caller_at_desk import CallerAtDeskDep
from shared.http.dependencies import DatabaseDep, IdPath, PostingDep
from shared.http.openapi import NOTED, responses
from shared.http.route_traits import route_traits
from shared.victims.register import store as register
from shared.victims.register import visibility

router = APIRouter(prefix="/v1", tags=["daftar orang"], route_class=GuardedRoute)

REFUSED_CODES = (
    *("unknown-case", "no-such-route", "unknown-unit", "unknown-region", "desk-is-full"),
    *("batch-already-taken-in", "too-many-searches", "supervisor-for-list"),
    *("force-not-in-lists", "list-needs-supervisor", "urgent-needs-supervisor"),
    *NOTED,
)
ANSWER: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Satu objek JSON per baris: `batch`, lalu tiap `person` dan `progress`, terakhir `end`. / One "
        "JSON object a line: `batch`, then each `person` with `progress` between, and `end`. The lines of people are "
        "`PersonLine` of GET /v1/batches/{batch_id}.",
        "content": {streaming.LINES: {"schema": {"type": "string"}}},
    }
}
MAX_BATCH_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class TableOptions:
    """Options of the query that hold for every person on a CSV table.

    ``refer``: the services to ask for, in the form of ASK. ``check``: check the table, and store nothing.
    """

    refer: Sequence[str]
    basis: LegalBasis
    priority: Priority
    check: bool

    def asks(self) -> tuple[AskFor, ...]:
        """The referrals to make for everybody. Raises RequestValidationError for a code that is too long."""
        return tuple(_ask(text, self.basis, self.priority) for text in self.refer)


# coroutines, as in ``shared.http.dependencies``: FastAPI would run each plain function in a thread
async def _sending(request: Request, case_id: IdPath, caller: CallerAtDeskDep, posting: PostingDep) -> Sending:
    return Sending(request, case_id, caller, posting)


async def _table_options(
    refer: Annotated[list[Annotated[str, Query(pattern=ASK, max_length=150)]], Query(max_length=5)] = [],  # noqa: B006
    basis: LegalBasis = LegalBasis.VITAL_INTEREST,
    priority: Priority = Priority.ROUTINE,
    check: Annotated[Literal["true"] | None, Query(description="`true`: hanya diperiksa / only checked")] = None,
) -> TableOptions:
    return TableOptions(refer, basis, priority, check is not None)


SendingDep = Annotated[Sending, Depends(_sending)]


@router.post(
    "/cases/{case_id}/batches",
    response_class=StreamingResponse,
    summary="Daftarkan dan rujuk banyak orang / Take in many people",
    responses=ANSWER | responses(*REFUSED_CODES),
)
@route_traits(max_body=MAX_BATCH_BYTES)
def take_in(command: TakeIn, sending: SendingDep) -> StreamingResponse:
    """Tiap orang didaftarkan dan dirujuk sekaligus, atau tidak sama sekali. Kesalahan satu orang tidak menghambat yang
    lain. Bila sambungan terputus, kirim lagi dengan Idempotency-Key yang sama: pekerjaan dilanjutkan. `check: true`
    hanya memeriksa; tidak ada yang disimpan.

    Each person is registered and referred at once, or not at all. One person's mistake delays nobody else. If the
    connection breaks, send it again with the same Idempotency-Key, and the work goes on. `check: true` only checks;
    nothing is stored.
    """
    return streaming.stream(sending, command, None)


@router.post(
    "/cases/{case_id}/batches.csv",
    response_class=StreamingResponse,
    summary="Daftarkan dan rujuk banyak orang dari CSV / Take in many people from CSV",
    responses=ANSWER | responses(*REFUSED_CODES, "malformed-csv", "unknown-column", "column-twice", "too-many-people"),
)
@route_traits(max_body=MAX_BATCH_BYTES, json_body=False)
def take_in_csv(
    table: Annotated[
        bytes,
        Body(
            media_type="text/csv",
            description=f"Judul kolom / headings: {', '.join(sorted(HEADINGS))}.",
            examples=["nama;jenis_kelamin;kelompok_usia\nContoh Rekaan;perempuan;dewasa\n"],
        ),
    ],
    sending: SendingDep,
    options: Annotated[TableOptions, Depends(_table_options)],
) -> StreamingResponse:
    """Daftar dari tabel CSV, dengan pemisah koma atau titik koma. `refer=clinic:first-aid` boleh diulang.

    A list from a CSV table, separated by commas or semicolons. `refer=clinic:first-aid` may be repeated.
    """
    people, headings = people_of(table)
    command = TakeIn.model_construct(refer=options.asks(), check=options.check, people=people)
    return streaming.stream(sending, command, headings)


def _ask(text: str, basis: LegalBasis, priority: Priority) -> AskFor:
    agency, service, *unit = text.split(":")
    try:
        receiver = Receiver(agency=agency, unit=unit[0] if unit else None)
        return AskFor(service=service, receiver=receiver, basis=basis, priority=priority)
    except ValidationError:
        fault = {"type": "string_pattern_mismatch", "loc": ("query", "refer"), "msg": "", "ctx": {"pattern": ASK}}
        raise RequestValidationError([fault]) from None


@router.get(
    "/cases/{case_id}/batches",
    summary="Daftar orang dalam kasus / The batches of a case",
    responses=responses("unknown-case"),
)
def list_batches(case_id: IdPath, database: DatabaseDep, sight: SightDep) -> BatchList:
    """Semua daftar orang dalam kasus ini, dengan jumlah yang terdaftar dan yang ditolak.

    Every list of this case, with the numbers of people registered and refused.
    """

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
    """Setiap orang dalam daftar: nama samaran dan rujukannya, atau masalahnya.

    Each person of the list: the pseudonym and the referrals, or the problem.
    """

    def look(session: Session) -> WholeBatch:
        row = store.load(session, batch_id, store.visible(sight))
        if row is None:
            raise Refused("unknown-batch")
        return whole_batch(row, store.people(session, batch_id))

    return database.read(look)
