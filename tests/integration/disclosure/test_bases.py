"""Which legal basis fits which service, and what it takes to act against a withdrawal."""

from typing import Any

import pytest

from shared.contracts.codes import LegalBasis, Stage
from shared.domain.access import Role
from shared.domain.consent import FITTING, check_basis
from shared.domain.refusal import Refused
from tests.support.by_hand import deliver, posted
from tests.support.clocks import DAY
from tests.support.identities import WHO, consent, look
from tests.support.network import Client, Network, a_victim, asking, problem, refer

WHY = "Catatan rekaan: tanpa ini nyawanya terancam."
KOLAKA = "polres-74.01"


async def refused(client: Client, victim: str, basis: str, **more: Any) -> str:
    """First aid is asked for on a basis and refused; answers why."""
    return problem(await client.post("/v1/referrals", asking(victim, "kemenkes", "first-aid", basis=basis, **more)))


async def withdrawn(police: Client) -> str:
    """A victim who agreed to the hospital, and took it back."""
    victim = await a_victim(police, identity=WHO)
    await consent(police, victim)
    assert (await police.post(f"/v1/victims/{victim}/consents/withdrawal")).status_code == 200
    return victim


@pytest.mark.parametrize("basis", ["vital-interest", "legal-duty", "public-task"])
async def test_after_a_withdrawal_no_other_basis_serves_an_officer(two: Network, basis: str) -> None:
    officer = await two.calling("police", Role.OFFICER, KOLAKA)
    victim = await withdrawn(officer)
    assert await refused(officer, victim, "consent") == "no-consent"
    assert await refused(officer, victim, basis) == "against-withdrawal"
    assert await refused(officer, victim, basis, note=WHY) == "against-withdrawal"
    assert (await officer.get(f"/v1/victims/{victim}/disclosures"))["items"] == []
    assert posted(two, "police", "kemenkes") == []


async def test_a_supervisor_says_why_and_the_person_and_coordination_are_told(two: Network) -> None:
    officer = await two.calling("police", Role.OFFICER, KOLAKA)
    head = await two.calling("police", Role.SUPERVISOR, KOLAKA)
    victim = await withdrawn(officer)
    unsaid = await head.post("/v1/referrals", asking(victim, "kemenkes", "first-aid"))
    assert problem(unsaid) == "note-required" and "mencabut persetujuan" in unsaid.json()["detail"]
    body = asking(victim, "kemenkes", "first-aid", note=WHY)
    assert (await head.post("/v1/referrals", body)).status_code == 201
    report = await officer.get(f"/v1/victims/{victim}/access-report")
    [given] = report["disclosures"]
    assert given["against_withdrawal"] is True
    [message] = posted(two, "police", "kemenkes")
    assert b'"against_withdrawal":true' in message.body.replace(b" ", b"")


async def marked(client: Client, victim: str) -> list[bool]:
    """Of each disclosure, whether it is marked as against a withdrawal. The person's report says the same."""
    listed = (await client.get(f"/v1/victims/{victim}/disclosures"))["items"]
    assert (await client.get(f"/v1/victims/{victim}/access-report"))["disclosures"] == listed
    return [item["against_withdrawal"] for item in listed]


async def test_the_receiver_says_it_too_of_what_came_with_the_request(two: Network) -> None:
    head, kemenkes = await two.calling("police", Role.SUPERVISOR, KOLAKA), two["kemenkes"]
    victim = await withdrawn(head)
    asked = await refer(head, victim, "kemenkes", "first-aid", note=WHY)
    deliver(two, *posted(two))
    await kemenkes.must(asked, "accept")
    assert await marked(head, victim) == await marked(kemenkes, victim) == [True]


