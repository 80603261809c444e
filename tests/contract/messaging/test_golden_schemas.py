"""The growth of an event: the golden schemas are the code, and a change that breaks a reader is named."""

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import shared.contracts
from shared.contracts import events as e
from shared.contracts.events import CATALOGUE
from shared.contracts.schemas import golden_text, schema_of

GOLDEN = Path(str(shared.contracts.__file__)).with_name("golden")


@pytest.mark.parametrize("name", CATALOGUE)
def test_the_golden_schema_is_the_code(name: str) -> None:
    golden = (GOLDEN / f"{name}.json").read_text(encoding="utf-8")
    assert golden == golden_text(CATALOGUE[name]), "python -m shared.service.commands schemas, if it was meant"


def test_no_golden_schema_is_left_over() -> None:
    assert {path.name for path in GOLDEN.iterdir()} == {f"{name}.json" for name in CATALOGUE}


Schema = dict[str, Any]


def breaks(old: Schema, new: Schema) -> list[str]:
    """Differences by which ``new`` cannot read an event of ``old``, or hides a value that an old reader needs.

    The one rule of evolution: an optional field may be added, and a vocabulary may grow.
    """
    return list(_breaks(old, new, old, new, ""))


def _breaks(old: Schema, new: Schema, old_root: Schema, new_root: Schema, at: str) -> Iterator[str]:
    old, new = _resolve(old, old_root), _resolve(new, new_root)
    for field in sorted(set(new.get("required", [])) - set(old.get("required", []))):
        yield f"{at}/{field}: newly required"
    for field in sorted(set(old.get("required", [])) - set(new.get("required", []))):
        yield f"{at}/{field}: no longer certain"
    for word in ("type", "const", "format", "pattern", "maxLength", "minimum", "maximum"):
        if old.get(word) != new.get(word):
            yield f"{at}: {word} was {old.get(word)!r}, is {new.get(word)!r}"
    for code in sorted(set(old.get("enum", [])) - set(new.get("enum", []))):
        yield f"{at}: {code} is no longer a code"
    if "enum" in new and "enum" not in old:
        yield f"{at}: a vocabulary was closed"
    for name, before in old.get("properties", {}).items():
        if name not in new.get("properties", {}):
            yield f"{at}/{name}: removed"
        else:
            yield from _breaks(before, new["properties"][name], old_root, new_root, f"{at}/{name}")
    if len(old.get("anyOf", [])) != len(new.get("anyOf", [])):
        yield f"{at}: other alternatives"
    for before, now in zip(old.get("anyOf", []), new.get("anyOf", []), strict=False):
        yield from _breaks(before, now, old_root, new_root, at)


def _resolve(schema: Schema, root: Schema) -> Schema:
    if "$ref" not in schema:
        return schema
    return dict(root["$defs"][schema["$ref"].removeprefix("#/$defs/")])


def test_the_catalogue_has_only_grown() -> None:
    """Against the committed text, so that this still speaks when somebody regenerates it carelessly in between."""
    for name, event in CATALOGUE.items():
        assert breaks(json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8")), schema_of(event)) == []


def _drop(schema: Schema) -> None:
    del schema["properties"]["data"]["properties"]["custody_seq"]


def _retype(schema: Schema) -> None:
    schema["properties"]["data"]["properties"]["forced"]["type"] = "string"


def _require(schema: Schema) -> None:
    schema["properties"]["data"]["properties"]["mood"] = {"type": "string"}
    schema["properties"]["data"]["required"].append("mood")


def _loosen(schema: Schema) -> None:
    schema["properties"]["data"]["required"].remove("due_at")


def _narrow(schema: Schema) -> None:
    schema["$defs"]["Priority"]["enum"].remove("asap")


def _repattern(schema: Schema) -> None:
    schema["$defs"]["UnitRef"]["properties"]["region"]["pattern"] = "^[0-9]+$"


def _close(schema: Schema) -> None:
    schema["properties"]["data"]["properties"]["service"]["enum"] = ["care"]


def _envelope(schema: Schema) -> None:
    del schema["properties"]["linkseq"]


def _nothing_but_null(schema: Schema) -> None:
    schema["properties"]["data"]["properties"]["replaces"]["anyOf"].pop(0)


BREAKS: dict[Callable[[Schema], None], str] = {
    _drop: "/data/custody_seq: removed",
    _retype: "/data/forced: type was 'boolean', is 'string'",
    _require: "/data/mood: newly required",
    _loosen: "/data/due_at: no longer certain",
    _narrow: "/data/priority: asap is no longer a code",
    _repattern: "/data/sender/region: pattern was",
    _close: "/data/service: a vocabulary was closed",
    _envelope: "/linkseq: removed",
    _nothing_but_null: "/data/replaces: other alternatives",
}


@pytest.mark.parametrize("change", BREAKS, ids=lambda change: change.__name__.strip("_"))
def test_a_change_that_would_break_a_reader_is_named(change: Callable[[Schema], None]) -> None:
    old = schema_of(e.Requested)
    new = copy.deepcopy(old)
    change(new)
    assert any(found.startswith(BREAKS[change]) for found in breaks(old, new)), breaks(old, new)


def test_an_optional_field_and_a_new_code_break_nobody() -> None:
    old = schema_of(e.Requested)
    new = copy.deepcopy(old)
    new["properties"]["data"]["properties"]["mood"] = {"type": "string"}
    new["$defs"]["Priority"]["enum"].append("whenever")
    assert breaks(old, new) == []
