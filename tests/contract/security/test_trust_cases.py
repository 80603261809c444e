"""Each case of the review of trust names a test of it, or a reason on the page for auditors."""

import csv
import re

from tests.support.sources import ROOT, is_test

SECURITY = ROOT / "shared" / "security"
CASES = [str(number) for number in range(1, 30) if number not in (6, 18)]
"""The numbers of the review. Two of them were merged into others."""


def rows() -> list[dict[str, str]]:
    with (SECURITY / "trust_cases.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_case_is_answered_once_and_in_order() -> None:
    assert [row["case"] for row in rows()] == CASES
    assert [row["case"] for row in rows() if not 4 <= len(row["what was possible"].split()) <= 12] == []


def test_an_answer_is_a_test_that_is_there_or_a_reason_that_the_page_tells() -> None:
    assert [(row["case"], test) for row in rows() for test in row["shown_by"].split() if not is_test(test)] == []
    assert [row["case"] for row in rows() if not row["shown_by"] and not row["reason"]] == []
    page = (SECURITY / "SECURITY-DESIGN.md").read_text()
    there = set(re.findall(r"^## (\d+)\. ", page, re.MULTILINE))
    assert {number for row in rows() for number in re.findall(r"section (\d+)", row["reason"])} <= there
    assert [row["case"] for row in rows() if row["reason"] and "section" not in row["reason"]] == []
