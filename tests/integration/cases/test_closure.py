"""How a journey ends: what must precede each outcome, and who must agree."""

from dataclasses import replace
from typing import Any

import pytest

from shared.contracts.codes import AgeClass, JourneyOutcome, Stage
from shared.domain.access import Role
from shared.domain.cases import ENDINGS
from tests.support.network import Client, Network, a_victim, problem, refer

KOLAKA = "polres-74.01"
WHY = "Catatan rekaan: mengapa perjalanan ini berakhir."


@pytest.fixture
async def officer(police_alone: Network) -> Client:
    """An officer of the desk that found the victim."""
    return await police_alone.calling("police", Role.OFFICER, KOLAKA)


@pytest.fixture
async def colleague(police_alone: Network) -> Client:
    """Another officer of the same desk, with a system of their own."""
    return await police_alone.calling("police", Role.OFFICER, KOLAKA, "orang-kedua", "klien-kedua")


async def asked(client: Client, victim: str, outcome: str, **more: Any) -> dict[str, Any]:
    """The end of a journey is asked for; answers the closure."""
    answer = await client.post(f"/v1/victims/{victim}/closure", {"outcome": outcome, **more})
    assert answer.status_code in (201, 202), answer.text
    return dict(answer.json())


async def refusal(client: Client, victim: str, outcome: str, **more: Any) -> str:
    """The end of a journey is refused; answers why."""
    return problem(await client.post(f"/v1/victims/{victim}/closure", {"outcome": outcome, **more}))


async def decided(client: Client, victim: str, closure: str, approved: bool = True) -> Any:
    """A second person decides."""
    decision = {"closure_id": closure, "approved": approved}
    return await client.post(f"/v1/victims/{victim}/closure/decision", decision)


async def enters(client: Client, victim: str, *stages: str) -> None:
    """The journey enters stages."""
    for stage in stages:
        assert (await client.post(f"/v1/victims/{victim}/stages", {"stage": stage})).status_code == 201


async def is_open(client: Client, victim: str) -> bool:
    """Whether the journey goes on."""
    return (await client.get(f"/v1/victims/{victim}"))["closed_at"] is None


async def test_nobody_is_reintegrated_before_reintegration_and_after_care(officer: Client) -> None:
    victim = await a_victim(officer)
    assert await refusal(officer, victim, "reintegrated") == "stages-missing"
    await enters(officer, victim, "after-care")
    assert await refusal(officer, victim, "reintegrated") == "stages-missing"
    await enters(officer, victim, "reintegration")
    assert await is_open(officer, victim)
    assert (await asked(officer, victim, "reintegrated"))["approved"]
    assert not await is_open(officer, victim)


async def test_the_refusal_names_the_stages_that_are_missing(officer: Client) -> None:
    victim = await a_victim(officer)
    answer = await officer.post(f"/v1/victims/{victim}/closure", {"outcome": "reintegrated"})
    assert "reintegration, after-care" in answer.json()["detail"]
    assert await refusal(officer, victim, "returned-abroad") == "stages-missing"
    await enters(officer, victim, "repatriation")
    assert (await asked(officer, victim, "returned-abroad"))["approved"]


@pytest.mark.parametrize("outcome", ["victim-declined", "lost-contact", "deceased"])
async def test_an_end_that_no_stage_precedes_needs_a_note(officer: Client, outcome: str) -> None:
    victim = await a_victim(officer)
    assert await refusal(officer, victim, outcome) == "note-required"
    closure = await asked(officer, victim, outcome, note=WHY)
    read = await officer.get(f"/v1/closures/{closure['closure_id']}/note", purpose="care")
    assert read == {"text": WHY}
    [look] = (await officer.get(f"/v1/victims/{victim}/access-report"))["looks"]
    assert look["fields"] == ["note"]


