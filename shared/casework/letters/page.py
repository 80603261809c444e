"""The public page behind the square code of a letter: how the ledger proves the paper, for any reader.

People who work on paper have a telephone but no account. The page repeats facts of the paper, and tells whether it is
on record and current. It shows nothing of the victim.
"""

import base64
import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from fastapi.responses import HTMLResponse

from shared.casework.letters import words
from shared.casework.letters.checking import Checked, Proof, check
from shared.casework.letters.contents import agency_name, desk_name
from shared.contracts.codes import LetterKind
from shared.contracts.types import UnitRef
from shared.domain.letters import Standing, grouped, read_code
from shared.domain.refusal import Refused
from shared.domain.text import Text
from shared.reference.office import Office
from shared.storage.unit_of_work import Database

FILE = Path(__file__).with_name("page.html")
_STYLE = re.compile(r"<style>(.*?)</style>", re.DOTALL)


@dataclass(frozen=True, slots=True)
class PageResult:
    """The result for a letter: finding, advice to the reader, colour of the page, and HTTP status."""

    says: Text
    advice: Text
    mark: str = "bad"
    status: int = 200


ON_RECORD = PageResult(
    Text("Surat ini tercatat dan masih berlaku", "This letter is on record and still valid"),
    Text(
        "Cocokkan kertas dengan keterangan di bawah. Kode membuktikan surat diterbitkan, bukan siapa pemegangnya.",
        "Compare the paper with the details below. The code proves that the letter was issued, not who holds it.",
    ),
    "good",
)
MOVED_ON = PageResult(
    Text("Surat ini tercatat, tetapi isinya bukan yang terbaru", "This letter is on record, but no longer current"),
    Text(
        "Sudah ada jawaban atau pembetulan sejak surat ini dicetak. Tanyakan keadaan terakhir kepada penerbitnya.",
        "It was answered or corrected after it was printed. Ask the agency that printed it for the current state.",
    ),
    "late",
)
UNPROVEN = PageResult(
    Text("Catatan surat ini tidak terbukti", "The record of this letter is not proven"),
    Text(
        "Kode dikenal, tetapi buku induk tidak membuktikan surat ini. Jangan dipakai; hubungi instansi penerbitnya.",
        "The code is known, but the ledger does not prove it. Do not rely on it; call the agency that printed it.",
    ),
)
UNKNOWN = PageResult(
    Text("Surat ini tidak tercatat di sini", "This letter is not on record here"),
    Text(
        "Periksa kode dan alamat instansi pada kertas. Bila keduanya benar, jangan dipakai; hubungi instansi itu.",
        "Check the code and the agency's address on the paper. If both are right, do not rely on it; call that agency.",
    ),
    status=404,
)
MISTYPED = PageResult(
    Text("Kode ini salah tulis", "This code is mistyped"),
    Text(
        "Kode terdiri dari dua belas huruf dan angka. Periksa satu per satu: ada yang salah atau kurang.",
        "A code has twelve letters and digits. Check them one by one: one is wrong or missing.",
    ),
    status=404,
)
KINDS = {
    LetterKind.REFERRAL_LETTER: Text("Surat rujukan atau pelimpahan", "Letter of referral or transfer"),
    LetterKind.REPLY_SLIP: words.SLIP,
    LetterKind.RECORD: Text("Formulir untuk ditandatangani", "Form to be signed"),
}


def show(office: Office, database: Database, written: str) -> HTMLResponse:
    """The page for a code as somebody has typed it; without a code, the page that asks for one.

    The page never repeats the typed text: it may be a name.
    """
    if not written:
        return _drawn(office, None, ())
    try:
        code = read_code(written[:40], "code")
        found = database.read(lambda session: check(session, office, None, code))
    except Refused as refused:
        return _drawn(office, UNKNOWN if refused.problem == "unknown-letter" else MISTYPED, ())
    return _drawn(office, _result(found), _facts(office, found))


def _result(found: Checked) -> PageResult:
    if {found.issued, found.told} != {Proof.PROVEN}:
        return UNPROVEN
    return ON_RECORD if found.standing is Standing.CURRENT else MOVED_ON


def _facts(office: Office, found: Checked) -> Sequence[tuple[Text, str]]:
    row = found.row
    desk = UnitRef(agency=row.agency, unit=row.unit, region=row.region)
    return (
        (Text("Kode", "Code"), grouped(row.code)),
        (Text("Jenis", "Kind"), KINDS[LetterKind(row.kind)].id),
        (
            Text("Penerbit", "Printed by"),
            f"{desk_name(office, desk, row.issued_at)}, {agency_name(office, row.agency)}",
        ),
        (Text("Diterbitkan", "Printed"), words.moment(row.issued_at, office.clocks.zone(row.region))),
    )


def _drawn(office: Office, result: PageResult | None, facts: Sequence[tuple[Text, str]]) -> HTMLResponse:
    draw, policy = _page()
    page = draw(agency=office.agency.label, result=result, facts=facts)
    status = result.status if result is not None else 200
    return HTMLResponse(page, status, headers={"Content-Security-Policy": policy})


@cache
def _page() -> tuple[Callable[..., str], str]:
    """The template of the page, and the policy that allows its one style by its digest (CSP level 3)."""
    from jinja2 import Environment, FileSystemLoader  # imported when first used: no start waits for it

    [style] = _STYLE.findall(FILE.read_text(encoding="utf-8"))
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; style-src 'sha256-{digest}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    return Environment(loader=FileSystemLoader(FILE.parent), autoescape=True).get_template(FILE.name).render, policy
