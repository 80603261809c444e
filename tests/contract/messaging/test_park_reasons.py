"""The one table of reasons for parking: it holds every reason that the code can park for, and no other."""

import ast
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from shared.domain.trust import RULES
from shared.messaging.parked import IN_TURN, REASONS, Park, Retry, reasons_tried
from tests.support.sources import ROOT, called, parsed

PATHS = [path for folder in ("shared", "services") for path in sorted((ROOT / folder).rglob("*.py"))]
CAUGHT = {"older-directory", "no-encryption-key"}
"""Reasons of Untrusted that no event is parked for: an older directory counts as applied, and sealing goes on."""

LATER = {"custody-given-back"}
"""Reasons that an event gets while it waits. No event is parked for them."""


class Reasons:
    """Follows the reason of every ``park(…)`` and ``Park(…)`` back to the texts where the reason is made."""

    def __init__(self, trees: Sequence[ast.Module]) -> None:
        self._nodes = [node for tree in trees for node in ast.walk(tree)]
        self._parents = {child: node for node in self._nodes for child in ast.iter_child_nodes(node)}
        self._followed: set[str] = set()

    def all(self) -> set[str]:
        """Every reason. AssertionError for a reason that cannot be read off the code."""
        # ``park`` of a trusted event has six arguments; that of a quarantine has three
        stored = [node.args[4 if len(node.args) == 6 else 2] for node in self._calls("park")]
        return {text for reason in (*stored, *self._first_of("Park")) for text in self._texts(reason)}

    def _calls(self, name: str) -> Iterator[ast.Call]:
        return (node for node in self._nodes if isinstance(node, ast.Call) and called(node) == name)

    def _first_of(self, error: str) -> Iterator[ast.expr]:
        return (node.args[0] for node in self._calls(error) if node.args)

    def _texts(self, reason: ast.expr) -> set[str]:
        match reason:
            case ast.Constant(value=None):
                return set()
            case ast.Constant(value=str(text)):
                return {text}
            case ast.IfExp(body=one, orelse=other):
                return self._texts(one) | self._texts(other)
            case ast.BoolOp(values=values):
                return {text for value in values for text in self._texts(value)}
            case ast.Name(id=name):
                return self._of_name(name, reason)
            case ast.Call(func=ast.Attribute(attr="objects")):
                return self._returned("objection") | self._in_class("Objections")  # by the table of trust, or before it
            case ast.Call():
                return self._returned(called(reason))
            case ast.Attribute(attr="lacking"):
                return {rule.lacking for rule in RULES.values()}
            case ast.Attribute(value=ast.Name(id=name), attr="reason"):
                return self._of_error(name, reason)
        raise AssertionError(f"which reason is {ast.unparse(reason)}?")

    def _up(self, node: ast.AST) -> Iterator[ast.AST]:
        while (parent := self._parents.get(node)) is not None:
            yield (node := parent)

    def _of_name(self, name: str, place: ast.AST) -> set[str]:
        function = next(node for node in self._up(place) if isinstance(node, ast.FunctionDef))
        given = [
            node.value
            for node in ast.walk(function)
            if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == name for t in node.targets)
        ]
        given += [
            node.value
            for node in ast.walk(function)
            if isinstance(node, ast.NamedExpr) and isinstance(node.target, ast.Name) and node.target.id == name
        ]
        assert given, f"which reason is {name} in {function.name}?"
        return {text for value in given for text in self._texts(value)}

    def _returned(self, function: str) -> set[str]:
        if function in self._followed:
            return set()
        self._followed.add(function)
        found = [node for node in self._nodes if isinstance(node, ast.FunctionDef) and node.name == function]
        assert len(found) == 1, f"which function is {function}?"
        returned = (node.value for node in ast.walk(found[0]) if isinstance(node, ast.Return) and node.value)
        return {text for value in returned for text in self._texts(value)}

    def _in_class(self, name: str) -> set[str]:
        classes = [node for node in self._nodes if isinstance(node, ast.ClassDef) and node.name == name]
        returned = (node.value for one in classes for node in ast.walk(one) if isinstance(node, ast.Return))
        return {value.value for value in returned if isinstance(value, ast.Constant) and isinstance(value.value, str)}

    def _of_error(self, name: str, place: ast.AST) -> set[str]:
        handlers = (node for node in self._up(place) if isinstance(node, ast.ExceptHandler) and node.name == name)
        caught = next(handlers).type
        errors = caught.elts if isinstance(caught, ast.Tuple) else [caught]
        return {text for error in errors if error for text in self._raised(ast.unparse(error).rpartition(".")[2])}

    def _raised(self, error: str) -> set[str]:
        """The reasons of an exception: given where it is raised, or set in its class or a class below."""
        if error in self._followed:
            return set()
        self._followed.add(error)
        texts = {text for reason in self._first_of(error) for text in self._texts(reason)}
        for node in self._nodes:
            if isinstance(node, ast.ClassDef) and error in (node.name, *map(ast.unparse, node.bases)):
                texts |= {
                    text
                    for line in node.body
                    if isinstance(line, ast.Assign) and ast.unparse(line.targets[0]) == "reason"
                    for text in self._texts(line.value)
                }
        return texts


def reasons_in(*paths: Path) -> set[str]:
    return Reasons([parsed(path) for path in paths]).all()


def test_the_table_holds_every_reason_in_the_code_and_no_other() -> None:
    assert reasons_in(*PATHS) - CAUGHT == set(REASONS) - LATER


def test_these_rules_follow_a_reason_to_where_it_is_made(tmp_path: Path) -> None:
    (path := tmp_path / "some.py").write_text(
        """
class Bad(Exception):
    reason = "bad-bytes"
class Worse(Bad):
    reason = "worse-bytes"
def fault(row):
    return "ended" if row.ended else None
def attempt(row):
    try:
        reason = fault(row)
        if reason:
            raise Park(reason)
        raise Park("not-yours")
    except (Park, codes.Bad) as error:
        return error.reason
def take(tx, message):
    reason = attempt(message)
    park(tx, b"", None, "", reason, None)
"""
    )
    assert reasons_in(path) == {"bad-bytes", "worse-bytes", "ended", "not-yours"}
    (unclear := tmp_path / "unclear.py").write_text("raise Park(reasons[0])")
    with pytest.raises(AssertionError, match="which reason"):
        reasons_in(unclear)


def test_a_reason_that_the_table_lacks_is_an_error_where_it_is_raised() -> None:
    assert Park("version-gap").reason == "version-gap"
    with pytest.raises(ValueError, match="no-such-reason"):
        Park("no-such-reason")


def test_an_event_comes_again_only_after_the_change_that_its_reason_waits_for() -> None:
    assert set(reasons_tried(Retry.WHEN_REFERRAL_CHANGES)) == {"version-gap", "unknown-ask", "unknown-referral"}
    assert set(reasons_tried(Retry.WHEN_VICTIM_CHANGES)) == {
        "not-in-custody",
        "not-taken-on",
        "not-theirs-to-say",
        "unknown-break-glass",
    }
    assert set(reasons_tried(Retry.WHEN_TIME_COMES)) == {*IN_TURN, "custody-given-back"}
    assert set(reasons_tried(Retry.WHEN_CUSTODY_IS_GIVEN_BACK)) == {"custody-link-taken", "not-the-holder"}
    assert set(reasons_tried(Retry.AT_START)) == {"unknown-desk"}


@pytest.mark.parametrize("code", REASONS)
def test_a_reason_is_told_in_one_sentence(code: str) -> None:
    meaning = REASONS[code].meaning
    assert meaning.endswith(".") and 3 <= len(meaning.split()) <= 20
