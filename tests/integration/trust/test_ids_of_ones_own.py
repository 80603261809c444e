"""No caller chooses an id. It could be the id of another, and the answer would tell whether the agency knows it."""

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
AN_AGREEMENT = {"notice": "2026-1", "purposes": ["care"], "fields": ["name"], "recipients": ["kemenkes"],
                "valid_until": "2099-01-01T00:00:00Z", "manner": "written", "agrees": True}  # fmt: skip
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


BENEATH: Mapping[str, tuple[str, dict[str, Any]]] = {
    "consent_id": ("/v1/victims/{victim}/consents", AN_AGREEMENT),
    "record_id": ("/v1/desks/dinsos-73.71/forms/shelter-beds", {}),
    "erasure_id": ("/v1/victims/{victim}/erasure", {}),
    "batch_id": ("/v1/cases/{case}/batches", {"people": [A_WOMAN]}),
}
"""The field in which an id could be brought → a request for something of the officer's own."""


@pytest.mark.parametrize("check", [{}, {"check": True}])
@pytest.mark.parametrize("field", BENEATH)
async def test_no_id_of_something_beneath_tells_whether_a_pseudonym_is_known(
    network: Network, known: Mapping[str, str], field: str, check: Mapping[str, Any]
) -> None:
    """Is she in a shelter? Nobody learns that with a consent, a form, an erasure or a list of somebody else."""
    head = await network.calling("kemensos", Role.SUPERVISOR, MAKASSAR)
    case, victim = await own(head)
    form, body = BENEATH[field]
    body = {**body, **(check if field == "batch_id" else {})}
    refused = [
        await head.post(form.format(case=case, victim=victim), {**body, field: named})
        for named in (*known.values(), new_id())
    ]
    told = [{**answer.json(), "instance": ""} for answer in refused]
    assert all(one == told[-1] for one in told)
    assert {(answer.status_code, problem(answer)) for answer in refused} == {(422, "invalid-request")}
    assert f"/{field}" in [fault["field"] for fault in told[0]["errors"]]


async def test_a_repeat_needs_its_key_alone(officer: Client) -> None:
    """The answer was lost on the way. The same request with the same key gets the same consent, and makes no other."""
    _, victim = await own(officer)
    path = f"/v1/victims/{victim}/consents"
    once, again = [await officer.post(path, AN_AGREEMENT, key="setuju-1") for _ in range(2)]
    assert (once.status_code, again.status_code) == (201, 201) and once.json() == again.json()
    assert len((await officer.get(path))["items"]) == 1


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
