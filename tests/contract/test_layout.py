"""Places of files and their allowed knowledge: rules whose breach no reader sees in a single file."""

import ast
import re
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

import shared
from services.members import SERVICES
from tests.support.sources import ROOT, modules, parsed

SHARED = sorted((ROOT / "shared").rglob("*.py"))
SOURCES = [*SHARED, *sorted((ROOT / "services").rglob("*.py")), *sorted((ROOT / "deploy").rglob("*.py"))]
PLAIN = {"collections.abc", "dataclasses", "datetime", "enum", "re", "typing", "pydantic", "shared.contracts"}
OF_DECLARATIONS = {"collections.abc", "dataclasses", "datetime", "enum", "typing", "shared.contracts", "shared.domain"}
ALLOWED = {
    "shared/contracts": {*PLAIN, "codecs", "inspect", "json", "math"},
    "shared/domain": {*PLAIN, "csv", "unicodedata", "shared.domain"},
}
"""Folder → all that its files may import: modules that tell no time, draw no chance and open no file."""
PURE = [(path, allowed) for part, allowed in ALLOWED.items() for path in sorted((ROOT / part).rglob("*.py"))]


def named(paths: list[Path]) -> list[str]:
    return [str(path.relative_to(ROOT)) for path in paths]


def imports(tree: ast.AST) -> Iterator[str]:
    """Every module that is imported, also inside a function, also as ``from nats.aio import client``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or "")


def imports_of(tree: ast.AST, *packages: str) -> set[str]:
    return {module for module in imports(tree) if module.partition(".")[0] in packages}


def within(module: str, allowed: Iterable[str]) -> bool:
    return any(module == one or module.startswith(f"{one}.") for one in allowed)


def imports_beyond(tree: ast.AST, allowed: Iterable[str]) -> set[str]:
    """The imports that are neither allowed nor in a package that is."""
    return {module for module in imports(tree) if not within(module, allowed)}


def reads_the_time(tree: ast.AST) -> set[str]:
    """Calls such as ``datetime.now()``, ``date.today()``, ``time.time()``, and ``open()``."""
    times = {"now", "utcnow", "today", "monotonic", "perf_counter"}
    found = {n.attr for n in ast.walk(tree) if isinstance(n, ast.Attribute) and n.attr in times}
    return found | {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and n.id in {"open", "print", "input"}}


def texts(tree: ast.AST) -> Iterator[str]:
    """Every string constant that is not a docstring or a comment standing as a statement."""
    prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose:
            yield node.value


def agencies_named(tree: ast.AST) -> set[str]:
    return {code for text in texts(tree) for code in SERVICES if re.search(rf"(?<![\w]){code}(?![\w])", text)}


def test_the_code_under_test_is_this_checkout() -> None:
    """A folder named ``shared`` also lies beside the checkout."""
    assert Path(str(shared.__file__)).resolve() == ROOT / "shared" / "__init__.py"


def test_the_root_is_no_package() -> None:
    assert not (ROOT / "__init__.py").exists()


def folders_without_init(paths: list[Path]) -> list[str]:
    """Folders of code that the import graph does not see, so that no wall holds there."""
    folders = {path.parent for path in paths} - {path.parent for path in paths if path.name == "__init__.py"}
    return sorted(str(folder.relative_to(ROOT)) for folder in folders if "migrations" not in folder.parts)


def test_every_folder_of_code_is_a_package_so_that_the_walls_see_it() -> None:
    assert folders_without_init(SOURCES) == []
    hidden = ROOT / "services" / "coordination" / "peek" / "look.py"
    assert folders_without_init([*SOURCES, hidden]) == ["services/coordination/peek"]


def test_a_migration_knows_nothing_of_the_code_that_changes_after_it() -> None:
    migrations = [path for path in SOURCES if "migrations" in path.parts]
    known = ("shared.storage", "shared.contracts")
    ours = {m for path in migrations for m in imports_of(parsed(path), "shared", "services", "deploy")}
    assert {module for module in ours if not module.startswith(known)} == set()


def test_only_the_broker_imports_nats() -> None:
    with_nats = [path for path in SOURCES if imports_of(parsed(path), "nats")]
    assert named(with_nats) == [f"shared/messaging/{name}.py" for name in ("broker", "connection", "stream")]


@pytest.mark.parametrize(("path", "allowed"), PURE, ids=named([path for path, _ in PURE]))
def test_rules_and_contracts_know_no_framework_clock_chance_or_file(path: Path, allowed: set[str]) -> None:
    tree = parsed(path)
    assert imports_beyond(tree, allowed) == set()
    assert not reads_the_time(tree)


@pytest.mark.parametrize("part", ALLOWED)
def test_nothing_is_allowed_to_the_rules_and_contracts_that_they_do_not_use(part: str) -> None:
    used = {module for path in (ROOT / part).rglob("*.py") for module in imports(parsed(path))}
    assert {one for one in ALLOWED[part] if not any(within(module, [one]) for module in used)} == set()


def declarations() -> set[Path]:
    """The declaration of each service, and its forms: the files of the service that the declaration imports."""
    found, waiting = set[Path](), set((ROOT / "services").glob("*/agency.py"))
    while waiting:
        found.add(path := waiting.pop())
        named = {name for node in ast.walk(parsed(path)) for name in modules(node) if name.startswith("services.")}
        files = {ROOT / f"{name.replace('.', '/')}.py" for name in named}
        waiting |= {file for file in files if file.is_file()} - found
    return found


def test_declarations_and_forms_know_no_framework_clock_chance_or_file() -> None:
    assert {"services/kemensos/stages.py", "services/kemenkes/agency.py"} <= set(named(list(declarations())))
    allowed = {*OF_DECLARATIONS, "services"}  # wall 5 keeps them from other services
    assert {path.name: beyond for path in declarations() if (beyond := imports_beyond(parsed(path), allowed))} == {}
    assert {path.name: found for path in declarations() if (found := reads_the_time(parsed(path)))} == {}


def test_no_agency_is_named_in_what_is_shared() -> None:
    assert {path.name: found for path in SHARED if (found := agencies_named(parsed(path)))} == {}


def test_shared_knows_no_service_and_no_deployment() -> None:
    assert named([path for path in SHARED if imports_of(parsed(path), "services", "deploy", "tests")]) == []


BROKEN = '''
"""The police may be mentioned here."""
import nats.js
def later():
    """And here: kemenkes."""
    from os import path
    at = datetime.now(UTC)
    return f"urn:{at}:kemensos", "policeman", {"police": 1}
'''


def test_these_rules_see_what_breaks_them() -> None:
    tree = ast.parse(BROKEN)
    assert imports_of(tree, "nats", "os") == {"nats.js", "os"}
    assert imports_beyond(tree, {"nats"}) == {"os"}
    assert imports_beyond(ast.parse("from shared import logs"), {"shared.domain"}) == {"shared"}
    assert imports_beyond(ast.parse("from . import logs\nimport nats_too"), {"nats"}) == {".", "nats_too"}
    assert reads_the_time(tree) == {"now"}
    assert agencies_named(tree) == {"police", "kemensos"}
    assert machine_paths("see /ho" + "me/somebody/x") and not machine_paths("https://a.example/work/x")
    assert not machine_paths("FROM base\nWORKDIR /srv") and registries("https://py" + "pi.org/simple")


# --- what must not be in a file ------------------------------------------------------------------------------

# put together here, so that this file does not break its own rule
REGISTRIES = ["py" + "pi.org", "files.python" + "hosted", "registry.npm" + "js", "deb.deb" + "ian"]
MACHINE_PATHS = ["wo" + "rk", "ro" + "ot", "ho" + "me"]
PATHS = re.compile(rf"(?<![\w.~$}}/-])/({'|'.join(MACHINE_PATHS)})/")


def machine_paths(text: str) -> list[str]:
    return [found.group() for found in PATHS.finditer(text)]


def registries(text: str) -> list[str]:
    return [name for name in REGISTRIES if name in text]


def tracked() -> list[Path]:
    """Every file under version control, and every one that would be added."""
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    out = subprocess.run(listing, cwd=ROOT, capture_output=True, check=True).stdout.decode()
    return [path for name in sorted(set(out.split("\0"))) if name and (path := ROOT / name).is_file()]


def test_no_file_names_a_registry_or_a_path_of_this_machine() -> None:
    files = tracked()
    assert len(files) > 100
    found = {
        str(path.relative_to(ROOT)): wrong
        for path in files
        if (wrong := [*machine_paths(text := path.read_bytes().decode("utf-8", "replace")), *registries(text)])
    }
    assert found == {}
