"""T1-T8: what the two sides of a referral may rely on, against a real broker and real databases."""

import asyncio
from collections.abc import Sequence

import pytest
from sqlalchemy import select
from sqlmodel import Session, col

from shared.messaging.broker import Broker, Outgoing
from shared.messaging.consumer import Consumer
from shared.messaging.relay import Relay
from tests.support.network import Network, a_victim, asking, problem, refer, taken_on

KINDS = {"referral": ("kemenkes", "examination-and-treatment"), "transfer": ("kemenpppa", "case-management")}


async def broker_of(network: Network, code: str) -> Broker:
    """A connection in the name of a member, for what a crash or an attacker would do with it."""
    broker = network.nats.broker(code)
    await broker.connect()
    return broker


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("order", ["ask-first", "accept-first", "crossing"])
async def test_t1_cancellation_and_acceptance_end_in_one_agreed_state(network: Network, kind: str, order: str) -> None:
    agency, service = KINDS[kind]
    police, receiver = await network.start("police"), await network.start(agency)
    victim = await a_victim(police)
    referral = await refer(police, victim, agency, service, kind=kind)
    await police.until_status(referral, "received")

    if order == "ask-first":
        await police.must(referral, "request-cancellation", reason="sent-in-error")
        await receiver.until_status(referral, "cancelled")
        assert problem(await receiver.act(referral, "accept")) == "referral-ended"
    elif order == "accept-first":
        await receiver.must(referral, "accept")
        await police.until_status(referral, "accepted")
        await police.must(referral, "request-cancellation", reason="sent-in-error")
    else:  # both decide while no message can pass
        network.nats.stop()
        await police.must(referral, "request-cancellation", reason="sent-in-error")
        await receiver.must(referral, "accept")
        network.nats.start()

    # custody that has moved is not given back by a cancellation; a service not begun is
    moved = kind == "transfer" and order != "ask-first"
    end = "accepted" if moved else "cancelled"

    def settled(seen: dict[str, object]) -> bool:
        return seen["status"] == end and not seen["cancellation_asked"] and seen["asks"] == 1

    at_police = await police.until(f"/v1/referrals/{referral}", settled)
    at_receiver = await receiver.until(f"/v1/referrals/{referral}", settled)
    assert at_police["version"] == at_receiver["version"]
    holder = (await police.get(f"/v1/victims/{victim}"))["custody"]["agency"]
    assert holder == (agency if moved else "police")


async def test_t2_a_crash_after_the_commit_and_before_the_publication_loses_nothing(network: Network) -> None:
    kemenpppa = await network.start("kemenpppa")
    police = await network.start("police", online=False)
    referral = await refer(police, await a_victim(police), "kemenpppa", "case-management")
    await network.stop("police")  # committed, never published

    police = await network.start("police")
    await kemenpppa.until_status(referral, "received")
    await police.until_status(referral, "received")


async def test_t2_a_crash_after_the_publication_and_before_its_confirmation_doubles_nothing(
    network: Network,
) -> None:
    kemenpppa = await network.start("kemenpppa")
    police = await network.start("police", online=False)
    referral = await refer(police, await a_victim(police), "kemenpppa", "case-management")

    class DiesAfterPublishing(Broker):
        async def publish(self, messages: Sequence[Outgoing]) -> list[str]:
            assert await super().publish(messages)
            raise InterruptedError

    nats, seed = network.nats, network.secrets / "police" / "nats.seed"
    broker = DiesAfterPublishing(nats.url, "police", seed, nats.tls("police"))
    await broker.connect()
    with pytest.raises(InterruptedError):
        await Relay(network.apps["police"].state.database, broker, witnessed=True).empty()
    await broker.close()
    await network.stop("police")
    await kemenpppa.until_status(referral, "received")

    police = await network.start("police")
    await kemenpppa.must(referral, "accept")
    assert (await police.until_status(referral, "accepted"))["version"] == 3
    types = [item["type"] for item in (await kemenpppa.get(f"/v1/referrals/{referral}/history"))["items"]]
    assert types == [f"id.tppo.referral.{event}.v1" for event in ("requested", "received", "accepted")]


async def test_t3_a_crash_after_the_receivers_commit_and_before_its_acknowledgement(network: Network) -> None:
    police = await network.start("police")
    kemenpppa = await network.start("kemenpppa", online=False)
    referral = await refer(police, await a_victim(police), "kemenpppa", "case-management")

    state, broker = network.apps["kemenpppa"].state, await broker_of(network, "kemenpppa")
    batch = await broker.pull(10)
    aside = state.reception.quarantine.park_all
    await Consumer(state.database, broker, state.reception, aside, asyncio.Event()).record(batch)
    await broker.close()  # recorded, never acknowledged
    await network.stop("kemenpppa")

    kemenpppa = await network.start("kemenpppa")
    await police.until_status(referral, "received")
    await kemenpppa.must(referral, "accept")
    assert (await police.until_status(referral, "accepted"))["version"] == 3


