"""To register somebody by a number is to search every agency for that number: so often and no more (TRUST 1)."""

import json
from typing import Any

import httpx

from shared.domain.access import Role
from shared.reference.office import new_id
from tests.support.network import Client, Network, problem

UNIT = "polres-11.01"


def a_person(number: int) -> dict[str, Any]:
    return {"age_class": "unknown", "sex": "unspecified", "identity": {"nik": f"73710144030500{number:02}"}}


async def a_case(client: Client) -> str:
    opened = {"unit": UNIT, "channel": "spkt", "exploitation": "sexual"}
    return str((await client.post("/v1/cases", opened)).json()["id"])


async def limited(network: Network) -> Client:
    """The police with the limits of every installation, and an officer at one desk."""
    network.extra = {
        "identifiers_per_minute": 10,
        "listed_identifiers_per_hour": 1000,
        "identifiers_in_officers_list": 10,
    }
    await network.start("police", online=False)
    return await network.calling("police", Role.OFFICER, UNIT)


async def takes_in(client: Client, case: str, people: range, **more: Any) -> httpx.Response:
    return await client.post(f"/v1/cases/{case}/batches", {"people": [a_person(one) for one in people], **more})


async def test_guessed_numbers_are_registered_so_often_and_no_more(network: Network) -> None:
    officer = await limited(network)
    case = await a_case(officer)
    path, first = f"/v1/cases/{case}/victims", new_id()
    tried = [await officer.post(path, a_person(0), key=first)]
    tried += [await officer.post(path, a_person(number)) for number in range(1, 10)]
    assert [answer.status_code for answer in tried] == [201] * 10
    refused = await officer.post(path, a_person(10))
    assert problem(refused) == "too-many-searches" and refused.status_code == 429
    assert 1 <= int(refused.headers["retry-after"]) <= 6
    # a number that is written down later is the same search
    victim = tried[0].json()["id"]
    later = await officer.post(f"/v1/victims/{victim}/identity", {"nik": "7371014403050099"})
    assert problem(later) == "too-many-searches"
    # nobody waits who registers somebody without a number, nor who repeats
    assert (await officer.post(path, {**a_person(0), "identity": {"name": "Rekaan"}})).status_code == 201
    assert (await officer.post(f"/v1/victims/{victim}/identity", {"address": "Jalan Rekaan"})).status_code == 200
    assert (await officer.post(path, a_person(0), key=first)).headers["idempotent-replayed"] == "true"
    # another client of another human has a bucket of its own
    other = await network.calling("police", Role.OFFICER, UNIT, client="klien-lain", person="rekan-rekaan")
    assert (await other.post(path, a_person(11))).status_code == 201


async def test_one_human_with_two_clients_searches_no_more_than_with_one(network: Network) -> None:
    network.extra = {"searches_per_minute": 10}
    one = await limited(network)
    case = await a_case(one)
    first, second = [
        await network.calling("police", Role.OFFICER, UNIT, client=client, person="orang-rekaan")
        for client in ("aplikasi-satu", "aplikasi-dua")
    ]
    path = f"/v1/cases/{case}/victims"
    by_turns = [await client.post(path, a_person(number)) for number, client in enumerate([first, second] * 5)]
    assert [answer.status_code for answer in by_turns] == [201] * 10
    refused = await second.post(path, a_person(10))
    assert problem(refused) == "too-many-searches"
    # a colleague at the same client is somebody else
    colleague = await network.calling("police", Role.OFFICER, UNIT, client="aplikasi-tiga", person="rekan-rekaan")
    assert (await colleague.post(path, a_person(11))).status_code == 201


async def test_a_list_counts_by_its_people(network: Network) -> None:
    officer = await limited(network)
    case = await a_case(officer)
    assert (await takes_in(officer, case, range(10), check=True)).status_code == 200  # a check finds nobody
    assert (await takes_in(officer, case, range(6))).status_code == 200
    assert problem(await takes_in(officer, case, range(6, 12))) == "too-many-searches"
    assert (await takes_in(officer, case, range(6, 10))).status_code == 200
    one_more = await officer.post(f"/v1/cases/{case}/victims", a_person(20))
    assert problem(one_more) == "too-many-searches"


async def test_a_long_list_is_sent_by_a_supervisor_and_so_many_people_an_hour(network: Network) -> None:
    officer = await limited(network)
    case, key = await a_case(officer), new_id()
    refused = await takes_in(officer, case, range(11))
    assert problem(refused) == "supervisor-for-list" and refused.status_code == 403
    unnamed = {"age_class": "adult", "sex": "male", "identity": {"name": "Rekaan"}}
    nobody_searched = await officer.post(f"/v1/cases/{case}/batches", {"people": [unnamed] * 11})
    assert nobody_searched.status_code == 200
    head = await network.calling("police", Role.SUPERVISOR, UNIT)
    body = {"people": [a_person(one % 100) for one in range(600)]}
    answer = await head.post(f"/v1/cases/{case}/batches", body, key=key)
    registered = [line for line in map(json.loads, answer.text.splitlines()) if line["kind"] == "person"]
    assert len(registered) == 600
    # a list that goes on where it was cut off is no other one
    assert (await head.post(f"/v1/cases/{case}/batches", body, key=key)).status_code == 200
    assert problem(await head.post(f"/v1/cases/{case}/batches", {**body, "people": body["people"][:500]})) == (
        "too-many-searches"
    )
