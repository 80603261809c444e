"""Walls between packages (decision 0030): the tree keeps every import contract, and a planted breach breaks its own."""

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from shared.agency.member import SLICES
from shared.casework import records
from tests.support.sources import ROOT, modules, parsed

CONTRACTS: list[dict[str, Any]] = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"][
    "contracts"
]
BY_ID = {contract["id"]: contract for contract in CONTRACTS}
BREACHES = [
    ("shared", "shared.storage.pages", "shared.logs.trace"),
    ("shared", "shared.messaging.relay", "shared.http.rate"),
    ("victims", "shared.victims.register.store", "shared.victims.identity.tables"),
    ("victims", "shared.victims.disclosure.store", "shared.victims.break_glass.store"),
    ("casework", "shared.casework.clocks.store", "shared.casework.capacity.tables"),
    ("casework", "shared.casework.referrals.notes", "shared.casework.consent.expiring"),
    ("coordination", "services.coordination.queries", "shared.victims.register.tables"),
    ("coordination, image", "services.coordination.words", "deploy.client.agency_system"),  # with the next: indirectly
    ("coordination", "deploy.client.agency_system", "shared.casework.capacity.tables"),
    ("services", "services.kemenkes.forms", "services.kemenpppa.forms"),
    ("slice", "shared.casework.clocks.tables", "shared.casework.clocks.store"),
    ("rows, slice", "shared.victims.matching.store", "shared.victims.matching.views"),
    ("routes, slice", "shared.agency.reference.views", "shared.agency.reference.routes"),
    ("mains, slice", "shared.service.operations.views", "shared.service.operations.routes"),
    ("mains, rows, slice", "services.kemensos.tables", "services.kemensos.routes"),
    ("journeys, rows", "services.coordination.queries", "services.coordination.console"),
    ("journeys", "services.coordination.names", "services.coordination.queries"),
    ("journeys", "services.coordination.routes", "services.coordination.console"),
    ("rows", "shared.victims.register.store", "shared.http.dependencies"),
    ("rows", "shared.victims.sealed.tables", "fastapi"),
    ("rows", "shared.casework.letters.store", "shared.casework.records.views"),
    ("rows", "services.kemensos.tables", "starlette"),
    ("rows", "shared.storage.migrate", "starlette"),
    ("routes", "shared.casework.cases.registration", "shared.casework.records.routes"),
    ("routes", "shared.casework.cases", "shared.casework.referrals.routes"),
    ("routes", "shared.victims.erasure.controllers", "shared.victims.disclosure"),
    ("routes", "shared.agency.examples", "shared.casework.cases.routes"),
    ("mains, rows", "shared.victims.register.store", "shared.service.operations.routes"),
    ("mains", "shared.casework.cases.journey", "shared.service.operations"),
    ("mains", "services.kemensos.beds", "services.kemensos.routes"),
    ("pure", "shared.domain.text", "sqlmodel"),
    ("pure", "shared.contracts.subjects", "structlog"),
    ("pure", "shared.domain.letters", "jinja2"),
    ("pure", "shared.domain.matching", "cryptography"),
    ("pure", "shared.contracts.schemas", "psycopg"),
    ("pure", "shared.domain.people_csv", "sqlite3"),
    ("nats", "shared.messaging.receipts", "nats"),
    ("nats", "services.coordination.witness", "nats"),
    ("outside", "shared.service.healthcheck", "services.members"),
    ("outside", "shared.agency.commands", "deploy.issuer"),
    ("outside", "shared.service.settings", "tests"),
    ("declarations", "services.police.casework", "shared.reference.office"),
    ("declarations", "services.coordination.agency", "shared.logs.trace"),
    ("declarations", "services.police.agency", "sqlmodel"),
    ("declarations", "services.kemenkes.forms", "fastapi"),
    ("declarations, image", "services.police.agency", "deploy.issuer.keys"),
    ("image", "services.kemenkes.main", "deploy.issuer"),
    ("image", "services.kemensos.beds", "tests"),
]
"""Contract ids, importing module, imported module. A breach breaks these contracts and no other."""
UNPLANNED = {
    "shared": "shared",
    "victims": "shared.victims",
    "casework": "shared.casework",
    "journeys": "services.coordination",
}
"""Contract id → where a new package may stand only once the contract lists it."""


def lint(root: Path) -> str:
    """The report of ``lint-imports`` on a tree, each contract's name on one line."""
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache", "--no-logo"]
    environment = {**os.environ, "COLUMNS": "200"}
    return subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True).stdout


