"""Facts that came with a custody last beside later words, until a person settles them (cases/TRUST.md 8, record 0038).

The police have handed a child over, and say later that she is an adult. Each story has something else in between.
"""

from shared.contracts.codes import AgeClass, FactsBasis, Sex
from shared.contracts.types import VictimFacts
from shared.domain.access import Role
from tests.support.claims import DINSOS, POLRES, PPA, RS, an_offer, arrive, deceived, gives_back, letter, until_custody
from tests.support.facts import GIRL, MAN, correction, known
from tests.support.network import Client, Network, a_victim, taken_on

SHELTER = "shelter-and-rehabilitation"
WOMAN = VictimFacts.model_validate({**GIRL, "age_class": "adult"})
A_CHILD = VictimFacts(age_class=AgeClass.CHILD, sex=Sex.UNSPECIFIED)


async def the_police_say_adult(network: Network, child: str) -> None:
    """The police, whose own service no longer runs, have no custody any more."""
    lie = correction(network, child, POLRES, age_class="adult")
    arrive(network, "kemenpppa", letter(network, "police", "kemenpppa", lie, 90))


async def kemensos_asks_first(network: Network, child: str) -> str:
    """Kemensos asks KemenPPPA for her, and knows no more than that she is a child. Answers the referral."""
    asked = an_offer(child, PPA, None, facts=A_CHILD)
    arrive(network, "kemenpppa", letter(network, "kemensos", "kemenpppa", asked, 1, 1))
    return asked.referral_id


async def offered_again(network: Network, child: str, facts: VictimFacts) -> str:
    """The police, no holder any more, offer her anew, and a supervisor of KemenPPPA accepts. Answers the transfer."""
    await network.stop("police")
    offer = an_offer(child, PPA, 5, sender=POLRES, facts=facts)
    body = letter(network, "police", "kemenpppa", offer, 70, 1)
    arrive(network, "coordination", body)
    arrive(network, "kemenpppa", body)
    await until_custody(network["kemenpppa"], offer.referral_id, "unconfirmed")
    head = await network.calling("kemenpppa", Role.SUPERVISOR)
    await head.must(offer.referral_id, "accept", note="Pengirim menelepon dan meyakinkan.")
    return offer.referral_id


async def false_transfer(network: Network, police: Client, child: str, facts: VictimFacts) -> str:
    """KemenPPPA hands her on to Kemensos. Then the police offer her again."""
    kemenpppa, kemensos = network["kemenpppa"], await network.start("kemensos")
    await network["coordination"].until(f"/v1/journeys/{child}", lambda seen: seen["registered_at"] is not None)
    await taken_on(police, kemenpppa, child, "case-management", kind="transfer")
    await taken_on(kemenpppa, kemensos, child, SHELTER, kind="transfer")
    return await offered_again(network, child, facts)


async def test_the_facts_that_came_with_custody_count_before_a_vaguer_word_of_another(
    network: Network, police: Client, kemenpppa: Client
) -> None:
    """Kemensos gave no custody. So it adds neither a sex nor a home to the facts either."""
    child = await a_victim(police, **GIRL)
    await kemenpppa.must(await kemensos_asks_first(network, child), "accept")
    await taken_on(police, kemenpppa, child, "case-management", kind="transfer")
    assert GIRL.items() <= (seen := await known(kemenpppa, child)).items(), seen
    assert seen["facts_from"] == "police"
    lie = correction(network, child, DINSOS, FactsBasis.HEARD, sex="male", home_region="11.01")
    arrive(network, "kemenpppa", letter(network, "kemensos", "kemenpppa", lie, 2))
    assert GIRL.items() <= (seen := await known(kemenpppa, child)).items(), seen


async def test_no_child_becomes_an_adult_where_another_agency_spoke_of_her_first(
    network: Network, police: Client, kemenpppa: Client
) -> None:
    child = await a_victim(police, **GIRL)
    other = await kemensos_asks_first(network, child)
    await taken_on(police, kemenpppa, child, "case-management", kind="transfer")
    await kemenpppa.must(other, "reject", reason="not-eligible")
    await network.stop("police")
    await the_police_say_adult(network, child)
    assert (await known(kemenpppa, child))["treated_as_child"] is True


