"""Letters for desks that work on paper: print, check by code, and enter the answer of a reply slip."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Response
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, Field

from shared.contracts.codes import LetterKind
from shared.contracts.types import Id, Moment, UnitRef
from shared.domain import commands as c
from shared.domain.letters import Standing, grouped, read_code
from shared.service import handlers
from shared.service.admission import CallerDep, GuardedRoute, SightDep
from shared.service.dependencies import DatabaseDep, IdPath, OfficeDep, PostingDep, PurposeQuery
from shared.service.idempotency import Answer
from shared.service.letters import answers, checking, contents, issuing, page
from shared.service.letters.checking import Checked, Proof
from shared.service.letters.paper import Paper
from shared.service.limits import limit_identities
from shared.service.problems import COMMANDED, POSTING, responses
from shared.service.read_models import ReferralView, referral_view
from shared.storage.agency_tables import LetterRow
from shared.storage.database import Transaction

router = APIRouter(prefix="/v1", tags=["surat"], route_class=GuardedRoute)
pages = APIRouter(include_in_schema=False, default_response_class=HTMLResponse, route_class=GuardedRoute)
CodePath = Annotated[
    str, Path(pattern=c.LETTER_CODE_WRITTEN, description="Kode surat / as it stands on the paper: `K3M9-QXD7-R2TF`.")
]


class LetterView(BaseModel):
    """A letter (surat) by its code. Its content is in its PDF alone."""

    code: str = Field(examples=["K3M9-QXD7-R2TF"])
    kind: LetterKind
    unit: UnitRef = Field(description="Who printed it.")
    issued_at: Moment
    victim_id: Id | None
    referral_id: Id | None
    version: int | None = Field(description="The version of the referral that it tells of.")
    record_id: Id | None


class LetterCheck(LetterView):
    """The ledger's proof of a letter. Its ids are null for a caller who may not see its victim, referral or record."""

    recorded_at: Moment = Field(description="When it was recorded here.")
    issued: Proof = Field(description="The signed word that this letter was printed.")
    tells: Proof = Field(description="The signed event that it tells of.")
    standing: Standing = Field(description="Whether that is still the last word.")


class Pdf(Response):
    """A PDF response."""

    media_type = "application/pdf"


def _view(row: LetterRow) -> LetterView:
    return LetterView(
        code=grouped(row.code),
        kind=LetterKind(row.kind),
        unit=UnitRef(agency=row.agency, unit=row.unit, region=row.region),
        issued_at=row.issued_at,
        victim_id=row.victim_id,
        referral_id=row.referral_id,
        version=row.version,
        record_id=row.record_id,
    )


def _made(row: LetterRow) -> Answer:
    return Answer(201, _view(row), f"/v1/letters/{grouped(row.code)}")


def _checked(found: Checked) -> LetterCheck:
    said: dict[str, Any] = _view(found.row).model_dump()
    if not found.in_sight:
        said |= {"victim_id": None, "referral_id": None, "version": None, "record_id": None}
    return LetterCheck(
        **said,
        recorded_at=found.row.recorded_at,
        issued=found.issued,
        tells=found.told,
        standing=found.standing,
    )


@router.post(
    "/referrals/{referral_id}/letters",
    status_code=201,
    response_model=LetterView,
    summary="Cetak rujukan di kertas / Print a referral on paper",
    responses=responses("unknown-referral", "not-your-move", "referral-ended", *POSTING),
)
def issue_letter(
    referral_id: IdPath, command: c.IssueLetter, office: OfficeDep, sight: SightDep, posting: PostingDep
) -> Response:
    """Pengirim mencetak surat rujukan; kedua pihak dapat mencetak lembar jawaban. Pihak lain diberi tahu kodenya. Isi
    surat ada di `…/pdf`."""
    return posting.once(command, lambda tx: _made(issuing.issue(tx, office, sight, referral_id, command)))


