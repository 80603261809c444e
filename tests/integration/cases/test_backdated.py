"""Facts that a desk tells more than a day late, on the list of its supervisors and auditors (cases/TRUST.md 10)."""

import json
from datetime import timedelta
from typing import Any

import pytest

from shared.contracts import events as e
from shared.domain.access import Role
from shared.reference.office import new_id
from tests.support.network import Client, Network, problem

KOLAKA, MAKASSAR = "polres-74.01", "polres-73.71"
A_CASE = {"unit": KOLAKA, "channel": "spkt", "exploitation": "online-scam"}


@pytest.fixture
async def police(network: Network) -> Client:
    return await network.start("police", online=False)


@pytest.fixture
async def case(police: Client) -> str:
    opened = await police.post("/v1/cases", A_CASE)
    return str(opened.json()["id"])


async def register(network: Network, case: str, ago: timedelta, **more: Any) -> Any:
    """An officer of Kolaka registers a child some time after the desk found her."""
    officer = await network.calling("police", Role.OFFICER, KOLAKA, person="petugas-1")
    found = (network.clock() - ago).isoformat()
    return await officer.post(
        f"/v1/cases/{case}/victims", {"age_class": "child", "sex": "female", "occurred_at": found, **more}
    )


async def listed(network: Network, unit: str = KOLAKA, role: Role = Role.SUPERVISOR) -> list[dict[str, Any]]:
    """What somebody finds on the list of late facts."""
    items: list[dict[str, Any]] = (await (await network.calling("police", role, unit)).get("/v1/backdated"))["items"]
    return items


async def test_a_registration_told_a_day_late_stands_on_the_list_with_its_note(network: Network, case: str) -> None:
    refused = await register(network, case, timedelta(hours=25))
    assert problem(refused) == "note-required" and await listed(network) == []
    registered = await register(network, case, timedelta(hours=25), note="Kapal baru sandar hari ini.")
    assert registered.status_code == 201, registered.text

    (late,) = await listed(network)
    assert (late["operation"], late["type"]) == ("register_victim", e.VictimRegistered.type())
    assert (late["unit"], late["person"], late["victim_id"]) == (KOLAKA, "petugas-1", registered.json()["id"])
    assert late["occurred_at"] < late["recorded_at"]
    head = await network.calling("police", Role.SUPERVISOR, KOLAKA)
    note = await head.get(f"/v1/backdated/{late['id']}/note", purpose="care")
    assert note == {"text": "Kapal baru sandar hari ini."}
    report = await head.get(f"/v1/victims/{late['victim_id']}/access-report")
    assert [look["fields"] for look in report["looks"]] == [["note"]], report


async def test_what_is_told_within_a_day_stands_on_no_list(network: Network, case: str) -> None:
    registered = await register(network, case, timedelta(hours=23))
    assert registered.status_code == 201, registered.text
    assert await listed(network) == []


async def test_the_desk_and_those_above_see_it_and_no_other(network: Network, case: str) -> None:
    await register(network, case, timedelta(days=3), note="Ditemukan di laut.")
    (late,) = await listed(network)
    assert await listed(network, "polda-sultra") == await listed(network, role=Role.AUDITOR) == [late]
    assert await listed(network, MAKASSAR) == []
    stranger = await network.calling("police", Role.SUPERVISOR, MAKASSAR)
    unseen = await stranger.http.get(f"/v1/backdated/{late['id']}/note", params={"purpose": "care"})
    assert problem(unseen) == "unknown-backdating"
    officer = await network.calling("police", Role.OFFICER, KOLAKA)
    assert problem(await officer.http.get("/v1/backdated")) == "role-not-allowed"


async def test_every_kind_of_late_act_is_listed_also_without_a_victim_or_an_event(
    network: Network, police: Client, case: str
) -> None:
    ago = (network.clock() - timedelta(days=2)).isoformat()
    victim = (await register(network, case, timedelta(days=3), note="Ditemukan di laut.")).json()["id"]
    stage = await police.post(
        f"/v1/victims/{victim}/stages", {"stage": "identification", "occurred_at": ago, "note": "Lambat dicatat."}
    )
    assert stage.status_code == 201, stage.text
    head = await network.calling("police", Role.SUPERVISOR, KOLAKA)
    held = {"basis": "trial", "occurred_at": ago, "note": "Surat pengadilan tiba hari ini."}
    assert (await head.post(f"/v1/victims/{victim}/legal-holds", held)).status_code == 201
    opened = {**A_CASE, "occurred_at": ago, "note": "Dicatat di buku dahulu."}
    assert (await police.post("/v1/cases", opened)).status_code == 201
    people = {"people": [{"age_class": "adult", "sex": "male"}], "occurred_at": ago, "note": "Satu kapal."}
    taken = await police.post(f"/v1/cases/{case}/batches", people)
    assert taken.status_code == 200, taken.text
    person = next(line["victim_id"] for line in map(json.loads, taken.text.splitlines()) if "victim_id" in line)
    late = [(one["operation"], one["victim_id"]) for one in await listed(network, "bareskrim")]
    assert late == [
        ("take_in", person),
        ("open_case", None),
        ("place_hold", victim),
        ("record_stage", victim),
        ("register_victim", victim),
    ]


async def test_a_desk_sees_what_a_national_client_tells_late_in_its_name(
    network: Network, police: Client, case: str
) -> None:
    found = (network.clock() - timedelta(days=2)).isoformat()
    body = {"age_class": "adult", "sex": "male", "occurred_at": found, "note": "Lambat."}
    assert (await police.post(f"/v1/cases/{case}/victims", body)).status_code == 201
    [late] = await listed(network)
    assert late["unit"] == KOLAKA and await listed(network, MAKASSAR) == []


async def test_a_repeated_request_is_listed_once(network: Network, case: str) -> None:
    key = new_id()
    officer = await network.calling("police", Role.OFFICER, KOLAKA)
    found = (network.clock() - timedelta(days=2)).isoformat()
    body = {"age_class": "adult", "sex": "male", "occurred_at": found, "note": "Sinyal putus."}
    for _ in range(2):
        assert (await officer.post(f"/v1/cases/{case}/victims", body, key=key)).status_code == 201
    assert len(await listed(network)) == 1