async def test_the_receiver_says_it_too_of_what_came_later(two: Network) -> None:
    """She was referred on a vital interest, and takes her word back. Then a supervisor sends who she is once more."""
    head, kemenkes = await two.calling("police", Role.SUPERVISOR, KOLAKA), two["kemenkes"]
    victim = await a_victim(head, identity={"name": WHO["name"]})
    await consent(head, victim)
    asked = await refer(head, victim, "kemenkes", "first-aid")
    deliver(two, *posted(two))
    await kemenkes.must(asked, "accept")
    assert await marked(head, victim) == await marked(kemenkes, victim) == [False]
    assert (await head.post(f"/v1/victims/{victim}/consents/withdrawal")).status_code == 200
    assert (await head.post(f"/v1/victims/{victim}/identity", {"born_on": WHO["born_on"]})).status_code == 200
    deliver(two, *posted(two, "kemenkes", "police"), to="police")
    known = len(posted(two))
    await head.must(asked, "provide-information", about="identity", note=WHY)
    deliver(two, *posted(two)[known:])
    assert await marked(head, victim) == await marked(kemenkes, victim) == [True]
    assert (await look(kemenkes, victim)) == {"name": WHO["name"], "born_on": WHO["born_on"]}


@pytest.mark.parametrize("basis", ["legal-duty", "public-task", "vital-interest"])
async def test_it_concerns_also_an_agency_that_was_never_named(two: Network, basis: str) -> None:
    """She takes back her word for the hospital. A shelter is not told instead, on another basis."""
    officer = await two.calling("police", Role.OFFICER, KOLAKA)
    head = await two.calling("police", Role.SUPERVISOR, KOLAKA)
    victim = await withdrawn(officer)
    other = asking(victim, "kemenpppa", "case-management", basis=basis)
    assert problem(await officer.post("/v1/referrals", other)) == "against-withdrawal"
    assert problem(await head.post("/v1/referrals", other)) == "note-required"
    assert posted(two, to="kemenpppa") == []
    assert (await head.post("/v1/referrals", {**other, "note": WHY})).status_code == 201
    [given] = (await officer.get(f"/v1/victims/{victim}/access-report"))["disclosures"]
    assert (given["agency"], given["against_withdrawal"]) == ("kemenpppa", True)


async def test_an_agency_of_an_earlier_consent_is_not_free_again(two: Network) -> None:
    """She agreed to the hospital, then to the shelter alone, and takes that back. The hospital is no way round."""
    officer = await two.calling("police", Role.OFFICER, KOLAKA)
    victim = await a_victim(officer, identity=WHO)
    await consent(officer, victim)
    await consent(officer, victim, recipients=["kemensos"], purposes=["care"])
    assert (await officer.post(f"/v1/victims/{victim}/consents/withdrawal")).status_code == 200
    for basis in ("vital-interest", "legal-duty", "public-task"):
        assert await refused(officer, victim, basis) == "against-withdrawal"


async def test_it_ends_with_a_new_word_for_the_agencies_that_the_word_names(two: Network) -> None:
    officer = await two.calling("police", Role.OFFICER, KOLAKA)
    victim = await withdrawn(officer)
    await consent(officer, victim)
    assert (await officer.post("/v1/referrals", asking(victim, "kemenkes", "first-aid"))).status_code == 201
    [given] = (await officer.get(f"/v1/victims/{victim}/disclosures"))["items"]
    assert given["against_withdrawal"] is False
    other = asking(victim, "kemenpppa", "case-management")
    assert problem(await officer.post("/v1/referrals", other)) == "against-withdrawal"
    await consent(officer, victim, recipients=["kemenpppa"], purposes=["care"])
    assert (await officer.post("/v1/referrals", other)).status_code == 201
    assert await refused(officer, victim, "vital-interest", force=True) == "against-withdrawal"
    assert await look(officer, victim) == WHO


async def test_a_new_word_counts_as_long_as_it_stands(two: Network) -> None:
    officer = await two.calling("police", Role.OFFICER, KOLAKA)
    victim = await withdrawn(officer)
    await consent(officer, victim, valid_until=(two.clock() + DAY).isoformat())
    assert (await officer.post("/v1/referrals", asking(victim, "kemenkes", "first-aid"))).status_code == 201
    two.clock.advance(2 * DAY)
    later = await two.calling("police", Role.OFFICER, KOLAKA)
    assert await refused(later, victim, "vital-interest", force=True) == "against-withdrawal"


