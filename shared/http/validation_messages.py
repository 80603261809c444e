"""Messages about an invalid request: which field, which rule, and the expected value. Never the sent value."""

import re
from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches
from functools import cache
from typing import Any

from pydantic import BaseModel, TypeAdapter

from shared.contracts.pattern import Pattern
from shared.contracts.types import (
    CODE,
    COUNTRY,
    EVENT_TYPE,
    NOTICE_VERSION,
    ONE_LINE,
    REGION,
    SEVERAL_LINES,
    UNIT,
    UUID7,
)
from shared.domain.identity import BORN_ON, IDENTIFIER, NIK, PASSPORT, PHONE
from shared.domain.letters import LETTER_CODE_WRITTEN
from shared.domain.people_list import ASK
from shared.domain.text import Text
from shared.http.dependencies import ETAG
from shared.http.idempotency import KEY_PATTERN
from shared.storage.pages import CURSOR

RULES: Mapping[str, Text] = {
    "missing": Text("Wajib diisi.", "This is required."),
    "extra_forbidden": Text("Isian ini tidak dikenal.", "There is no such field."),
    "enum": Text("Pilih salah satu: {expected}.", "Choose one of: {expected}."),
    "literal_error": Text("Pilih salah satu: {expected}.", "Choose one of: {expected}."),
    "string_pattern_mismatch": Text("Harus berupa {form}.", "It must be {form}."),
    "string_too_long": Text("Paling banyak {max_length} karakter.", "{max_length} characters at most."),
    "string_too_short": Text("Paling sedikit {min_length} karakter.", "{min_length} characters at least."),
    "string_type": Text("Harus berupa teks.", "It must be text."),
    "string_unicode": Text("Harus berupa teks Unicode yang sah.", "It must be valid Unicode text."),
    "bool_type": Text("Harus true atau false.", "It must be true or false."),
    "int_parsing": Text("Harus berupa bilangan bulat.", "It must be a whole number."),
    "greater_than_equal": Text("Paling kecil {ge}.", "{ge} at least."),
    "less_than_equal": Text("Paling besar {le}.", "{le} at most."),
    "value_error": Text(
        "Harus berupa waktu RFC 3339, seperti 2026-11-23T08:00:00+08:00.",
        "It must be an RFC 3339 moment, such as 2026-11-23T08:00:00+08:00.",
    ),
    "timezone_aware": Text("Waktu harus menyebut zonanya.", "A moment must state its offset."),
    "model_attributes_type": Text("Harus berupa objek JSON.", "It must be a JSON object."),
}
"""pydantic's name of a rule → its message. Braces hold facts of the rule, never the input."""
MADE_HERE = frozenset({"case_id", "victim_id", "referral_id", "consent_id", "record_id", "erasure_id", "batch_id"})
"""Ids that the service makes. A request that brings one is told which field it is: no person has such a name."""
NEW_KEY = Text(
    "Wajib diisi: UUID baru untuk tiap tindakan. Ulangan tindakan yang sama memakai kunci yang sama.",
    "This is required: a new UUID for each act. A repeat of the same act has the same key.",
)
"""The message for a POST without its Idempotency-Key."""
ANY_RULE = Text("Isian ini tidak sah.", "This is not valid.")

PATTERNS: Mapping[str, Pattern] = {
    pattern: pattern
    for pattern in (
        *(UUID7, REGION, UNIT, CODE, ONE_LINE, SEVERAL_LINES, COUNTRY, NOTICE_VERSION, EVENT_TYPE),
        *(NIK, BORN_ON, PHONE, PASSPORT, IDENTIFIER, LETTER_CODE_WRITTEN, ASK),
        *(KEY_PATTERN, CURSOR, ETAG),
    )
}
"""Regular expression → the same with its words: pydantic's error names the expression alone.

Every pattern of the OpenAPI documents is here.
"""


@cache
def fields_of(body: type[BaseModel]) -> frozenset[str]:
    """The field names of a body and of the objects in it."""
    return frozenset(_names(TypeAdapter(body).json_schema()))


def _names(schema: Any) -> Iterator[str]:
    if isinstance(schema, Mapping):
        yield from schema.get("properties", ())
    for inner in schema.values() if isinstance(schema, Mapping) else schema if isinstance(schema, list) else ():
        yield from _names(inner)


def pointer(fault: Mapping[str, Any], fields: Collection[str]) -> str:
    """The place of a fault: a JSON Pointer (RFC 6901), or the name of a parameter. ``fields``: the fields of the body.

    An undeclared name is repeated only if it is likely a misspelt declared name, or stands in ``MADE_HERE``. Any other
    text in that place may be a person's name.
    """
    where, *path = fault["loc"]
    if where != "body":
        unknown = fault["type"] == "extra_forbidden"
        return _named(path[0], _declared(fault, fields)) if unknown else str(path[0] if path else where)
    return "".join(f"/{_named(step, fields)}" for step in path)


def _declared(fault: Mapping[str, Any], fields: Collection[str]) -> Collection[str]:
    declared: Collection[str] = fault.get("ctx", {}).get("declared", fields)
    return declared


def _named(name: Any, declared: Collection[str]) -> str:
    if isinstance(name, int) or name in declared or name in MADE_HERE or meant(name, declared):
        return str(name)
    return "?"


def meant(name: str, declared: Collection[str]) -> str | None:
    """The declared name that a misspelt name is close to; None if there is none."""
    # a person's name passes only if it is nearly a field's by chance (Notte, note). It then cannot be told from a
    # typing error, and the letters alone identify nobody
    if not re.fullmatch(r"[A-Za-z_]{3,40}", name):
        return None
    found = get_close_matches(name.lower(), declared, n=1, cutoff=0.8)
    return found[0] if found else None


def message(fault: Mapping[str, Any], fields: Collection[str], english: bool) -> str:
    """The message of a fault, in one language. ``fields``: the fields of the body."""
    context = fault.get("ctx", {})
    facts = {name: str(value) for name, value in context.items()}
    if "expected" in context:
        facts["expected"] = _choices(context["expected"])
    if "pattern" in context:
        pattern = PATTERNS[context["pattern"]]
        facts["form"] = pattern.words_en if english else pattern.words
    text = RULES.get(fault["type"], ANY_RULE)
    if fault["type"] == "missing" and fault["loc"] == ("header", "Idempotency-Key"):
        text = NEW_KEY
    if fault["type"] == "extra_forbidden" and (close := _close(fault, fields)) is not None:
        text = Text(f"{text.id} Maksudnya {close}?", f"{text.en} Is it {close}?")
    return (text.en if english else text.id).format_map(facts)


def _close(fault: Mapping[str, Any], fields: Collection[str]) -> str | None:
    name, declared = str(fault["loc"][-1]), _declared(fault, fields)
    return None if name in declared else meant(name, declared)  # a declared field in the wrong object is not misspelt


_WRITTEN = re.compile(r"'([^']*)'")


def _choices(expected: Any) -> str:
    """The choices as JSON writes them; pydantic shows them as Python does."""
    return ", ".join(_WRITTEN.findall(str(expected))) or str(expected)


def unknown_parameters(asked: Collection[str], declared: Collection[str]) -> list[dict[str, Any]]:
    """The faults of a query with undeclared parameters. Ignoring a misspelt filter would give a wrong answer in
    silence."""
    return [
        {
            "type": "extra_forbidden",
            "loc": ("query", name),
            "msg": "",
            "input": None,
            "ctx": {"declared": sorted(declared)},
        }
        for name in asked
        if name not in declared
    ]
