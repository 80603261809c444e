"""The first agency to speak of a victim does not say who she is (cases/TRUST.md 5, 8).

Kemensos means ill: it asks the hospital about a victim of the police before the police do. The hospital knows no
custody.
"""

from typing import Any

import pytest

from shared.contracts.codes import AgeClass, Sex
from shared.contracts.types import VictimFacts
from shared.domain.access import Role
from shared.reference.office import new_id
from shared.victims.interviews.store import ids_of
from tests.support.claims import RS, an_offer, say
from tests.support.facts import GIRL, known, until_known
from tests.support.identities import UNTIL, WHO, look
from tests.support.ids import registered_again
from tests.support.network import Network, a_victim, problem, refer, taken_on

CARE, FIRST_AID = "examination-and-treatment", "first-aid"
MAN = {"age_class": "adult", "sex": "male", "home_region": "11.01"}
TRAP = {"name": "Rekaan Lain", "phone": "+628000000013", "born_on": "1980-01-01"}
AGREES = {"notice": "2026-1", "purposes": ["medical"], "fields": ["name"], "recipients": ["kemenpppa"],
          "valid_until": UNTIL, "manner": "written", "agrees": True}  # fmt: skip
NOT_TAKEN_ON = pytest.mark.parametrize("answer", ["none", "refused-by-a-person", "off-the-routes"])


async def the_stranger_asks_first(network: Network, victim: str, answer: str) -> str:
    """Kemensos names the victim at Kemenkes, as a man from Aceh, with a trap's telephone. Answers its referral."""
    kemenkes = await network.start("kemenkes")
    if answer == "off-the-routes":
        lie = VictimFacts(age_class=AgeClass.ADULT, sex=Sex.MALE, home_region="11.01")
        offer = an_offer(victim, RS, 2, service=CARE, facts=lie, interviews=(new_id(),))
        await say(network, offer, "kemenkes", 1, 1)
        await kemenkes.until_status(offer.referral_id, "rejected")
        return offer.referral_id
    kemensos = await network.start("kemensos")
    await registered_again(kemensos, victim, "dinsos-11.01", **MAN, identity=TRAP)
    referral = await refer(kemensos, victim, "kemenkes", CARE, receiver={"agency": "kemenkes", "unit": "rs-74.01"})
    await kemenkes.until_status(referral, "received")
    if answer == "refused-by-a-person":
        await kemenkes.must(referral, "reject", reason="no-capacity")
    if answer == "accepted":
        await kemenkes.must(referral, "accept")
    return referral


async def told_onward(network: Network, victim: str) -> tuple[dict[str, Any], object]:
    """The facts and the identity that the hospital tells the next agency."""
    kemenpppa, kemenkes = await network.start("kemenpppa"), network["kemenkes"]
    await taken_on(kemenkes, kemenpppa, victim, "case-management")
    return await known(kemenpppa, victim), await look(kemenpppa, victim)


@NOT_TAKEN_ON
async def test_the_word_counts_that_a_person_here_has_taken_on(network: Network, answer: str) -> None:
    police = await network.start("police")
    victim = await a_victim(police, identity=WHO, **GIRL)
    case = (await police.get(f"/v1/victims/{victim}"))["case_id"]
    await the_stranger_asks_first(network, victim, answer)
    kemenkes = network["kemenkes"]
    await taken_on(police, kemenkes, victim, CARE, force=True)
    seen = await known(kemenkes, victim)
    waits = {"police": (True, False), "kemensos": (False, True)}
    assert seen == {**GIRL, "facts_from": "police", "treated_as_child": True, "case_id": case,
                    "differ": waits if answer == "none" else {}}  # fmt: skip
    facts, identity = await told_onward(network, victim)
    assert {name: facts[name] for name in GIRL} == GIRL and facts["case_id"] == case
    assert identity == {name: WHO[name] for name in ("name", "nik", "born_on", "phone")}