async def test_the_own_agency_goes_on_with_its_work(two: Network) -> None:
    """Nothing is told to another agency: the desk asks the investigators of its own."""
    officer = await two.calling("police", Role.OFFICER, KOLAKA)
    victim = await withdrawn(officer)
    receiver = {"agency": "police", "region": "73.71"}
    own = asking(victim, "police", "investigation", basis="legal-duty", receiver=receiver)
    assert (await officer.post("/v1/referrals", own)).status_code == 201


async def test_a_word_taken_back_where_the_person_is_now_counts_there_too(two: Network) -> None:
    """At the hospital she takes back what she told the police. The hospital tells nobody on another basis."""
    police, kemenkes = two["police"], two["kemenkes"]
    victim = await a_victim(police, identity=WHO)
    await consent(police, victim)
    asked = await refer(police, victim, "kemenkes", "first-aid", basis="consent")
    deliver(two, *posted(two))
    for action in ("accept", "start"):
        await kemenkes.must(asked, action)
    onward = asking(victim, "kemensos", "shelter-and-rehabilitation", basis="public-task")
    nurse = await two.calling("kemenkes", Role.OFFICER, "rs-74.01")
    assert (await nurse.post(f"/v1/victims/{victim}/consents/withdrawal")).status_code == 200
    assert problem(await nurse.post("/v1/referrals", onward)) == "against-withdrawal"


async def test_a_paper_from_before_takes_no_withdrawal_back(two: Network) -> None:
    """She agreed last week, and takes it back today. Last week's paper, entered tomorrow, changes nothing."""
    officer = await two.calling("police", Role.OFFICER, KOLAKA)
    victim = await a_victim(officer, identity=WHO)
    agreed = await consent(officer, victim)
    withdrawal, yesterday = f"/v1/victims/{victim}/consents/withdrawal", (two.clock() - DAY).isoformat()
    assert problem(await officer.post(withdrawal, {"occurred_at": yesterday})) == "occurred-too-early"
    assert (await officer.post(withdrawal)).status_code == 200
    paper = {name: agreed[name] for name in ("notice", "purposes", "recipients", "valid_until", "manner")}
    again = {**paper, "fields": ["name"], "agrees": True, "occurred_at": yesterday}
    assert problem(await officer.post(f"/v1/victims/{victim}/consents", again)) == "occurred-too-early"
    for basis in ("consent", "vital-interest"):
        assert await refused(officer, victim, basis) in ("no-consent", "against-withdrawal")


async def test_what_is_no_matter_of_life_has_no_vital_interest(two: Network) -> None:
    officer = await two.calling("police", Role.OFFICER, KOLAKA)
    victim = await a_victim(officer)
    for agency, service in (("kemenkes", "visum-et-repertum"), ("police", "investigation")):
        body = asking(victim, agency, service, basis="vital-interest", receiver={"agency": agency, "region": "73.71"})
        assert problem(await officer.post("/v1/referrals", body)) == "basis-not-for-service"
        assert (await officer.post("/v1/referrals", {**body, "basis": "legal-duty"})).status_code == 201


def test_every_basis_has_its_stages_and_an_urgent_service_is_always_vital() -> None:
    assert set(FITTING) == set(LegalBasis)
    for stage in Stage:
        check_basis(LegalBasis.VITAL_INTEREST, stage, urgent=True)
        vital = stage in (Stage.PROTECTION, Stage.MEDICAL_REHABILITATION, Stage.SOCIAL_REHABILITATION)
        if not vital:
            with pytest.raises(Refused, match="basis-not-for-service"):
                check_basis(LegalBasis.VITAL_INTEREST, stage, urgent=False)
    with pytest.raises(Refused, match="basis-not-for-service"):
        check_basis(LegalBasis.LEGAL_DUTY, Stage.REINTEGRATION, urgent=True)
