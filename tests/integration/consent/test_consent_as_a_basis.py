"""Consent as a basis: agreed data goes to the named recipients only, until the consent is taken back.

Real NATS, both databases."""

import json
from datetime import timedelta
from typing import Any

import pytest

from shared.domain.trust import A_CENTURY
from tests.support.identities import (
    UNTIL,
    WHO,
    consent,
    given_and_received,
    keys_left,
    ledger,
    look,
    opens_anything,
    until_disclosure,
    until_forgotten,
)
from tests.support.network import Network, a_victim, asking, problem, refer


@pytest.mark.parametrize("age", ["child", "unknown"])
async def test_a_guardians_word_is_never_the_only_gate(network: Network, age: str) -> None:
    police = await network.start("police")
    child = await a_victim(police, age_class=age)
    body = {"notice": "2026-1", "purposes": ["care"], "fields": ["name"], "recipients": ["kemenkes"],
            "valid_until": UNTIL, "manner": "witnessed"}  # fmt: skip

    async def tried(**said: Any) -> str:
        answer = await police.post(f"/v1/victims/{child}/consents", {**body, **said})
        return "recorded" if answer.status_code == 201 else problem(answer)

    assert await tried(agrees=False, guardian="agreed") == "not-agreed"
    assert await tried(agrees=True, guardian="refused") == "guardian-part-missing"
    assert await tried(agrees=True) == "guardian-part-missing"
    assert await tried(agrees=True, guardian="agreed") == "recorded"
    assert await tried(agrees=True, guardian="excluded") == "recorded"  # the guardian may be the trafficker
    listed = (await police.get(f"/v1/victims/{child}/consents"))["items"]
    assert [item["version"] for item in listed] == [1, 2]
    seven = ("legality", "purposes", "fields", "retention_days", "collected", "valid_until", "rights")
    assert all(listed[0][item] for item in seven)


async def test_no_consent_is_valid_longer_than_coordination_believes(network: Network) -> None:
    """Coordination would keep it parked for ever, while the desk gives by it."""
    police = await network.start("police", online=False)
    victim = await a_victim(police)
    for days, code in ((A_CENTURY.days + 1, "valid-too-long"), (A_CENTURY.days - 1, "")):
        until = (network.clock() + timedelta(days=days)).isoformat()
        body = {"notice": "2026-1", "purposes": ["care"], "fields": ["name"], "recipients": ["kemenkes"],
                "valid_until": until, "manner": "written", "agrees": True}  # fmt: skip
        answer = await police.post(f"/v1/victims/{victim}/consents", body)
        assert (problem(answer) if code else answer.status_code) == (code or 201)


async def test_on_consent_only_what_was_agreed_is_given_and_a_withdrawal_takes_it_back(network: Network) -> None:
    police, kemenkes = await network.start("police"), await network.start("kemenkes")
    await network.start("coordination")
    victim = await a_victim(police, identity=WHO)
    agreed = await consent(police, victim)
    referral = await refer(police, victim, "kemenkes", "examination-and-treatment", basis="consent")
    await kemenkes.until_status(referral, "received")
    await kemenkes.must(referral, "accept")
    assert await look(kemenkes, victim) == {"name": WHO["name"], "born_on": WHO["born_on"]}
    await kemenkes.must(referral, "start")
    await police.until_status(referral, "in-progress")

    withdrawn = await police.post(f"/v1/victims/{victim}/consents/withdrawal")
    assert withdrawn.status_code == 200 and withdrawn.json()["consents"] == [agreed["id"]]
    [taken_back] = (await police.get(f"/v1/victims/{victim}/consents"))["items"]
    assert taken_back["stands"] is False and taken_back["withdrawn_at"] == withdrawn.json()["withdrawn_at"]
    # at once: nothing more is given on it
    refused = await police.post("/v1/referrals", asking(victim, "kemenkes", "first-aid", basis="consent"))
    assert problem(refused) == "no-consent"
    # every controller is told and answers with what it did
    answered = await until_disclosure(police, victim, referral, lambda item: item["end"] is not None)
    assert (answered["end"], answered["consent_id"]) == ("erased", agreed["id"])
    assert await look(kemenkes, victim) == "no-identity"
    # the work on it is asked to stop; as it has begun, a person answers
    asked = await kemenkes.until(f"/v1/referrals/{referral}", lambda seen: seen["cancellation_asked"])
    assert asked["status"] == "in-progress"
    # the answer is signed, in the ledger of both, and told to coordination
    [entry] = [e for e in ledger(network, "police") if e.type == "id.tppo.disclosure.ended.v1"]
    assert (
        network.apps["police"].state.reception.keys.verify(entry.body, entry.signature, network.clock()) == "kemenkes"
    )


