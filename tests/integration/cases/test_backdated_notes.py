"""A late case, consent, hold or form says why it is late, and the supervisor reads the reason beside it."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from shared.domain.access import Role
from shared.victims.sealed.tables import SealedRow
from tests.support.identities import everything_in
from tests.support.network import Client, Network, a_victim, erase, problem

KOLAKA, MAKASSAR = "polres-74.01", "polres-73.71"
WHY = "Alasan rekaan: jaringan putus tiga hari."
A_CASE = {"unit": KOLAKA, "channel": "spkt", "exploitation": "online-scam"}
CONSENT = {
    "notice": "2026-1", "purposes": ["medical"], "fields": ["name"], "recipients": ["kemenkes"],
    "valid_until": "2099-01-01T00:00:00+07:00", "manner": "written", "agrees": True,
}  # fmt: skip
REPORT = {"lp_number": "LP/B/7/XI/2026/CONTOH", "reported_by": "officer", "region": "74.01", "place": "port"}
ACTS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "open_case": ("/v1/cases", A_CASE),
    "record_consent": ("/v1/victims/{victim}/consents", CONSENT),
    "withdraw_consent": ("/v1/victims/{victim}/consents/withdrawal", {}),
    "place_hold": ("/v1/victims/{victim}/legal-holds", {"basis": "trial"}),
    "file_police_report": ("/v1/cases/{case}/forms/police-report", REPORT),
}
"""Operation → its path, and a body without a moment."""


@pytest.fixture
async def police(police_alone: Network) -> Client:
    """A supervisor of Kolaka, who may do all of these."""
    return await police_alone.calling("police", Role.SUPERVISOR, KOLAKA)


async def a_victim_of_last_week(network: Network, police: Client) -> dict[str, str]:
    """A case with a victim, registered four days before the late acts. She agreed to the hospital then."""
    victim = await a_victim(police)
    case = (await police.get(f"/v1/victims/{victim}"))["case_id"]
    assert (await police.post(f"/v1/victims/{victim}/consents", CONSENT)).status_code == 201
    network.clock.advance(timedelta(days=4))
    return {"victim": victim, "case": str(case)}


async def late_note(network: Network, unit: str = KOLAKA) -> Any:
    """The newest late act of a desk, and the answer to a supervisor who reads its note."""
    head = await network.calling("police", Role.SUPERVISOR, unit)
    late = (await head.get("/v1/backdated"))["items"][0]
    return late, await head.http.get(f"/v1/backdated/{late['id']}/note", params={"purpose": "care"})


@pytest.mark.parametrize("operation", ACTS)
async def test_a_late_act_needs_a_note_which_is_read_beside_it(
    police_alone: Network, police: Client, operation: str
) -> None:
    there, (path, body) = await a_victim_of_last_week(police_alone, police), ACTS[operation]
    later = await police_alone.calling("police", Role.SUPERVISOR, KOLAKA)
    ago = (police_alone.clock() - timedelta(days=3)).isoformat()
    late_body = {**body, "occurred_at": ago}
    refused = await later.post(path.format(**there), late_body, Accept_Language="en")
    assert problem(refused) == "note-required" and "more than 24 hours" in refused.json()["detail"]
    assert problem(await later.post(path.format(**there), {**late_body, "note": " . "})) == "note-required"
    done = await later.post(path.format(**there), {**late_body, "note": WHY})
    assert done.status_code in (200, 201), done.text
    assert WHY not in done.text

    late, note = await late_note(police_alone)
    assert (late["operation"], note.json()) == (operation, {"text": WHY})
    report = await later.get(f"/v1/victims/{there['victim']}/access-report")
    assert len(report["looks"]) == (1 if late["victim_id"] else 0)
    assert WHY not in everything_in(police_alone, "police")


async def test_within_a_day_no_note_is_asked_for(police_alone: Network, police: Client) -> None:
    there = await a_victim_of_last_week(police_alone, police)
    later = await police_alone.calling("police", Role.SUPERVISOR, KOLAKA)
    ago = (police_alone.clock() - timedelta(hours=23)).isoformat()
    for path, body in ACTS.values():
        done = await later.post(path.format(**there), {**body, "occurred_at": ago})
        assert done.status_code in (200, 201), done.text
    assert (await later.get("/v1/backdated"))["items"] == []


async def test_a_note_about_a_case_goes_with_the_last_person_of_the_case(police_alone: Network, police: Client) -> None:
    there = await a_victim_of_last_week(police_alone, police)
    later = await police_alone.calling("police", Role.SUPERVISOR, KOLAKA)
    ago = (police_alone.clock() - timedelta(days=3)).isoformat()
    path, report = ACTS["file_police_report"]
    assert (await later.post(path.format(**there), {**report, "occurred_at": ago, "note": WHY})).status_code == 201
    _, note = await late_note(police_alone)
    assert note.json() == {"text": WHY}
    await erase(police_alone, "police", there["victim"])
    _, note = await late_note(police_alone)
    assert note.json() == {"text": None}
    with police_alone.apps["police"].state.database.engine.connect() as connection:
        assert connection.execute(select(SealedRow)).all() == []


async def test_the_note_of_a_late_case_is_for_the_desk_and_those_above(police_alone: Network, police: Client) -> None:
    ago = (police_alone.clock() - timedelta(days=3)).isoformat()
    assert (await police.post("/v1/cases", {**A_CASE, "occurred_at": ago, "note": WHY})).status_code == 201
    late, _ = await late_note(police_alone)
    _, note = await late_note(police_alone, "polda-sultra")
    assert note.json() == {"text": WHY}
    stranger = await police_alone.calling("police", Role.SUPERVISOR, MAKASSAR)
    unseen = await stranger.http.get(f"/v1/backdated/{late['id']}/note", params={"purpose": "care"})
    assert problem(unseen) == "unknown-backdating"
