"""Whatever a desk tells late stands on the list of late facts, with its note (cases/TRUST.md 10)."""

from datetime import timedelta
from typing import Any

from shared.contracts.types import UnitRef
from shared.domain.access import Role
from tests.support.claims import a_transfer
from tests.support.letters import SLIP, printed, slip_of
from tests.support.network import Client, Network, a_victim, erase

KOLAKA = "polres-74.01"
PPA_MAKASSAR = UnitRef(agency="kemenpppa", unit="uptd-ppa-73.71", region="73.71")


async def late_rows(network: Network, code: str = "police", unit: str | None = None) -> list[dict[str, Any]]:
    head = await network.calling(code, Role.SUPERVISOR, unit)
    items: list[dict[str, Any]] = (await head.get("/v1/backdated"))["items"]
    return items


async def a_case(police: Client) -> str:
    opened = await police.post("/v1/cases", {"unit": KOLAKA, "channel": "spkt", "exploitation": "online-scam"})
    return str(opened.json()["id"])


async def test_a_person_of_a_list_told_late_stands_on_the_list_of_late_facts(network: Network, police: Client) -> None:
    case, ago = await a_case(police), (network.clock() - timedelta(days=30)).isoformat()
    person = {"age_class": "adult", "sex": "male", "occurred_at": ago, "note": "Satu kapal."}
    taken = await police.post(f"/v1/cases/{case}/batches", {"people": [person]})
    assert taken.status_code == 200 and "victim_id" in taken.text, taken.text
    assert len(await late_rows(network)) == 1


async def test_the_note_of_a_late_end_is_read_beside_it(network: Network, police: Client) -> None:
    case, ago = await a_case(police), (network.clock() - timedelta(days=3)).isoformat()
    person = {"age_class": "adult", "sex": "male", "occurred_at": ago, "note": "Lambat."}
    victim = (await police.post(f"/v1/cases/{case}/victims", person)).json()["id"]
    end = {
        "outcome": "lost-contact", "note": "Tidak terlihat lagi.",
        "occurred_at": (network.clock() - timedelta(days=2)).isoformat(),
    }  # fmt: skip
    closed = await police.post(f"/v1/victims/{victim}/closure", end)
    assert closed.status_code in (201, 202), closed.text
    late = (await late_rows(network))[0]
    assert late["operation"] == "close_journey"
    head = await network.calling("police", Role.SUPERVISOR)
    assert await head.get(f"/v1/backdated/{late['id']}/note", purpose="care") == {"text": "Tidak terlihat lagi."}


async def test_a_late_paper_answer_says_that_it_has_a_note(network: Network, police: Client, kemenpppa: Client) -> None:
    transfer = await a_transfer(police, await a_victim(police), kemenpppa)
    slip, signed = await printed(kemenpppa, transfer, SLIP), network.clock()
    network.clock.advance(timedelta(days=3))
    answered = await kemenpppa.post(f"/v1/referrals/{transfer}/paper-answer", slip_of(slip, signed, note="Rekaan."))
    assert answered.status_code == 200, answered.text
    head = await network.calling("kemenpppa", Role.SUPERVISOR)
    [late] = (await head.get("/v1/backdated"))["items"]
    read = await head.get(f"/v1/backdated/{late['id']}/note", purpose="care")
    assert "Rekaan." in read["text"]


async def test_the_note_of_a_late_fact_goes_with_the_erasure(network: Network, police: Client) -> None:
    case, ago = await a_case(police), (network.clock() - timedelta(days=3)).isoformat()
    person = {"age_class": "adult", "sex": "male", "occurred_at": ago, "note": "Lambat."}
    victim = (await police.post(f"/v1/cases/{case}/victims", person)).json()["id"]
    await erase(network, "police", victim)
    [late] = await late_rows(network)
    head = await network.calling("police", Role.SUPERVISOR)
    assert await head.get(f"/v1/backdated/{late['id']}/note", purpose="care") == {"text": None}


async def test_the_note_of_a_late_list_is_read_beside_it(network: Network, police: Client) -> None:
    case, ago = await a_case(police), (network.clock() - timedelta(days=2)).isoformat()
    people = {"people": [{"age_class": "adult", "sex": "male"}], "occurred_at": ago, "note": "Satu kapal."}
    assert (await police.post(f"/v1/cases/{case}/batches", people)).status_code == 200
    [late] = await late_rows(network)
    head = await network.calling("police", Role.SUPERVISOR)
    assert await head.get(f"/v1/backdated/{late['id']}/note", purpose="care") == {"text": "Satu kapal."}


async def test_a_mere_check_of_a_late_list_stands_on_no_list(network: Network, police: Client) -> None:
    case, ago = await a_case(police), (network.clock() - timedelta(days=2)).isoformat()
    people = {"people": [{"age_class": "adult", "sex": "male"}], "occurred_at": ago, "note": "Uji.", "check": True}
    assert (await police.post(f"/v1/cases/{case}/batches", people)).status_code == 200
    assert await late_rows(network) == []
