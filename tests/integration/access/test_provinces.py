"""The view of a province at coordination: its own journeys, over the interface and on the pages."""

import contextlib
import re
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from services.coordination import words
from services.coordination.main import MEMBER as COORDINATION
from services.coordination.tables import AlarmRow, JourneyRow
from shared.contracts.codes import Stage
from shared.domain.access import Role
from shared.reference.office import new_id
from shared.storage.tables import ReferralRow
from tests.support.access_matrix import (
    ACEH,
    AT_BANDA_ACEH,
    AT_KOLAKA,
    CASE,
    CENTRE,
    COORDINATION_ROLES_OF,
    FOLLOWED,
    NOBODY,
    SULSEL,
    SULTRA,
    ask,
    told,
)
from tests.support.console_pages import page_of
from tests.support.network import offline

ON_ONE_LOOP = pytest.mark.asyncio(loop_scope="module")


@ON_ONE_LOOP
@pytest.mark.parametrize("role", Role)
async def test_a_province_follows_the_journeys_it_has_a_part_in(coordination: FastAPI, role: Role) -> None:
    async def get(unit: str, path: str) -> httpx.Response:
        return await ask(coordination, "coordination", role, unit, "GET", path)

    for unit in (CENTRE, SULTRA, SULSEL, ACEH):
        if role not in ("coordinator", "auditor"):
            for path in ("/v1/journeys", f"/v1/journeys/{AT_KOLAKA}", "/v1/counts", "/v1/norm-gaps"):
                assert told(await get(unit, path)) == "role-not-allowed"
            continue
        seen = {victim for victim, units in FOLLOWED.items() if unit in units}
        listed = (await get(unit, "/v1/journeys")).json()["items"]
        assert {item["victim_id"] for item in listed} == seen
        for victim in FOLLOWED:
            for path in (f"/v1/journeys/{victim}", f"/v1/journeys/{victim}/custody"):
                assert told(await get(unit, path)) == ("200" if victim in seen else "unknown-journey")
        parts = {item["victim_id"]: item["part"] for item in listed}
        assert parts == {victim: part_of(unit) for victim in seen}
        assert len((await get(unit, "/v1/journeys?open=true")).json()["items"]) == list(parts.values()).count("whole")
        assert numbers((await get(unit, "/v1/counts")).json()) == {0}  # nobody is one of ten
        assert len((await get(unit, "/v1/norm-gaps")).json()["items"]) == int(AT_KOLAKA in seen)


def part_of(unit: str) -> str:
    """Makassar was asked about the victim at Kolaka, and refused."""
    return "handovers" if unit == SULSEL else "whole"


def numbers(counts: Any) -> set[int]:
    """Every number in an answer of counts. None of them lacks its sign that too few people are behind it."""
    if "at_least" not in counts:
        return set().union(*map(numbers, counts.values())) if counts else set()
    assert counts["suppressed"] == (counts["at_least"] == 0)
    return {counts["at_least"]}


def rows_of(region: str, agency: str, stage: Stage) -> list[JourneyRow | ReferralRow | AlarmRow]:
    """A journey that goes on, with an overdue hand-over and an alarm about it; and a journey that is closed."""
    desk, victim, then = f"desk-{region}", new_id(), datetime(2026, 1, 5, tzinfo=UTC)
    custody: dict[str, Any] = {
        "custody_agency": agency,
        "custody_unit": desk,
        "custody_region": region,
        "custody_seq": 1,
    }
    return [
        JourneyRow(victim_id=victim, stage=stage, **custody, registered_at=then, closed_at=None),
        JourneyRow(victim_id=new_id(), stage=stage, **custody, registered_at=then, closed_at=then),
        AlarmRow(about=new_id(), clock="first-aid", agency=agency, unit=desk, region=region, victim_id=victim,
                 started_at=then, due_at=then, escalated_at=then, escalated_level="province"),
        ReferralRow(
            id=new_id(), case_id=CASE, victim_id=victim, kind="referral", service="first-aid",
            priority="stat", sender_agency=agency, sender_unit=desk, sender_region=region,
            receiver_agency="kemenkes", receiver_unit=f"rs-{region}", receiver_region=region, requested_at=then,
            due_at=then, status="requested", version=1, norm_gap="no-procedure", updated_at=then,
        ),
    ]  # fmt: skip


def total(*provinces: tuple[str, str, str]) -> dict[str, Any]:
    """The expected counts of ten times these journeys: each a province, an agency and a stage."""
    names = ("by_province", "by_agency", "by_stage", "escalated_by_level", "handovers_by_status")
    cells = [(*one, "province", "requested") for one in provinces]
    expected: dict[str, Any] = {
        name: {code: 10 * number for code, number in Counter(one[place] for one in cells).items()}
        for place, name in enumerate(names)
    }
    many = ("journeys_open", "journeys_closed", "overdue", "norm_gaps", "escalated")
    return {**expected, **dict.fromkeys(many, 10 * len(provinces))}


def counted(counts: dict[str, Any]) -> dict[str, Any]:
    """The numbers of an answer, without the cells that have none."""
    plain = {name: one["at_least"] if "at_least" in one else counted(one) for name, one in counts.items()}
    return plain if "journeys_open" in counts else {name: number for name, number in plain.items() if number}


