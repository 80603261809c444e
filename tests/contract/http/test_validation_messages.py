"""A faulty field is explained in words, in both languages, and without any word of the caller."""

import importlib
import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.members import SERVICES
from shared.contracts.codes import IdentityField, Priority
from shared.contracts.types import REGION
from shared.http.validation_messages import PATTERNS, fields_of, message, pointer, unknown_parameters
from shared.service.app import create_app


def patterns_in(document: Any) -> Iterator[str]:
    """Every regular expression that a request may break."""
    if isinstance(document, dict):
        if isinstance(document.get("pattern"), str):
            yield document["pattern"]
        for value in document.values():
            yield from patterns_in(value)
    elif isinstance(document, list):
        for value in document:
            yield from patterns_in(value)


@pytest.mark.parametrize("member", SERVICES)
def test_whatever_form_is_asked_for_is_said_in_words(member: str) -> None:
    asked = set(patterns_in(create_app(importlib.import_module(SERVICES[member]).MEMBER).openapi()))
    assert asked and asked - set(PATTERNS) == set()


def test_each_form_shows_an_example_of_itself() -> None:
    for pattern in PATTERNS.values():
        assert pattern.words != pattern.words_en and not {"^", "$", "\\"} & set(pattern.words + pattern.words_en)
        examples = re.findall(r"(?:seperti|such as) (.+)", f"{pattern.words}\n{pattern.words_en}")
        for example in examples:
            first = re.split(r",? (?:atau|or) |, ", example)[0]
            assert re.search(pattern, first), pattern.words


class Place(BaseModel):
    village: str = ""
    safe_house: str = ""


class Asked(BaseModel):
    model_config = ConfigDict(extra="forbid")

    priority: Priority = Priority.ROUTINE
    field: Literal[IdentityField.NIK, IdentityField.PHONE] = IdentityField.NIK
    show: Literal["open", "closed"] = "open"
    region: Annotated[str, Field(pattern=REGION)] = "74"
    nik: str = ""
    places: list[Place] | None = None


def said(**asked: Any) -> tuple[str, str, str]:
    """The pointer and the message in both languages of the one fault of a body."""
    with pytest.raises(ValidationError) as refused:
        Asked(**asked)
    [fault] = refused.value.errors()
    fault["loc"] = ("body", *fault["loc"])
    fields = fields_of(Asked)
    return pointer(fault, fields), message(fault, fields, english=False), message(fault, fields, english=True)


def test_the_words_to_choose_from_are_those_of_json() -> None:
    assert said(field="nama")[1:] == ("Pilih salah satu: nik, phone.", "Choose one of: nik, phone.")
    assert said(show="x")[2] == "Choose one of: open, closed."
    assert said(priority="x")[2] == "Choose one of: routine, urgent, asap, stat."


def test_a_form_is_said_in_words() -> None:
    assert said(region="Kolaka") == (
        "/region",
        "Harus berupa kode wilayah, seperti 74, 74.01 atau 00.KH.",
        "It must be a region code, such as 74, 74.01 or 00.KH.",
    )


@pytest.mark.parametrize(
    ("name", "named", "meant"),
    [
        ("pekerjaan", "/?", None),
        ("siti_aminah", "/?", None),
        ("nama/alias", "/?", None),
        ("Siti Aminah", "/?", None),
        ("Priorty", "/Priorty", "priority"),
        ("nikk", "/nikk", "nik"),
        ("safe_hous", "/safe_hous", "safe_house"),
        ("village", "/village", None),  # it belongs in a place
        ("statement", "/?", None),  # another body has it
        ("statment", "/?", None),
    ],
)
def test_a_name_that_nobody_declared_is_repeated_only_as_a_misspelling(
    name: str, named: str, meant: str | None
) -> None:
    """An unknown field may hold a person's name, so the message repeats none of it."""
    where, _, english = said(**{name: "x"})
    assert where == named
    assert english == "There is no such field." + (f" Is it {meant}?" if meant else "")


def test_so_it_is_with_a_parameter() -> None:
    close, far = unknown_parameters(["puropse", "siti", "purpose"], {"purpose", "cursor"})
    assert (pointer(close, ()), pointer(far, ())) == ("puropse", "?")
    assert message(close, (), english=True).endswith("Is it purpose?") and "siti" not in message(far, (), english=False)
