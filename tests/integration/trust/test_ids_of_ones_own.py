"""No caller chooses the id of a case, a victim or a referral: it could be the id of another."""

from collections.abc import Mapping
from typing import Any

import pytest

from shared.domain.access import Role
from shared.reference.office import new_id
from tests.support.claims import DINSOS, POLRES, a_transfer, an_offer, say
from tests.support.ids import registered_again
from tests.support.network import Client, Network, a_victim, asking, problem, refer
from tests.support.wire import until_parked

MAKASSAR = "dinsos-73.71"
A_CASE = {"unit": MAKASSAR, "channel": "social-office", "exploitation": "online-scam"}
A_WOMAN = {"age_class": "adult", "sex": "female"}


@pytest.fixture
async def known(network: Network, police: Client) -> Mapping[str, str]:
    """What Kemensos knows of a woman whom the police gave to its desk in Kolaka."""
    kemensos = await network.start("kemensos")
    victim = await a_victim(police)
    asked = await refer(police, victim, "kemensos", "shelter-and-rehabilitation")
    seen = await kemensos.until_status(asked, "received")
    return {"case_id": seen["case_id"], "victim_id": victim, "referral_id": asked}


@pytest.fixture
async def officer(network: Network, known: Mapping[str, str]) -> Client:
    """An officer of Kemensos in Makassar, who has no part in her and knows the ids."""
    return await network.calling("kemensos", Role.OFFICER, MAKASSAR)


async def own(officer: Client) -> tuple[str, str]:
    """A case of the officer's own, and somebody in it."""
    case = (await officer.post("/v1/cases", A_CASE)).json()["id"]
    return case, (await officer.post(f"/v1/cases/{case}/victims", A_WOMAN)).json()["id"]


@pytest.mark.parametrize("field", ["case_id", "victim_id", "referral_id"])
async def test_an_id_in_a_request_is_refused_and_tells_nothing(
    officer: Client, known: Mapping[str, str], field: str
) -> None:
    """The refusal of an id that the agency knows is the refusal of any other, to the letter."""
    case, victim = await own(officer)
    path, body = {
        "case_id": ("/v1/cases", A_CASE),
        "victim_id": (f"/v1/cases/{case}/victims", A_WOMAN),
        "referral_id": ("/v1/referrals", asking(victim, "kemenkes", "first-aid")),
    }[field]
    refused = [await officer.post(path, {**body, field: named}) for named in (known[field], new_id())]
    assert [(answer.status_code, problem(answer)) for answer in refused] == [(422, "invalid-request")] * 2
    told = [{**answer.json(), "instance": ""} for answer in refused]
    assert told[0] == told[1]
    assert [fault["field"] for fault in told[0]["errors"]] == [f"/{field}"]
    # without it, the service makes one
    made = await officer.post(path, body)
    assert made.status_code == 201 and made.json()["id"] not in known.values()


async def test_a_list_brings_no_ids_either(officer: Client, known: Mapping[str, str]) -> None:
    case, _ = await own(officer)
    people = [{**A_WOMAN, "victim_id": known["victim_id"]}, A_WOMAN]
    listed = await officer.post(f"/v1/cases/{case}/batches", {"people": people})
    assert '"registered":1,"refused":1' in listed.text and known["victim_id"] not in listed.text
    table = f"jenis_kelamin,victim_id\nP,{known['victim_id']}\n"
    sent = {"Content-Type": "text/csv", "Idempotency-Key": new_id()}
    refused = await officer.http.post(f"/v1/cases/{case}/batches.csv", content=table, headers=sent)
    assert problem(refused) == "unknown-column"


async def reasons(network: Network, victim: str) -> list[tuple[str, str]]:
    """The alarms of a journey: the sender of what contradicts it, and the reason."""
    seen: dict[str, Any] = await network["coordination"].get(f"/v1/journeys/{victim}")
    return [(one["sender"], one["reason"]) for one in seen["contradictions"]]


async def test_a_member_that_registers_a_known_pseudonym_raises_an_alarm(network: Network, child: str) -> None:
    await registered_again(await network.start("kemensos"), child, MAKASSAR, **A_WOMAN)
    await until_parked(network, "coordination", "registered-twice")
    assert await reasons(network, child) == [("kemensos", "registered-twice")]


async def test_a_member_that_uses_the_id_of_a_referral_again_raises_an_alarm(
    network: Network, police: Client, kemenpppa: Client, child: str
) -> None:
    await network.start("kemensos")
    true = await a_transfer(police, child, kemenpppa)
    await kemenpppa.must(true, "accept")
    await network["coordination"].until(f"/v1/journeys/{child}", lambda seen: seen["custody"]["agency"] == "kemenpppa")
    await network.stop("police")
    again = an_offer(child, DINSOS, 2, service="shelter-and-rehabilitation", sender=POLRES, referral_id=true)
    await say(network, again, "kemensos", 1, 1, by="police")
    await until_parked(network, "coordination", "referral-id-taken")
    assert await reasons(network, child) == [("police", "referral-id-taken")]
