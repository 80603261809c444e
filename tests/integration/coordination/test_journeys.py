"""Coordination follows what the agencies tell each other, and nobody's identity."""

import random
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from services.coordination.witness import WITNESSED_EVERY
from shared.messaging.broker import Incoming
from shared.storage.notifier import Topic
from tests.support.network import Network, a_victim, refer, sent_by, until_told


async def test_a_transfer_moves_custody_in_the_journey(network: Network) -> None:
    police, kemenpppa = await network.start("police"), await network.start("kemenpppa")
    coordination = await network.start("coordination")
    victim = await a_victim(police)
    seen = await coordination.until(f"/v1/journeys/{victim}", lambda j: j["registered_at"] is not None)
    assert (seen["stage"], seen["custody"]["unit"]) == ("detection", "polres-74.01")
    registered = network.clock()
    network.clock.advance(timedelta(days=1))

    transfer = await refer(police, victim, "kemenpppa", "case-management", kind="transfer")
    await kemenpppa.until_status(transfer, "received")
    await kemenpppa.must(transfer, "accept")
    await kemenpppa.must(transfer, "start")
    seen = await coordination.until(f"/v1/journeys/{victim}", lambda j: j["stage"] == "protection")
    assert [(link["agency"], link["seq"]) for link in seen["custody_chain"]] == [("police", 1), ("kemenpppa", 2)]
    yesterday, today = registered.isoformat(), network.clock().isoformat()
    before = await coordination.get(f"/v1/journeys/{victim}/custody", at=yesterday)
    assert before["custody"]["agency"] == "police"
    for asked in ({}, {"at": today}):
        now = await coordination.get(f"/v1/journeys/{victim}/custody", **asked)
        assert now["custody"]["unit_name"] == "UPTD PPA Kabupaten Kolaka"


async def test_a_hand_over_that_fails_for_want_of_a_rule_is_collected(network: Network) -> None:
    police, kemenkes = await network.start("police"), await network.start("kemenkes")
    coordination = await network.start("coordination")
    victim = await a_victim(police)
    referral = await refer(police, victim, "kemenkes", "first-aid")
    await kemenkes.until_status(referral, "received")
    await kemenkes.must(referral, "reject", reason="not-eligible", norm_gap="no-budget-rule")

    def rejected(journey: dict[str, list[dict[str, str]]]) -> bool:
        return [handover["status"] for handover in journey["handovers"]] == ["rejected"]

    await coordination.until(f"/v1/journeys/{victim}", rejected)
    [gap] = (await coordination.get("/v1/norm-gaps"))["items"]
    assert gap["norm_gap"] == "no-budget-rule" and gap["handover"]["id"] == referral
    counts = await coordination.get("/v1/counts")
    assert counts["norm_gaps"] == {"at_least": 0, "suppressed": True}  # one person is no number


async def test_a_sender_hears_that_its_links_are_witnessed(network: Network) -> None:
    police = await network.start("police")
    await network.start("kemenkes")
    await network.start("coordination")
    referral = await refer(police, await a_victim(police), "kemenkes", "first-aid")
    await police.until_status(referral, "received")
    for _ in range(WITNESSED_EVERY - 1):
        await police.must(referral, "remind")
    operator = await network.operator("police")
    with network.apps["police"].state.notifier.watching(Topic.LINKS) as watch:
        while True:
            links = {link["link"]: link for link in (await operator.get("/v1/links"))["items"]}
            if links["police>kemenkes"]["witnessed"] == links["police>kemenkes"]["last"]:
                break
            assert await watch.next(20)


async def test_the_journey_reads_the_same_in_whatever_order_it_is_told(network: Network) -> None:
    police, kemenpppa, kemenkes = [await network.start(code) for code in ("police", "kemenpppa", "kemenkes")]
    victim = await a_victim(police)
    transfer = await refer(police, victim, "kemenpppa", "case-management", kind="transfer")
    await kemenpppa.until_status(transfer, "received")
    network.clock.advance(timedelta(days=30))
    await until_told(network, "police", 4)  # warned, breached, told to the province and the nation
    for action in ("accept", "start"):
        await kemenpppa.must(transfer, action)
    await police.until_status(transfer, "in-progress")
    asked = await refer(kemenpppa, victim, "kemenkes", "first-aid")
    await kemenkes.until_status(asked, "received")
    await kemenkes.must(asked, "reject", reason="no-capacity")
    await kemenpppa.until_status(asked, "rejected")
    await kemenpppa.must(transfer, "complete", outcome="service-provided")
    for client, referral in ((police, transfer), (kemenkes, asked)):
        await client.until(f"/v1/referrals/{referral}", lambda seen: seen["closed"])
        await kemenpppa.until(f"/v1/referrals/{referral}", lambda seen: seen["closed"])
    told = [message for code in ("police", "kemenpppa", "kemenkes") for message in sent_by(network, code)]
    await network.stop_all()

    readings = [await reading(network, told, victim, seed) for seed in range(6)]
    assert [handover["business_status"] for handover in readings[0]["handovers"]] == ["closed", "closed"]
    assert [alarm["escalated_level"] for alarm in readings[0]["alarms"] if alarm["agency"] == "police"] == ["national"]
    for journey in readings[1:]:
        assert journey == readings[0]


async def test_an_end_told_before_a_late_transfer_within_the_agency_stands(network: Network) -> None:
    """A link between two desks of one agency and the end arrive in either order after a restart."""
    police = await network.start("police")
    victim = await a_victim(police)
    desk = {"agency": "police", "unit": "polres-73.71"}
    transfer = await refer(police, victim, "police", "investigation", kind="transfer", receiver=desk)
    for action, body in (("accept", {}), ("start", {}), ("complete", {"outcome": "service-provided"})):
        await police.must(transfer, action, **body)
    network.clock.advance(timedelta(minutes=1))
    ended = await police.post(f"/v1/victims/{victim}/closure", {"outcome": "lost-contact", "note": "Rekaan."})
    assert ended.status_code == 201, ended.text
    told = sent_by(network, "police")
    await network.stop_all()

    readings = [await reading(network, told, victim, seed) for seed in range(8)]
    assert readings[0]["outcome"] == "lost-contact" and len(readings[0]["custody_chain"]) == 2
    for journey in readings[1:]:
        assert journey == readings[0]


async def reading(network: Network, told: Sequence[Incoming], victim: str, seed: int) -> dict[str, Any]:
    """The journey as told by a coordination that hears these messages in the order and batches of ``seed``."""
    order = random.Random(seed)
    messages = sorted(told, key=lambda _: order.random()) if seed else list(told)
    network.aside = f"-{seed}"
    coordination = await network.start("coordination", online=False)
    state = network.apps["coordination"].state
    receive = network.members["coordination"].receive(state.reception)
    while messages:
        batch = [messages.pop() for _ in range(min(order.randint(1, 5), len(messages)))]
        state.database.write(lambda tx, batch=batch: receive(tx, batch))
    journey = await coordination.get(f"/v1/journeys/{victim}")
    for handover in journey["handovers"]:
        del handover["updated_at"]  # when coordination heard of it
    await network.stop("coordination")
    network.aside = ""
    return dict(journey)
