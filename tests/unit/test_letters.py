"""Codes of letters, the currency of a letter, answers of a slip, and the fate of a text on paper."""

import logging
import queue
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from logging.handlers import QueueHandler

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from shared.casework.letters import contents, pdf, words
from shared.casework.letters.paper import Boxes, Lines, Paper, Signatures
from shared.contracts.codes import IdentityField, RejectReason, Status
from shared.contracts.types import LETTER_CODE
from shared.domain import forms as f
from shared.domain.letters import (
    ALPHABET,
    CODES,
    LETTER_CODE_WRITTEN,
    LETTERS,
    PaperAnswer,
    Standing,
    answer_of,
    code_of,
    grouped,
    read_code,
    standing,
)
from shared.domain.referral import open_referral
from shared.domain.referral_commands import Accept, Reject
from shared.domain.refusal import Refused
from shared.domain.text import Text
from tests.support.referral_desks import a_request
from tests.support.sources import ROOT

NUMBERS = st.integers(0, CODES - 1)
TYPED = st.sampled_from("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")
ALIKE = {"O": "0", "I": "1", "L": "1"}


def mistyped(written: str) -> bool:
    try:
        read_code(written, "code")
    except Refused as refused:
        return (refused.problem, refused.field) == ("letter-code-mistyped", "code")
    return False


@given(NUMBERS)
def test_a_code_is_read_as_people_copy_it(number: int) -> None:
    code = code_of(number)
    as_copied = (
        code,
        grouped(code),
        grouped(code).lower(),
        code.replace("0", "o"),
        code[0] + code[1:].replace("1", "L"),
    )
    assert {read_code(written, "code") for written in as_copied} == {code}


@given(NUMBERS, st.integers(0, 11), TYPED)
def test_one_wrong_character_is_always_found(number: int, place: int, typed: str) -> None:
    code = code_of(number)
    same = ALIKE.get(typed, typed) == code[place]
    assert mistyped(code[:place] + typed + code[place + 1 :]) is not same


@given(NUMBERS, st.integers(0, 10))
def test_two_neighbours_that_were_swapped_are_found_but_for_the_ends_of_the_alphabet(number: int, place: int) -> None:
    code = code_of(number)
    one, other = code[place], code[place + 1]
    swapped = code[:place] + other + one + code[place + 2 :]
    assert mistyped(swapped) or one == other or {one, other} == {ALPHABET[0], ALPHABET[-1]}


@given(NUMBERS, NUMBERS)
def test_no_two_numbers_have_one_code(one: int, other: int) -> None:
    assert (code_of(one) == code_of(other)) == (one == other)


@pytest.mark.parametrize("number", [0, 1, CODES - 1])
def test_every_code_has_the_form_that_the_wire_promises_and_no_number_has(number: int) -> None:
    assert re.fullmatch(LETTER_CODE, code_of(number)) and code_of(number)[0] in LETTERS
    assert not re.fullmatch(LETTER_CODE, "740101010101") and not re.fullmatch(LETTER_CODE_WRITTEN, "081234567890")


@pytest.mark.parametrize(
    "written", ["", "K3M9", "K3M9-QXD7-R2T", "K3M9-QXD7-R2T-EE", "K3M9 QXD7 R2TF", "0000-0000-0000"]
)
def test_what_is_too_short_too_long_or_another_form_is_no_code(written: str) -> None:
    assert mistyped(written)


def test_a_letter_is_the_last_word_until_a_person_answers() -> None:
    referral = open_referral(a_request())
    for version, status, expected in (
        (1, Status.REQUESTED, Standing.CURRENT),
        (2, Status.RECEIVED, Standing.CURRENT),  # the receiver's service has noted it, and no more
        (3, Status.ACCEPTED, Standing.SUPERSEDED),
        (3, Status.REJECTED, Standing.SUPERSEDED),
    ):
        assert standing(1, replace(referral, version=version, status=status)) is expected
    assert standing(3, replace(referral, version=3, status=Status.ACCEPTED)) is Standing.CURRENT
    assert standing(3, replace(referral, version=4, status=Status.IN_PROGRESS)) is Standing.SUPERSEDED


# --- the slip ---------------------------------------------------------------------------------------------------------


def slip(**said: object) -> PaperAnswer:
    at = a_request().occurred_at + timedelta(hours=1)
    filled = {"letter": grouped(code_of(7)), "answer": "rejected", "signed_by": "Petugas Rekaan", "occurred_at": at}
    return PaperAnswer.model_validate({**filled, **said})


