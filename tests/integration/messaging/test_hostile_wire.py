"""Bad arrivals: out of order, forged, tampered, unknown, too large; and a broker that forgets everything."""

import asyncio
import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from shared.contracts.codes import AgeClass, Capacity, JourneyOutcome, Sex, Stage
from shared.contracts.events import (
    Accepted,
    CapacityAnnounced,
    EventData,
    JourneyClosed,
    Requested,
    StageRecorded,
    Started,
    VictimInterviewed,
    VictimRegistered,
)
from shared.contracts.types import Custody, UnitRef, VictimFacts
from shared.messaging.broker import Incoming
from shared.messaging.consumer import Receive
from shared.messaging.reception import Reception
from shared.reference.office import new_id
from shared.security.keys import SigningKey
from shared.storage.notifier import Topic
from shared.storage.unit_of_work import Transaction
from tests.support.network import Network, a_victim, refer, sent_by
from tests.support.wire import (
    a_referral,
    about,
    event,
    key_of,
    let_in,
    publish,
    subject_of,
    tell_coordination,
    until_parked,
)

HEALED_WITHIN = 60


async def test_events_out_of_order_wait_for_what_is_missing(network: Network) -> None:
    referral = await a_referral(network)
    key = key_of(network, "kemenkes")
    for data, linkseq, version in ((about(referral, Started), 3, 4), (about(referral, Accepted), 2, 3)):
        body = event("kemenkes", "police", data, linkseq, version)
        await publish(network, "kemenkes", subject_of("kemenkes", "police", data), body, key.sign(body))
        if isinstance(data, Started):
            parked = await until_parked(network, "police", "version-gap")
            assert parked["trusted"]
            links = (await (await network.operator("police")).get("/v1/links"))["items"]
            assert [link["missing"] for link in links if link["link"] == "kemenkes>police"] == [[2]]
    seen = await network["police"].until_status(referral["id"], "in-progress")
    assert seen["version"] == 4
    [item] = (await (await network.operator("police")).get("/v1/parked"))["items"]
    assert item["resolved_at"] is not None


@pytest.mark.parametrize("kind", [CapacityAnnounced, VictimInterviewed])
async def test_no_agency_speaks_of_the_desk_of_another(network: Network, kind: type[EventData]) -> None:
    """No agency closes another's hospital, or raises a victim's interview count in another's name."""
    police = await network.start("police")
    theirs, now = UnitRef(agency="kemenkes", unit="rs-rujukan-74", region="74"), datetime.now(UTC)
    said: dict[type[EventData], dict[str, Any]] = {
        CapacityAnnounced: {"announcement_id": new_id(), "service": "first-aid", "capacity": Capacity.NO_CAPACITY,
                            "valid_until": now + timedelta(hours=1)},
        VictimInterviewed: {"victim_id": new_id(), "interview_id": new_id()},
    }  # fmt: skip
    data = kind.model_validate({"unit": theirs, "occurred_at": now, **said[kind]})
    body = event("kemensos", "police", data, 1)
    await publish(
        network, "kemensos", subject_of("kemensos", "police", data), body, key_of(network, "kemensos").sign(body)
    )
    assert (await until_parked(network, "police", "not-the-sender"))["trusted"]
    words = await police.get("/v1/capacity", agency="kemenkes", service="first-aid", region="74.01")
    assert {desk["capacity"] for desk in words["items"]} == {None}


async def test_a_message_that_breaks_the_reception_is_set_aside_and_holds_nobody_up(network: Network) -> None:
    """The fault is ours, so it may be in any message: here it is in every reminder."""
    sound = network.members["kemenkes"]

    def fragile(reception: Reception) -> Receive:
        def receive(tx: Transaction, batch: Sequence[Incoming]) -> None:
            if any(".referral.reminder." in message.subject for message in batch):
                raise ValueError("a fault of ours")
            reception(tx, batch)

        return receive

    network.members = {**network.members, "kemenkes": replace(sound, receive=fragile)}
    referral = await a_referral(network)
    police, kemenkes = network["police"], network["kemenkes"]
    await network.stop("kemenkes")
    for action, body in (("remind", {}), ("provide-information", {"about": "case"}), ("remind", {})):
        await police.must(referral["id"], action, **body)
    kemenkes = await network.start("kemenkes")
    parked = await until_parked(network, "kemenkes", "cannot-be-recorded")
    assert not parked["trusted"]
    await kemenkes.until(f"/v1/referrals/{referral['id']}", lambda seen: seen["asks"] == 1)
    await kemenkes.must(referral["id"], "accept")
    await police.until_status(referral["id"], "accepted")