@pytest.mark.parametrize("age", ["child", "unknown"])
async def test_the_journey_of_a_child_is_ended_by_two_people(
    officer: Client, colleague: Client, police_alone: Network, age: str
) -> None:
    child = await a_victim(officer, age_class=age)
    await enters(officer, child, "reintegration", "after-care")
    answer = await officer.post(f"/v1/victims/{child}/closure", {"outcome": "reintegrated"})
    assert (answer.status_code, answer.json()["approved"]) == (202, None)
    closure = answer.json()["closure_id"]
    assert await is_open(officer, child)
    assert await refusal(officer, child, "reintegrated") == "closure-already-asked"

    same_person = await police_alone.calling("police", Role.OFFICER, KOLAKA, client="klien-ketiga")
    machine = await police_alone.calling("police", Role.OFFICER, KOLAKA, "")  # its system, and no human
    for one in (officer, same_person, machine):
        assert problem(await decided(one, child, closure)) == "second-person-needed"
    assert await is_open(officer, child)

    stranger = await police_alone.calling("police", Role.OFFICER, "polres-11.01")
    assert problem(await decided(stranger, child, closure)) == "unknown-victim"
    assert (await colleague.get("/v1/closures"))["items"][0]["closure_id"] == closure
    assert (await decided(colleague, child, closure)).status_code == 200
    assert not await is_open(officer, child)
    assert problem(await decided(colleague, child, closure)) == "journey-closed"


async def test_a_second_person_may_say_no_and_then_it_can_be_asked_again(officer: Client, colleague: Client) -> None:
    child = await a_victim(officer, age_class="child")
    first = await asked(officer, child, "lost-contact", note=WHY)
    refused = await decided(colleague, child, first["closure_id"], approved=False)
    assert refused.json()["approved"] is False and await is_open(officer, child)
    assert problem(await decided(colleague, child, first["closure_id"])) == "closure-already-decided"
    again = await asked(officer, child, "lost-contact", note=WHY)
    assert (await decided(colleague, child, again["closure_id"])).json()["approved"]


async def test_nothing_may_have_begun_between_the_asking_and_the_word_of_the_second(
    officer: Client, colleague: Client
) -> None:
    child = await a_victim(officer, age_class="child")
    closure = (await asked(officer, child, "lost-contact", note=WHY))["closure_id"]
    await refer(officer, child, "police", "investigation", receiver={"agency": "police", "unit": "polres-73.71"})
    assert problem(await decided(colleague, child, closure)) == "referral-still-live"
    assert await is_open(officer, child)


async def test_a_registration_by_mistake_is_undone_by_two_people(officer: Client, colleague: Client) -> None:
    victim = await a_victim(officer)
    assert await refusal(officer, victim, "registered-by-mistake") == "note-required"
    closure = await asked(officer, victim, "registered-by-mistake", note=WHY)
    assert closure["approved"] is None and await is_open(officer, victim)
    assert (await decided(colleague, victim, closure["closure_id"])).json()["approved"]
    assert (await officer.get(f"/v1/victims/{victim}"))["outcome"] == "registered-by-mistake"


async def test_an_end_that_would_soon_erase_needs_a_second_person(
    police_alone: Network, officer: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    notices = police_alone.apps["police"].state.office.notices
    victim = await a_victim(officer)
    await enters(officer, victim, "reintegration", "after-care")
    for version, notice in notices.items():
        monkeypatch.setitem(notices, version, replace(notice, retention_days=29))
    assert (await asked(officer, victim, "reintegrated"))["approved"] is None


def test_every_outcome_has_a_rule_and_only_one_asks_for_two_people_of_everybody() -> None:
    assert set(ENDINGS) == set(JourneyOutcome)
    assert [outcome for outcome, ending in ENDINGS.items() if ending.two_people] == ["registered-by-mistake"]
    assert {Stage.REINTEGRATION, Stage.AFTER_CARE} == ENDINGS[JourneyOutcome.REINTEGRATED].after
    assert set(AgeClass) == {"adult", "child", "unknown"}


async def test_a_person_is_registered_with_an_identity_and_a_note(officer: Client) -> None:
    """Both are sealed under the victim's one data key."""
    victim = await a_victim(officer, identity={"name": "Melati Contoh Rekaan"}, note="Ditemukan di pelabuhan (rekaan).")
    shown = await officer.get(f"/v1/victims/{victim}/identity", purpose="care")
    assert shown["name"] == "Melati Contoh Rekaan"
