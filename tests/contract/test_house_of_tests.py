"""The layout of the tests: no test module imports another, and no test file is too long for a reader."""

import ast
from pathlib import Path

from tests.support.sources import ROOT

TESTS = sorted((ROOT / "tests").rglob("*.py"))
MOST_LINES = 400


def is_test_module(name: str) -> bool:
    """Whether a dotted name is that of a module with tests or fixtures, or of something in one."""
    return any(part.startswith("test_") or part == "conftest" for part in name.split(".")[1:])


def imported_test_modules(text: str) -> set[str]:
    """The modules with tests or fixtures that some code imports, also from inside a function."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            names |= {f"{module}.{alias.name}" for alias in node.names}
    return {name for name in names if name.split(".")[0] in ("tests", "") and is_test_module(name)}


def too_long(path: Path) -> int:
    """The number of lines of a file with too many; 0 for any other."""
    lines = len(path.read_text(encoding="utf-8").splitlines())
    return lines if lines > MOST_LINES else 0


def names(paths: list[Path]) -> list[str]:
    return [str(path.relative_to(ROOT)) for path in paths]


def test_no_test_module_imports_another() -> None:
    """Shared code of tests lies in ``tests/support``, and fixtures in the ``conftest.py`` of their folder."""
    found = {str(p.relative_to(ROOT)): n for p in TESTS if (n := imported_test_modules(p.read_text(encoding="utf-8")))}
    assert found == {}


def test_no_file_of_tests_is_over_400_lines() -> None:
    assert len(TESTS) > 100
    assert {str(path.relative_to(ROOT)): lines for path in TESTS if (lines := too_long(path))} == {}


def test_every_test_lies_in_a_room_and_every_helper_in_support() -> None:
    loose = [path for path in TESTS if path.parent == ROOT / "tests" and path.name != "conftest.py"]
    helpers = [p for p in TESTS if not p.name.startswith("test_") and p.name != "conftest.py"]
    assert names(loose) == []
    assert names([path for path in helpers if path.parent.name != "support"]) == []


BREACHES = '''
"""tests.unit.test_rate is only spoken of here."""
from tests.unit.test_rate import bucket
from tests.unit import test_clocks
import tests.contract.test_logs
from .test_letters import printed
from tests.conftest import secrets
from tests.support.network import Network
from tests.support import softhsm
def later():
    from tests.integration.http.test_tls import folder
'''


def test_a_breach_of_these_rules_would_be_found(tmp_path: Path) -> None:
    assert imported_test_modules(BREACHES) == {
        "tests.unit.test_rate.bucket",
        "tests.unit.test_clocks",
        "tests.contract.test_logs",
        ".test_letters.printed",
        "tests.conftest.secrets",
        "tests.integration.http.test_tls.folder",
    }
    (long := tmp_path / "test_long.py").write_text("assert True\n" * (MOST_LINES + 1))
    assert too_long(long) == MOST_LINES + 1
    long.write_text("assert True\n" * MOST_LINES)
    assert too_long(long) == 0