async def test_a_consent_is_for_what_was_agreed_and_for_nothing_else(network: Network) -> None:
    """She agrees to medical help; that is no consent to an investigation, even by an agency she has named."""
    police = await network.start("police")
    victim = await a_victim(police, identity=WHO)
    await consent(police, victim, purposes=["legal"])
    refused = await police.post("/v1/referrals", asking(victim, "kemenkes", "first-aid", basis="consent"))
    assert (problem(refused), refused.json()["errors"][0]["field"]) == ("no-consent", "/basis")
    await consent(police, victim, purposes=["legal", "medical"])
    assert await refer(police, victim, "kemenkes", "first-aid", basis="consent")


async def test_what_is_withdrawn_before_it_could_be_sent_goes_without_its_key(network: Network) -> None:
    """The network is down; she withdraws; it comes back: the request arrives, and nobody can read who she is."""
    police = await network.start("police", online=False)
    victim = await a_victim(police, identity=WHO)
    await consent(police, victim)
    referral = await refer(police, victim, "kemenkes", "first-aid", basis="consent")
    await police.post(f"/v1/victims/{victim}/consents/withdrawal")
    await network.stop("police")
    await network.start("police")
    kemenkes = await network.start("kemenkes")
    await kemenkes.until_status(referral, "received", "cancelled")
    sealed = [json.loads(entry.body)["data"].get("sealed") for entry in ledger(network, "kemenkes")]
    assert any(sealed) and not opens_anything(network, "kemenkes", [text for text in sealed if text])
    assert await look(kemenkes, victim) == "no-identity"


async def test_what_is_given_again_after_its_end_can_be_taken_back_again(network: Network) -> None:
    police, kemenkes = await network.start("police"), await network.start("kemenkes")
    victim = await a_victim(police, identity=WHO)
    await consent(police, victim)
    first = await refer(police, victim, "kemenkes", "first-aid", basis="consent")
    await kemenkes.until_status(first, "received")
    await police.post(f"/v1/victims/{victim}/consents/withdrawal")
    assert (await until_disclosure(police, victim, first, lambda item: item["end"]))["end"] == "erased"

    await consent(police, victim)
    again = await refer(police, victim, "kemenkes", "first-aid", basis="consent", force=True)
    await kemenkes.until_status(again, "received")
    await kemenkes.must(again, "accept")
    assert await look(kemenkes, victim) == {"name": WHO["name"], "born_on": WHO["born_on"]}
    assert [item["stands"] for item in (await police.get(f"/v1/victims/{victim}/consents"))["items"]] == [False, True]
    await police.post(f"/v1/victims/{victim}/consents/withdrawal")
    assert (await until_disclosure(police, victim, again, lambda item: item["end"]))["end"] == "erased"
    assert keys_left(network, "kemenkes") == 0
    assert [item["stands"] for item in (await police.get(f"/v1/victims/{victim}/consents"))["items"]] == [False, False]


async def test_what_is_told_later_with_the_same_referral_is_taken_back_too(network: Network) -> None:
    """Withdrawn, agreed anew, and given anew with the referral that went on."""
    police, kemenkes = await network.start("police"), await network.start("kemenkes")
    victim = await a_victim(police, identity=WHO)
    await consent(police, victim)
    referral = await refer(police, victim, "kemenkes", "first-aid", basis="consent")
    await kemenkes.until_status(referral, "received")
    await kemenkes.must(referral, "accept")
    await kemenkes.must(referral, "start")
    await police.until_status(referral, "in-progress")
    await police.post(f"/v1/victims/{victim}/consents/withdrawal")
    assert (await until_disclosure(police, victim, referral, lambda item: item["end"]))["end"] == "erased"
    await kemenkes.until(f"/v1/referrals/{referral}", lambda seen: seen["cancellation_asked"])

    await consent(police, victim)
    await police.must(referral, "provide-information", about="identity")
    with network.apps["kemenkes"].state.notifier.watching(referral) as watch:
        while keys_left(network, "kemenkes") == 0:
            assert await watch.next(20)
    await police.post(f"/v1/victims/{victim}/consents/withdrawal")
    await until_forgotten(network, "kemenkes", victim)
    assert [item["end"] for item in await given_and_received(kemenkes, victim)] == ["erased", "erased"]