async def test_a_request_off_the_routes_counts_no_interview(network: Network) -> None:
    police = await network.start("police")
    victim = await a_victim(police, **GIRL)
    await the_stranger_asks_first(network, victim, "off-the-routes")
    assert network.apps["kemenkes"].state.database.read(lambda session: ids_of(session, victim)) == ()


async def test_who_is_turned_away_by_a_person_tells_of_no_interview(network: Network) -> None:
    """The true request, which is taken on, tells of one."""
    police, kemenkes = await network.start("police"), await network.start("kemenkes")
    victim, true = await a_victim(police, **GIRL), new_id()
    database = network.apps["kemenkes"].state.database
    for reason, told in (("reject", tuple(new_id() for _ in range(30))), ("accept", (true,))):
        offer = an_offer(victim, RS, None, service=CARE, interviews=told)
        await say(network, offer, "kemenkes", 1 if reason == "reject" else 2, 1)
        await kemenkes.until_status(offer.referral_id, "received")
        assert database.read(lambda session: ids_of(session, victim)) == ()
        await kemenkes.must(offer.referral_id, reason, **({"reason": "not-eligible"} if reason == "reject" else {}))
    assert database.read(lambda session: ids_of(session, victim)) == (true,)


@NOT_TAKEN_ON
async def test_a_correction_of_the_police_reaches_the_hospital(network: Network, answer: str) -> None:
    police = await network.start("police")
    victim = await a_victim(police, **{**GIRL, "age_class": "unknown"})
    await the_stranger_asks_first(network, victim, answer)
    kemenkes = network["kemenkes"]
    await taken_on(police, kemenkes, victim, CARE, force=True)
    corrected = {"age_class": "child", "home_region": "74.04", "basis": "document"}
    assert (await police.post(f"/v1/victims/{victim}/facts", corrected)).status_code == 200
    await until_known(
        network, kemenkes, victim, facts_from="police", age_class="child", sex="female", home_region="74.04"
    )


async def test_an_answer_to_the_stranger_decides_again(network: Network) -> None:
    """While nobody has answered it, of its word only the protection of a child has an effect."""
    police = await network.start("police")
    victim = await a_victim(police, age_class="adult", sex="female")
    kemensos, kemenkes = await network.start("kemensos"), await network.start("kemenkes")
    await registered_again(kemensos, victim, "dinsos-74.01", age_class="child", sex="male")
    waiting = await refer(kemensos, victim, "kemenkes", FIRST_AID)
    await kemenkes.until_status(waiting, "received")
    await taken_on(police, kemenkes, victim, CARE)
    seen = await known(kemenkes, victim)
    assert (seen["facts_from"], seen["treated_as_child"]) == ("police", True)
    await kemenkes.must(waiting, "reject", reason="no-capacity")
    seen = await known(kemenkes, victim)
    assert (seen["facts_from"], seen["treated_as_child"], seen["differ"]) == ("police", False, {})


@pytest.mark.parametrize("police_ask", ["another-service", "the-same-service", "and-are-a-duplicate"])
async def test_of_two_words_that_people_took_on_nothing_disputed_goes_on_as_the_hospitals(
    network: Network, police_ask: str
) -> None:
    police = await network.start("police")
    victim = await a_victim(police, identity=WHO, **GIRL)
    await the_stranger_asks_first(network, victim, "accepted")
    kemenkes = network["kemenkes"]
    if police_ask == "and-are-a-duplicate":  # a person at the hospital thinks so
        asked = await refer(police, victim, "kemenkes", CARE)
        await kemenkes.until_status(asked, "received")
        await kemenkes.must(asked, "reject", reason="duplicate")
    else:
        await taken_on(police, kemenkes, victim, FIRST_AID if police_ask == "another-service" else CARE)
    assert problem(await kemenkes.post(f"/v1/victims/{victim}/consents", AGREES)) == "guardian-part-missing"
    seen = await known(kemenkes, victim)
    assert seen["treated_as_child"] and seen["differ"].keys() == {"police", "kemensos"}
    facts, identity = await told_onward(network, victim)
    assert {name: facts[name] for name in GIRL} == {"age_class": "child", "sex": "unspecified", "home_region": None}
    if police_ask != "and-are-a-duplicate":  # of what was turned away, no identity may be used
        assert identity == "no-identity"


