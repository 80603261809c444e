"""A person who consented as an adult is found to be a child. The consent then needs the guardian's part."""

from typing import Any

import pytest

from shared.domain.access import Role
from tests.support.identities import WHO, consent
from tests.support.ids import registered_again
from tests.support.letters import printed
from tests.support.network import Client, Network, a_victim, asking, problem, refer

KOLAKA = "polres-74.01"
TREATMENT = "examination-and-treatment"


async def corrected(network: Network, victim: str, age: str, basis: str = "age-assessment") -> None:
    """The police correct the age class. A second person confirms where the correction makes a child an adult."""
    path = f"/v1/victims/{victim}/facts"
    asked = await network["police"].post(path, {"age_class": age, "basis": basis})
    assert asked.status_code in (200, 202), asked.text
    if asked.json()["applied_at"] is None:
        second = await network.calling("police", Role.OFFICER, None, "orang-kedua", "klien-kedua")
        confirmed = await second.post(f"{path}/confirmation", {"correction_id": asked.json()["correction_id"]})
        assert confirmed.status_code == 200, confirmed.text


async def on_consent(client: Client, victim: str, service: str = TREATMENT) -> Any:
    return await client.post("/v1/referrals", asking(victim, "kemenkes", service, basis="consent"))


async def standing(client: Client, victim: str) -> list[bool]:
    """Which consents stand, in the list of consents. The access report says the same."""
    listed = (await client.get(f"/v1/victims/{victim}/consents"))["items"]
    report = (await client.get(f"/v1/victims/{victim}/access-report"))["consents"]
    assert listed == report
    return [item["stands"] for item in listed]


@pytest.mark.parametrize("age", ["child", "unknown"])
async def test_a_child_who_consented_as_an_adult_needs_the_guardians_part(two: Network, age: str) -> None:
    police = two["police"]
    victim = await a_victim(police, identity=WHO)
    assert (await consent(police, victim))["stands"] is True
    await corrected(two, victim, age)
    refused = await on_consent(police, victim)
    assert (refused.status_code, problem(refused)) == (409, "guardian-part-missing")
    assert refused.json()["errors"][0]["field"] == "/basis"
    assert "Catat persetujuan baru" in refused.json()["remedy"]
    assert await standing(police, victim) == [False]
    assert (await police.get(f"/v1/victims/{victim}/disclosures"))["items"] == []
    # help does not wait for it
    assert await refer(police, victim, "kemenkes", "first-aid", basis="child-protection")
    # with the guardian's part, the word is a consent again
    await consent(police, victim, guardian="excluded")
    assert await standing(police, victim) == [False, True]
    assert (await on_consent(police, victim)).status_code == 201


async def test_it_stands_again_for_whoever_is_an_adult_after_all(two: Network) -> None:
    """The age was a mistake. The word was the person's own, and was never taken back."""
    police = two["police"]
    victim = await a_victim(police, identity=WHO)
    await consent(police, victim)
    await corrected(two, victim, "child")
    assert await standing(police, victim) == [False]
    await corrected(two, victim, "adult", "mistake")
    assert await standing(police, victim) == [True]
    assert (await on_consent(police, victim)).status_code == 201


async def test_what_was_taken_back_as_a_child_does_not_stand_again(two: Network) -> None:
    police = two["police"]
    victim = await a_victim(police, identity=WHO)
    await consent(police, victim)
    await corrected(two, victim, "child")
    assert (await police.post(f"/v1/victims/{victim}/consents/withdrawal")).status_code == 200
    await corrected(two, victim, "adult", "mistake")
    assert await standing(police, victim) == [False]
    assert problem(await on_consent(police, victim)) == "no-consent"


async def test_a_guardian_does_not_mend_a_consent_to_something_else(two: Network) -> None:
    police = two["police"]
    victim = await a_victim(police, identity=WHO)
    await consent(police, victim, purposes=["legal"])
    await corrected(two, victim, "child")
    assert problem(await on_consent(police, victim)) == "no-consent"


async def test_what_was_given_stays_and_nothing_more_is_given(two: Network) -> None:
    """The hospital goes on with the child whom it treats. It gets nothing more on that consent, also on no letter."""
    police = two["police"]
    victim = await a_victim(police, identity=WHO)
    await consent(police, victim)
    referral = await refer(police, victim, "kemenkes", TREATMENT, basis="consent")
    await corrected(two, victim, "child")
    more = await police.act(referral, "provide-information", {"about": "identity"})
    assert problem(more) == "guardian-part-missing"
    page = await police.http.get(f"/v1/letters/{await printed(police, referral)}/pdf", params={"purpose": "care"})
    assert problem(page) == "guardian-part-missing"
    [given] = (await police.get(f"/v1/victims/{victim}/disclosures"))["items"]
    assert given["end"] is None and given["fields"] == ["born_on", "name"]


async def test_after_a_withdrawal_such_a_consent_opens_no_other_way(two: Network) -> None:
    officer = await two.calling("police", Role.OFFICER, KOLAKA)
    victim = await a_victim(officer, identity=WHO)
    await consent(officer, victim)
    assert (await officer.post(f"/v1/victims/{victim}/consents/withdrawal")).status_code == 200
    await consent(officer, victim)
    await corrected(two, victim, "child")
    body = asking(victim, "kemenkes", "first-aid")
    assert problem(await officer.post("/v1/referrals", body)) == "against-withdrawal"
    await consent(officer, victim, guardian="agreed")
    assert (await officer.post("/v1/referrals", body)).status_code == 201


async def test_it_rests_while_another_agency_says_that_she_is_a_child(network: Network) -> None:
    """The social office asks the police for her, as a child. The stricter word decides until it is settled."""
    police = await network.start("police")
    kemensos = await network.start("kemensos")
    await network.start("kemenkes", online=False)
    victim = await a_victim(police, identity=WHO)
    await consent(police, victim)
    await registered_again(kemensos, victim, "dinsos-11.01", age_class="child", sex="female")
    asked = await refer(kemensos, victim, "police", "investigation")
    await police.until_status(asked, "received")
    assert await standing(police, victim) == [False]
    assert problem(await on_consent(police, victim)) == "guardian-part-missing"
    await corrected(network, victim, "adult", "document")
    assert await standing(police, victim) == [True]
