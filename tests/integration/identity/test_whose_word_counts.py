"""Whose word counts for who a victim is: our own, then the custody holder's, then that of others. TRUST 5."""

from typing import Any

import pytest

from tests.support.desks import looks
from tests.support.identities import WHO, found_by, look
from tests.support.ids import registered_again
from tests.support.letters import on_paper, printed
from tests.support.network import Client, Network, a_victim, problem, refer, taken_on
from tests.support.wire import tell_identity

TRAP = {"address": "Jalan Perangkap Rekaan 13", "phone": "+628000000013"}
HERS = {"address": "Jalan Rumah Rekaan 5", "phone": "+628000000005"}
CARE, FIRST_AID = "examination-and-treatment", "first-aid"


async def shown(client: Client, victim: str) -> dict[str, Any]:
    """An identity with its sources, as a desk sees it."""
    return dict(await client.get(f"/v1/victims/{victim}/identity", purpose="care"))


async def writes(client: Client, victim: str, **fields: Any) -> None:
    answer = await client.post(f"/v1/victims/{victim}/identity", fields)
    assert answer.status_code == 200, answer.text


async def takes_over(client: Client, victim: str, field: str, agency: str, said_at: str) -> str:
    """Take a field over; answers why not, or nothing."""
    body = {"field": field, "agency": agency, "said_at": said_at}
    answer = await client.post(f"/v1/victims/{victim}/identity/take-over", body)
    return "" if answer.status_code == 200 else problem(answer)


async def given_with(giver: Client, victim: str, referral: str) -> list[str]:
    """The fields of the identity that went with a referral."""
    items = (await giver.get(f"/v1/victims/{victim}/disclosures"))["items"]
    return sorted(field for one in items if one["referral_id"] == referral for field in one["fields"])


async def says(speaker: Client, hearer: Client, referral: str, victim: str, **fields: Any) -> None:
    """An agency tells what it says of a victim with a referral that was taken on."""
    await writes(speaker, victim, **fields)
    asks = (await speaker.must(referral, "provide-information", about="identity"))["asks"]
    await hearer.until(f"/v1/referrals/{referral}", lambda seen: seen["asks"] == asks)


@pytest.fixture
async def trapped(network: Network) -> tuple[Client, Client, str, str]:
    """KemenPPPA holds her and wrote where she lives. Kemensos means ill: registers the pseudonym, and lays a trap.

    Answers both, the victim, and the referral of Kemensos that KemenPPPA has accepted.
    """
    police, kemenpppa = await network.start("police"), await network.start("kemenpppa")
    kemensos = await network.start("kemensos")
    victim = await a_victim(police, identity=WHO)
    await taken_on(police, kemenpppa, victim, "case-management", kind="transfer")
    await writes(kemenpppa, victim, **HERS)
    same = {"age_class": "adult", "sex": "female", "identity": {"name": "Rekaan"}}
    await registered_again(kemensos, victim, "dinsos-74.01", **same)
    referral = await taken_on(kemensos, kemenpppa, victim, "case-management", force=True)
    await says(kemensos, kemenpppa, referral, victim, **TRAP)
    return kemenpppa, kemensos, victim, referral


async def test_the_way_home_of_the_holder_is_not_replaced_by_a_trap(
    network: Network, trapped: tuple[Client, Client, str, str]
) -> None:
    kemenpppa, _, victim, _ = trapped
    seen = await shown(kemenpppa, victim)
    assert {name: seen[name] for name in HERS} == HERS
    assert [(one["agency"], one["value"], one["counts"]) for one in seen["differing"]["address"]] == [
        ("kemenpppa", HERS["address"], True),
        ("police", WHO["address"], False),
        ("kemensos", TRAP["address"], False),
    ]
    assert {one["agency"] for one in seen["from_others"].values()} == {"police"}
    assert seen["name"] == WHO["name"]  # handed over with the custody, so it weighs more than a word of a third
    # the next agency is given what the holder wrote, and what was handed over to it
    kemenkes = await network.start("kemenkes")
    await taken_on(kemenpppa, kemenkes, victim, CARE)
    given = await look(kemenkes, victim)
    assert given == {name: {**WHO, **HERS}[name] for name in ("name", "nik", "born_on", "phone")}


async def test_only_a_person_takes_over_what_another_agency_says(
    network: Network, trapped: tuple[Client, Client, str, str]
) -> None:
    kemenpppa, kemensos, victim, referral = trapped
    [theirs] = [one for one in (await shown(kemenpppa, victim))["differing"]["phone"] if one["agency"] == "kemensos"]
    await says(
        kemensos, kemenpppa, referral, victim, phone="+628000000014"
    )  # after somebody here has checked the first
    assert await takes_over(kemenpppa, victim, "phone", "kemensos", theirs["said_at"]) == "said-since"
    assert await takes_over(kemenpppa, victim, "phone", "kemenkes", theirs["said_at"]) == "nothing-to-take-over"
    assert await takes_over(kemensos, victim, "phone", "kemenpppa", theirs["said_at"]) == "nothing-to-take-over"
    assert (await shown(kemenpppa, victim))["phone"] == HERS["phone"]
    [now] = [one for one in (await shown(kemenpppa, victim))["differing"]["phone"] if one["agency"] == "kemensos"]
    assert await takes_over(kemenpppa, victim, "phone", "kemensos", now["said_at"]) == ""
    seen = await shown(kemenpppa, victim)
    assert seen["phone"] == "+628000000014" and "phone" not in seen["from_others"]
    taken = [row for row in await looks(kemenpppa, victim) if row[1] == "take-over"]
    assert [(right, fields) for _, _, right, fields in taken] == [("custody", ["phone"])]
    # it is the holder's own word now, whatever the third says next
    await says(kemensos, kemenpppa, referral, victim, **TRAP)
    assert (await shown(kemenpppa, victim))["phone"] == "+628000000014"


