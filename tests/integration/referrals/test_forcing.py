"""Urgent patients whom one person forces on a desk, one after another: above a limit a supervisor does (TRUST 19)."""

import asyncio
from datetime import timedelta
from typing import Any

from shared.domain.access import Role
from shared.domain.urgency import COUNTED_WITHIN, MOST_FORCED
from tests.support.network import Client, Network, a_victim, asking, problem

KOLAKA = "polres-74.01"
HOSPITAL, OTHER = {"agency": "kemenkes", "unit": "rs-74.01"}, {"agency": "kemenkes", "unit": "rs-73.71"}
AID, CARE = "first-aid", "examination-and-treatment"


async def force(client: Client, victim: str, service: str = AID, **more: Any) -> str:
    """Somebody insists on a request; answers ``made``, or why not."""
    body = asking(victim, "kemenkes", service, **{"force": True, "receiver": HOSPITAL, **more})
    answer = await client.post("/v1/referrals", body)
    return "made" if answer.status_code == 201 else problem(answer)


async def until_the_limit(client: Client, victim: str) -> None:
    """An officer forces as many urgent patients on the hospital as one may."""
    assert [await force(client, victim) for _ in range(MOST_FORCED)] == ["made"] * MOST_FORCED


async def test_above_the_limit_a_supervisor_forces_the_next_one(police_alone: Network) -> None:
    officer = await police_alone.calling("police", Role.OFFICER, KOLAKA)
    head = await police_alone.calling("police", Role.SUPERVISOR, KOLAKA)
    victim = await a_victim(officer)
    await until_the_limit(officer, victim)
    another = await a_victim(officer)
    body = asking(another, "kemenkes", AID, force=True, receiver=HOSPITAL)
    refused = await officer.post("/v1/referrals", body)
    assert problem(refused) == "forcing-needs-supervisor"
    assert refused.json()["errors"][0]["field"] == "/force" and str(MOST_FORCED) in refused.json()["detail"]
    assert [await force(head, another) for _ in range(MOST_FORCED + 1)] == ["made"] * (MOST_FORCED + 1)


async def test_what_is_not_forced_or_not_urgent_or_for_another_desk_goes_on(police_alone: Network) -> None:
    officer = await police_alone.calling("police", Role.OFFICER, KOLAKA)
    victim = await a_victim(officer)
    await until_the_limit(officer, victim)
    another = await a_victim(officer)
    assert await force(officer, another, CARE, priority="urgent") == "forcing-needs-supervisor"
    assert await force(officer, another, CARE) == "made"
    assert await force(officer, another, force=False) == "made"
    assert await force(officer, another, receiver=OTHER) == "made"
    colleague = await police_alone.calling("police", Role.OFFICER, KOLAKA, person="petugas-2")
    assert await force(colleague, another) == "made"


async def test_one_person_is_counted_over_clients_and_restarts_and_an_hour_ends_it(police_alone: Network) -> None:
    tablet = await police_alone.calling("police", Role.OFFICER, KOLAKA, person="petugas-1", client="tablet")
    victim = await a_victim(tablet)
    await until_the_limit(tablet, victim)
    await police_alone.stop("police")
    await police_alone.start("police", online=False)
    desk = await police_alone.calling("police", Role.OFFICER, KOLAKA, person="petugas-1", client="meja")
    assert await force(desk, victim) == "forcing-needs-supervisor"
    police_alone.clock.advance(COUNTED_WITHIN + timedelta(minutes=1))
    later = await police_alone.calling("police", Role.OFFICER, KOLAKA, person="petugas-1", client="meja")
    assert await force(later, victim) == "made"


async def test_forty_at_once_are_counted_too(police_alone: Network) -> None:
    officer = await police_alone.calling("police", Role.OFFICER, KOLAKA)
    victims = [await a_victim(officer) for _ in range(4)]
    answers = await asyncio.gather(*(force(officer, victims[number % 4]) for number in range(40)))
    assert (answers.count("made"), answers.count("forcing-needs-supervisor")) == (MOST_FORCED, 40 - MOST_FORCED)


async def test_a_refused_request_does_not_count(police_alone: Network) -> None:
    officer = await police_alone.calling("police", Role.OFFICER, KOLAKA)
    victim = await a_victim(officer)
    assert [await force(officer, victim, basis="consent") for _ in range(MOST_FORCED)] == ["no-consent"] * MOST_FORCED
    await until_the_limit(officer, victim)