def refusal(of: PaperAnswer) -> tuple[str, str | None] | None:
    try:
        answer_of(of, open_referral(a_request()))
    except Refused as refused:
        return refused.problem, refused.field
    return None


def test_a_slip_is_a_move_at_the_moment_it_was_signed_with_the_signer_in_its_note() -> None:
    referral = open_referral(a_request())
    taken = answer_of(slip(answer="accepted", note="Bawa selimut."), referral)
    assert isinstance(taken, Accept) and taken.occurred_at == slip().occurred_at
    assert taken.note is not None and "Petugas Rekaan" in taken.note and "Bawa selimut." in taken.note
    refused = answer_of(slip(reason="no-capacity"), referral)
    assert isinstance(refused, Reject) and refused.reason is RejectReason.NO_CAPACITY


def test_a_slip_that_contradicts_itself_is_no_answer() -> None:
    before = a_request().occurred_at - timedelta(seconds=1)
    assert refusal(slip(reason="duplicate")) is None
    assert refusal(slip()) == ("reason-required", "reason")
    assert refusal(slip(reason="other")) == ("note-required", "note")
    assert refusal(slip(reason="other", note="Rekaan.")) is None
    assert refusal(slip(answer="accepted", reason="duplicate")) == ("reason-with-acceptance", "reason")
    assert refusal(slip(reason="duplicate", occurred_at=before)) == ("answer-before-request", "occurred_at")
    with pytest.raises(ValidationError):
        slip(occurred_at=None)


# --- on paper ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hours", "said"),
    [(7, "27 November 2026 pukul 14.05 WIB"), (8, "27 November 2026 pukul 15.05 WITA"),
     (9, "27 November 2026 pukul 16.05 WIT")],
)  # fmt: skip
def test_a_moment_is_written_as_the_clock_of_the_desk_shows_it(hours: int, said: str) -> None:
    at = datetime(2026, 11, 27, 7, 5, tzinfo=UTC)
    assert words.moment(at, timezone(timedelta(hours=hours))) == said
    assert (words.day("2001-02-28"), words.day("2001-02-30")) == ("28 Februari 2001", "2001-02-30")


@pytest.mark.parametrize("name", ["DejaVuSans.ttf", "DejaVuSans-Bold.ttf"])
def test_the_fonts_are_here_small_and_with_their_licence(name: str) -> None:
    folder = ROOT / "shared" / "casework" / "letters" / "fonts"
    assert 10_000 < (folder / name).stat().st_size < 150_000
    assert "Bitstream" in (folder / "LICENSE.txt").read_text()


@settings(max_examples=30, deadline=None)
@given(st.text(max_size=3000))
def test_whatever_somebody_wrote_can_be_drawn_and_is_told_to_no_log(said: str) -> None:
    told: queue.SimpleQueue[logging.LogRecord] = queue.SimpleQueue()
    listening = QueueHandler(told)
    logging.getLogger("fpdf").addHandler(listening)
    label = Text("Isian", "Field")
    at = datetime(2026, 11, 27, tzinfo=UTC)
    parts = (Lines(label, ((label, said),)), Boxes(label, (label,)), Signatures(((label, said),)))
    try:
        drawn = pdf.render(Paper("Instansi", "Satuan", label, "K3M9", "K3M9", "hari ini", at, parts))
    finally:
        logging.getLogger("fpdf").removeHandler(listening)
    assert drawn.startswith(b"%PDF-") and told.empty()


def test_text_beside_a_label_stays_on_one_line() -> None:
    """A second line would read as a word of the agency that printed the letter."""
    for field in set(IdentityField) - {IdentityField.STATEMENT, IdentityField.BORN_ON}:
        assert contents._said(field, "Melati\nStatus: DITERIMA") == "Melati Status: DITERIMA"
    assert contents._said(IdentityField.STATEMENT, "Baris satu\nBaris dua") == "Baris satu\nBaris dua"


def test_who_signs_a_record_is_named_in_one_of_its_fields() -> None:
    signed = f.Printed(Text("Berita acara", "Record"), {"giver": Text("Yang menyerahkan", "Giver")})
    named = f.FormField("giver", Text("Nama", "Name"), f.Words(80))
    form = f.Form("loan", signed.title, f.FormSubject.CASE, (named,), "House rules", printed=signed)
    f.check_forms([form])
    with pytest.raises(ValueError, match="each signer"):
        f.check_forms([replace(form, fields=())])
