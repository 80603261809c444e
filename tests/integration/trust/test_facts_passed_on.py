"""Words about the facts of a victim that agencies pass on to each other (cases/TRUST.md 8, decision 0038)."""

from pathlib import Path

import pytest

from deploy.local.embedded_nats import EmbeddedNats
from shared.contracts.codes import AgeClass, FactsBasis, Sex
from shared.contracts.types import MOST_PASSED_ON, VictimFacts
from shared.domain.access import Role
from shared.messaging.broker import Incoming
from shared.reference.office import new_id
from tests.support.by_hand import deliver, posted, request_of
from tests.support.claims import DINSOS, POLRES, PPA, RS, an_offer, arrive, letter, say
from tests.support.databases import Databases
from tests.support.facts import GIRL, MAN, correction, known, until_known
from tests.support.network import Network, a_victim, refer, taken_on

CARE, SHELTER = "examination-and-treatment", "shelter-and-rehabilitation"
RING = {"kemenpppa": "case-management", "kemensos": SHELTER, "kemenkes": CARE}
"""Each asks the next one for this service of it, and the last one asks the first."""
WOMAN = {**GIRL, "age_class": "adult"}


async def test_who_asks_twice_is_not_taken_on_by_the_refusal_of_the_second(network: Network) -> None:
    """The service itself rejects the repeated request. A person has rejected the first: nobody took that agency on."""
    police, kemenkes = await network.start("police"), await network.start("kemenkes")
    victim = await a_victim(police, **GIRL)
    asked = [an_offer(victim, RS, None, service=CARE, facts=MAN) for _ in range(2)]
    for number, one in enumerate(asked, 1):
        await say(network, one, "kemenkes", number, 1)
    await kemenkes.until_status(asked[1].referral_id, "rejected")
    await kemenkes.must(asked[0].referral_id, "reject", reason="not-eligible")
    await taken_on(police, kemenkes, victim, CARE)
    seen = await known(kemenkes, victim)
    assert (seen["facts_from"], seen["sex"], seen["differ"]) == ("police", "female", {})


async def test_a_correction_reaches_two_agencies_that_have_asked_each_other(network: Network) -> None:
    """The shelter sends her back to the hospital with the facts that the hospital told it. That is no second word."""
    police, kemenkes, kemensos = [await network.start(code) for code in ("police", "kemenkes", "kemensos")]
    victim = await a_victim(police, **{**GIRL, "age_class": "unknown"})
    await taken_on(police, kemenkes, victim, "first-aid")
    await taken_on(kemenkes, kemensos, victim, SHELTER)
    await taken_on(kemensos, kemenkes, victim, CARE)
    second = await network.calling("police", Role.OFFICER, None, "orang-kedua", "klien-kedua")
    path = f"/v1/victims/{victim}/facts"
    asked = await police.post(path, {"age_class": "adult", "home_region": "74.04", "basis": "document"})
    done = await second.post(f"{path}/confirmation", {"correction_id": asked.json()["correction_id"]})
    assert done.status_code == 200
    corrected = {"age_class": "adult", "home_region": "74.04", "treated_as_child": False}
    seen = await until_known(network, kemenkes, victim, **corrected, facts_from="police")
    assert seen["differ"] == {}
    await until_known(network, kemensos, victim, **corrected)


async def test_an_agency_that_repeats_our_own_word_takes_its_other_word_back(network: Network) -> None:
    police, kemenkes = await network.start("police"), await network.start("kemenkes")
    victim = await a_victim(police, **GIRL)
    await taken_on(police, kemenkes, victim, CARE)
    first = an_offer(victim, RS, None, service="first-aid", facts=MAN)
    arrive(network, "kemenkes", letter(network, "kemensos", "kemenkes", first, 1, 1))
    assert (await known(kemenkes, victim))["differ"]["kemensos"] == (False, True)
    repeated = an_offer(victim, RS, None, service="psychological-care", facts=MAN, facts_of_receiver=True)
    arrive(network, "kemenkes", letter(network, "kemensos", "kemenkes", repeated, 2, 1))
    assert (await known(kemenkes, victim))["differ"] == {}