async def test_a_correction_goes_on_to_whoever_was_asked_since(network: Network) -> None:
    """The police asked Kemensos, and Kemensos asked the hospital. The police do not know of the hospital."""
    police, kemensos, kemenkes = [await network.start(code) for code in ("police", "kemensos", "kemenkes")]
    victim = await a_victim(police, age_class="adult", sex="female", home_region="74.01")
    await taken_on(police, kemensos, victim, "shelter-and-rehabilitation")
    await taken_on(kemensos, kemenkes, victim, CARE)
    kemenpppa = await network.start("kemenpppa")
    await taken_on(kemenkes, kemenpppa, victim, "case-management")
    word = {"age_class": "child", "home_region": "74.04", "basis": "document"}
    assert (await police.post(f"/v1/victims/{victim}/facts", word)).status_code == 200
    for client, source in ((kemensos, "police"), (kemenkes, "kemensos"), (kemenpppa, "kemenkes")):
        await until_known(network, client, victim, age_class="child", home_region="74.04", facts_from=source)
    assert problem(await kemenkes.post(f"/v1/victims/{victim}/consents", AGREES)) == "guardian-part-missing"
    # back to an adult by two people: the protection ends at the last of them too
    second = await network.calling("police", Role.OFFICER, None, "orang-kedua", "klien-kedua")
    asked = await police.post(f"/v1/victims/{victim}/facts", {"age_class": "adult", "basis": "age-assessment"})
    done = await second.post(
        f"/v1/victims/{victim}/facts/confirmation", {"correction_id": asked.json()["correction_id"]}
    )
    assert done.status_code == 200
    for client in (kemensos, kemenkes, kemenpppa):
        await until_known(network, client, victim, age_class="adult", treated_as_child=False, differ={})
        assert (await (await network.operator(client.code)).get("/v1/parked"))["items"] == []


async def test_what_the_hospital_hears_later_reaches_those_that_it_has_asked(network: Network) -> None:
    """The lie was taken on and told onward, before the police asked."""
    police = await network.start("police")
    victim = await a_victim(police, **GIRL)
    await the_stranger_asks_first(network, victim, "accepted")
    facts, _ = await told_onward(network, victim)
    assert (facts["age_class"], facts["sex"], facts["home_region"]) == ("adult", "male", "11.01")
    await taken_on(police, network["kemenkes"], victim, CARE)
    kemenpppa = network["kemenpppa"]
    await until_known(network, kemenpppa, victim, treated_as_child=True, sex="unspecified", home_region=None)


async def test_an_answer_to_a_second_request_of_one_agency_counts_its_word_again(network: Network) -> None:
    police, kemensos, kemenkes = [await network.start(code) for code in ("police", "kemensos", "kemenkes")]
    victim = await a_victim(police, **GIRL)
    first = await refer(police, victim, "kemenkes", FIRST_AID)
    await kemenkes.until_status(first, "received")
    await registered_again(kemensos, victim, "dinsos-74.01", **GIRL)  # at first it says what the police say
    hostile = await refer(kemensos, victim, "kemenkes", FIRST_AID)
    await kemenkes.until_status(hostile, "received")
    second = await refer(police, victim, "kemenkes", CARE)
    await kemenkes.until_status(second, "received")
    await kemenkes.must(hostile, "accept")
    await kemensos.until_status(hostile, "accepted")
    lie = {"sex": "male", "home_region": "11.01", "basis": "document"}
    assert (await kemensos.post(f"/v1/victims/{victim}/facts", lie)).status_code == 200
    await until_known(network, kemenkes, victim, facts_from="kemensos", sex="male")
    await kemenkes.must(second, "accept")  # a person has taken on a request of the police
    kemenpppa = await network.start("kemenpppa")
    await taken_on(kemenkes, kemenpppa, victim, "case-management")
    told = await known(kemenpppa, victim)
    assert (told["sex"], told["home_region"]) == ("unspecified", None)
    seen = await known(kemenkes, victim)
    assert seen["differ"]["police"] == (False, False)  # it waits no longer


