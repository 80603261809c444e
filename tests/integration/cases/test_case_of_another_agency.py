"""Somebody opens a "case" under the case id of another agency, to see its victims. TRUST 7."""

from typing import Any

import pytest

from shared.domain.access import Role
from tests.support.identities import WHO
from tests.support.ids import next_ids
from tests.support.network import Client, Network, problem, refer

OWN, OTHER = "rs-74.01", "rs-73.71"
PERSON = {"age_class": "adult", "sex": "female", "home_region": "74.01"}


@pytest.fixture
async def patients(network: Network) -> tuple[str, str, str]:
    """The police find two people in one case. Each is a patient of another hospital. Answers the case and both."""
    police, kemenkes = await network.start("police"), await network.start("kemenkes")
    await network.start("coordination")
    opened = {"unit": "polres-74.01", "channel": "spkt", "exploitation": "online-scam", "destination": "KH"}
    case = (await police.post("/v1/cases", opened)).json()["id"]
    victims = []
    for desk in (OWN, OTHER):
        answer = await police.post(f"/v1/cases/{case}/victims", {**PERSON, "identity": WHO})
        victims.append(str(answer.json()["id"]))
        asked = await refer(police, victims[-1], "kemenkes", "first-aid", receiver={"agency": "kemenkes", "unit": desk})
        await kemenkes.until_status(asked, "received")
        await kemenkes.must(asked, "accept")
    return str(case), victims[0], victims[1]


async def sees(client: Client, case: str, victim: str) -> set[int]:
    """The statuses of everything that a desk may ask of a victim and of its case."""
    of_victim = ("", "/access-report", "/disclosures", "/records", "/consents", "/identity?purpose=care")
    paths = [f"/v1/victims/{victim}{of}" for of in of_victim] + [f"/v1/cases/{case}"]
    return {(await client.http.get(path)).status_code for path in paths}


async def test_a_case_under_the_id_of_another_agencys_shows_nobody_and_holds_nobody(
    network: Network, patients: tuple[str, str, str]
) -> None:
    case, own, other = patients
    officer = await network.calling("kemenkes", Role.OFFICER, OWN)
    head = await network.calling("kemenkes", Role.SUPERVISOR, OWN)
    assert (await officer.get(f"/v1/victims/{own}"))["id"] == own
    assert await sees(officer, case, other) == {404}
    body = {"case_id": case, "unit": OWN, "channel": "emergency", "exploitation": "sexual"}
    refused = [problem(await client.post("/v1/cases", body)) for client in (officer, head)]
    assert await sees(officer, case, other) == {404}
    held = await head.post(f"/v1/victims/{other}/legal-holds", {"basis": "trial"})
    assert problem(held) == "unknown-victim"
    assert refused == ["invalid-request", "invalid-request"]


async def test_the_facts_of_a_case_stay_those_of_the_police(network: Network, patients: tuple[str, str, str]) -> None:
    """Kemenkes itself means ill. No officer of it can do this."""
    case, own, _ = patients
    officer = await network.calling("kemenkes", Role.OFFICER, OWN)
    with next_ids(case):
        await officer.post("/v1/cases", {"unit": OWN, "channel": "emergency", "exploitation": "sexual"})
    later = await refer(network["police"], own, "kemenkes", "examination-and-treatment")
    province = await network.calling("coordination", Role.COORDINATOR, "gugus-tugas-74")

    def knows_of(journey: dict[str, Any]) -> bool:
        """Whether Kemenkes has been heard after it had opened its "case"."""
        return (later, "received") in [(one["id"], one["status"]) for one in journey["handovers"]]

    seen = await province.until(f"/v1/journeys/{own}", knows_of)
    assert (seen["facts"]["exploitation"], seen["facts"]["destination"]) == ("online-scam", "KH")