def sections(report: str) -> Mapping[str, str]:
    """Contract id → the imports that the report blames."""
    ids = {contract["name"]: contract["id"] for contract in CONTRACTS}
    _, _, blamed = report.partition("Broken contracts\n")
    parts = re.split(rf"^({'|'.join(map(re.escape, ids))})$", blamed, flags=re.MULTILINE)
    return {ids[name]: text for name, text in zip(parts[1::2], parts[2::2], strict=True)}


def file_of(root: Path, module: str) -> Path:
    path = root / module.replace(".", "/")
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


class Reports(NamedTuple):
    """The reports of ``lint-imports`` on a copy of the tree, before and after every breach is planted in it."""

    kept: str
    blamed: Mapping[str, str]


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Reports:
    """One copy for all breaches: a report takes as long for one as for all."""
    tree = tmp_path_factory.mktemp("tree")
    shutil.copy(ROOT / "pyproject.toml", tree)
    for package in ("shared", "services", "deploy"):
        for source in (ROOT / package).rglob("*.py"):
            copy = tree / source.relative_to(ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, copy)
    kept = lint(tree)
    for _, importer, imported in BREACHES:
        file = file_of(tree, importer)
        file.write_text(f"{file.read_text(encoding='utf-8')}\nimport {imported}\n", encoding="utf-8")
    for container in UNPLANNED.values():
        (tree / container.replace(".", "/") / "unplanned.py").touch()
    return Reports(kept, sections(lint(tree)))


def test_the_tree_keeps_every_wall(reports: Reports) -> None:
    assert f"Contracts: {len(CONTRACTS)} kept, 0 broken." in reports.kept


def test_coordination_loads_no_module_of_the_agency_half() -> None:
    """Python loads more than the modules imported by name: also the ``__init__`` of every package on the way."""
    script = "import sys, services.coordination.main; print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = ran.stdout.split()
    assert "shared.service.operations.routes" in loaded
    assert [m for m in loaded if m.startswith(tuple(BY_ID["coordination"]["forbidden_modules"]))] == []


def test_every_wall_has_a_planted_breach() -> None:
    """Each contract has a breach that it alone reports: none leans on another."""
    assert {walls for walls, _, _ in BREACHES if ", " not in walls} == {contract["id"] for contract in CONTRACTS}


@pytest.mark.parametrize(("walls", "importer", "imported"), BREACHES)
def test_a_breach_breaks_its_own_walls_alone(reports: Reports, walls: str, importer: str, imported: str) -> None:
    link = re.compile(rf"\b{re.escape(importer)} -> {re.escape(imported)} ")
    assert sorted(name for name, text in reports.blamed.items() if link.search(text)) == sorted(walls.split(", "))


@pytest.mark.parametrize(("wall", "container"), UNPLANNED.items())
def test_a_package_without_a_layer_breaks_the_wall(reports: Reports, wall: str, container: str) -> None:
    assert f"- {container}.unplanned\n" in reports.blamed[wall]


def test_every_slice_of_an_agency_is_behind_walls_6_and_7() -> None:
    protected = [*BY_ID["routes"]["protected_modules"], *BY_ID["mains"]["protected_modules"]]
    for name in (one.__name__ for one in (*SLICES, records)):
        assert any(fnmatch(name, container) for container in BY_ID["slice"]["containers"]), name
        assert any(fnmatch(name, module) for module in protected), name
        assert any(fnmatch(f"{name}.routes", module) for module in protected if module.endswith(".routes")), name


def libraries() -> set[str]:
    """The third-party packages that ``shared`` and ``services`` import."""
    paths = [path for folder in ("shared", "services") for path in (ROOT / folder).rglob("*.py")]
    found = {name.partition(".")[0] for path in paths for node in ast.walk(parsed(path)) for name in modules(node)}
    return found - sys.stdlib_module_names - {"shared", "services"}


def test_declarations_are_kept_from_every_package_but_the_rules_and_the_wire() -> None:
    layers = {name for layer in BY_ID["shared"]["layers"] for name in layer.split(" | ")}
    forbidden = set(BY_ID["declarations"]["forbidden_modules"])
    assert {name for name in forbidden if name.startswith("shared.")} == {
        f"shared.{name}" for name in layers - {"domain", "contracts"}
    }
    assert "sqlmodel" in libraries() and libraries() <= forbidden


def test_the_rules_and_the_wire_are_kept_from_every_library_but_pydantic() -> None:
    assert libraries() - {"pydantic", "pydantic_core"} <= set(BY_ID["pure"]["forbidden_modules"])
