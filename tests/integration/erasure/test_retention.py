"""Data that nobody needs any more ends by itself, at its moment, with nobody logged in; a hold stops this."""

import json
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from shared.domain.access import Role
from shared.storage.agency_tables import IdempotencyRow
from shared.storage.notifier import Topic
from shared.storage.tables import ParkedEvent
from tests.support.by_hand import deliver, parked, posted
from tests.support.identities import WHO, keys_left, look
from tests.support.network import Network, a_victim, refer

DAY = timedelta(days=1)


async def over(network: Network, victim: str) -> datetime:
    """The end of her journey; answers until when what is known of her may be kept."""
    police = network["police"]
    for stage in ("reintegration", "after-care"):
        assert (await police.post(f"/v1/victims/{victim}/stages", {"stage": stage})).status_code == 201
    closed = await police.post(f"/v1/victims/{victim}/closure", {"outcome": "reintegrated"})
    assert closed.status_code == 201, closed.text
    days: int = network.apps["police"].state.office.notices["2026-1"].retention_days
    return datetime.fromisoformat(closed.json()["asked_at"]) + days * DAY


async def at(network: Network, moment: datetime, code: str = "police") -> None:
    """A member starts anew at this moment, and has done what is due."""
    await network.stop(code)
    network.clock.advance(moment - network.clock())
    await network.start(code, online=False)
    for timer in [timer for one in network.members[code].slices for timer in one.timers]:
        network.apps[code].state.database.write(timer(network.apps[code].state.office).do_due)


def erasures(network: Network, by: str = "police", to: str = "kemenkes") -> list[dict[str, Any]]:
    bodies = [json.loads(message.body) for message in posted(network, by, to)]
    return [dict(body["data"]) for body in bodies if body["type"] == "id.tppo.erasure.requested.v1"]


async def worked_for(network: Network) -> str:
    """She was helped by Kemenkes, which knows her name."""
    police, kemenkes = network["police"], network["kemenkes"]
    victim = await a_victim(police, identity=WHO)
    asked = await refer(police, victim, "kemenkes", "first-aid")
    deliver(network, *posted(network))
    await kemenkes.must(asked, "accept")
    await kemenkes.must(asked, "start")
    await kemenkes.must(asked, "complete", outcome="service-provided")
    deliver(network, *posted(network, "kemenkes", "police"), to="police")
    return victim


async def test_an_identity_is_erased_at_every_controller_when_its_time_is_over_and_not_before(two: Network) -> None:
    victim = await worked_for(two)
    until = await over(two, victim)
    await at(two, until - timedelta(minutes=1))
    assert erasures(two) == [] and keys_left(two, "police") > 0
    await at(two, until)
    assert keys_left(two, "police") == 0
    assert [word["victim_id"] for word in erasures(two)] == [victim]
    deliver(two, *posted(two))
    assert keys_left(two, "kemenkes") == 0
    assert await look(two["police"], victim) == "no-identity"
    await at(two, until + DAY)
    assert len(erasures(two)) == 1  # once


async def test_retention_ends_by_itself_in_a_running_service(two: Network) -> None:
    victim = await worked_for(two)
    until = await over(two, victim)
    with two.apps["police"].state.notifier.watching(victim) as watch:
        two.clock.advance(until - two.clock())
        two.apps["police"].state.database.write(lambda tx: tx.changed.add(Topic.RETENTION))  # as any journey's end does
        while not erasures(two):
            assert await watch.next(20)
    assert keys_left(two, "police") == 0


async def test_a_journey_that_has_not_ended_has_no_end_of_its_identity(two: Network) -> None:
    victim = await worked_for(two)
    await at(two, two.clock() + 40_000 * DAY)
    assert await look(two["police"], victim) == WHO


async def test_a_hold_stops_it_and_it_happens_when_the_hold_is_lifted(two: Network) -> None:
    victim = await worked_for(two)
    until = await over(two, victim)
    await at(two, until - DAY)
    head = await two.calling("police", Role.SUPERVISOR)
    assert (await head.post(f"/v1/victims/{victim}/legal-holds", {"basis": "trial"})).status_code == 201
    await at(two, until + DAY)
    assert erasures(two) == [] and keys_left(two, "police") > 0
    head = await two.calling("police", Role.SUPERVISOR)
    with two.apps["police"].state.notifier.watching(victim) as watch:
        assert (await head.post(f"/v1/victims/{victim}/legal-holds/lifting")).status_code == 200
        while not erasures(two):
            assert await watch.next(20)
    assert keys_left(two, "police") == 0


async def test_an_answer_is_kept_for_thirty_days_and_the_key_serves_anew_after_them(two: Network) -> None:
    police = two["police"]
    body = {"unit": "polres-74.01", "channel": "spkt", "exploitation": "unknown"}
    first = await police.post("/v1/cases", body, key="kunci-rekaan-1")
    began = two.clock()
    await at(two, began + 30 * DAY - timedelta(minutes=1))
    again = await two["police"].post("/v1/cases", body, key="kunci-rekaan-1")
    assert again.json() == first.json()
    await at(two, began + 30 * DAY)
    left = two.apps["police"].state.database.read(lambda s: s.scalars(select(IdempotencyRow)).all())
    assert left == []
    anew = await two["police"].post("/v1/cases", body, key="kunci-rekaan-1")
    assert anew.status_code == 201 and anew.json()["id"] != first.json()["id"]


async def test_what_was_parked_and_is_applied_leaves_the_list_after_ninety_days_and_what_waits_stays(
    two: Network,
) -> None:
    police = two["police"]
    asked = await refer(police, await a_victim(police), "kemenkes", "first-aid")
    await police.must(asked, "remind")
    other = await refer(police, await a_victim(police), "kemenkes", "first-aid")
    await police.must(other, "remind")
    request, reminder, _, waiting = posted(two)
    deliver(two, reminder, waiting, request)
    assert sorted(applied for _, applied, _ in parked(two)) == [False, True]
    began = two.clock()
    await at(two, began + 90 * DAY - timedelta(minutes=1), "kemenkes")
    assert len(parked(two)) == 2
    await at(two, began + 90 * DAY, "kemenkes")
    [left] = two.apps["kemenkes"].state.database.read(lambda s: s.scalars(select(ParkedEvent)).all())
    assert left.resolved_at is None and left.body == waiting.body
