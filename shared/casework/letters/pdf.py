"""Draw a paper as PDF: A4, fonts embedded, with its code and the page number on each page.

Only the pages may name a person. The metadata hold the title, the code and the time of issue.
"""

import unicodedata
from functools import cache
from pathlib import Path

import segno
from fpdf import FPDF
from fpdf.enums import XPos, YPos
from fpdf.fonts import TTFFont

from shared.casework.letters import words
from shared.casework.letters.paper import Blanks, Boxes, Lines, Paper, Part, Remark, Signatures
from shared.domain.text import Text

FONTS = Path(__file__).with_name("fonts")
"""DejaVu Sans, reduced to what Latin scripts need (``fonts/NOTE.md``)."""
FAMILY = "DejaVu"
MARGIN, TOP, WIDTH, LABEL = 20.0, 14.0, 170.0, 52.0
"""All lengths of this module are millimetres."""
LINE, SMALL = 5.0, 3.2
FOOT = 20.0
SQUARE = 30.0
BOX = 3.5
WRITING = 8.0
UNKNOWN = "□"
"""Replaces a character that the font lacks."""


class _Sheet(FPDF):
    """The document; the library calls ``header`` and ``footer`` on each page."""

    def __init__(self, paper: Paper) -> None:
        super().__init__(format="A4")
        self.paper = paper
        self.add_font(FAMILY, fname=FONTS / "DejaVuSans.ttf")
        self.add_font(FAMILY, style="B", fname=FONTS / "DejaVuSans-Bold.ttf")
        self.set_margins(MARGIN, TOP)
        self.c_margin = 0
        self.set_auto_page_break(True, FOOT)
        self.set_title(f"{paper.title.id} {paper.code}")
        self.set_creator("Estafet")
        self.set_creation_date(paper.issued_at)
        self.set_lang("id-ID")

    def header(self) -> None:
        """From the second page on: the title and the unit."""
        if self.page_no() == 1:
            return
        _font(self, 8)
        self.cell(WIDTH, LINE, f"{self.paper.title.id} · {self.paper.unit}", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.line(MARGIN, self.y, MARGIN + WIDTH, self.y)
        self.ln(3)

    def footer(self) -> None:
        """The code, the page number, and the number of pages."""
        self.set_y(-FOOT + 6)
        self.line(MARGIN, self.y, MARGIN + WIDTH, self.y)
        self.ln(1)
        _font(self, 8)
        self.cell(WIDTH / 2, LINE, f"Kode {self.paper.code}")
        self.cell(WIDTH / 2, LINE, f"Halaman {self.page_no()} dari {{nb}}", align="R")


def render(paper: Paper) -> bytes:
    """The PDF of a paper."""
    sheet = _Sheet(paper)
    sheet.add_page()
    _letterhead(sheet)
    for part in paper.parts:
        _draw(sheet, part)
    drawn = bytes(sheet.output())
    _close(sheet)
    return drawn


def _draw(sheet: _Sheet, part: Part) -> None:
    match part:
        case Lines():
            _lines(sheet, part)
        case Boxes():
            _boxes(sheet, part)
        case Blanks():
            _blanks(sheet, part)
        case Signatures():
            _signatures(sheet, part)
        case Remark():
            _remark(sheet, part)


def _letterhead(sheet: _Sheet) -> None:
    paper, beside = sheet.paper, WIDTH - SQUARE - 4
    _square(sheet, paper.square, MARGIN + WIDTH - SQUARE, TOP)
    _font(sheet, 9)
    _write(sheet, beside, LINE, paper.agency)
    _font(sheet, 12, "B")
    _write(sheet, beside, 6, paper.unit)
    sheet.ln(3)
    _font(sheet, 15, "B")
    _write(sheet, beside, 7, paper.title.id)
    _english(sheet, beside, paper.title)
    _font(sheet, 9)
    _write(sheet, beside, LINE, paper.dated)
    sheet.set_y(max(sheet.y, TOP + SQUARE) + 1)
    _font(sheet, 11, "B")
    sheet.set_x(MARGIN)
    sheet.cell(WIDTH, LINE, paper.code, align="R", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
    _font(sheet, 6.5)
    sheet.cell(WIDTH, SMALL, f"{words.SCAN.id} / {words.SCAN.en}", align="R", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
    sheet.ln(1)
    sheet.line(MARGIN, sheet.y, MARGIN + WIDTH, sheet.y)
    sheet.ln(3)


def _square(sheet: _Sheet, text: str, x: float, y: float) -> None:
    """Draw a QR code (ISO/IEC 18004) with its quiet zone, from rectangles, so that no image is embedded."""
    rows = [list(row) for row in segno.make_qr(text, error="m").matrix_iter(border=2)]
    side = SQUARE / len(rows)
    sheet.set_fill_color(0)
    for down, row in enumerate(rows):
        for across, dark in enumerate(row):
            if dark:
                sheet.rect(x + across * side, y + down * side, side, side, style="F")


def _lines(sheet: _Sheet, part: Lines) -> None:
    _heading(sheet, part.heading, LINE * 2)
    for label, said in part.lines:
        _line(sheet, label, said)
    sheet.ln(2)


def _line(sheet: _Sheet, label: Text, said: str) -> None:
    """Draw a label and the text beside it, on one page where it fits."""
    _font(sheet, 9)
    tall = max(_height(sheet, WIDTH - LABEL, LINE, said), _height(sheet, LABEL - 2, LINE, label.id) + SMALL)
    room = sheet.h - FOOT - sheet.y
    if tall > room and (tall < sheet.h / 2 or room < 4 * LINE):
        sheet.add_page()
    top, page = sheet.y, sheet.page
    _write(sheet, LABEL - 2, LINE, label.id)
    _english(sheet, LABEL - 2, label)
    below = sheet.y
    sheet.set_xy(MARGIN + LABEL, top)
    _font(sheet, 9, "B")
    _write(sheet, WIDTH - LABEL, LINE, said, MARGIN + LABEL)
    sheet.set_xy(MARGIN, (max(below, sheet.y) if sheet.page == page else sheet.y) + 0.8)


def _boxes(sheet: _Sheet, part: Boxes) -> None:
    each = LINE + 1.2
    _heading(sheet, part.heading, each * ((len(part.choices) + 1) // 2))
    for at, choice in enumerate(part.choices):
        x = MARGIN + (WIDTH / 2) * (at % 2)
        sheet.rect(x, sheet.y + 0.8, BOX, BOX)
        sheet.set_x(x + BOX + 2.5)
        _font(sheet, 9)
        sheet.cell(sheet.get_string_width(choice.id) + 2, LINE, choice.id)
        _font(sheet, 6.5)
        sheet.cell(10, LINE + 0.4, choice.en)
        if at % 2 or at == len(part.choices) - 1:
            sheet.set_xy(MARGIN, sheet.y + each)
    sheet.ln(1)


def _blanks(sheet: _Sheet, part: Blanks) -> None:
    for label, tall in part.labels:
        _keep_together(sheet, (tall + 1) * WRITING)
        _font(sheet, 9)
        top = sheet.y
        _write(sheet, LABEL + 18, LINE, label.id)
        _english(sheet, LABEL + 18, label)
        below = sheet.y
        for line in range(1, tall + 1):
            y = top + line * WRITING - 1
            sheet.line(MARGIN + LABEL + 22, y, MARGIN + WIDTH, y)
        sheet.set_xy(MARGIN, max(below, top + tall * WRITING) + 1)


def _signatures(sheet: _Sheet, part: Signatures) -> None:
    tall, gap = 38.0, 6.0
    wide = (WIDTH - gap) / 2
    sheet.ln(2)
    _keep_together(sheet, tall + 3)
    top = sheet.y
    for at, (caption, name) in enumerate(part.signers):
        x = MARGIN + (wide + gap) * (at % 2)
        sheet.rect(x, top, wide, tall)
        sheet.set_xy(x + 2, top + 1)
        _font(sheet, 9, "B")
        _write(sheet, wide - 4, LINE, caption.id, x + 2)
        _english(sheet, wide - 4, caption, x + 2)
        _font(sheet, 8)
        lines = _broken(sheet, wide - 4, name or "Nama, jabatan, tanggal")
        sheet.line(x + 2, top + tall - 11, x + wide - 2, top + tall - 11)
        sheet.set_xy(x + 2, top + tall - 10)
        # the Lines part above shows a long name in full
        _write(sheet, wide - 4, 4, "\n".join(lines[:2]) + ("…" if len(lines) > 2 else ""), x + 2)
    sheet.set_xy(MARGIN, top + tall + 3)


def _remark(sheet: _Sheet, part: Remark) -> None:
    _font(sheet, 8, "B")
    _keep_together(sheet, _height(sheet, WIDTH, 4, part.said.id) + _height(sheet, WIDTH, SMALL, part.said.en))
    _write(sheet, WIDTH, 4, part.said.id)
    _english(sheet, WIDTH, part.said)
    sheet.ln(2)


def _heading(sheet: _Sheet, heading: Text, following: float) -> None:
    """Draw a heading, and keep it on one page with the part that follows."""
    _keep_together(sheet, LINE * 2 + following)
    _font(sheet, 10, "B")
    sheet.cell(sheet.get_string_width(heading.id) + 3, LINE + 1, heading.id)
    _font(sheet, 6.5)
    sheet.cell(60, LINE + 1.6, heading.en, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
    sheet.ln(1)


def _keep_together(sheet: _Sheet, tall: float) -> None:
    if sheet.y + tall > sheet.h - FOOT:
        sheet.add_page()


def _font(sheet: FPDF, size: float, style: str = "") -> None:
    sheet.set_font(FAMILY, style, size)


def _english(sheet: _Sheet, wide: float, text: Text, x: float = MARGIN) -> None:
    _font(sheet, 6.5)
    _write(sheet, wide, SMALL, text.en, x)


def _write(sheet: _Sheet, wide: float, tall: float, said: str, x: float = MARGIN) -> None:
    sheet.set_x(x)
    sheet.multi_cell(wide, tall, _readable(said), align="L", new_x=XPos.LEFT, new_y=YPos.NEXT)


def _height(sheet: _Sheet, wide: float, tall: float, said: str) -> float:
    return len(_broken(sheet, wide, said)) * tall


def _broken(sheet: _Sheet, wide: float, said: str) -> list[str]:
    """A text broken into lines, in the current font."""
    found = sheet.multi_cell(wide, LINE, _readable(said), align="L", dry_run=True, output="LINES")
    assert isinstance(found, list)
    return found


@cache
def _drawable() -> frozenset[str]:
    """The characters that the font has."""
    sheet = FPDF()
    sheet.add_font(FAMILY, fname=FONTS / "DejaVuSans.ttf")
    found = frozenset(chr(point) for font in _fonts_of(sheet) for point in font.cmap)
    _close(sheet)
    return found


def _fonts_of(sheet: FPDF) -> list[TTFFont]:
    return [font for font in sheet.fonts.values() if isinstance(font, TTFFont)]


def _close(sheet: FPDF) -> None:
    """Close the font files, which the library leaves open."""
    for font in _fonts_of(sheet):
        font.close()


def _readable(said: str) -> str:
    """A text with only characters that the font has. The library would log the others, which may be part of a name."""
    composed = unicodedata.normalize("NFC", said.replace("\r\n", "\n").replace("\t", " "))
    kept = (letter for letter in composed if letter == "\n" or unicodedata.category(letter) not in ("Cc", "Cf"))
    return "".join(letter if letter == "\n" or letter in _drawable() else UNKNOWN for letter in kept)