FORGERIES = {
    # who publishes, who signs, who it says it is from → why it is not believed
    "forged-sender": ("kemenkes", "kemensos", "kemenkes"),
    "forged-subject": ("kemenkes", "kemensos", "kemensos"),
}


@pytest.mark.parametrize("reason", FORGERIES)
async def test_a_forged_event_changes_nothing_and_gets_no_receipt(network: Network, reason: str) -> None:
    referral = await a_referral(network)
    publisher, signer, claimed = FORGERIES[reason]
    data = about(referral, Accepted)
    body = event(claimed, "police", data, 2, 3)
    await publish(network, publisher, subject_of(publisher, "police", data), body, key_of(network, signer).sign(body))
    parked = await until_parked(network, "police", reason)
    assert not parked["trusted"]
    assert (await network["police"].get(f"/v1/referrals/{referral['id']}"))["version"] == 2
    refused = await (await network.operator("police")).post(f"/v1/parked/{parked['number']}/replay")
    assert refused.status_code == 409
    # and the real answer still finds its place
    await network["kemenkes"].must(referral["id"], "accept")
    await network["police"].until_status(referral["id"], "accepted")


@pytest.mark.parametrize("signature", ["tampered", "unsigned", "unknown-key"])
async def test_a_body_that_its_signature_does_not_prove_is_not_believed(network: Network, signature: str) -> None:
    referral = await a_referral(network)
    data = about(referral, Accepted)
    body = event("kemenkes", "police", data, 2, 3)
    given = {
        "tampered": key_of(network, "kemenkes").sign(body + b" "),
        "unsigned": "",
        "unknown-key": SigningKey.generate("kemenkes-9").sign(body),
    }[signature]
    await publish(network, "kemenkes", subject_of("kemenkes", "police", data), body, given)
    reason = "wrong-signature" if signature == "tampered" else signature
    assert not (await until_parked(network, "police", reason))["trusted"]
    await network["kemenkes"].must(referral["id"], "accept")
    await network["police"].until_status(referral["id"], "accepted")


async def test_what_is_addressed_to_another_is_not_believed_however_it_came(network: Network) -> None:
    """The operator of the broker may hand one agency's mail, with its key, to another."""
    referral = await a_referral(network)
    kemensos = await network.start("kemensos")
    mail = [message for message in sent_by(network, "police") if ".police.kemenkes." in message.subject]
    state = network.apps["kemensos"].state
    state.database.write(partial(state.reception, batch=mail))
    assert not (await until_parked(network, "kemensos", "not-addressed-to-us"))["trusted"]
    for path in (f"/v1/referrals/{referral['id']}", f"/v1/victims/{referral['victim_id']}"):
        assert (await kemensos.http.get(path)).status_code == 404
    assert sent_by(network, "kemensos") == []  # no receipt


async def test_an_unknown_type_is_parked_and_receipted_not_dropped(network: Network) -> None:
    referral = await a_referral(network)
    known = json.loads(event("kemenkes", "police", about(referral, Accepted), 2))
    body = json.dumps({**known, "type": "id.tppo.referral.dreamt.v1"}).encode()
    signature = key_of(network, "kemenkes").sign(body)
    let_in(network, "police", "tppo.kemenkes.police.referral.dreamt.74.01", body, signature)
    parked = await until_parked(network, "police", "unknown-type")
    assert parked["subject"] == "tppo.kemenkes.police.?.?.74.01"
    assert parked["trusted"] and parked["event_id"] == known["id"]
    history = (await network["police"].get(f"/v1/referrals/{referral['id']}/history"))["items"]
    assert "id.tppo.referral.dreamt.v1" in [item["type"] for item in history]


async def test_a_body_over_64_kib_is_parked_unread(network: Network) -> None:
    referral = await a_referral(network)
    body = event("kemenkes", "police", about(referral, Accepted), 2, 3).ljust(64 * 1024 + 1)
    signature = key_of(network, "kemenkes").sign(body)
    await publish(network, "kemenkes", subject_of("kemenkes", "police", about(referral, Accepted)), body, signature)
    assert not (await until_parked(network, "police", "body-too-large"))["trusted"]


AMBIGUOUS = {
    "json-too-deep": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    "duplicate-member": b'{"a": 1, "a": 2}',
    "not-strict-json": b"NaN",
}


