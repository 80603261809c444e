"""The table of OWASP ASVS 5.0.0 answers every requirement of levels 1 and 2, and chosen ones of level 3.

``shared/security/asvs_ids.txt`` lists the requirements, ``asvs.csv`` the answers: a test that shows it, or a reason.
``deviation``: the requirement applies and is not met. A named test must exist; the test run shows that it passes.
"""

import csv
import re
from collections import Counter
from typing import NamedTuple

import pytest

from tests.support.sources import ROOT, is_test

SECURITY = ROOT / "shared" / "security"
CHOSEN_OF_LEVEL_3 = {
    *("2.3.5", "4.1.5", "8.2.4", "8.3.2", "8.3.3", "10.3.5", "10.4.14", "10.4.16", "11.1.4", "11.3.4"),
    *("12.1.4", "12.3.5", "13.1.4", "13.3.4", "14.2.7", "15.4.2", "16.5.4"),
}


class Row(NamedTuple):
    """One requirement and its answer, as in asvs.csv."""

    id: str
    level: str
    what: str
    applies: str
    where: str
    evidence: str
    reason: str

    @property
    def tests(self) -> list[str]:
        return self.evidence.split()


def table() -> tuple[list[str], list[Row]]:
    """The heads of the columns, and the rows."""
    with (SECURITY / "asvs.csv").open(encoding="utf-8", newline="") as file:
        head, *rows = csv.reader(file)
    return head, [Row(*row) for row in rows]


def wanted() -> dict[str, str]:
    """Requirement → level."""
    lines = (SECURITY / "asvs_ids.txt").read_text().splitlines()
    return dict(line.split() for line in lines if line and not line.startswith("#"))


HEAD, ROWS = table()


def test_the_list_of_requirements_is_that_of_5_0_0() -> None:
    """345 there are: 70 of level 1, 183 of level 2, 92 of level 3, of which 17 were chosen."""
    assert Counter(wanted().values()) == {"1": 70, "2": 183, "3": len(CHOSEN_OF_LEVEL_3)}
    assert {name for name, level in wanted().items() if level == "3"} == CHOSEN_OF_LEVEL_3


def test_every_requirement_is_answered_once_and_in_order() -> None:
    assert tuple(HEAD) == Row._fields
    assert [(row.id, row.level) for row in ROWS] == list(wanted().items())
    assert list(wanted()) == sorted(wanted(), key=lambda name: [int(part) for part in name.split(".")])


def test_an_answer_is_evidence_or_a_reason() -> None:
    assert {row.applies for row in ROWS} == {"yes", "no", "deviation"}
    assert [row.id for row in ROWS if not row.evidence and not row.reason] == []
    assert [row.id for row in ROWS if row.applies != "yes" and not row.reason] == []
    assert [row.id for row in ROWS if row.reason and not row.reason.endswith((".", ".)"))] == []
    assert [row.id for row in ROWS if not 2 <= len(row.what.split()) <= 12] == []


def test_the_tests_that_are_named_are_there() -> None:
    assert [(row.id, test) for row in ROWS for test in row.tests if not is_test(test)] == []
    assert sum(bool(row.tests) for row in ROWS) > 130


def test_the_files_that_are_named_are_there() -> None:
    assert [(row.id, path) for row in ROWS for path in row.where.split() if not (ROOT / path).exists()] == []
    assert [row.id for row in ROWS if row.applies == "yes" and not row.where] == []


def test_a_deviation_is_said_on_the_page_for_auditors_too() -> None:
    """A deviation applies and is not met: the reader of the page learns of it."""
    deviations = [row for row in ROWS if row.applies == "deviation"]
    assert deviations and [row.id for row in deviations if "section 11" not in row.reason] == []
    page = (SECURITY / "SECURITY-DESIGN.md").read_text()
    [known] = re.findall(r"^## 11\. Known deviations\n(.*)", page, re.MULTILINE | re.DOTALL)
    assert {row.id for row in deviations} == set(re.findall(r"\(ASVS ([\d.]+)\)", known))


def test_a_reason_points_at_sections_there_are() -> None:
    design = (SECURITY / "SECURITY-DESIGN.md").read_text()
    there = set(re.findall(r"^## (\d+)\. ", design, re.MULTILINE))
    said = {
        number
        for row in ROWS
        for words in re.findall(r"[Ss]ections? ([\d ,and]+)", row.reason)
        for number in re.findall(r"\d+", words)
    }
    assert said and said - there == set()


@pytest.mark.parametrize(
    "test",
    [
        "tests/contract/security/test_asvs.py::test_of_nothing",
        "tests/contract/security/test_asvs.py",
        "deploy/local/run.py::main",
        "TODO",
    ],
)
def test_a_test_that_is_not_there_would_be_seen(test: str) -> None:
    assert is_test("tests/contract/security/test_asvs.py::test_every_requirement_is_answered_once_and_in_order")
    assert not is_test(test)