@router.post(
    "/records/{record_id}/letters",
    status_code=201,
    response_model=LetterView,
    summary="Cetak catatan di kertas / Print a record on paper",
    responses=responses("unknown-record", "not-your-unit", "form-not-printed", *POSTING),
)
def print_record(
    record_id: IdPath, command: c.PrintRecord, office: OfficeDep, sight: SightDep, posting: PostingDep
) -> Response:
    """Formulir dengan bentuk kertas (`printed` di `/v1/forms`), untuk ditandatangani kedua pihak."""
    return posting.once(command, lambda tx: _made(issuing.print_record(tx, office, sight, record_id)))


@router.get(
    "/letters/{code}",
    summary="Periksa surat / Check a letter",
    responses=responses("unknown-letter", "letter-code-mistyped"),
)
def check_letter(code: CodePath, office: OfficeDep, database: DatabaseDep, sight: SightDep) -> LetterCheck:
    """Bagi siapa pun yang memegang kertasnya. Jawaban: apakah surat tercatat di buku induk, apakah tanda tangannya
    benar, dan apakah isinya masih berlaku. Tanpa identitas."""
    known = read_code(code, "code")
    return database.read(lambda session: _checked(checking.check(session, office, sight, known)))


@router.get(
    "/letters/{code}/pdf",
    summary="Surat untuk dicetak, PDF (dicatat) / The letter to be printed, as PDF (logged)",
    response_class=Pdf,
    dependencies=[Depends(limit_identities)],
    responses=responses("unknown-letter", "letter-code-mistyped", "no-consent", "not-a-child"),
)
def print_letter(
    code: CodePath,
    purpose: PurposeQuery,
    office: OfficeDep,
    caller: CallerDep,
    sight: SightDep,
    database: DatabaseDep,
) -> Response:
    """Identitas hanya sejauh yang sudah diberikan dengan rujukannya, dan yang boleh dilihat pemanggil. Setiap pembacaan
    dicatat dalam transaksi yang sama. Lembar jawaban tidak memuat identitas."""
    from shared.service.letters import pdf  # imported when first used: with its fonts it takes a quarter of a second

    known = read_code(code, "code")

    def work(tx: Transaction) -> Paper:
        return contents.paper(tx, office, caller, sight, known, purpose)

    paper = database.write(work)
    named = {"Cache-Control": "no-store", "Content-Disposition": f'inline; filename="{grouped(known)}.pdf"'}
    return Pdf(pdf.render(paper), headers=named)


@router.post(
    "/referrals/{referral_id}/paper-answer",
    response_model=ReferralView,
    summary="Masukkan jawaban kertas / Enter an answer that was given on paper",
    responses=responses(
        "unknown-referral",
        "not-your-move",
        "unknown-letter",
        "letter-code-mistyped",
        "answer-before-request",
        "reason-required",
        "reason-with-acceptance",
        "note-required",
        "move-not-allowed",
        "referral-ended",
        *COMMANDED,
    ),
)
def answer_on_paper(
    referral_id: IdPath, command: c.PaperAnswer, office: OfficeDep, sight: SightDep, posting: PostingDep
) -> Response:
    """Masukkan isi lembar jawaban yang kembali. `occurred_at` adalah waktu di lembar itu, dan menentukan apakah jawaban
    tepat waktu. Waktu pemasukan dicatat juga. Nama penanda tangan disimpan tersegel, seperti catatan."""

    def work(tx: Transaction) -> Answer:
        row = answers.answer(tx, office, sight, referral_id, command)
        return Answer(200, referral_view(row, tx.now), etag=handlers.etag(row))

    return posting.once(command, work)


@pages.get("/surat")
def letter_form(office: OfficeDep, database: DatabaseDep, kode: str = "") -> HTMLResponse:
    """The page where the holder of a paper types its code."""
    return page.show(office, database, kode)


@pages.get("/surat/{code}")
def letter_page(code: str, office: OfficeDep, database: DatabaseDep) -> HTMLResponse:
    """The page that the square code of a paper opens."""
    return page.show(office, database, code)
