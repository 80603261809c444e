"""A member with valid keys says lawful-looking things of a victim in whom it has no part (cases/TRUST.md 4, 9, 10)."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlmodel import col

from services.coordination.tables import CaseFactsRow
from shared.contracts import events as e
from shared.contracts.codes import Exploitation, JourneyOutcome, Level, Stage
from shared.contracts.types import Custody, UnitRef
from shared.domain.access import Role
from shared.domain.trust import MOST_INTERVIEWS
from shared.reference.office import new_id
from shared.storage.tables import LedgerEntry
from shared.victims.interviews import store as interviews
from shared.victims.interviews.tables import InterviewRow
from tests.support.by_hand import deliver, parked, posted, request_of
from tests.support.claims import HERE, PPA, RS, THERE, an_offer, parked_reasons, say
from tests.support.matches import at_kemenpppa, rows, until_seen
from tests.support.network import Client, Network, a_victim, refer
from tests.support.wire import event, key_of, let_in, publish, subject_of, until_parked


@pytest.fixture
async def watched(network: Network) -> tuple[Client, Client, str]:
    """A child in the custody of the police, and coordination, which knows of her."""
    police, coordination = await network.start("police"), await network.start("coordination")
    victim = await a_victim(police, age_class="child")
    await coordination.until(f"/v1/journeys/{victim}", lambda seen: seen["registered_at"] is not None)
    return police, coordination, victim


@pytest.mark.parametrize("seq", [2, 3, 1_000_000])
async def test_who_never_held_a_child_takes_no_custody_at_coordination(
    network: Network, watched: tuple[Client, Client, str], seq: int
) -> None:
    police, coordination, victim = watched
    offer = an_offer(victim, THERE, seq)
    about: dict[str, Any] = {"referral_id": offer.referral_id, "victim_id": victim, "occurred_at": offer.occurred_at}
    await say(network, offer, "kemensos", 1, 1)
    await say(network, e.Received(**about), "kemensos", 2, 2)
    await say(network, e.Accepted(**about, custody=Custody(**dict(THERE), seq=seq)), "kemensos", 3, 3)
    end = e.JourneyClosed(
        victim_id=victim, outcome=JourneyOutcome.REINTEGRATED, unit=THERE, occurred_at=datetime.now(UTC)
    )
    await say(network, end, "coordination", 1)
    reasons = await parked_reasons(network, "coordination", 4)
    after = ["out-of-bounds"] if seq > 3 else ["unknown-referral"]
    offered = [{2: "not-the-holder", 3: "not-in-custody"}.get(seq, "out-of-bounds")]
    assert reasons == sorted([*offered, "unknown-referral", *after, "not-in-custody"])
    journey = await coordination.get(f"/v1/journeys/{victim}")
    assert (journey["custody"]["agency"], journey["closed_at"]) == ("police", None)
    assert [link["seq"] for link in journey["custody_chain"]] == [1]
    assert [handover["sender"]["agency"] for handover in journey["handovers"]] == []

    kemenpppa = await network.start("kemenpppa")  # and the true transfer takes its link
    true = await refer(police, victim, "kemenpppa", "case-management", kind="transfer")
    await kemenpppa.until_status(true, "received")
    await kemenpppa.must(true, "accept")
    await coordination.until(f"/v1/journeys/{victim}", lambda seen: seen["custody"]["agency"] == "kemenpppa")


async def claims(network: Network, victim: str) -> None:
    """Kemensos says to coordination that it handed her from one of its desks to another, which took her."""
    offer = an_offer(victim, THERE)
    about: dict[str, Any] = {"referral_id": offer.referral_id, "victim_id": victim, "occurred_at": offer.occurred_at}
    await say(network, offer, "kemensos", 1, 1)
    await say(network, e.Received(**about), "kemensos", 2, 2)
    await say(network, e.Accepted(**about, custody=Custody(**dict(THERE), seq=2)), "kemensos", 3, 3)


def links_of(network: Network, kind: type[e.EventData]) -> set[str]:
    """The links on which coordination has sent events of this type."""
    sent = rows(network, "coordination", LedgerEntry, col(LedgerEntry.type) == kind.type(), col(LedgerEntry.sent))
    return {entry.link for entry in sent}


async def test_who_claims_a_child_hears_of_no_match_and_no_look(
    network: Network, watched: tuple[Client, Client, str]
) -> None:
    """Coordination tells the holder who else may be her, and who has looked. A claim makes nobody the holder."""
    police, coordination, victim = watched
    kemenpppa, kemenkes = await network.start("kemenpppa"), await network.start("kemenkes")
    named = await police.post(f"/v1/victims/{victim}/identity", {"nik": "7401010101010031"})
    assert named.status_code == 200, named.text
    asked = await refer(police, victim, "kemenkes", "first-aid")
    await kemenkes.until_status(asked, "received")
    await claims(network, victim)
    assert set(await parked_reasons(network, "coordination", 3)) == {"not-the-holder", "unknown-referral"}

    await at_kemenpppa(network, identity={"nik": "7401010101010031"})
    await until_seen(kemenpppa, lambda items: len(items) == 1)
    assert links_of(network, e.MatchProposed) == {"coordination>police", "coordination>kemenpppa"}
    head = await network.calling("kemenkes", Role.SUPERVISOR)
    look = await head.post(f"/v1/victims/{victim}/break-glass", {"reason": "life-in-danger", "minutes": 5})
    assert look.status_code == 201, look.text
    opened = e.BreakGlassOpened.type()
    await coordination.until(f"/v1/journeys/{victim}", lambda seen: opened in [one["type"] for one in seen["events"]])
    assert links_of(network, e.BreakGlassOpened) == {"coordination>police"}


async def test_a_holder_that_offers_again_a_link_of_another_is_a_contradiction(
    network: Network, watched: tuple[Client, Client, str]
) -> None:
    """Kemensos is at work for her, so it may ask others. It may not hand on a custody that it does not hold."""
    police, _, victim = watched
    kemensos = await network.start("kemensos")
    asked = await refer(police, victim, "kemensos", "shelter-and-rehabilitation")
    await kemensos.until_status(asked, "received")
    await kemensos.must(asked, "accept")
    await police.until_status(asked, "accepted")
    await network.stop("kemensos")
    await say(network, an_offer(victim, PPA), "kemenpppa", 1, 1)
    assert (await until_parked(network, "coordination", "not-the-holder"))["trusted"]


async def test_a_case_keeps_the_facts_of_its_opener(network: Network, watched: tuple[Client, Client, str]) -> None:
    _, coordination, victim = watched
    journey = await coordination.get(f"/v1/journeys/{victim}")
    theirs = e.CaseOpened(
        case_id=journey["case_id"], unit=HERE, channel="patrol", exploitation=Exploitation.OTHER,
        occurred_at=datetime.now(UTC),
    )  # fmt: skip
    await say(network, theirs, "coordination", 1)
    assert (await until_parked(network, "coordination", "case-taken"))["trusted"]
    app = network.apps["coordination"]
    case = app.state.database.read(lambda session: session.get(CaseFactsRow, journey["case_id"]))
    assert (case.agency, case.exploitation, case.destination) == ("police", "online-scam", "KH")


async def test_no_stranger_hangs_a_late_hand_over_or_an_alarm_on_another(
    network: Network, watched: tuple[Client, Client, str]
) -> None:
    _, coordination, victim = watched
    now = datetime.now(UTC)
    late = an_offer(
        victim, RS, None, service="first-aid", occurred_at=now - timedelta(days=60), due_at=now - timedelta(days=53)
    )
    alarm = e.ClockEscalated(
        about=late.referral_id, clock="first-aid", victim_id=victim, unit=HERE, started_at=late.occurred_at,
        due_at=late.due_at, occurred_at=now, to=HERE, level=Level.NATIONAL,
    )  # fmt: skip
    await say(network, late, "coordination", 1, 1)
    await say(network, alarm, "coordination", 2)
    assert await parked_reasons(network, "coordination", 2) == ["not-the-sender", "not-theirs-to-say"]
    journey = await coordination.get(f"/v1/journeys/{victim}")
    assert (journey["handovers"], journey["alarms"]) == ([], [])


async def test_a_request_off_the_published_routes_is_rejected_where_it_arrives(network: Network) -> None:
    """No route makes a hospital responsible, so no person is asked to accept it."""
    kemenkes = await network.start("kemenkes")
    offer = an_offer(new_id(), RS, 2, service="examination-and-treatment")
    await say(network, offer, "kemenkes", 1, 1)
    seen = await kemenkes.until_status(offer.referral_id, "rejected")
    assert seen["reject_reason"] == "wrong-service"


async def test_coordination_asks_no_agency_for_a_service(network: Network) -> None:
    await network.start("kemenkes")
    desk = UnitRef(agency="coordination", unit="pusat", region="00.ID")
    data = an_offer(new_id(), RS, None, service="first-aid", sender=desk)
    body = event("coordination", "kemenkes", data, 1, 1)
    subject = subject_of("coordination", "kemenkes", data)
    let_in(network, "kemenkes", subject, body, key_of(network, "coordination").sign(body))
    assert await parked_reasons(network, "kemenkes", 1) == ["not-theirs-to-say"]


async def test_no_stranger_names_so_many_interviews_that_a_child_can_be_referred_no_more(two: Network) -> None:
    """The ids go along with every later request, and an event has a largest size."""
    police = two["police"]
    victim = await a_victim(police, age_class="child")
    many, most = ([new_id() for _ in range(number)] for number in (1_400, MOST_INTERVIEWS))
    deliver(two, request_of(two, "kemenkes", "police", victim, interviews=many), to="police")
    assert [reason for reason, _, _ in parked(two, "police")] == ["out-of-bounds"]
    for told in (most, [new_id() for _ in most]):
        sent = request_of(two, "kemenkes", "police", victim, interviews=told, forced=True)
        deliver(two, sent, to="police")
        await police.must(json.loads(sent.body)["data"]["referral_id"], "accept")
    state = two.apps["police"].state
    assert state.database.read(lambda s: interviews.ids_of(s, victim)) == tuple(sorted(most))

    own = e.VictimInterviewed(interview_id=new_id(), victim_id=victim, unit=HERE, occurred_at=state.database.now())
    state.database.write(lambda tx: interviews.keep(tx, victim, [own.interview_id], own))
    referral = await refer(police, victim, "kemenkes", "first-aid")
    request = json.loads(posted(two)[-1].body)["data"]
    assert (request["referral_id"], request["interviews"][0]) == (referral, own.interview_id)
    assert len(request["interviews"]) == MOST_INTERVIEWS


async def test_an_interview_stays_with_the_agency_that_told_of_it_first(two: Network) -> None:
    """The count of interviews says to the next officer: she was asked before, and by whom."""
    victim, other = await a_victim(two["police"]), await a_victim(two["police"])
    state = two.apps["police"].state
    first = e.VictimInterviewed(interview_id=new_id(), victim_id=victim, unit=PPA, occurred_at=state.database.now())
    claims = (first.model_copy(update=change) for change in ({}, {"unit": HERE}, {"victim_id": other}))
    for told in claims:
        state.database.write(lambda tx, told=told: interviews.keep(tx, told.victim_id, [told.interview_id], told))
    [row] = state.database.read(lambda s: list(s.scalars(select(InterviewRow))))
    assert (row.victim_id, row.agency) == (victim, "kemenpppa")


async def test_nobody_offers_what_we_hold_ourselves(network: Network) -> None:
    police, kemenpppa = await network.start("police"), await network.start("kemenpppa")
    victim = await a_victim(police)
    true = await refer(police, victim, "kemenpppa", "case-management", kind="transfer")
    await kemenpppa.until_status(true, "received")
    await kemenpppa.must(true, "accept")
    await say(network, an_offer(victim, PPA, 2), "kemenpppa", 1, 1)
    await say(network, an_offer(victim, PPA, 3), "kemenpppa", 2, 1)
    await say(network, an_offer(victim, PPA, 4), "kemenpppa", 3, 1)
    assert await parked_reasons(network, "kemenpppa", 3) == ["custody-link-taken", "not-in-custody", "not-the-holder"]
    seen = await kemenpppa.get(f"/v1/victims/{victim}")
    assert (seen["custody"]["agency"], seen["custody_seq"]) == ("kemenpppa", 2)


async def test_a_former_holder_moves_no_stage_of_a_later_time(
    network: Network, watched: tuple[Client, Client, str]
) -> None:
    police, coordination, victim = watched
    kemenpppa = await network.start("kemenpppa")
    true = await refer(police, victim, "kemenpppa", "case-management", kind="transfer")
    await kemenpppa.until_status(true, "received")
    await kemenpppa.must(true, "accept")
    await coordination.until(f"/v1/journeys/{victim}", lambda seen: seen["custody"]["agency"] == "kemenpppa")
    before = await coordination.get(f"/v1/journeys/{victim}")
    links = {row["link"]: row for row in (await (await network.operator("police")).get("/v1/links"))["items"]}
    await network.stop("police")
    last = links["police>coordination"]["last"]
    unit = UnitRef(agency="police", unit="polres-74.01", region="74.01")
    data = e.StageRecorded(victim_id=victim, stage=Stage.AFTER_CARE, unit=unit, occurred_at=datetime.now(UTC))
    body = event("police", "coordination", data, last + 1)
    await publish(network, "police", subject_of("police", "coordination", data), body,
                  key_of(network, "police").sign(body))  # fmt: skip
    after = await coordination.until(f"/v1/journeys/{victim}", lambda seen: len(seen["stages"]) > len(before["stages"]))
    assert after["stage"] == before["stage"] != "after-care"


@pytest.mark.parametrize("accepted", ["before-the-end", "after-the-end"])
async def test_a_closed_journey_with_a_new_link_is_open_again(
    network: Network, watched: tuple[Client, Client, str], accepted: str
) -> None:
    """The end and the acceptance of a transfer cross: somebody is responsible, so the journey goes on.

    An agency that has handed over has no right to the end. The order of arrival changes nothing.
    """
    police, coordination, victim = watched
    kemenpppa = await network.start("kemenpppa")
    true = await refer(police, victim, "kemenpppa", "case-management", kind="transfer")
    await kemenpppa.until_status(true, "received")
    unit = UnitRef(agency="police", unit="polres-74.01", region="74.01")
    await network.stop("police")
    at = {"occurred_at": network.clock().isoformat()} if accepted == "before-the-end" else {}
    end = e.JourneyClosed(
        victim_id=victim, outcome=JourneyOutcome.LOST_CONTACT, unit=unit, occurred_at=datetime.now(UTC)
    )
    body = event("police", "coordination", end, 1000)
    await publish(
        network, "police", subject_of("police", "coordination", end), body, key_of(network, "police").sign(body)
    )
    await coordination.until(f"/v1/journeys/{victim}", lambda seen: seen["closed_at"] is not None)
    await kemenpppa.must(true, "accept", **at)
    journey = await coordination.until(f"/v1/journeys/{victim}", lambda seen: seen["custody"]["agency"] == "kemenpppa")
    assert (journey["closed_at"], journey["outcome"]) == (None, None)


async def test_what_is_dated_ahead_waits_until_its_time(network: Network) -> None:
    kemenkes = await network.start("kemenkes")
    offer = an_offer(new_id(), RS, None, service="first-aid")
    network.clock.advance(timedelta(minutes=-30))
    await say(network, offer, "kemenkes", 1, 1)
    assert (await until_parked(network, "kemenkes", "told-ahead-of-time"))["trusted"]
    network.clock.advance(timedelta(minutes=30))
    network.apps["kemenkes"].state.notifier.wake("parked")
    await kemenkes.until_status(offer.referral_id, "received", "rejected")