async def test_a_desk_takes_over_only_fields_that_it_may_see(network: Network) -> None:
    police, kemenkes = await network.start("police"), await network.start("kemenkes")
    victim = await a_victim(police, identity=WHO)
    referral = await taken_on(police, kemenkes, victim, FIRST_AID)
    said = (await shown(kemenkes, victim))["from_others"]["name"]["said_at"]
    assert await takes_over(kemenkes, victim, "address", "police", said) == "not-responsible"
    await kemenkes.must(referral, "start")
    await kemenkes.must(referral, "complete", outcome="service-provided")
    assert await takes_over(kemenkes, victim, "name", "police", said) == "not-responsible"
    assert [row[1:] for row in await looks(kemenkes, victim)] == [("care", "work", ["born_on", "name"])]


async def test_a_hospital_of_two_agencies_gives_on_nothing_until_a_person_decides(network: Network) -> None:
    """A hospital knows no custody. It cannot tell whose word is the holder's, nor whether one repeats the other."""
    police, kemenkes = await network.start("police"), await network.start("kemenkes")
    kemensos, kemenpppa = await network.start("kemensos"), await network.start("kemenpppa")
    victim = await a_victim(police, identity={"name": WHO["name"], "born_on": WHO["born_on"]})
    await taken_on(police, kemenkes, victim, CARE)
    await writes(kemenkes, victim, phone=HERS["phone"])
    alone = await taken_on(kemenkes, kemenpppa, victim, "case-management")
    assert await given_with(kemenkes, victim, alone) == ["born_on", "name", "phone"]
    same = {"age_class": "adult", "sex": "female", "identity": {"name": WHO["name"], **TRAP}}
    await registered_again(kemensos, victim, "dinsos-74.01", **same)
    await taken_on(kemensos, kemenkes, victim, FIRST_AID)
    # both say her name; only what the hospital wrote itself goes on
    with_two = await taken_on(kemenkes, kemenpppa, victim, "case-management", force=True)
    assert await given_with(kemenkes, victim, with_two) == ["phone"]
    # somebody at the hospital takes over what she herself says
    stated = (await shown(kemenkes, victim))["from_others"]["name"]
    assert await takes_over(kemenkes, victim, "name", stated["agency"], stated["said_at"]) == ""
    decided = await taken_on(kemenkes, kemenpppa, victim, "case-management", force=True)
    assert await given_with(kemenkes, victim, decided) == ["name", "phone"]
    assert (await shown(kemenpppa, victim))["phone"] == HERS["phone"]


async def test_what_comes_after_the_custody_is_no_word_of_the_holder(network: Network) -> None:
    """The former holder gives a victim away, and later says otherwise: shown, and not passed on."""
    police, kemenpppa, kemenkes = [await network.start(code) for code in ("police", "kemenpppa", "kemenkes")]
    victim = await a_victim(police, identity=WHO)
    transfer = await taken_on(police, kemenpppa, victim, "case-management", kind="transfer")
    assert await found_by(kemenpppa, WHO["nik"]) == [victim]
    await taken_on(kemenpppa, kemenkes, victim, CARE)
    assert (await look(kemenkes, victim)) == {name: WHO[name] for name in ("name", "nik", "born_on", "phone")}
    # the police may not see her any more, but a compromised service can still speak with the old transfer
    tell_identity(network, "police", "kemenpppa", victim, transfer, TRAP)
    await kemenpppa.until(f"/v1/referrals/{transfer}", lambda seen: seen["asks"] == 1)
    seen = await shown(kemenpppa, victim)
    assert seen["phone"] == WHO["phone"] and seen["name"] == WHO["name"]
    assert [(one["agency"], one["value"], one["counts"]) for one in seen["differing"]["phone"]] == [
        ("police", WHO["phone"], True),
        ("police", TRAP["phone"], False),
    ]
    await taken_on(kemenpppa, kemenkes, victim, FIRST_AID)
    await taken_on(kemenpppa, kemenkes, victim, CARE, force=True)
    assert (await shown(kemenkes, victim))["phone"] == WHO["phone"]
    # somebody who reaches her writes it down
    await writes(kemenpppa, victim, **HERS)
    await taken_on(kemenpppa, kemenkes, victim, CARE, force=True)
    assert (await shown(kemenkes, victim))["phone"] == HERS["phone"]


async def test_a_letter_for_another_agency_says_only_what_may_be_passed_on(
    network: Network, trapped: tuple[Client, Client, str, str]
) -> None:
    kemenpppa, _, victim, _ = trapped
    kemenkes = await network.start("kemenkes")
    referral = await refer(kemenpppa, victim, "kemenkes", CARE)
    await kemenkes.until_status(referral, "received")
    said = await on_paper(kemenpppa, await printed(kemenpppa, referral))
    assert HERS["phone"] in said and TRAP["phone"] not in said
