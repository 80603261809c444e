"""Letters for desks that work on paper: print, check by code, and enter the answer of a reply slip."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Response
from fastapi.responses import HTMLResponse

from shared.casework.letters import answers, checking, contents, issuing, page
from shared.casework.letters.paper import Paper
from shared.casework.letters.tables import LetterRow
from shared.casework.letters.views import LetterCheck, LetterView, letter_check, letter_view
from shared.casework.referrals import execution
from shared.casework.referrals.refusals import GIVING_BACK
from shared.domain.letters import LETTER_CODE_WRITTEN, IssueLetter, PaperAnswer, PrintRecord, grouped, read_code
from shared.http.admission import GuardedRoute, SightDep
from shared.http.caller_at_desk import CallerAtDeskDep
from shared.http.dependencies import DatabaseDep, IdPath, OfficeDep, PostingDep, PurposeQuery
from shared.http.idempotency import StoredResponse
from shared.http.limits import limit_identities
from shared.http.openapi import COMMANDED, POSTING, responses
from shared.service.referral_view import ReferralView, referral_view
from shared.storage.unit_of_work import Transaction

router = APIRouter(prefix="/v1", tags=["surat"], route_class=GuardedRoute)
pages = APIRouter(include_in_schema=False, default_response_class=HTMLResponse, route_class=GuardedRoute)
CodePath = Annotated[
    str, Path(pattern=LETTER_CODE_WRITTEN, description="Kode surat / as it stands on the paper: `K3M9-QXD7-R2TF`.")
]


class Pdf(Response):
    """A PDF response."""

    media_type = "application/pdf"


def _made(row: LetterRow) -> StoredResponse:
    return StoredResponse(201, letter_view(row), f"/v1/letters/{grouped(row.code)}")


@router.post(
    "/referrals/{referral_id}/letters",
    status_code=201,
    response_model=LetterView,
    summary="Cetak rujukan di kertas / Print a referral on paper",
    responses=responses("unknown-referral", "not-your-move", "referral-ended", *POSTING),
)
def issue_letter(referral_id: IdPath, command: IssueLetter, caller: CallerAtDeskDep, posting: PostingDep) -> Response:
    """Pengirim mencetak surat rujukan; kedua pihak dapat mencetak lembar jawaban. Pihak lain diberi tahu kodenya. Isi
    surat ada di `…/pdf`.

    The sender prints a referral letter; both sides may print a reply slip. The other side is told its code. The content
    of the letter is at `…/pdf`.
    """
    return posting.once(command, lambda tx: _made(issuing.issue(caller.acting(tx), referral_id, command)))


@router.post(
    "/records/{record_id}/letters",
    status_code=201,
    response_model=LetterView,
    summary="Cetak catatan di kertas / Print a record on paper",
    responses=responses("unknown-record", "not-your-unit", "form-not-printed", *POSTING),
)
def print_record(record_id: IdPath, command: PrintRecord, caller: CallerAtDeskDep, posting: PostingDep) -> Response:
    """Formulir dengan bentuk kertas (`printed` di `/v1/forms`), untuk ditandatangani kedua pihak.

    A form with a shape on paper (`printed` at `/v1/forms`), for both sides to sign.
    """
    return posting.once(command, lambda tx: _made(issuing.print_record(caller.acting(tx), record_id)))


@router.get(
    "/letters/{code}",
    summary="Periksa surat / Check a letter",
    responses=responses("unknown-letter", "letter-code-mistyped"),
)
def check_letter(code: CodePath, office: OfficeDep, database: DatabaseDep, sight: SightDep) -> LetterCheck:
    """Bagi siapa pun yang memegang kertasnya. Jawaban: apakah surat tercatat di buku induk, apakah tanda tangannya
    benar, dan apakah isinya masih berlaku. Tanpa identitas.

    For anybody who holds the paper. The answer says whether the ledger has the letter, whether its signature is right,
    and whether it still stands. Without identity.
    """
    known = read_code(code, "code")
    return database.read(lambda session: letter_check(checking.check(session, office, sight, known)))


@router.get(
    "/letters/{code}/pdf",
    summary="Surat untuk dicetak, PDF (dicatat) / The letter to be printed, as PDF (logged)",
    response_class=Pdf,
    dependencies=[Depends(limit_identities)],
    responses=responses("unknown-letter", "letter-code-mistyped", "no-consent", "not-a-child", "guardian-part-missing"),
)
def print_letter(code: CodePath, purpose: PurposeQuery, caller: CallerAtDeskDep, database: DatabaseDep) -> Response:
    """Identitas hanya sejauh yang sudah diberikan dengan rujukannya, dan yang boleh dilihat pemanggil. Setiap pembacaan
    dicatat dalam transaksi yang sama. Lembar jawaban tidak memuat identitas.

    Identity only as far as it was given with the referral, and as the caller may see it. Each reading is logged in the
    same transaction. A reply slip has no identity.
    """
    from shared.casework.letters import pdf  # imported when first used: with its fonts it takes a quarter of a second

    known = read_code(code, "code")

    def work(tx: Transaction) -> Paper:
        return contents.paper(caller.acting(tx), known, purpose)

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
        "custody-contested",
        "custody-held-here",
        *GIVING_BACK,
        "referral-ended",
        *COMMANDED,
    ),
)
def answer_on_paper(
    referral_id: IdPath, command: PaperAnswer, caller: CallerAtDeskDep, posting: PostingDep
) -> Response:
    """Masukkan isi lembar jawaban yang kembali. `occurred_at` adalah waktu di lembar itu, dan menentukan apakah jawaban
    tepat waktu. Waktu pemasukan dicatat juga. Nama penanda tangan disimpan tersegel, seperti catatan.

    Enter what stands on the slip that came back. `occurred_at` is the moment on the slip, and decides whether the
    answer was in time. The moment of entry is recorded too. The signer's name is kept sealed, like a note.
    """

    def work(tx: Transaction) -> StoredResponse:
        row = answers.answer(caller.acting(tx), referral_id, command)
        return StoredResponse(200, referral_view(row, tx.now), etag=execution.etag(row))

    return posting.once(command, work)


@pages.get("/surat")
def letter_form(office: OfficeDep, database: DatabaseDep, kode: str = "") -> HTMLResponse:
    """The page where the reader of a paper types its code."""
    return page.show(office, database, kode)


@pages.get("/surat/{code}")
def letter_page(code: str, office: OfficeDep, database: DatabaseDep) -> HTMLResponse:
    """The page that the square code of a paper opens."""
    return page.show(office, database, code)
