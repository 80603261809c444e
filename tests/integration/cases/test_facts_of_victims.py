"""Facts of a victim keep their source, the age with most protection decides, and the holder corrects. TRUST 8."""

from typing import Any

from services.coordination.queries import journey_row
from shared.contracts.codes import AgeClass, FactsBasis, Sex
from shared.contracts.events import FactsCorrected
from shared.contracts.types import UnitRef, VictimFacts
from shared.domain.access import Role
from shared.reference.office import new_id
from tests.support.identities import UNTIL, WHO, consent
from tests.support.ids import registered_again
from tests.support.letters import on_paper, printed
from tests.support.network import Client, Network, a_victim, problem, taken_on
from tests.support.wire import event, key_of, publish, subject_of, tell_coordination, until_parked

CARE, FIRST_AID = "examination-and-treatment", "first-aid"
CHILD = {"age_class": "child", "sex": "female", "home_region": "74.01"}
MAN = {"age_class": "adult", "sex": "male", "home_region": "11.01"}
AGREES = {"notice": "2026-1", "purposes": ["medical"], "fields": ["name"], "recipients": ["kemenpppa"],
          "valid_until": UNTIL, "manner": "written", "agrees": True}  # fmt: skip


async def same_victim(network: Network, victim: str, **facts: Any) -> Client:
    """Kemensos means ill: it registers somebody under the pseudonym of a victim of the police."""
    kemensos = await network.start("kemensos")
    await registered_again(kemensos, victim, "dinsos-11.01", **facts)
    return kemensos


async def facts(client: Client, victim: str) -> tuple[str, str, str, bool]:
    """Age class, sex, source, and whether every rule treats the victim as a child."""
    seen = await client.get(f"/v1/victims/{victim}")
    return seen["age_class"], seen["sex"], seen["facts_from"], seen["treated_as_child"]


async def differ(client: Client, victim: str) -> list[tuple[str, str, bool]]:
    said = (await client.get(f"/v1/victims/{victim}"))["facts_differ"]
    return [(one["agency"], one["facts"]["age_class"], one["counts"]) for one in said]


def at_coordination(network: Network, victim: str) -> tuple[str | None, str | None]:
    """Age class and sex that coordination keeps. Its answers show no facts of a single victim."""
    row = network.apps["coordination"].state.database.read(lambda session: journey_row(session, victim))
    assert row is not None
    return row.age_class, row.sex


async def until_facts(client: Client, network: Network, victim: str, *expected: Any) -> None:
    """Wait until a member knows these facts of a victim."""
    with network.apps[client.code].state.notifier.watching(victim) as watch:
        while await facts(client, victim) != expected:
            assert await watch.next(20), await facts(client, victim)


async def test_the_first_to_speak_makes_no_child_an_adult(network: Network) -> None:
    """Kemensos says adult, male, 11.01 before the police have said child, female, 74.01."""
    police, kemenkes = await network.start("police"), await network.start("kemenkes")
    victim = await a_victim(police, identity=WHO, **CHILD)
    kemensos = await same_victim(network, victim, **MAN)
    await taken_on(kemensos, kemenkes, victim, FIRST_AID)
    assert await facts(kemenkes, victim) == ("adult", "male", "kemensos", False)
    await taken_on(police, kemenkes, victim, CARE)
    assert await facts(kemenkes, victim) == ("adult", "male", "kemensos", True)
    assert await differ(kemenkes, victim) == [("kemensos", "adult", True), ("police", "child", False)]
    # the rules go by the stricter word: consent, what is told onward, and letters
    assert problem(await kemenkes.post(f"/v1/victims/{victim}/consents", AGREES)) == "guardian-part-missing"
    kemenpppa = await network.start("kemenpppa")
    onward = await taken_on(kemenkes, kemenpppa, victim, "case-management")
    assert (await facts(kemenpppa, victim))[::3] == ("child", True)
    assert "Anak; jenis kelamin tidak disebutkan" in await on_paper(kemenkes, await printed(kemenkes, onward))
    # the police have their own word, whatever others say
    assert await facts(police, victim) == ("child", "female", "police", True)


