"""A log line holds its declared fields and nothing else, for every writer and every fault."""

import ast
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from shared.logs.fields import LOG_FIELDS, MARK, only_declared
from shared.logs.setup import configure_logs, places_of
from tests.support.sources import ROOT

SOURCES = [path for folder in ("shared", "services", "deploy") for path in sorted((ROOT / folder).rglob("*.py"))]
LEVELS = {"debug", "info", "warning", "warn", "error", "critical", "exception", "fatal", "msg", "log"}
SAYING = LEVELS | {f"a{level}" for level in LEVELS} | {"bind", "new"}

# --- what the code logs -----------------------------------------------------------------------------------------------


def _is_logger(node: ast.expr) -> bool:
    if isinstance(node, ast.Call):  # get_logger(), log.bind(...)
        called = node.func
        return isinstance(called, ast.Attribute) and (called.attr == "get_logger" or _is_logger(called.value))
    return isinstance(node, ast.Name) and node.id in ("log", "logger")


def log_calls(tree: ast.AST) -> Iterator[ast.Call]:
    """Every ``log.info(...)`` and the like, and every ``log.bind(...)``."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(value=spoken, attr=level)) if level in SAYING and _is_logger(spoken):
                yield node


def faults_of(call: ast.Call) -> Iterator[str]:
    """The faults of a call: undeclared keys, or words put together."""
    assert isinstance(call.func, ast.Attribute)
    for keyword in call.keywords:
        if keyword.arg is None:
            if ast.unparse(keyword.value) != "about(error)":  # it says error, places, reason and settings
                yield f"**{ast.unparse(keyword.value)}"
        elif keyword.arg not in LOG_FIELDS:
            yield keyword.arg
    words = call.args[1:] if call.func.attr == "log" else call.args
    if call.func.attr not in ("bind", "new"):
        event = words[0] if len(words) == 1 else None
        if not (isinstance(event, ast.Constant) and LOG_FIELDS["event"].shape(event.value)):
            yield f"event {' '.join(map(ast.unparse, words))}"


def other_ways(tree: ast.AST) -> Iterator[str]:
    """Whatever else writes somewhere: the logging module, a traceback, a logger of another name."""
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names) if {"logging", "traceback"} & {
                alias.name.partition(".")[0] for alias in names
            }:
                yield ast.unparse(node)
            case ast.ImportFrom(module="logging" | "traceback" | "structlog"):
                yield ast.unparse(node)
            case ast.Call(func=ast.Name(id="print")):
                yield ast.unparse(node)
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if _is_logger(value) and name != "log":
                yield ast.unparse(node)


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def test_every_log_call_says_a_code_and_declared_fields() -> None:
    calls = [(path, call) for path in SOURCES for call in log_calls(parsed(path))]
    assert len(calls) > 15
    wrong = {f"{path.relative_to(ROOT)}:{call.lineno}": found for path, call in calls if (found := [*faults_of(call)])}
    assert wrong == {}


def test_nothing_declared_is_dead() -> None:
    """A field that nothing says any more may one day hold anything."""
    said = {keyword.arg for path in SOURCES for call in log_calls(parsed(path)) for keyword in call.keywords}
    by_itself = {"event", "level", "timestamp", "dropped", "settings"}  # the last by ``about``
    assert set(LOG_FIELDS) - said - by_itself == set()


def test_a_service_writes_in_no_other_way() -> None:
    services = [path for path in SOURCES if path.parts[len(ROOT.parts)] != "deploy"]
    found = {str(path.relative_to(ROOT)): ways for path in services if (ways := [*other_ways(parsed(path))])}
    assert found == {
        "shared/logs/setup.py": ["import logging", "import traceback"],
        # names of settings and what to do, for the operator who reads the terminal
        "shared/service/production/enforcement.py": ["print(*found, sep='\\n', file=sys.stderr)"],
    }


SOME_CODE = """
import logging
log = structlog.get_logger()
quiet = structlog.get_logger()
def some(name, error):
    log.info("some.thing", status=1)
    log.log(20, "some.thing", **about(error))
    log.info("some.thing", name=name)
    log.error(f"lost {name}")
    log.warning("lost %s", name)
    structlog.get_logger().info("some.thing", **{"name": name})
    log.bind(nik=1).info("some.thing")
    print(name)
