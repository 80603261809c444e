"""Every refusal in the code is in the catalogue, in both languages, and nothing in the catalogue is dead."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from shared.http.problems import TYPE_PREFIX
from tests.support.catalogue import CATALOGUE, OF_MEMBER
from tests.support.sources import ROOT

PLACEHOLDER = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Refusal:
    """A place in the code that refuses: with which code, and which facts for its text."""

    code: str
    facts: frozenset[str]
    place: str


def values_of(expression: ast.expr, scope: ast.AST) -> set[str]:
    """The texts that an expression can be: a constant, either branch, a local name, what a dict holds."""
    match expression:
        case ast.Constant(value=str(text)):
            return {text}
        case ast.IfExp(body=one, orelse=other):
            return values_of(one, scope) | values_of(other, scope)
        case ast.Dict(values=held):
            return {text for value in held for text in values_of(value, scope)}
        case ast.Call(func=ast.Attribute(value=asked, attr="get"), args=[_, default]):
            return values_of(asked, scope) | values_of(default, scope)
        case ast.Name(id=name):
            given = [n.value for n in ast.walk(scope) if isinstance(n, ast.Assign) and _names(n.targets, name)]
            return {text for value in given for text in values_of(value, scope)}
    return set()


def _names(targets: list[ast.expr], name: str) -> bool:
    return any(isinstance(target, ast.Name) and target.id == name for target in targets)


def refusals_in(source: str, name: str) -> Iterator[Refusal]:
    """Every ``Refused(code, …)`` and ``respond(request, code, …)``; passing on ``error.problem`` refuses nothing new.

    A code that cannot be read off is an error: it must be written so that it can.
    """
    tree = ast.parse(source)
    parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    for call in ast.walk(tree):
        if not isinstance(call, ast.Call):
            continue
        called = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        if called not in ("Refused", "respond"):
            continue
        code = call.args[0 if called == "Refused" else 1]
        if isinstance(code, ast.Attribute) and code.attr == "problem":
            continue
        scope: ast.AST = call
        while not isinstance(scope, ast.FunctionDef | ast.AsyncFunctionDef | ast.Module):
            scope = parents[scope]
        place, codes = f"{name}:{call.lineno}", values_of(code, scope)
        assert codes, f"{place}: which code is this?"
        facts = frozenset(k.arg or "" for k in call.keywords) if called == "Refused" else frozenset[str]()
        yield from (Refusal(code, facts - {"field"}, place) for code in codes)


REFUSALS = [
    refusal
    for folder in ("shared", "services")
    for path in sorted((ROOT / folder).rglob("*.py"))
    for refusal in refusals_in(path.read_text(encoding="utf-8"), str(path.relative_to(ROOT)))
]


ENGINE = re.compile(r"shared/(http|service|reference|messaging|storage|security|logs)/")


def members_that_may_refuse(place: str) -> list[str]:
    """The members whose code a place is: one service, every member for the engine, every agency for the rest."""
    owner = place.split("/")[1] if place.startswith("services/") else ""
    if owner in OF_MEMBER:
        return [owner]
    return list(OF_MEMBER) if ENGINE.match(place) else [code for code in OF_MEMBER if code != "coordination"]


def test_every_refusal_has_a_text_in_each_member_that_may_give_it() -> None:
    assert len(REFUSALS) > 50
    wanting = [
        (refusal, member)
        for refusal in REFUSALS
        for member in members_that_may_refuse(refusal.place)
        if refusal.code not in OF_MEMBER[member]
    ]
    assert wanting == []


def test_nothing_in_the_catalogue_is_dead() -> None:
    assert set(CATALOGUE) - {refusal.code for refusal in REFUSALS} == set()


def test_a_refusal_gives_the_facts_that_its_text_names() -> None:
    """A fact that is missing would turn the refusal into a fault of the service."""
    wanted = {code: set(PLACEHOLDER.findall(kind.detail.id)) for code, kind in CATALOGUE.items()}
    assert [refusal for refusal in REFUSALS if not wanted[refusal.code] <= refusal.facts] == []


SOME_CODE = """
def reject(row):
    problem = "ended" if row.ended else "not-yours"
    raise Refused(problem, field="row", status=row.status)
def answer(request, error):
    codes = {404: "lost"}
    respond(request, error.problem)
    return problems.respond(request, codes.get(error.status, "broken"), [])
"""


def test_these_rules_see_every_code() -> None:
    found = {(refusal.code, refusal.facts) for refusal in refusals_in(SOME_CODE, "some.py")}
    status, nothing = frozenset({"status"}), frozenset[str]()
    assert found == {("ended", status), ("not-yours", status), ("lost", nothing), ("broken", nothing)}
    with pytest.raises(AssertionError, match=r"other\.py:1"):
        list(refusals_in("Refused(whatever())", "other.py"))


@pytest.mark.parametrize("code", CATALOGUE)
def test_a_kind_says_what_is_wrong_and_what_to_do_in_both_languages(code: str) -> None:
    kind = CATALOGUE[code]
    assert re.fullmatch(r"urn:estafet:problem:[a-z]+(-[a-z]+)*", TYPE_PREFIX + code)
    assert 400 <= kind.status < 500 or kind.status in (500, 503)
    for text in (kind.title, kind.detail, kind.remedy):
        assert text.id.strip() and text.en.strip() and text.id != text.en
        assert set(PLACEHOLDER.findall(text.id)) == set(PLACEHOLDER.findall(text.en))
        assert not re.search(r"[{}]", PLACEHOLDER.sub("", text.id + text.en))
    for sentence in (kind.detail.id, kind.detail.en, kind.remedy.id, kind.remedy.en):
        assert sentence.endswith(".")
    assert not PLACEHOLDER.search(kind.title.id + kind.remedy.id)
