"""Messages about the shape of a request: which field, which rule, and the expected value. Never the sent value."""

import re
from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches
from functools import cache
from typing import Any

from pydantic import BaseModel, TypeAdapter

from shared.contracts.types import CODE, PLAIN, REGION, UNIT, UUID7
from shared.domain.identity import BORN_ON, NIK, NUMBER, PASSPORT, PHONE
from shared.domain.letters import LETTER_CODE_WRITTEN
from shared.domain.text import Text
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
ANY_RULE = Text("Isian ini tidak sah.", "This is not valid.")

FORMS: Mapping[str, Text] = {
    UUID7: Text(
        "UUIDv7, seperti 0193f0a2-7a10-7000-8000-000000000001", "a UUIDv7, such as 0193f0a2-7a10-7000-8000-000000000001"
    ),
    REGION: Text("kode wilayah, seperti 74, 74.01 atau 00.KH", "a region code, such as 74, 74.01 or 00.KH"),
    UNIT: Text("id satuan, seperti polres-74.01", "the id of a unit, such as polres-74.01"),
    CODE: Text("kode berhuruf kecil, seperti first-aid", "a code in small letters, such as first-aid"),
    PLAIN: Text("teks tanpa karakter NUL", "text without the character NUL"),
    r"^[a-z][a-z0-9-]*:[a-z][a-z0-9-]*(:[a-z0-9][a-z0-9.-]*)?$": Text(
        "instansi:layanan, boleh dengan satuan, seperti clinic:first-aid",
        "agency:service, with a unit if need be, such as clinic:first-aid",
    ),
    r"^[A-Z]{2}$": Text(
        "kode negara dua huruf (ISO 3166), seperti KH", "a country's two letters (ISO 3166), such as KH"
    ),
    r"^[0-9]{4}-[0-9]{1,3}$": Text("versi pemberitahuan, seperti 2026-1", "the version of a notice, such as 2026-1"),
    NIK: Text("16 angka tanpa spasi", "16 digits without spaces"),
    BORN_ON: Text("tanggal, seperti 2001-02-28", "a date, such as 2001-02-28"),
    PHONE: Text("nomor telepon, seperti +6281200000000", "a telephone number, such as +6281200000000"),
    PASSPORT: Text("5 sampai 20 huruf dan angka, seperti X1234567", "5 to 20 letters and digits, such as X1234567"),
    NUMBER: Text("5 sampai 20 huruf dan angka, boleh diawali +", "5 to 20 letters and digits, after a + or not"),
    r"^[!-~]{1,255}$": Text("1 sampai 255 karakter ASCII tanpa spasi", "1 to 255 ASCII characters without spaces"),
    LETTER_CODE_WRITTEN: Text(
        "kode surat, huruf lalu 11 huruf atau angka, seperti K3M9-QXD7-R2TF",
        "the code of a letter: a letter and 11 letters or digits, such as K3M9-QXD7-R2TF",
    ),
    CURSOR: Text("`next` dari halaman sebelumnya", "the `next` of the page before"),
    r'^(\*|(W/)?"[!#-~]{0,100}")$': Text(
        'ETag dari jawaban, seperti "2.0", atau *', 'the ETag of an answer, such as "2.0", or *'
    ),
    r"^id\.tppo(\.[a-z-]+){2}\.v[0-9]+$": Text(
        "jenis peristiwa, seperti id.tppo.referral.requested.v1",
        "a type of event, such as id.tppo.referral.requested.v1",
    ),
}
"""Regular expression → the expected value in words. The expression itself stands in the OpenAPI document."""


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

    An undeclared name is repeated only if it is likely a misspelt declared name. Any other text in that place may be a
    person's name.
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
    if isinstance(name, int) or name in declared or meant(name, declared):
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
        form = FORMS[context["pattern"]]
        facts["form"] = form.en if english else form.id
    text = RULES.get(fault["type"], ANY_RULE)
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
