"""Every operation at /docs says what it does in Indonesian, then in English, each in a paragraph of its own."""

import re

import pytest
from fastapi.routing import APIRoute

from shared.service.member import Member
from tests.support.network import SHIPPED

INDONESIAN = re.compile(r"\b(yang|dan|dari|untuk|dengan|atau|tidak|oleh|hanya|ini|itu|satuan|korban|rujukan)\b", re.I)
ENGLISH = re.compile(r"\b(the|of|and|a|an|is|are|not|only|by|from|with|to)\b", re.I)
FORM = re.compile(r"/forms/[a-z-]+$")
"""The path to file a form: its description is the law that it rests on, in no language."""


def faults(description: str) -> list[str]:
    """What is wrong with the languages of a description."""
    paragraphs = description.split("\n\n")
    if len(paragraphs) != 2:
        return [f"{len(paragraphs)} paragraphs"]
    indonesian, english = (re.sub(r"`[^`]*`", "", one) for one in paragraphs)
    return [
        fault
        for fault, found in (
            ("English comes first", ENGLISH.search(indonesian)),
            ("Indonesian comes second", INDONESIAN.search(english)),
        )
        if found
    ]


def undescribed(member: Member) -> dict[str, list[str]]:
    """Operation → the faults of its words."""
    shown = [
        route
        for router in member.routers
        for route in router.routes
        if isinstance(route, APIRoute) and route.include_in_schema and not FORM.search(route.path)
    ]
    assert len(shown) > 10
    found = {
        route.name: faults(route.description) + (["summary in one language"] if " / " not in str(route.summary) else [])
        for route in shown
    }
    return {operation: wrong for operation, wrong in found.items() if wrong}


@pytest.mark.parametrize("code", SHIPPED)
def test_every_operation_speaks_both_languages(code: str) -> None:
    assert undescribed(SHIPPED[code]) == {}


def test_one_language_alone_or_the_wrong_order_is_found() -> None:
    assert faults("Hanya isian terbuka.") == ["1 paragraphs"]
    assert faults("Clear fields of the record.\n\nHanya isian yang terbuka.") == [
        "English comes first",
        "Indonesian comes second",
    ]
    assert faults("Hanya isian terbuka.\n\nClear fields only.") == []
