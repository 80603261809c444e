"""Forms: their declaration, the values that may be filed, and their order. The forms are a library's: no ministry is
known here."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from shared.domain import forms as f
from shared.domain.forms import Filed, Filing, Form, FormField
from shared.domain.refusal import Refused
from shared.domain.text import Text

NOW = datetime(2026, 11, 26, 3, 0, tzinfo=UTC)
NAMED = Text("Isian", "Field")


def field(code: str, kind: f.FieldKind, **more: Any) -> FormField:
    return FormField(code, NAMED, kind, **more)


def form(code: str = "loan", *fields: FormField, **more: Any) -> Form:
    return Form(code, Text("Peminjaman", "Loan"), more.pop("about", f.FormSubject.CASE), fields, "House rules", **more)


def filed(code: str, ident: str = "1", **facts: Any) -> Filed:
    return Filed(ident, code, facts, "reading-room", NOW)


def refusal(of: Form, values: Mapping[str, Any], *before: Filed, corrects: str | None = None) -> str | None:
    """The code with which it is refused, and the field: ``no-such-day day``; None where it is filed."""
    try:
        f.decide(of, Filing(values, NOW, before), corrects, NOW, lambda region: region == "74.01")
    except Refused as refused:
        return " ".join(filter(None, (refused.problem, refused.field)))
    return None


def test_free_text_is_never_kept_in_clear() -> None:
    with pytest.raises(ValueError, match="never kept in clear"):
        field("remarks", f.Words(), clear=True)


def test_a_form_has_the_shape_that_it_declares_with_the_indonesian_label_as_title() -> None:
    loan = form(
        "book-loan",
        field("title", f.Words(20)),
        field("shelf", f.Choice({"a": NAMED, "b": NAMED})),
        field("moods", f.Choice({"calm": NAMED, "glad": NAMED}, many=True), required=False),
        field("weeks", f.Amount(1, 4), required=False),
    )
    body = f.body_of(loan)
    schema = body.model_json_schema()
    assert (loan.operation, schema["title"]) == ("file_book_loan", "BookLoan")
    assert (schema["properties"]["title"]["title"], schema["properties"]["title"]["description"]) == ("Isian", "Field")
    assert schema["required"] == ["title", "shelf"]
    body.model_validate(schema["examples"][0])
    wrong: list[dict[str, Any]] = [
        {"shelf": "a"},
        {"title": "", "shelf": "a"},
        {"title": "x" * 21, "shelf": "a"},
        {"title": "x\0", "shelf": "a"},
        {"title": "x", "shelf": "c"},
        {"title": "x", "shelf": "a", "moods": []},
        {"title": "x", "shelf": "a", "moods": ["sad"]},
        {"title": "x", "shelf": "a", "weeks": 5},
        {"title": "x", "shelf": "a", "weeks": "2"},
        {"title": "x", "shelf": "a", "shelfs": "a"},
    ]
    for one in wrong:
        with pytest.raises(ValidationError):
            body.model_validate(one)


def test_several_answers_are_written_in_one_order_whatever_the_process() -> None:
    moods = {name: NAMED for name in ("calm", "glad", "sad", "shy", "wild")}
    body = f.body_of(form("visit", field("moods", f.Choice(moods, many=True))))
    for order in (sorted(moods), sorted(moods, reverse=True)):
        assert '"moods":["calm","glad","sad","shy","wild"]' in body.model_validate({"moods": order}).model_dump_json()


@pytest.mark.parametrize(
    ("kind", "value", "said"),
    [
        (f.Day(), "2026-11-26", None),
        (f.Day(), "2026-11-27", "no-such-day it"),
        (f.Day(), "2026-02-30", "no-such-day it"),
        (f.Day(past=False), "2027-02-28", None),
        (f.Day(past=False), "2027-02-29", "no-such-day it"),
        (f.Place(), "74.01", None),
        (f.Place(), "99.99", "unknown-region it"),
    ],
)
def test_a_day_and_a_place_must_be_there(kind: f.FieldKind, value: str, said: str | None) -> None:
    assert refusal(form("loan", field("it", kind)), {"it": value}) == said


def test_a_form_comes_after_another() -> None:
    returned = form("return", after=("loan", "gift"))
    assert refusal(returned, {}) == "form-not-yet"
    assert refusal(returned, {}, filed("card")) == "form-not-yet"
    assert refusal(returned, {}, filed("gift")) is None


def test_what_is_filed_once_is_only_corrected_afterwards() -> None:
    card = form("card", once=True)
    assert refusal(card, {}) is None
    assert refusal(card, {}, filed("card")) == "already-filed"
    assert refusal(card, {}, filed("card"), corrects="1") is None
    assert refusal(form("loan"), {}, filed("loan")) is None


def test_the_rule_of_a_form_sees_what_was_filed_before() -> None:
    def at_most_one_shelf(filing: Filing) -> None:
        last = filing.last("loan")
        if last and last.facts["shelf"] != filing.values["shelf"]:
            raise Refused("duplicate", field="shelf")

    loan = form("loan", field("shelf", f.Choice({"a": NAMED, "b": NAMED}), clear=True), rule=at_most_one_shelf)
    before = filed("loan", shelf="b"), filed("loan", "2", shelf="a")
    assert refusal(loan, {"shelf": "a"}, *before) is None
    assert refusal(loan, {"shelf": "b"}, *before) == "duplicate shelf"


@pytest.mark.parametrize(
    "wrong",
    [
        [form("loan"), form("loan")],
        [form("loan", field("x", f.YesNo()), field("x", f.YesNo()))],
        [form("loan", field("occurred_at", f.DateTime()))],
        [form("return", after=("loan",))],
        [form("return", field("loan", f.Earlier(frozenset({"loan"}))))],
        [form("loan", about=f.FormSubject.VICTIM), form("return", after=("loan",))],
        [form("loan", field("shelf", f.YesNo(), clear=True), about=f.FormSubject.VICTIM, announced=True)],
        [form("loan", field("shelf", f.YesNo()), about=f.FormSubject.DESK, announced=True)],
        [form("loan", field("day", f.Day(), clear=True), about=f.FormSubject.DESK, announced=True)],
    ],
)
def test_forms_that_make_no_sense_together_are_not_declared(wrong: list[Form]) -> None:
    with pytest.raises(ValueError, match=r"form (loan|return)"):
        f.check_forms(wrong)
