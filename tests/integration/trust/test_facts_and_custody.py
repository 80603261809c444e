"""The facts that came with the custody are the new holder's: their giver changes them no more (cases/TRUST.md 8)."""

from sqlalchemy import select
from sqlmodel import col

from shared.contracts.codes import AgeClass, FactsBasis, Sex
from shared.contracts.events import FactsCorrected
from shared.contracts.types import VictimFacts
from shared.storage.tables import LedgerEntry
from tests.support.claims import (
    DINSOS,
    POLRES,
    PPA,
    RS,
    arrive,
    deceived,
    gives_back,
    letter,
)
from tests.support.facts import GIRL, MAN, correction, known, until_known
from tests.support.network import Client, Network, a_victim, taken_on

CARE, SHELTER = "examination-and-treatment", "shelter-and-rehabilitation"


async def a_known_victim(police: Client, coordination: Client, **facts: str) -> str:
    """A victim of the police, known to coordination."""
    victim = await a_victim(police, **facts)
    await coordination.until(f"/v1/journeys/{victim}", lambda seen: seen["registered_at"] is not None)
    return victim


async def test_a_former_holder_makes_no_child_an_adult(network: Network, police: Client, kemenpppa: Client) -> None:
    """Only the police have said that she is a child. No second person there stands behind the new word."""
    kemenkes, child = await network.start("kemenkes"), await a_victim(police, **GIRL)
    await taken_on(police, kemenpppa, child, "case-management", kind="transfer")
    before = await known(kemenpppa, child)
    assert (before["age_class"], before["facts_from"]) == ("child", "police")

    await network.stop("police")
    lie = correction(network, child, POLRES, age_class="adult")
    arrive(network, "kemenpppa", letter(network, "police", "kemenpppa", lie, 50))
    seen = await known(kemenpppa, child)
    assert (seen["age_class"], seen["treated_as_child"], seen["facts_from"]) == ("child", True, "kemenpppa")
    assert seen["differ"] == {"kemenpppa": (True, False), "police": (False, False)}
    await taken_on(kemenpppa, kemenkes, child, CARE)
    assert (await known(kemenkes, child))["treated_as_child"] is True

    settled = await kemenpppa.post(f"/v1/victims/{child}/facts", {"age_class": "child", "basis": "age-assessment"})
    assert settled.status_code == 200, settled.text
    assert (await known(kemenpppa, child))["differ"] == {}


async def test_two_former_holders_make_no_child_an_adult_at_a_hospital(
    network: Network, police: Client, kemenpppa: Client
) -> None:
    """KemenPPPA answered for her while the hospital treated her. It takes nothing back for a holder of before it."""
    kemenkes, kemensos = await network.start("kemenkes"), await network.start("kemensos")
    child = await a_victim(police, **GIRL)
    await taken_on(police, kemenpppa, child, "case-management", kind="transfer")
    await taken_on(kemenpppa, kemenkes, child, CARE)
    await taken_on(kemenpppa, kemensos, child, SHELTER, kind="transfer")
    await network.stop("police")
    lie = correction(network, child, POLRES, age_class="adult", home_region="74.02")
    arrive(network, "kemenpppa", letter(network, "police", "kemenpppa", lie, 50))
    assert (await known(kemenpppa, child))["facts_from"] == "kemenpppa"
    told = select(LedgerEntry).where(
        col(LedgerEntry.type) == FactsCorrected.type(), col(LedgerEntry.link) == "kemenpppa>kemenkes"
    )
    assert network.apps["kemenpppa"].state.database.read(lambda session: session.scalars(told).all()) == []
    assert (await known(kemenkes, child))["treated_as_child"] is True


async def test_the_correction_of_a_holder_is_applied_however_often_custody_came_and_went(
    network: Network, kemenpppa: Client
) -> None:
    """KemenPPPA registers her, Kemensos takes over, corrects, hands back, says otherwise, and takes over once more."""
    kemensos = await network.start("kemensos")
    case = {"unit": PPA.unit, "channel": "outreach", "exploitation": "online-scam", "destination": "KH"}
    opened = (await kemenpppa.post("/v1/cases", case)).json()["id"]
    victim = str((await kemenpppa.post(f"/v1/cases/{opened}/victims", GIRL)).json()["id"])
    await taken_on(kemenpppa, kemensos, victim, SHELTER, kind="transfer")
    path = f"/v1/victims/{victim}/facts"
    assert (await kemensos.post(path, {"home_region": "74.04", "basis": "document"})).status_code == 200
    await until_known(network, kemenpppa, victim, home_region="74.04", facts_from="kemensos")
    await taken_on(kemensos, kemenpppa, victim, "case-management", kind="transfer")
    late = correction(network, victim, DINSOS, FactsBasis.HEARD, home_region="74.05")
    arrive(network, "kemenpppa", letter(network, "kemensos", "kemenpppa", late, 90))
    assert (await known(kemenpppa, victim))["facts_from"] == "kemenpppa"

    await taken_on(kemenpppa, kemensos, victim, SHELTER, kind="transfer", force=True)
    last = correction(network, victim, DINSOS, home_region="74.06")
    arrive(network, "kemenpppa", letter(network, "kemensos", "kemenpppa", last, 91))
    operator = await network.operator("kemenpppa")
    assert (await operator.get("/v1/parked"))["items"] == []
    assert (await known(kemenpppa, victim))["home_region"] == "74.06"


async def test_facts_of_false_custody_are_nobodys_once_it_was_given_back(
    network: Network, police: Client, kemenpppa: Client, coordination: Client
) -> None:
    """Kemenkes hands over "an adult man", and says otherwise later. Nobody at KemenPPPA has ever said the first."""
    child = await a_known_victim(police, coordination, **GIRL)
    transfer = await deceived(network, child, facts=MAN)
    other = correction(network, child, RS, age_class="adult", sex="male", home_region="12.01")
    arrive(network, "kemenpppa", letter(network, "kemenkes", "kemenpppa", other, 2))
    assert (await known(kemenpppa, child))["facts_from"] == "kemenpppa"
    await gives_back(network, "kemenpppa", transfer)

    await taken_on(police, kemenpppa, child, "case-management", kind="transfer")
    kemensos = await network.start("kemensos")
    await taken_on(kemenpppa, kemensos, child, SHELTER)
    seen, told = await known(kemenpppa, child), await known(kemensos, child)
    assert {name: told[name] for name in GIRL} == GIRL
    assert seen["facts_from"] == "police" and {name: seen[name] for name in GIRL} == GIRL


async def test_facts_that_change_with_custody_given_back_reach_whom_we_have_asked(
    network: Network, police: Client, kemenpppa: Client, coordination: Client
) -> None:
    woman = await a_known_victim(police, coordination, **{**GIRL, "age_class": "adult"})
    await taken_on(police, kemenpppa, woman, "case-management")
    boy = VictimFacts(age_class=AgeClass.CHILD, sex=Sex.MALE, home_region="11.01")
    transfer = await deceived(network, woman, facts=boy)
    kemensos = await network.start("kemensos")
    await taken_on(kemenpppa, kemensos, woman, SHELTER)
    assert (await known(kemensos, woman))["age_class"] == "child"
    await gives_back(network, "kemenpppa", transfer)
    adult = {"age_class": "adult", "sex": "female", "treated_as_child": False}
    await until_known(network, kemenpppa, woman, **adult)
    await until_known(network, kemensos, woman, **adult)