async def test_a_word_is_passed_on_three_times_and_no_more(network: Network) -> None:
    police, kemenkes, kemensos = [await network.start(code) for code in ("police", "kemenkes", "kemensos")]
    victim = await a_victim(police, **GIRL)
    await taken_on(police, kemenkes, victim, CARE)
    await taken_on(kemenkes, kemensos, victim, SHELTER)
    await network.stop("police")
    for number, (times, home) in enumerate(((MOST_PASSED_ON, "74.04"), (MOST_PASSED_ON - 1, "74.05")), 50):
        said = correction(network, victim, POLRES, FactsBasis.HEARD, home_region=home)
        passed = said.model_copy(update={"passed_on": times})
        arrive(network, "kemenkes", letter(network, "police", "kemenkes", passed, number))
        assert (await known(kemenkes, victim))["home_region"] == home
    assert (await until_known(network, kemensos, victim, home_region="74.05"))["facts_from"] == "kemenkes"


@pytest.mark.parametrize("corrected", ["child", "adult"])
@pytest.mark.parametrize("passed_on", [0, MOST_PASSED_ON])
async def test_what_a_stranger_said_and_went_no_further_goes_on_with_the_next_word(
    network: Network, passed_on: int, corrected: str
) -> None:
    """The hospital states a child since the word of KemenPPPA, which nobody there has answered.

    The police correct her to a child, or say once more what they said: then the stranger's word protects her.
    """
    police, kemenkes, kemensos = [await network.start(code) for code in ("police", "kemenkes", "kemensos")]
    victim = await a_victim(police, **WOMAN)
    await taken_on(police, kemenkes, victim, CARE)
    await taken_on(kemenkes, kemensos, victim, SHELTER)
    await network.stop("police")
    asked = an_offer(victim, RS, None, service=CARE, sender=PPA, facts=VictimFacts.model_validate(WOMAN))
    arrive(network, "kemenkes", letter(network, "kemenpppa", "kemenkes", asked, 1, 1))
    lie = correction(network, victim, PPA, FactsBasis.HEARD).model_copy(update={"passed_on": passed_on})
    arrive(network, "kemenkes", letter(network, "kemenpppa", "kemenkes", lie, 2))
    assert (await known(kemenkes, victim))["treated_as_child"] is True
    said = correction(network, victim, POLRES, age_class=corrected)
    arrive(network, "kemenkes", letter(network, "police", "kemenkes", said, 50))
    await until_known(network, kemensos, victim, treated_as_child=True)


async def test_what_a_holder_kept_to_itself_goes_on_once_it_has_handed_over(network: Network) -> None:
    """Kemensos told the police that she is a child. As the holder they told nobody, nor the hospital they asked."""
    police, kemenkes, kemenpppa = [await network.start(code) for code in ("police", "kemenkes", "kemenpppa")]
    woman = await a_victim(police, **WOMAN)
    await taken_on(police, kemenkes, woman, CARE)
    girl = VictimFacts.model_validate(GIRL)
    asked = an_offer(woman, POLRES, None, sender=DINSOS, service="investigation", facts=girl)
    arrive(network, "police", letter(network, "kemensos", "police", asked, 50, 1))
    assert (await known(police, woman))["treated_as_child"] is True
    assert (await known(kemenkes, woman))["treated_as_child"] is False
    await taken_on(police, kemenpppa, woman, "case-management", kind="transfer")
    await until_known(network, kemenkes, woman, treated_as_child=True)
    done = await kemenpppa.post(f"/v1/victims/{woman}/facts", {"age_class": "child", "basis": "document"})
    assert done.status_code == 200, done.text
    await until_known(network, police, woman, facts_from="kemenpppa", differ={})
    assert (await known(kemenkes, woman))["treated_as_child"] is True


async def test_what_we_state_once_a_word_is_left_out_is_told_to_those_we_asked(network: Network) -> None:
    """Kemensos said that she is a child. Then it repeats our own word: nobody says so any more."""
    police, kemenkes, kemenpppa = [await network.start(code) for code in ("police", "kemenkes", "kemenpppa")]
    victim = await a_victim(police, **WOMAN)
    await taken_on(police, kemenkes, victim, CARE)
    await taken_on(kemenkes, kemenpppa, victim, "case-management")
    first = an_offer(victim, RS, None, service="first-aid", facts=VictimFacts.model_validate(GIRL))
    arrive(network, "kemenkes", letter(network, "kemensos", "kemenkes", first, 1, 1))
    await until_known(network, kemenpppa, victim, treated_as_child=True)
    woman = VictimFacts.model_validate(WOMAN)
    again = an_offer(victim, RS, None, service="psychological-care", facts=woman, facts_of_receiver=True)
    arrive(network, "kemenkes", letter(network, "kemensos", "kemenkes", again, 2, 1))
    assert (await known(kemenkes, victim))["treated_as_child"] is False
    await until_known(network, kemenpppa, victim, treated_as_child=False)