async def the_next_holder_says_adult(network: Network, police: Client) -> str:
    """Kemensos asked for a child as a woman, and took her over. Nobody has settled that word. Answers the child."""
    kemenpppa, kemensos = network["kemenpppa"], await network.start("kemensos")
    child = await a_victim(police, **GIRL)
    await taken_on(police, kemenpppa, child, "case-management", kind="transfer")
    asked = an_offer(child, PPA, None, facts=WOMAN)
    arrive(network, "kemenpppa", letter(network, "kemensos", "kemenpppa", asked, 50, 1))
    await taken_on(kemenpppa, kemensos, child, SHELTER, kind="transfer")
    seen = await known(kemenpppa, child)
    assert (seen["facts_from"], seen["treated_as_child"]) == ("kemensos", True)
    await network.stop("police")
    return child


async def test_no_child_becomes_an_adult_where_the_next_holder_says_adult_too(
    network: Network, police: Client, kemenpppa: Client
) -> None:
    child = await the_next_holder_says_adult(network, police)
    await the_police_say_adult(network, child)
    assert (await known(kemenpppa, child))["treated_as_child"] is True


async def test_no_child_becomes_an_adult_by_the_echo_of_what_we_told(
    network: Network, police: Client, kemenpppa: Client
) -> None:
    """The police claim to repeat our facts. What came with their transfer is not theirs to take back."""
    child = await the_next_holder_says_adult(network, police)
    echo = an_offer(child, PPA, None, sender=POLRES, facts=WOMAN, facts_of_receiver=True)
    arrive(network, "kemenpppa", letter(network, "police", "kemenpppa", echo, 50, 1))
    assert (await known(kemenpppa, child))["treated_as_child"] is True


async def test_a_second_transfer_with_other_facts_makes_no_child_an_adult(
    network: Network, police: Client, kemenpppa: Client, coordination: Client
) -> None:
    child = await a_victim(police, **GIRL)
    transfer = await false_transfer(network, police, child, WOMAN)
    seen = await kemenpppa.get(f"/v1/victims/{child}")
    assert seen["treated_as_child"] is True
    shown = [(one["agency"], one["facts"]["age_class"], one["came_with_custody"]) for one in seen["facts_differ"]]
    assert shown == [("police", "adult", True), ("kemenpppa", "child", True)]
    await gives_back(network, "kemenpppa", transfer)
    assert (await known(kemenpppa, child))["treated_as_child"] is True


async def test_a_second_transfer_given_back_leaves_the_facts_of_the_first(
    network: Network, police: Client, kemenpppa: Client, coordination: Client
) -> None:
    child = await a_victim(police, **GIRL)
    transfer = await false_transfer(network, police, child, VictimFacts.model_validate(GIRL))
    await gives_back(network, "kemenpppa", transfer)
    await the_police_say_adult(network, child)
    assert (await known(kemenpppa, child))["treated_as_child"] is True


async def test_a_correction_in_false_custody_settles_nothing_once_it_was_given_back(
    network: Network, police: Client, kemenpppa: Client, coordination: Client
) -> None:
    """Two persons of KemenPPPA corrected a child of the police to an adult, deceived about the custody."""
    child = await a_victim(police, **GIRL)
    await coordination.until(f"/v1/journeys/{child}", lambda seen: seen["registered_at"] is not None)
    await taken_on(police, kemenpppa, child, "case-management")
    transfer = await deceived(network, child, facts=WOMAN)
    second = await network.calling("kemenpppa", Role.OFFICER, None, "orang-kedua", "klien-kedua")
    path = f"/v1/victims/{child}/facts"
    asked = await kemenpppa.post(path, {"age_class": "adult", "basis": "document"})
    done = await second.post(f"{path}/confirmation", {"correction_id": asked.json()["correction_id"]})
    assert done.status_code == 200, done.text
    assert (await known(kemenpppa, child))["treated_as_child"] is False
    await gives_back(network, "kemenpppa", transfer)
    seen = await known(kemenpppa, child)
    assert (seen["treated_as_child"], seen["differ"]["police"]) == (True, (False, False))