@pytest.mark.parametrize("times", [2, 3, 10])
async def test_t4_the_same_event_delivered_again_and_again_is_applied_once(network: Network, times: int) -> None:
    police, kemenpppa = await network.start("police"), await network.start("kemenpppa")
    victim = await a_victim(police)
    referral = await refer(police, victim, "kemenpppa", "case-management", kind="transfer")
    await police.until_status(referral, "received")

    entry = (await police.get(f"/v1/referrals/{referral}/history"))["items"][0]
    database = network.apps["police"].state.database
    sent = await asyncio.to_thread(database.read, lambda s: _sent(s, entry["event_id"]))
    broker = await broker_of(network, "police")
    # another message id each time, so that the broker does not drop what we want delivered
    again = [Outgoing(sent.subject, f"{sent.event_id}-{n}", sent.body, sent.signature) for n in range(1, times)]
    assert len(await broker.publish(again)) == times - 1
    await broker.close()

    await kemenpppa.must(referral, "accept")
    await police.until_status(referral, "accepted")
    second = await refer(police, await a_victim(police), "kemenpppa", "case-management")
    await kemenpppa.until_status(second, "received")  # everything before it has been read
    history = (await kemenpppa.get(f"/v1/referrals/{referral}/history"))["items"]
    assert [item["version"] for item in history] == [1, 2, 3]
    assert (await (await network.operator("kemenpppa")).get("/v1/parked"))["items"] == []


def _sent(session: Session, event_id: str) -> Outgoing:
    from shared.contracts.envelope import Envelope
    from shared.storage.tables import LedgerEntry

    entry = session.scalars(select(LedgerEntry).where(col(LedgerEntry.event_id) == event_id)).one()
    return Outgoing(Envelope.read(entry.body).nats_subject, event_id, entry.body, entry.signature)


async def test_t5_a_second_live_referral_to_one_desk_is_refused_unless_forced(network: Network) -> None:
    police, kemenkes = await network.start("police"), await network.start("kemenkes")
    victim = await a_victim(police)
    first = await refer(police, victim, "kemenkes", "first-aid")
    second = await police.post("/v1/referrals", asking(victim, "kemenkes", "first-aid"))
    assert second.status_code == 409 and problem(second) == "duplicate"
    assert first in second.json()["detail"]

    forced = await refer(police, victim, "kemenkes", "first-aid", force=True)
    assert (await kemenkes.until_status(forced, "received", "rejected"))["status"] == "received"


async def test_t5_two_agencies_ask_one_desk_for_one_service_and_a_person_there_sees_both(network: Network) -> None:
    """The desk cannot know which of the two is deceived, so its service rejects neither."""
    police, kemenpppa = await network.start("police"), await network.start("kemenpppa")
    kemenkes = await network.start("kemenkes")
    victim = await a_victim(police)
    first = await taken_on(police, kemenkes, victim, "first-aid")
    await taken_on(police, kemenpppa, victim, "case-management", kind="transfer")

    second = await refer(kemenpppa, victim, "kemenkes", "first-aid")
    await kemenkes.until_status(second, "received")
    await kemenkes.must(second, "reject", reason="duplicate")
    assert (await kemenpppa.until_status(second, "rejected"))["reject_reason"] == "duplicate"
    assert (await kemenkes.get(f"/v1/referrals/{first}"))["status"] == "accepted"


async def test_t6_a_cancellation_while_requested_is_granted_when_the_receiver_wakes(network: Network) -> None:
    police = await network.start("police")
    referral = await refer(police, await a_victim(police), "kemenkes", "first-aid")
    asked = await police.must(referral, "request-cancellation", reason="not-needed")
    assert (asked["status"], asked["business_status"]) == ("requested", "cancel-requested")

    kemenkes = await network.start("kemenkes")
    at_kemenkes = await kemenkes.until_status(referral, "cancelled")
    at_police = await police.until_status(referral, "cancelled")
    assert at_police["version"] == at_kemenkes["version"] == 3
    assert at_police["business_status"] == "closed"


async def test_t7_a_rejection_leaves_its_evidence_at_the_receiver(network: Network) -> None:
    police, kemenkes = await network.start("police"), await network.start("kemenkes")
    referral = await refer(police, await a_victim(police), "kemenkes", "first-aid")
    await kemenkes.until_status(referral, "received")
    note = "Seluruh ruang rawat terisi sampai besok."
    await kemenkes.must(
        referral,
        "reject",
        reason="no-capacity",
        note=note,
        norm_gap="no-procedure",
        better_desk={"agency": "kemenkes", "unit": "rs-74.71"},
    )
    closed = await kemenkes.until(f"/v1/referrals/{referral}", lambda seen: bool(seen["closed"]))
    assert closed["reject_reason"] == "no-capacity" and closed["norm_gap"] == "no-procedure"
    rejected = (await kemenkes.get(f"/v1/referrals/{referral}/history"))["items"][-1]
    assert rejected["receipt"]["receipt_id"]
    noted = await kemenkes.get(f"/v1/referrals/{referral}/notes", purpose="care")
    assert noted["items"] == [{"event_id": rejected["event_id"], "text": note}]
    assert rejected["data"]["better_desk"] == {"agency": "kemenkes", "unit": "rs-74.71"}

    at_police = await police.until_status(referral, "rejected")
    assert at_police["better_desk"] == {"agency": "kemenkes", "unit": "rs-74.71"}
    at_police_history = (await police.get(f"/v1/referrals/{referral}/history"))["items"]
    assert note not in str(at_police_history)  # free text stays with who wrote it


@pytest.mark.parametrize("end", ["accepted", "rejected", "completed"])
async def test_t8_the_sender_learns_the_answer_without_polling(network: Network, end: str) -> None:
    police, kemenkes = await network.start("police"), await network.start("kemenkes")
    referral = await refer(police, await a_victim(police), "kemenkes", "first-aid")
    await kemenkes.until_status(referral, "received")

    # one long poll, open from before the answer until it arrives
    long_poll = asyncio.create_task(police.until_status(referral, end))
    if end == "rejected":
        await kemenkes.must(referral, "reject", reason="not-eligible")
    else:
        await kemenkes.must(referral, "accept")
    if end == "completed":
        await kemenkes.must(referral, "start")
        await kemenkes.must(referral, "complete", outcome="service-provided")
    assert (await long_poll)["status"] == end
