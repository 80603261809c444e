"""A moment in an event or a request is what its teller says. It makes nobody late, and rewrites no past. TRUST 10."""

from datetime import UTC, datetime
from typing import Any

import pytest

from shared.contracts import events as e
from shared.reference.office import new_id
from tests.support.by_hand import deliver, parked, request_of
from tests.support.clocks import DAY, told_by
from tests.support.forms import file
from tests.support.network import Client, Network, a_victim, problem, refer

NEVER = datetime(9000, 1, 1, tzinfo=UTC)
LONG_AGO = datetime(2001, 1, 1, tzinfo=UTC)


async def asked_by_kemensos(network: Network, asked: datetime, due: datetime) -> str:
    """Kemensos asks Kemenkes for first aid, with moments of its own. Answers the referral's id."""
    await network.start("kemensos", online=False)
    told: dict[str, Any] = {"referral_id": new_id(), "service": "first-aid", "occurred_at": asked, "due_at": due}
    deliver(network, request_of(network, "kemensos", "kemenkes", new_id(), **told))
    return str(told["referral_id"])


async def clock_of(network: Network, referral: str) -> dict[str, Any]:
    """The one clock of a referral at Kemenkes."""
    [kept] = (await network["kemenkes"].get("/v1/clocks"))["items"]
    assert kept["about"] == referral
    return dict(kept)


def days_until(network: Network, moment: str) -> float:
    return (datetime.fromisoformat(moment) - network.clock()) / DAY


async def test_a_request_that_says_it_was_due_weeks_ago_makes_nobody_late(two: Network) -> None:
    """The hospital hears of the patient now, so its time limit counts from now."""
    now = two.clock()
    referral = await asked_by_kemensos(two, now - 21 * DAY, now - 20 * DAY)
    kept = await clock_of(two, referral)
    assert (kept["state"], kept["told"], days_until(two, kept["due_at"]) > 0) == ("running", 0, True)
    assert told_by(two, "kemenkes") == []


async def test_a_request_that_is_due_in_three_years_starts_our_own_clock(two: Network) -> None:
    """The law's limit of first aid counts, whatever the sender computed."""
    now = two.clock()
    referral = await asked_by_kemensos(two, now, now + 1000 * DAY)
    assert 0 < days_until(two, (await clock_of(two, referral))["due_at"]) < 14


@pytest.mark.parametrize("due", [NEVER, LONG_AGO], ids=["never", "before it was asked"])
async def test_a_request_with_a_limit_that_cannot_be_is_parked(two: Network, due: datetime) -> None:
    referral = await asked_by_kemensos(two, two.clock(), due)
    assert (await two["kemenkes"].http.get(f"/v1/referrals/{referral}")).status_code == 404
    assert (await two["kemenkes"].get("/v1/clocks"))["items"] == []
    assert parked(two) == [("out-of-bounds", False, False)]


async def test_nobody_accepts_a_transfer_of_today_in_the_past(network: Network) -> None:
    """Else "who was responsible in 2010" would answer with an agency that never heard of her."""
    police, kemenpppa = await network.start("police"), await network.start("kemenpppa")
    coordination = await network.start("coordination")
    victim = await a_victim(police)
    transfer = await refer(police, victim, "kemenpppa", "case-management", kind="transfer")
    await kemenpppa.until_status(transfer, "received")
    for moment in (LONG_AGO, network.clock() - DAY):
        early = {"occurred_at": moment.isoformat(), "note": "Rekaan."}
        assert problem(await kemenpppa.act(transfer, "accept", early)) == "occurred-too-early"
    await kemenpppa.must(transfer, "accept")
    seen = await coordination.until(f"/v1/journeys/{victim}", lambda seen: seen["custody"]["agency"] == "kemenpppa")
    first, second = seen["custody_chain"]
    assert (first["until"], second["since"]) == (first["since"], first["since"])
    past = await coordination.get(f"/v1/journeys/{victim}/custody", at="2010-01-01T00:00:00Z")
    assert past["custody"] is None


async def trained(police: Client) -> str:
    """The record of an officer of Kolaka who is trained to interview victims."""
    desk = "desks/polres-74.01"
    officer = (await file(police, desk, "officer", name="Penyidik Rekaan", nrp="00000000"))["id"]
    module = {"module": "victim-centred", "valid_until": "2099-12-31"}
    await file(police, desk, "officer-training", officer=officer, **module)
    return str(officer)


async def test_what_is_dated_before_the_registration_is_refused_and_not_parked_at_coordination(
    network: Network,
) -> None:
    """The desk that is told hears why. Else its own word would wait at coordination for ever."""
    police, coordination = await network.start("police"), await network.start("coordination")
    victim = await a_victim(police)
    early = {"occurred_at": (network.clock() - DAY).isoformat()}
    correction = {"home_region": "74.02", "basis": "own-word"}
    assert problem(await police.post(f"/v1/victims/{victim}/facts", {**correction, **early})) == "occurred-too-early"
    held = {"officer": await trained(police), "companion": "social-worker", "recorded": True}
    interview = f"/v1/victims/{victim}/forms/interview"
    assert problem(await police.post(interview, {**held, **early})) == "occurred-too-early"

    assert (await police.post(f"/v1/victims/{victim}/facts", correction)).status_code == 200
    assert (await police.post(interview, held)).status_code == 201
    both = {e.FactsCorrected.type(), e.VictimInterviewed.type()}
    await coordination.until(f"/v1/journeys/{victim}", lambda seen: both <= {one["type"] for one in seen["events"]})
    assert (await (await network.operator("coordination")).get("/v1/parked"))["items"] == []
