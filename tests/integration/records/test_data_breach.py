"""A breach of personal data: those concerned and the authority are told within 3×24 hours (UU 27/2022 Ps 46)."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.support.clocks import told_by
from tests.support.forms import file, refused
from tests.support.network import SHIPPED, Network, until_told

DESKS = {"police": "polres-74.01", "kemenpppa": "uptd-ppa-74.01", "kemensos": "dinsos-74.01", "kemenkes": "rs-74.01"}
FOUND: dict[str, Any] = {
    "kind": ["revealed"],
    "data": ["identity", "whereabouts"],
    "people": 3,
    "how": "Uraian rekaan.",
}
TOLD: dict[str, Any] = {"letter_number": "B/1/CONTOH", "measures": "Tindakan rekaan."}
BOTH = {"people_told": True, "authority_told": True}
HOUR = timedelta(hours=1)


async def running(network: Network, code: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (await network[code].get("/v1/clocks", clock="breach-notice"))["items"]
    return items


@pytest.mark.parametrize("code", [code for code, member in SHIPPED.items() if member.agency.services])
async def test_a_controller_has_three_days_to_notify_a_data_breach(network: Network, code: str) -> None:
    agency = await network.start(code, online=False)
    desk = f"desks/{DESKS[code]}"
    noticed = (network.clock() - 2 * HOUR).isoformat()
    breach = await file(agency, desk, "data-breach", **FOUND, occurred_at=noticed)
    assert "how" not in breach["facts"]
    [clock] = await running(network, code)
    due, start = (datetime.fromisoformat(clock[name]) for name in ("due_at", "started_at"))
    assert (clock["about"], clock["kind"], due - start) == (breach["id"], "record", 72 * HOUR)
    assert start == datetime.fromisoformat(noticed)

    network.clock.advance(71 * HOUR)
    await until_told(network, code, 2)
    assert [event["step"] for event in told_by(network, code)] == ["warned", "breached"]
    half = {**TOLD, "people_told": False, "authority_told": True}
    await file(agency, desk, "data-breach-notice", breach=breach["id"], **half)
    assert len(await running(network, code)) == 1  # those concerned do not know yet
    await file(agency, desk, "data-breach-notice", breach=breach["id"], **TOLD, **BOTH)
    assert await running(network, code) == []
    stopped = told_by(network, code)[-1]
    assert (stopped["step"], stopped["about"], stopped["in_time"]) == ("stopped", breach["id"], False)


async def test_each_breach_has_its_own_time_and_a_correction_starts_no_other(network: Network) -> None:
    police = await network.start("police", online=False)
    desk = f"desks/{DESKS['police']}"
    first, second = [(await file(police, desk, "data-breach", **FOUND))["id"] for _ in range(2)]
    corrected = (await file(police, desk, "data-breach", **{**FOUND, "people": 4}, corrects=first))["id"]
    again = (await file(police, desk, "data-breach", **{**FOUND, "people": 5}, corrects=corrected))["id"]
    assert {clock["about"] for clock in await running(network, "police")} == {first, second}
    late = {"breach": first, **TOLD, **BOTH}
    assert await refused(police, desk, "data-breach-notice", **late) == ("unknown-record", ["breach"])
    await file(police, desk, "data-breach-notice", breach=again, **TOLD, **BOTH)
    assert [clock["about"] for clock in await running(network, "police")] == [second]


@pytest.mark.parametrize(
    "wrong", [{"people": 0}, {"kind": []}, {"data": ["name"]}, {"how": ""}, {"people": "several"}, {"kind": None}]
)
async def test_what_is_wrong_is_named_and_starts_nothing(network: Network, wrong: dict[str, Any]) -> None:
    police = await network.start("police", online=False)
    code, fields = await refused(police, f"desks/{DESKS['police']}", "data-breach", **{**FOUND, **wrong})
    assert (code, [field.partition("/")[0] for field in fields]) == ("invalid-request", list(wrong))
    assert await running(network, "police") == []