async def test_no_person_corrects_facts_by_hearsay(network: Network) -> None:
    police = await network.start("police")
    victim = await a_victim(police, **GIRL)
    word = await police.post(f"/v1/victims/{victim}/facts", {"sex": "male", "basis": "heard"})
    assert word.status_code == 422


async def test_the_hospital_states_what_it_has_seen_itself(network: Network) -> None:
    """Its word decides at the hospital, and goes on with its own requests. No other agency is corrected."""
    police = await network.start("police")
    victim = await a_victim(police, **GIRL)
    asked = await the_stranger_asks_first(network, victim, "accepted")
    kemenkes, path = network["kemenkes"], f"/v1/victims/{victim}/facts"
    await taken_on(police, kemenkes, victim, CARE, force=True)
    other = await network.calling("kemenkes", Role.OFFICER, "rs-73.71")
    own = {"age_class": "child", "sex": "female", "home_region": "74.04", "basis": "age-assessment"}
    assert problem(await other.post(path, own)) == "unknown-victim"
    assert (await kemenkes.post(path, own)).status_code == 200
    seen = await known(kemenkes, victim)
    assert (seen["facts_from"], seen["sex"], seen["home_region"]) == ("kemenkes", "female", "74.04")
    facts, _ = await told_onward(network, victim)
    assert (facts["facts_from"], facts["sex"], facts["home_region"]) == ("kemenkes", "female", "74.04")
    assert (await known(police, victim))["facts_from"] == "police"
    # the stranger repeats itself in vain
    await kemenkes.must(asked, "start")
    assert (await known(kemenkes, victim))["facts_from"] == "kemenkes"


async def test_the_hospital_takes_the_protection_of_a_child_from_nobody(network: Network) -> None:
    police = await network.start("police")
    victim = await a_victim(police, **{**GIRL, "age_class": "unknown"})
    await the_stranger_asks_first(network, victim, "refused-by-a-person")
    kemenkes, path = network["kemenkes"], f"/v1/victims/{victim}/facts"
    await taken_on(police, kemenkes, victim, CARE, force=True)
    assert (await kemenkes.post(path, {"age_class": "adult", "basis": "age-assessment"})).status_code == 200
    seen = await known(kemenkes, victim)
    assert (seen["age_class"], seen["facts_from"], seen["treated_as_child"]) == ("adult", "kemenkes", True)
    # where the police know it, two people have said so
    second = await network.calling("police", Role.OFFICER, None, "orang-kedua", "klien-kedua")
    asked = await police.post(path, {"age_class": "adult", "basis": "document"})
    confirmed = await second.post(f"{path}/confirmation", {"correction_id": asked.json()["correction_id"]})
    assert confirmed.status_code == 200
    await until_known(network, kemenkes, victim, treated_as_child=False, differ={})
    # back to a child by one person; to an adult again by two
    assert (await kemenkes.post(path, {"age_class": "child", "basis": "document"})).status_code == 200
    assert (await kemenkes.post(path, {"age_class": "adult", "basis": "mistake"})).status_code == 202
    assert (await known(kemenkes, victim))["treated_as_child"]


async def test_a_hospital_that_has_not_taken_her_on_states_nothing(network: Network) -> None:
    police = await network.start("police")
    victim = await a_victim(police, **GIRL)
    await the_stranger_asks_first(network, victim, "none")
    word = await network["kemenkes"].post(f"/v1/victims/{victim}/facts", {"sex": "male", "basis": "mistake"})
    assert problem(word) == "not-responsible"