async def test_the_word_of_the_agency_that_hands_over_counts(network: Network) -> None:
    police, kemenpppa = await network.start("police"), await network.start("kemenpppa")
    victim = await a_victim(police, **CHILD)
    kemensos = await same_victim(network, victim, **MAN)
    await taken_on(kemensos, kemenpppa, victim, "case-management")
    await taken_on(police, kemenpppa, victim, "case-management", kind="transfer", force=True)
    assert await facts(kemenpppa, victim) == ("child", "female", "police", True)
    assert await differ(kemenpppa, victim) == [("police", "child", True), ("kemensos", "adult", False)]
    # the holder settles it for everybody that has a referral of her
    kemenkes = await network.start("kemenkes")
    await taken_on(kemenpppa, kemenkes, victim, FIRST_AID)
    mine = {"basis": "own-word", "sex": "female"}
    assert problem(await police.post(f"/v1/victims/{victim}/facts", mine)) == "not-custody-holder"
    done = await kemenpppa.post(f"/v1/victims/{victim}/facts", mine)
    assert done.status_code == 200 and done.json()["applied_at"] is not None
    assert await differ(kemenpppa, victim) == []
    await until_facts(police, network, victim, "child", "female", "kemenpppa", True)
    await until_facts(kemenkes, network, victim, "child", "female", "kemenpppa", True)


async def test_two_people_make_a_child_an_adult_and_everybody_concerned_is_told(network: Network) -> None:
    police, kemenkes = await network.start("police"), await network.start("kemenkes")
    coordination = await network.start("coordination")
    victim = await a_victim(police, identity=WHO, **{**CHILD, "age_class": "unknown"})
    await taken_on(police, kemenkes, victim, FIRST_AID)
    path = f"/v1/victims/{victim}/facts"
    asked = await police.post(path, {"age_class": "adult", "basis": "age-assessment"})
    assert (asked.status_code, asked.json()["applied_at"]) == (202, None)
    confirmation = {"correction_id": asked.json()["correction_id"]}
    assert await facts(police, victim) == ("unknown", "female", "police", True)  # nothing yet
    assert problem(await police.post(f"{path}/confirmation", confirmation)) == "second-person-needed"
    assert problem(await police.post(f"{path}/confirmation", {"correction_id": new_id()})) == "unknown-correction"
    stranger = await network.calling("police", Role.OFFICER, "polres-11.01")
    assert problem(await stranger.post(path, {"age_class": "child", "basis": "mistake"})) == "unknown-victim"

    second = await network.calling("police", Role.OFFICER, None, "orang-kedua", "klien-kedua")
    assert (await second.post(f"{path}/confirmation", confirmation)).status_code == 200
    assert problem(await second.post(f"{path}/confirmation", confirmation)) == "already-applied"
    assert await facts(police, victim) == ("adult", "female", "police", False)
    await until_facts(kemenkes, network, victim, "adult", "female", "police", False)
    await coordination.until(
        f"/v1/journeys/{victim}", lambda _: at_coordination(network, victim) == ("adult", "female")
    )
    assert (await consent(police, victim))["guardian"] == "none"
    # back to a child by one person, and the waiting correction of before is not the newest any more
    waiting = (await police.post(path, {"age_class": "child", "basis": "document"})).json()
    assert waiting["applied_at"] is not None
    await until_facts(kemenkes, network, victim, "child", "female", "police", True)
    assert problem(await second.post(f"{path}/confirmation", confirmation)) == "unknown-correction"


async def test_a_third_makes_no_child_an_adult_and_takes_nothing_back(network: Network) -> None:
    """A signed correction of an agency without custody waits, and changes nothing; at coordination too."""
    police, kemenkes = await network.start("police"), await network.start("kemenkes")
    coordination = await network.start("coordination")
    victim = await a_victim(police, **CHILD)
    await taken_on(police, kemenkes, victim, FIRST_AID)
    await coordination.until(
        f"/v1/journeys/{victim}", lambda _: at_coordination(network, victim) == ("child", "female")
    )
    said = FactsCorrected(
        correction_id=new_id(),
        victim_id=victim,
        facts=VictimFacts(age_class=AgeClass.ADULT, sex=Sex.MALE),
        basis=FactsBasis.DOCUMENT,
        unit=UnitRef(agency="kemensos", unit="dinsos-11.01", region="11.01"),
        occurred_at=network.clock(),
    )
    for code in ("police", "kemenkes"):
        body, key = event("kemensos", code, said, 1), key_of(network, "kemensos")
        await publish(network, "kemensos", subject_of("kemensos", code, said), body, key.sign(body))
        assert (await until_parked(network, code, "not-in-custody"))["trusted"]
        assert (await facts(network[code], victim)) == ("child", "female", "police", True)
    await tell_coordination(network, "kemensos", 1, said)
    assert (await until_parked(network, "coordination", "not-in-custody"))["trusted"]
    assert at_coordination(network, victim) == ("child", "female")