@pytest.mark.parametrize("accepted_first", [True, False])
async def test_a_word_beside_a_repeated_one_counts_with_its_answer(network: Network, accepted_first: bool) -> None:
    """Kemensos repeats our word in its request, and says otherwise later. It is taken on before or after that."""
    police, kemenkes = await network.start("police"), await network.start("kemenkes")
    victim = await a_victim(police, **GIRL)
    await taken_on(police, kemenkes, victim, CARE)
    girl = VictimFacts.model_validate(GIRL)
    asked = an_offer(victim, RS, None, service=CARE, facts=girl, facts_of_receiver=True)
    arrive(network, "kemenkes", letter(network, "kemensos", "kemenkes", asked, 1, 1))
    if accepted_first:
        await kemenkes.must(asked.referral_id, "accept")
    other = correction(network, victim, DINSOS, FactsBasis.HEARD, home_region="74.04")
    arrive(network, "kemenkes", letter(network, "kemensos", "kemenkes", other, 2))
    if not accepted_first:
        await kemenkes.must(asked.referral_id, "accept")
    assert (await known(kemenkes, victim))["differ"] == {"kemensos": (False, False), "police": (True, False)}
    kemenpppa = await network.start("kemenpppa")
    await taken_on(kemenkes, kemenpppa, victim, "case-management")
    assert (await known(kemenpppa, victim))["home_region"] is None  # two agencies dispute it


@pytest.mark.parametrize("force", [True, False])
async def test_a_duplicate_of_a_refused_request_is_none_and_of_a_waiting_one_takes_nobody_on(
    network: Network, force: bool
) -> None:
    """A desk rejects the second request of the police as a duplicate: it works for her already (record 0038).

    The first was refused before the second came. Where Kemensos forces a second beside its first, it is a repetition.
    """
    police, kemenkes = await network.start("police"), await network.start("kemenkes")
    child = await a_victim(police, **GIRL)
    first = await refer(police, child, "kemenkes", CARE)
    await kemenkes.until_status(first, "received")
    await kemenkes.must(first, "reject", reason="no-capacity")
    await police.until_status(first, "rejected")
    other = an_offer(child, RS, None, service=CARE, facts=MAN)
    arrive(network, "kemenkes", letter(network, "kemensos", "kemenkes", other, 1, 1))
    if force:
        forced = an_offer(child, RS, None, service=CARE, facts=MAN, forced=True)
        arrive(network, "kemenkes", letter(network, "kemensos", "kemenkes", forced, 2, 1))
        await kemenkes.must(forced.referral_id, "reject", reason="duplicate")
        await kemenkes.must(other.referral_id, "reject", reason="not-eligible")
    else:
        await kemenkes.must(other.referral_id, "accept")
    second = await refer(police, child, "kemenkes", CARE)
    await kemenkes.until_status(second, "received")
    await kemenkes.must(second, "reject", reason="duplicate")
    seen = await known(kemenkes, child)
    assert seen["treated_as_child"] is True
    assert seen["differ"] == ({} if force else {"kemensos": (True, False), "police": (False, False)})


async def test_three_agencies_that_asked_each_other_in_a_ring_come_to_rest(
    tmp_path: Path, secrets: Path, database_url: Databases
) -> None:
    """The police mean ill, and tell each of them another home. Each withholds what the one before disputes."""
    network = Network(tmp_path, secrets, EmbeddedNats(tmp_path / "nats", secrets), database_url)
    victim, ring = new_id(), list(RING)
    for code in ("police", *ring):
        await network.start(code, online=False)
    for (code, service), home in zip(RING.items(), ("11.01", "12.01", "13.01"), strict=True):
        facts = VictimFacts(age_class=AgeClass.CHILD, sex=Sex.FEMALE, home_region=home)
        lie = request_of(network, "police", code, victim, service=service, facts=facts)
        deliver(network, lie, to=code)
        [asked] = (await network[code].get("/v1/referrals"))["items"]
        await network[code].must(asked["id"], "accept")
    for code, after in zip(ring, [*ring[1:], ring[0]], strict=True):
        referral = await refer(network[code], victim, after, RING[after], force=True)
        deliver(network, *posted(network, code, after), to=after)
        await network[after].must(referral, "accept")
    rounds, seen = 0, set[bytes]()
    while new := [(to, one) for by in ring for to in ring if by != to for one in unread(network, by, to, seen)]:
        rounds += 1
        assert rounds <= 12, "they never stop"
        for to, one in new:
            deliver(network, one, to=to)
            seen.add(one.body)
    await network.stop_all()


def unread(network: Network, by: str, to: str, seen: set[bytes]) -> list[Incoming]:
    return [one for one in posted(network, by, to) if one.body not in seen]
