"""No event has room for words that could identify a person."""

import types
import typing
from collections.abc import Iterator
from enum import StrEnum
from typing import Any, get_args, get_origin

import pytest
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic.types import StringConstraints

from shared.contracts import events as e
from shared.contracts.codes import Exploitation, ReceiptOutcome
from shared.contracts.envelope import Envelope
from shared.contracts.events import CATALOGUE
from shared.contracts.types import DeskRef, Value, VictimFacts
from tests.support.events import IDS, NOW, a_body, unreadable

SEALED = {"sealed"}
"""Ciphertext: the one text of an event that no vocabulary or form constrains."""


def texts_of(model: type[BaseModel]) -> Iterator[tuple[str, Any]]:
    """Every leaf of a model that is a text: its name and what constrains it, or None."""
    for name, info in model.model_fields.items():
        yield from _texts(name, info.annotation, _pattern(info))


def _texts(name: str, kind: Any, pattern: Any) -> Iterator[tuple[str, Any]]:
    if get_origin(kind) in (typing.Union, types.UnionType):
        for part in get_args(kind):
            yield from _texts(name, part, pattern)
    elif get_origin(kind) is typing.Annotated:
        inner, *marks = get_args(kind)
        found = next((m.pattern for m in marks if isinstance(m, StringConstraints)), pattern)
        yield from _texts(name, inner, found)
    elif get_origin(kind) is not None:
        for part in get_args(kind):
            yield from _texts(name, part, pattern)
    elif isinstance(kind, type) and issubclass(kind, BaseModel):
        yield from texts_of(kind)
    elif isinstance(kind, type) and issubclass(kind, StrEnum):
        yield name, kind
    elif kind is str or kind is typing.Any or kind is dict:
        yield name, pattern


def _pattern(info: FieldInfo) -> Any:
    return next((mark.pattern for mark in info.metadata if getattr(mark, "pattern", None)), None)


@pytest.mark.parametrize("name", CATALOGUE)
def test_no_event_has_room_for_free_text(name: str) -> None:
    free = {field for field, constraint in texts_of(CATALOGUE[name]) if constraint is None}
    assert free <= SEALED


def test_a_field_of_free_text_would_be_found() -> None:
    class Careless(Value):
        note: str | None = None
        names: tuple[str, ...] = ()
        sealed: str | None = None
        code: Exploitation

    assert {field for field, constraint in texts_of(Careless) if constraint is None} == {"note", "names", "sealed"}


@pytest.mark.parametrize(
    "text", ["Siti Nurhaliza", "3171234567890123", "+62 812 3456 7890", "Jl. Melati 3", "siti\nnur", "SITI", ""]
)
def test_neither_a_code_nor_a_digest_nor_a_link_can_hold_a_name(text: str) -> None:
    for make in (
        lambda: e.ReceiptRecorded(event_id=IDS[0], sha256=text, linkseq=1, outcome=ReceiptOutcome.APPLIED),
        lambda: e.LinkWitnessed(link=text, through=1),
        lambda: DeskRef(agency=text, unit="desk"),
        lambda: DeskRef(agency="one", unit=text),
        lambda: VictimFacts.model_validate({"age_class": "adult", "sex": "male", "home_region": text}),
        lambda: e.Reminder(referral_id=text, victim_id=IDS[1], occurred_at=NOW),
    ):
        with pytest.raises(ValidationError):
            make()


@pytest.mark.parametrize(
    "field", ["basis", "traceparent", "link", "source", "type", "region", "sequence", "partitionkey", "causationid"]
)
def test_no_attribute_of_an_envelope_is_free_text(field: str) -> None:
    assert unreadable(lambda: Envelope.read(a_body(**{field: "Siti Nurhaliza"}))) == "not-an-envelope"
