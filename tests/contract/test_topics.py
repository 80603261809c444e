"""Every wake-up topic is a member of ``Topic``: a misspelt text would wake nobody."""

import ast

from shared.storage.notifier import Topic
from tests.support.sources import ROOT, broken, called, dotted

SOURCES = [path for folder in ("shared", "services") for path in sorted((ROOT / folder).rglob("*.py"))]
TAKE_A_TOPIC = ("watching", "wake", "Timer", "until_changed", "list_until_changed")
"""Functions with an id or a topic among their positional arguments."""


def names_a_topic_by_text(node: ast.AST) -> bool:
    """Whether a text is added to ``tx.changed``, or waited for, or woken."""
    if isinstance(node, ast.AugAssign) and ast.unparse(node.target).endswith(".changed"):
        return any(map(_is_text, ast.walk(node.value)))
    if dotted(node).endswith((".changed.add", ".changed.update")) or called(node) in TAKE_A_TOPIC:
        assert isinstance(node, ast.Call)
        return any(_is_text(part) for given in node.args for part in (given, *getattr(given, "elts", ())))
    return False


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def test_no_topic_is_a_text_where_it_is_used() -> None:
    assert broken(names_a_topic_by_text, SOURCES) == []


def test_every_topic_is_used_and_compares_as_its_text() -> None:
    code = "\n".join(path.read_text(encoding="utf-8") for path in SOURCES)
    assert [topic.name for topic in Topic if f"Topic.{topic.name}" not in code] == []
    assert all(topic == str(topic) and hash(topic) == hash(topic.value) for topic in Topic)


def test_this_rule_finds_a_text() -> None:
    tree = ast.parse(
        """
tx.changed.add("parked")
tx.changed |= {row.id, "clocks"}
tx.changed.update(["links"])
Timer("tokens", next_due, do_due)
notifier.watching("keys")
tx.changed.add(Topic.PARKED)
tx.changed |= {row.id, Topic.CLOCKS}
tx.changed.add(row["id"])
"""
    )
    assert len([node for node in ast.walk(tree) if names_a_topic_by_text(node)]) == 5
