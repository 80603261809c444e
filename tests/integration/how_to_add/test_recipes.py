"""Every recipe of shared/HOW-TO-ADD.md is done in a copy of the tree: it passes the project's checks, and it works."""

import json
import re
import sys
from pathlib import Path

import pytest
import yaml

from tests.support.recipes import copy_tree, do, recipes, run

TOUCHED = sorted({step.path for steps in recipes().values() for step in steps if step.path.endswith(".py")})
BIN = Path(sys.executable).parent
PYTEST = (sys.executable, "-m", "pytest", "-p", "no:cacheprovider")
"""With a folder of its own: a second run in the usual folder would take the folder of our PostgreSQL."""
CHECKS = (
    *("slices", "declarations", "layout", "shipped"),
    *("messaging/test_golden_schemas", "messaging/test_free_text", "messaging/test_subjects"),
    *("http/test_refusal_catalogue", "security/test_security_design"),
    *("coordination/test_pages", "access_table"),
)
"""The contract tests that hold what a recipe adds to."""


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tree in which every recipe is done, as the page has them, under version control."""
    tree = tmp_path_factory.mktemp("added") / "tree"
    copy_tree(tree)
    for steps in recipes().values():
        for step in steps:
            do(step, tree)
    repeat_in_compose(tree / "docker-compose.yml", "kemenkes", "lpsk", 8006)
    run(tree, "git", "init", "--quiet")
    return tree


def repeat_in_compose(compose: Path, like: str, name: str, port: int) -> None:
    """Repeat every part of docker-compose.yml that names a member under a new name, as the page says."""
    text = compose.read_text(encoding="utf-8")
    services = re.compile(rf"^  (?:migrate-)?{like}:\n(?:    .*\n)+\n?", re.MULTILINE)
    lines = re.compile(rf"^ +(?:- \{{source: )?{like}-[\w-]+[:,].*\n", re.MULTILINE)
    databases, _, rest = text.partition("  migrate-coordination:\n")
    parts, _, secrets = rest.partition("\nnetworks:\n")
    repeated = [re.sub(rf"{like.upper()}_PORT:-\d+", f"{name.upper()}_PORT:-{port}", part) for part in (parts, secrets)]
    new = [re.sub(like, name, found, flags=re.IGNORECASE) for found in services.findall(repeated[0])]
    more = [found.replace(like, name) for found in lines.findall(databases)]
    last = [found.replace(like, name) for found in lines.findall(repeated[1])]
    at = databases.rindex(f"      - {{source: {like}-")
    at = databases.index("\n", at) + 1
    databases = databases[:at] + "".join(more) + databases[at:]
    shouted = "".join(new).replace(f"ESTAFET_{name}_PORT", f"ESTAFET_{name.upper()}_PORT")
    compose.write_text(
        f"{databases}  migrate-coordination:\n{parts}\n{shouted}\nnetworks:\n{secrets}{''.join(last)}", encoding="utf-8"
    )


def test_the_copy_keeps_format_lint_and_walls(tree: Path) -> None:
    run(tree, str(BIN / "ruff"), "format", "--check", *TOUCHED)
    run(tree, str(BIN / "ruff"), "check", *TOUCHED)
    assert " 0 broken." in run(tree, str(BIN / "lint-imports"), "--no-cache")


def test_the_copy_keeps_its_types(tree: Path) -> None:
    run(tree, str(BIN / "mypy"), "--strict", "--no-error-summary", *TOUCHED)


def test_the_copy_passes_the_checks_of_what_was_added_to(tree: Path) -> None:
    files = [f"tests/contract/{path if '/' in path else f'test_{path}'}.py" for path in CHECKS]
    run(tree, *PYTEST, "--basetemp", str(tree.parent / "checks"), *files)


def test_the_migration_makes_the_tables_of_the_copy(tree: Path) -> None:
    migrations = ("-k", "sqlite", "tests/integration/storage/test_migrations.py")
    run(tree, *PYTEST, "--basetemp", str(tree.parent / "migrations"), *migrations)


def test_the_services_of_the_copy_do_what_was_added(tree: Path, tmp_path: Path) -> None:
    printed = run(tree, sys.executable, "-m", "tests.support.added", str(tmp_path))
    assert json.loads(printed.splitlines()[-1]) == {
        "capacity": ["waitlist", None],
        "clocks": [["check-up"], []],
        "units": ["puskesmas-contoh", "rs-74.01"],
        "hours": {
            "refused": "closes-before-it-opens",
            "items": [{"day": "monday", "opens": 8, "closes": 16}],
        },
        "agency": "kemensos",
    }


def test_the_new_agency_stands_in_compose_beside_the_others(tree: Path) -> None:
    composed = yaml.safe_load((tree / "docker-compose.yml").read_text(encoding="utf-8"))
    assert {"lpsk", "migrate-lpsk"} <= composed["services"].keys()
    assert [name for name in composed["secrets"] if name.startswith("lpsk-")] == [
        name.replace("kemenkes", "lpsk") for name in composed["secrets"] if name.startswith("kemenkes-")
    ]
    assert composed["services"]["lpsk"]["ports"] == ["127.0.0.1:${ESTAFET_LPSK_PORT:-8006}:8000"]