async def test_a_giver_that_repeats_our_facts_does_not_keep_its_false_custody_here(
    network: Network, kemenpppa: Client, child: str
) -> None:
    """Kemenkes takes its own word back by an echo. What came with its transfer is all that is known of her."""
    transfer = await deceived(network, child, facts=A_CHILD)
    echo = an_offer(child, PPA, None, sender=RS, facts=A_CHILD, facts_of_receiver=True)
    arrive(network, "kemenpppa", letter(network, "kemenkes", "kemenpppa", echo, 2, 1))
    await gives_back(network, "kemenpppa", transfer)
    seen = await known(kemenpppa, child)
    assert (seen["facts_from"], seen["treated_as_child"]) == ("kemenkes", True)


async def test_facts_last_that_came_with_a_transfer_which_repeated_them(
    network: Network, police: Client, kemenpppa: Client, coordination: Client, child: str
) -> None:
    """Kemensos spoke of her first. The police hand her over as if they repeated KemenPPPA, and Kemensos is refused."""
    await network.stop("police")
    other = await kemensos_asks_first(network, child)
    offer = an_offer(child, PPA, 2, sender=POLRES, facts=A_CHILD, facts_of_receiver=True)
    arrive(network, "kemenpppa", letter(network, "police", "kemenpppa", offer, 50, 1))
    head = await network.calling("kemenpppa", Role.SUPERVISOR)
    await head.must(offer.referral_id, "accept", note="Ditelepon.")
    await kemenpppa.must(other, "reject", reason="not-eligible")
    await the_police_say_adult(network, child)
    assert (await known(kemenpppa, child))["treated_as_child"] is True


async def test_what_came_with_the_custody_goes_on_though_an_agency_at_work_disputes_it(
    network: Network, police: Client, kemenpppa: Client
) -> None:
    kemenkes, child = await network.start("kemenkes"), await a_victim(police, **GIRL)
    await taken_on(police, kemenpppa, child, "case-management", kind="transfer")
    asked = an_offer(child, PPA, None, facts=MAN)
    arrive(network, "kemenpppa", letter(network, "kemensos", "kemenpppa", asked, 1, 1))
    await kemenpppa.must(asked.referral_id, "accept")
    await taken_on(kemenpppa, kemenkes, child, "examination-and-treatment")
    assert GIRL.items() <= (await known(kemenkes, child)).items()


async def test_what_the_true_holder_settled_stays_settled_when_a_false_custody_is_given_back(
    network: Network, police: Client, kemenpppa: Client, coordination: Client
) -> None:
    """Kemenkes, which nobody has answered, says a boy. Kemensos, as the holder, corrects it by a document."""
    woman = await a_victim(police, **{**GIRL, "age_class": "adult"})
    kemensos = await network.start("kemensos")
    await coordination.until(f"/v1/journeys/{woman}", lambda seen: seen["registered_at"] is not None)
    await taken_on(police, kemenpppa, woman, "case-management", kind="transfer")
    await taken_on(kemenpppa, kemensos, woman, SHELTER, kind="transfer")
    await network.stop("kemensos")
    boy = an_offer(woman, PPA, None, sender=RS, facts=MAN.model_copy(update={"age_class": AgeClass.CHILD}))
    arrive(network, "kemenpppa", letter(network, "kemenkes", "kemenpppa", boy, 1, 1))
    settles = correction(network, woman, DINSOS, age_class="adult")
    arrive(network, "kemenpppa", letter(network, "kemensos", "kemenpppa", settles, 60))
    assert (await known(kemenpppa, woman))["treated_as_child"] is False
    transfer = await offered_again(network, woman, WOMAN)
    await gives_back(network, "kemenpppa", transfer)
    seen = await known(kemenpppa, woman)
    assert (seen["treated_as_child"], seen["differ"]) == (False, {})
