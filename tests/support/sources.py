"""The code that is shipped, read as syntax trees, for tests that say what must not be in it."""

import ast
import re
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
Rule = Callable[[ast.AST], bool]
"""Whether a node of the code is one that a rule forbids."""


def shipped() -> list[Path]:
    """The Python files of the services, the copied files of ``deploy``, and the maker of the secrets."""
    dockerfile = (ROOT / "deploy" / "Dockerfile").read_text()
    copied = {ROOT / word for word in dockerfile.split() if word.startswith("deploy/")} | {
        ROOT / "deploy/credentials/secrets.py"
    }
    found = {path for folder in (ROOT / "shared", ROOT / "services", *copied) for path in folder.rglob("*.py")}
    return sorted(found | {path for path in copied if path.suffix == ".py"})


@cache
def parsed(path: Path) -> ast.Module:
    """The syntax tree of a file."""
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def found_in(path: str) -> frozenset[str]:
    """The test functions of a file. One that is skipped or expected to fail is none."""
    found = set()
    for node in parsed(ROOT / path).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            marks = " ".join(ast.unparse(mark) for mark in node.decorator_list)
            if not re.search(r"skip|xfail", marks):
                found.add(node.name)
    return frozenset(found)


def is_test(test: str) -> bool:
    """Whether ``tests/…/test_x.py::test_y`` is a test of this repository."""
    path, _, name = test.partition("::")
    return re.fullmatch(r"tests(/[a-z0-9_]+)+/test_\w+\.py", path) is not None and name in found_in(path)


def broken(rule: Rule, paths: Iterable[Path] | None = None) -> list[str]:
    """Every place where a node of the code breaks a rule: file, line and text."""
    return [
        f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}: {ast.unparse(node)}"
        for path in (shipped() if paths is None else paths)
        for node in ast.walk(parsed(path))
        if rule(node)
    ]


def modules(node: ast.AST) -> list[str]:
    """The modules of an import statement, also as ``from package import module``."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.level == 0:
        return [node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)]
    return []


def imports(*names: str) -> Rule:
    """A rule against importing these modules, what is in them, or these names of a module."""
    return lambda node: any(
        module == name or module.startswith(f"{name}.") for module in modules(node) for name in names
    )


def called(node: ast.AST) -> str:
    """The last name of what is called: ``execute`` of ``connection.execute(...)``."""
    if not isinstance(node, ast.Call):
        return ""
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def dotted(node: ast.AST) -> str:
    """The whole of what is called, as it is written: ``os.system``."""
    return ast.unparse(node.func) if isinstance(node, ast.Call) else ""


def put_together(text: ast.expr) -> bool:
    """Whether a text is made of others where it stands: an f-string, ``%``, ``+`` or ``format``."""
    if isinstance(text, ast.Call):
        return called(text) in ("format", "format_map", "join") and not dotted(text).startswith("sql.SQL(")
    if isinstance(text, ast.BinOp):
        return True
    return isinstance(text, ast.JoinedStr) and any(isinstance(part, ast.FormattedValue) for part in text.values)


def any_of(*rules: Rule) -> Rule:
    """A rule against every node that one of these rules forbids."""
    return lambda node: any(rule(node) for rule in rules)