"""


def test_these_rules_see_what_breaks_them() -> None:
    found = [fault for call in log_calls(ast.parse(SOME_CODE)) for fault in faults_of(call)]
    assert sorted(found) == sorted(["name", "event f'lost {name}'", "event 'lost %s' name", "**{'name': name}", "nik"])
    assert sorted(other_ways(ast.parse(SOME_CODE))) == [
        "import logging",
        "print(name)",
        "quiet = structlog.get_logger()",
    ]


# --- what a line lets through -----------------------------------------------------------------------------------------

GOOD: dict[str, Any] = {
    "event": "http",
    "level": "info",
    "timestamp": "2026-11-24T01:01:01.123456Z",
    "member": "kemenpppa",
    "method": "GET",
    "route": "/v1/referrals/{referral_id}/answer-cancellation",
    "status": 201,
    "ms": 3.2,
    "trace": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "error": "OperationalError",
    "places": ["shared/http/middleware.py:52", "sqlalchemy/engine/base.py:1234"],
    "reason": "version-gap",
    "logger": "uvicorn.error",
    "settings": ["key_folder"],
    "client": "police-officer-polres-74.01",
    "person": "0b8f2c52-5d0e-4c9e-9f6e-1f8f6f9b9a10",
    "people": True,
    "role": "officer",
    "unit": "polres-74.01",
    "bound": True,
    "version": 3,
    "keys": 1,
    "certificate": "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU",
    "problem": "unknown-victim",
    "record": "0193f0a2-7a10-7000-8000-000000000001",
    "hold": 4,
    "count": 9,
    "verdict": "not-justified",
    "jtis": 2,
    "clients": 3,
    "type": "id.tppo.referral.information-provided.v1",
    "event_id": "0193f0a2-7a10-7000-8000-000000000001",
    "sender": "kemensos",
    "trusted": True,
    "messages": 50,
    "resent": 3,
    "stream": "TPPO",
    "percent": 85,
    "parked": 7,
    "reader": "province-74",
    "subject": "tppo.police.kemenkes.referral.requested.74.01",
    "approved": True,
    "said_by": "kemenkes",
    "told_by": "police",
}
NAMES = ["Siti Aminah", "7401016502990001", "+62 812-3456-7890", "Jl. Merdeka 5", "siti@kanari.example", "", "x" * 5000]
OTHERS: list[Any] = [*NAMES, 7401016502990001, 6281234567890.0, None, ["Siti Aminah"], {"name": "Siti"}, b"Siti"]


def test_declared_fields_are_logged_unchanged() -> None:
    assert only_declared(None, "info", dict(GOOD)) == GOOD
    assert set(LOG_FIELDS) - set(GOOD) == {"dropped"}


@pytest.mark.parametrize("field", sorted(LOG_FIELDS))
def test_a_value_of_another_shape_is_marked(field: str) -> None:
    for value in OTHERS:
        assert only_declared(None, "info", {field: value}) == {field: MARK}, value


def test_undeclared_fields_are_dropped_and_counted() -> None:
    line = only_declared(None, "info", GOOD | {"name": "Siti", "nik": 1, "exc_info": True})
    assert line == GOOD | {"dropped": 3}


@given(st.dictionaries(st.text() | st.sampled_from(sorted(set(LOG_FIELDS) - {"event"})), st.text()), st.text())
def test_no_text_can_forge_a_line_or_steer_a_terminal(fields: dict[str, str], event: str) -> None:
    before, written = structlog.get_config(), io.StringIO()
    try:
        configure_logs("debug", written)
        structlog.get_logger().error(event.replace("%", ""), **{k: v for k, v in fields.items() if k != "event"})
    finally:
        structlog.configure(**before)
    line = written.getvalue()
    assert line.endswith("\n") and line.count("\n") == 1
    assert all(" " <= character <= "~" for character in line[:-1])
    assert set(json.loads(line)) <= set(LOG_FIELDS)


def test_a_place_is_a_file_and_a_line_of_ours_or_of_a_library() -> None:
    try:
        json.loads("no json")
    except ValueError as error:
        places = places_of(error)
    assert places[0].startswith("tests/contract/test_logs.py:")
    assert places[-1].startswith("json/decoder.py:")
    assert LOG_FIELDS["places"].shape(places)