@pytest.mark.parametrize("reason", AMBIGUOUS)
async def test_json_that_breaks_or_divides_its_readers_is_parked_unread(network: Network, reason: str) -> None:
    """Signed and sent by who it says it is from: only its bytes are wrong."""
    referral = await a_referral(network)
    data = about(referral, Accepted)
    body = event("kemenkes", "police", data, 2, 3)[:-2] + b', "remark": ' + AMBIGUOUS[reason] + b"}}"
    assert len(body) < 64 * 1024 and body.startswith(b'{"specversion"')
    await publish(
        network, "kemenkes", subject_of("kemenkes", "police", data), body, key_of(network, "kemenkes").sign(body)
    )
    assert not (await until_parked(network, "police", reason))["trusted"]
    await network["kemenkes"].must(referral["id"], "accept")
    await network["police"].until_status(referral["id"], "accepted")


async def test_an_unlawful_move_of_the_other_side_is_parked(network: Network) -> None:
    referral = await a_referral(network)
    body = event("kemenkes", "police", about(referral, Started), 2, 3)
    signature = key_of(network, "kemenkes").sign(body)
    await publish(network, "kemenkes", subject_of("kemenkes", "police", about(referral, Started)), body, signature)
    parked = await until_parked(network, "police", "move-not-allowed")
    assert parked["trusted"]
    assert (await network["police"].get(f"/v1/referrals/{referral['id']}"))["status"] == "received"


async def test_what_a_peer_adds_to_an_event_is_in_no_answer(network: Network) -> None:
    """A later version may add a field, so the ledger keeps the bytes. Only known fields are shown."""
    referral = await a_referral(network)
    known = json.loads(event("kemenkes", "police", about(referral, Accepted), 2, 3))
    body = json.dumps({**known, "data": {**known["data"], "patient": "Contoh Rekaan"}}).encode()
    subject = subject_of("kemenkes", "police", about(referral, Accepted))
    await publish(network, "kemenkes", subject, body, key_of(network, "kemenkes").sign(body))
    await network["police"].until_status(referral["id"], "accepted")
    history = await network["police"].get(f"/v1/referrals/{referral['id']}/history")
    assert Accepted.type() in [item["type"] for item in history["items"]]
    assert "Rekaan" not in json.dumps(history)


async def test_a_referral_for_a_desk_that_is_not_ours_is_rejected_where_it_arrives(network: Network) -> None:
    referral = await a_referral(network)
    [told] = [
        message.body for message in sent_by(network, "police") if ".kemenkes.referral.requested." in message.subject
    ]
    asked = Requested.model_validate_json(json.dumps(json.loads(told)["data"]))
    elsewhere = asked.receiver.model_copy(update={"unit": "rs-tidak-ada"})
    data = asked.model_copy(update={"referral_id": new_id(), "receiver": elsewhere, "sealed": None})
    await network.stop("police")  # so that its next number is free
    body = event("police", "kemenkes", data, 2, 1)
    await publish(network, "police", subject_of("police", "kemenkes", data), body, key_of(network, "police").sign(body))
    seen = await network["kemenkes"].until_status(data.referral_id, "rejected")
    assert seen["reject_reason"] == "out-of-jurisdiction" and referral["id"] != data.referral_id


async def test_an_identity_that_is_given_without_a_legal_basis_is_parked(network: Network) -> None:
    await a_referral(network)
    [told] = [
        message.body for message in sent_by(network, "police") if ".kemenkes.referral.requested." in message.subject
    ]
    asked = Requested.model_validate_json(json.dumps(json.loads(told)["data"]))
    data = asked.model_copy(update={"referral_id": new_id(), "sealed": "segel.rekaan"})
    await network.stop("police")  # so that its next number is free
    body = event("police", "kemenkes", data, 2, 1)
    await publish(network, "police", subject_of("police", "kemenkes", data), body, key_of(network, "police").sign(body))
    assert (await until_parked(network, "kemenkes", "no-legal-basis"))["trusted"]


async def test_what_occurred_after_it_was_told_is_parked(network: Network) -> None:
    referral = await a_referral(network)
    ahead = about(referral, Accepted).model_copy(update={"occurred_at": datetime.now(UTC) + timedelta(hours=1)})
    body = event("kemenkes", "police", ahead, 2, 3)
    await publish(
        network, "kemenkes", subject_of("kemenkes", "police", ahead), body, key_of(network, "kemenkes").sign(body)
    )
    assert (await until_parked(network, "police", "occurred-after-it-was-told"))["trusted"]
    assert (await network["police"].get(f"/v1/referrals/{referral['id']}"))["status"] == "received"


