"""Text of callers: a name is one line, and no text turns the direction of writing."""

import re
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from shared.contracts.types import ONE_LINE, SEVERAL_LINES
from shared.domain import forms as f
from shared.domain.commands import Note, Text
from shared.domain.identity import Identity
from shared.domain.letters import PaperAnswer
from shared.domain.text import Text as Label

BREAKS = ["\n", "\r", "\t"]
CONTROLS = ["\x00", "\x07", "\x0b", "\x1b", "\x7f", "\x85", "\u2028", "\u2029"]
DIRECTIONS = [*map(chr, range(0x202A, 0x202F)), *map(chr, range(0x2066, 0x206A)), "\u200e", "\u200f", "\u061c"]
NAMES = ("name", "address", "safe_house")


def refused_in(identity: dict[str, str]) -> list[str]:
    try:
        Identity.model_validate(identity)
    except ValidationError as error:
        return [str(fault["loc"][0]) for fault in error.errors()]
    return []


@pytest.mark.parametrize("field", NAMES)
@pytest.mark.parametrize("letter", [*BREAKS, *CONTROLS, *DIRECTIONS])
def test_a_name_or_a_place_is_one_line(field: str, letter: str) -> None:
    assert refused_in({field: f"Melati{letter}Status: DITERIMA"}) == [field]


@pytest.mark.parametrize("letter", [*CONTROLS, *DIRECTIONS])
def test_a_statement_has_lines_but_no_controls(letter: str) -> None:
    assert refused_in({"statement": "Cerita rekaan.\r\n\tBaris kedua."}) == []
    assert refused_in({"statement": f"Cerita{letter}rekaan."}) == ["statement"]


@pytest.mark.parametrize(
    "name", ["Siti Nur'aini", "Ni Luh Putu Ayu", "Nguyễn Thị Hoa", "សុភា", "زهرة", "王小明", "A. B-C"]
)
def test_names_of_every_script_pass(name: str) -> None:
    assert refused_in({"name": name, "address": name, "safe_house": name}) == []


def test_both_patterns_read_the_same_in_json_schema_and_here() -> None:
    for letter in map(chr, range(0x3000)):
        one, several = (re.fullmatch(pattern, f"a{letter}b") is not None for pattern in (ONE_LINE, SEVERAL_LINES))
        assert _takes(Text, f"a{letter}b") is one, hex(ord(letter))
        assert _takes(Note, f"a{letter}b") is several, hex(ord(letter))
        assert one is several or letter in BREAKS


def test_the_signer_of_a_slip_is_one_line() -> None:
    slip = {"letter": "K3M9-QXD7-R2TF", "answer": "accepted", "occurred_at": "2026-11-24T09:30:00+08:00"}
    PaperAnswer.model_validate({**slip, "signed_by": "Petugas Rekaan", "note": "Baris satu\nBaris dua"})
    for bad in ({"signed_by": "Petugas\nRekaan"}, {"signed_by": "Petugas Rekaan", "note": "a\u202eb"}):
        with pytest.raises(ValidationError):
            PaperAnswer.model_validate({**slip, **bad})


def test_a_short_field_of_a_form_is_one_line_and_a_long_one_is_a_note() -> None:
    label = Label("Isian", "Field")
    fields = (f.FormField("number", label, f.Words(200)), f.FormField("findings", label, f.Words(201)))
    filled = f.body_of(f.Form("loan", label, f.FormSubject.CASE, fields, "House rules"))
    filled.model_validate({"number": "LP/1/2026", "findings": "Baris satu\nBaris dua"})
    for bad in ({"number": "LP/1\n2026"}, {"findings": "a\u202eb"}):
        with pytest.raises(ValidationError):
            filled.model_validate({"number": "LP/1/2026", "findings": "Rekaan", **bad})


def _takes(kind: Any, text: str) -> bool:
    try:
        TypeAdapter(kind).validate_python(text)
    except ValidationError:
        return False
    return True