@ON_ONE_LOOP
async def test_no_total_counts_what_a_province_may_not_see(tmp_path: Path, secrets: Path) -> None:
    """The same in Kolaka and in Banda Aceh: each province counts its own, the centre both."""
    places = ("74.01", "police", Stage.PROTECTION), ("11.71", "kemensos", Stage.REPATRIATION)
    rows = [row for place in places for _ in range(10) for row in rows_of(*place)]
    sultra, aceh = ("74", "police", "protection"), ("11", "kemensos", "repatriation")
    expected = {CENTRE: total(sultra, aceh), SULTRA: total(sultra), ACEH: total(aceh), SULSEL: total()}
    async with contextlib.AsyncExitStack() as stack:
        app = await offline(COORDINATION, tmp_path, secrets, stack)
        app.state.database.write(lambda tx: tx.session.add_all(rows))
        for unit, numbers_of_unit in expected.items():
            answer = await ask(app, "coordination", Role.COORDINATOR, unit, "GET", "/v1/counts")
            assert counted(answer.json()) == numbers_of_unit, unit


@ON_ONE_LOOP
async def test_who_was_registered_by_mistake_is_in_no_total(tmp_path: Path, secrets: Path) -> None:
    mistaken = [row for _ in range(10) for row in rows_of("74.01", "police", Stage.PROTECTION)]
    for row in mistaken:
        if isinstance(row, JourneyRow):
            row.closed_at, row.outcome = row.registered_at, "registered-by-mistake"
    async with contextlib.AsyncExitStack() as stack:
        app = await offline(COORDINATION, tmp_path, secrets, stack)
        app.state.database.write(lambda tx: tx.session.add_all(mistaken))
        answer = await ask(app, "coordination", Role.COORDINATOR, CENTRE, "GET", "/v1/counts")
        assert counted(answer.json()) == total()
        listed = await ask(app, "coordination", Role.COORDINATOR, CENTRE, "GET", "/v1/journeys")
        assert {one["outcome"] for one in listed.json()["items"]} == {"registered-by-mistake"}


def journeys_on(page: httpx.Response) -> set[str]:
    return set(re.findall(r'href="/journeys/([0-9a-f-]{36})"', page.text))


COUNTED = re.compile(r"<dd class=\"(?:few)?\">(.*?)</dd>")
IN_A_CHOICE = re.compile(r"<option[^>]*>[^<(]*\(.*?(\d+)\)</option>")
ASKED: list[dict[str, str]] = [
    {}, {"region": "74"}, {"region": "74.01"}, {"region": "11"}, {"region": "11.71"}, {"agency": "police"},
    {"stage": "detection"}, {"show": "open"}, {"cursor": "bjbukan"}, {"cursor": "bj\u00e9"},
]  # fmt: skip
"""Queries of the list. Each shows at most the journeys of the caller."""


@ON_ONE_LOOP
@pytest.mark.parametrize("role", Role)
async def test_the_pages_show_a_province_what_the_interface_shows_it(coordination: FastAPI, role: Role) -> None:
    for unit in (CENTRE, SULTRA, SULSEL, ACEH):
        front = await page_of(coordination, role, unit, "/")
        if role not in COORDINATION_ROLES_OF["list_journeys"].split():
            assert front.status_code == 303 and front.headers["location"].startswith("/masuk")
            assert (await page_of(coordination, role, unit, f"/journeys/{AT_KOLAKA}")).status_code == 303
            continue
        seen = {victim for victim, units in FOLLOWED.items() if unit in units}
        assert journeys_on(front) == seen
        assert COUNTED.findall(front.text) == [str(words.both(words.FEW))] * 5
        assert IN_A_CHOICE.findall(front.text) == []  # by stage, by agency
        for asked in ASKED:
            page = await page_of(coordination, role, unit, "/", **asked)
            region = asked.get("region", "")
            where = {victim for victim, at in ((AT_KOLAKA, "74.01"), (AT_BANDA_ACEH, "11.71")) if at.startswith(region)}
            if asked.keys() - {"cursor"} and part_of(unit) != "whole":
                where = set()  # a filter asks where she is now
            assert page.status_code == 200 and journeys_on(page) == seen & where, (unit, asked)
        missing = await page_of(coordination, role, unit, f"/journeys/{NOBODY}")
        for victim in FOLLOWED:
            page = await page_of(coordination, role, unit, f"/journeys/{victim}")
            assert page.status_code == (200 if victim in seen else 404)
            assert victim in seen or page.text == missing.text


@ON_ONE_LOOP
@pytest.mark.parametrize("role", Role)
async def test_what_runs_the_service_is_for_who_keeps_it_and_stands_for_all_of_it(
    coordination: FastAPI, role: Role
) -> None:
    asked = (("list_parked", "GET", "/v1/parked", "200"), ("list_links", "GET", "/v1/links", "200"),
             ("replay", "POST", "/v1/parked/1/replay", "unknown-parked-event"))  # fmt: skip
    for operation, method, path, done in asked:
        for unit in (CENTRE, SULTRA, SULSEL, ACEH):
            expected = done if unit == CENTRE else "not-your-unit"
            if role not in COORDINATION_ROLES_OF[operation].split():
                expected = "role-not-allowed"
            assert told(await ask(coordination, "coordination", role, unit, method, path)) == expected, (path, unit)