async def test_a_journey_is_told_by_those_who_have_the_victim_in_custody(network: Network) -> None:
    police, coordination = await network.start("police"), await network.start("coordination")
    victim = await a_victim(police)
    before = await coordination.until(f"/v1/journeys/{victim}", lambda seen: seen["registered_at"] is not None)
    desk = UnitRef(agency="kemensos", unit="dinsos-74.01", region="74.01")
    at = datetime.now(UTC)
    stage = StageRecorded(victim_id=victim, stage=Stage.REINTEGRATION, unit=desk, occurred_at=at)
    end = JourneyClosed(victim_id=victim, outcome=JourneyOutcome.REINTEGRATED, unit=desk, occurred_at=at)
    await tell_coordination(network, "kemensos", 1, stage, end)
    auditor = await network.operator("coordination")
    with network.apps["coordination"].state.notifier.watching(Topic.PARKED) as watch:
        while len(parked := (await auditor.get("/v1/parked"))["items"]) < 2:
            assert await watch.next(20)
    assert [item["reason"] for item in parked] == ["not-in-custody"] * 2
    assert await coordination.get(f"/v1/journeys/{victim}") == before


async def test_word_of_a_stage_that_overtakes_the_custody_waits_for_it(network: Network) -> None:
    coordination = await network.start("coordination")
    desk, victim, at = UnitRef(agency="police", unit="polres-74.01", region="74.01"), new_id(), datetime.now(UTC)
    stage = StageRecorded(victim_id=victim, stage=Stage.IDENTIFICATION, unit=desk, occurred_at=at)
    registered = VictimRegistered(
        case_id=new_id(),
        victim_id=victim,
        facts=VictimFacts(age_class=AgeClass.ADULT, sex=Sex.FEMALE),
        custody=Custody(**dict(desk), seq=1),
        occurred_at=at - timedelta(hours=1),
    )
    await tell_coordination(network, "police", 2, stage)
    assert (await until_parked(network, "coordination", "not-in-custody"))["trusted"]
    await tell_coordination(network, "police", 1, registered)
    seen = await coordination.until(f"/v1/journeys/{victim}", lambda seen: seen["stage"] == "identification")
    assert seen["custody"]["agency"] == "police"
    [item] = (await (await network.operator("coordination")).get("/v1/parked"))["items"]
    assert item["resolved_at"] is not None


async def test_a_wiped_broker_is_healed_from_the_ledgers(network: Network) -> None:
    police, kemenkes = await network.start("police"), await network.start("kemenkes")
    coordination = await network.start("coordination")
    known = await refer(police, await a_victim(police), "kemenkes", "first-aid")
    await police.until_status(known, "received")

    await network.stop("kemenkes")
    unread = [await refer(police, await a_victim(police), "kemenkes", "first-aid") for _ in range(5)]
    await _until_published(network, "police")
    network.nats.kill()
    shutil.rmtree(network.nats.store / "jetstream")
    network.nats.start()

    began = asyncio.get_running_loop().time()
    kemenkes = await network.start("kemenkes")
    for referral in unread:
        await police.until_status(referral, "received", seconds=HEALED_WITHIN)
    await kemenkes.must(known, "accept")
    await police.until_status(known, "accepted", seconds=HEALED_WITHIN)
    victim = (await police.get(f"/v1/referrals/{known}"))["victim_id"]
    await coordination.until(
        f"/v1/journeys/{victim}",
        lambda journey: "accepted" in [handover["status"] for handover in journey["handovers"]],
        HEALED_WITHIN,
    )
    assert asyncio.get_running_loop().time() - began < HEALED_WITHIN


async def _until_published(network: Network, code: str) -> None:
    """Wait until the relay owes the broker nothing: a later hand-over to somebody else has gone all the way."""
    database = network.apps[code].state.database
    from shared.storage import outbox

    with network.apps[code].state.notifier.watching("never") as watch:
        async with asyncio.timeout(20):
            while await asyncio.to_thread(database.read, lambda s: outbox.unsent(s, 1)):
                await watch.next(0.05)


async def test_what_stays_unconfirmed_is_sent_again(network: Network) -> None:
    police = await network.start("police")
    referral = await refer(police, await a_victim(police), "kemenkes", "first-aid")
    await _until_published(network, "police")
    network.nats.kill()
    shutil.rmtree(network.nats.store / "jetstream")
    network.nats.start()
    network.clock.advance(timedelta(minutes=11))  # past the longest wait for a receipt
    kemenkes = await network.start("kemenkes")
    await kemenkes.until_status(referral, "received")
