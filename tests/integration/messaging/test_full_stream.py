"""A full stream: nothing is lost, every service says so, and all is sent once there is room."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from nats.js.api import DiscardPolicy, StreamConfig
from structlog.testing import capture_logs

from deploy.compose.provision import READERS
from deploy.credentials.secrets import PROVISIONER
from deploy.local.embedded_nats import EmbeddedNats
from shared.messaging import provisioner
from shared.messaging.broker import Broker as ServiceBroker
from shared.messaging.broker import Outgoing
from shared.messaging.provisioner import keep_provisioned
from shared.messaging.stream import MAX_BYTES
from tests.support.brokers import Broker, event
from tests.support.databases import Databases
from tests.support.network import Client, Network, a_victim, refer

SMALL, ROOMY = 60_000, 6_000_000


@pytest.fixture
async def crowded(tmp_path: Path, secrets: Path, database_url: Databases) -> AsyncIterator[Network]:
    """A network whose stream keeps a few dozen events."""
    with EmbeddedNats(tmp_path / "nats", secrets) as server:
        await provision(server, SMALL)
        network = Network(tmp_path, secrets, server, database_url)
        yield network
        await network.stop_all()


async def provision(server: EmbeddedNats, max_bytes: int) -> Any:
    """Let the provisioner do its work once. Answers how full the stream is."""
    broker = server.broker(PROVISIONER)
    await broker.connect()
    try:
        return await broker.provision(READERS, max_bytes)
    finally:
        await broker.close()


async def until_broker_is(client: Client, state: str) -> None:
    """Wait until a service says this of its broker."""
    async with asyncio.timeout(20):
        while (await client.get("/health/ready"))["broker"] != state:
            await asyncio.sleep(0.05)


async def test_a_full_stream_loses_nothing_and_every_service_says_so(crowded: Network) -> None:
    police = await crowded.start("police")
    asked = [await refer(police, await a_victim(police), "kemenkes", "first-aid") for _ in range(19)]
    await until_broker_is(police, "refusing")
    # the police work on: a hand-over is taken down, and waits
    asked.append(await refer(police, await a_victim(police), "kemenkes", "first-aid"))
    kemenkes = await crowded.start("kemenkes")
    await kemenkes.until_status(asked[0], "received")  # what was stored is there; nothing old was thrown away
    assert (await kemenkes.http.get(f"/v1/referrals/{asked[-1]}")).status_code == 404
    assert await waiting(crowded)

    await provision(crowded.nats, ROOMY)
    for one in asked:
        await kemenkes.until_status(one, "received")
        await police.until_status(one, "received")
    await until_broker_is(police, "connected")


async def waiting(network: Network) -> int:
    """The events of the police that the broker does not have yet."""
    links = (await (await network.operator("police")).get("/v1/links"))["items"]
    return sum(link["unpublished"] for link in links)


async def test_a_refusal_is_told_at_once_and_no_second_event_is_tried_meanwhile(own_broker: Broker) -> None:
    """Without the word of the refusal a publication waits five seconds for an answer that never comes."""
    await provision(own_broker.server, SMALL)
    service = ServiceBroker(
        own_broker.server.url, "police", own_broker.secrets / "police" / "nats.seed", own_broker.server.tls("police")
    )
    await service.connect()
    sent = [Outgoing(event("police", "kemenkes"), f"event-{n}", b"x" * 10_000, "signature") for n in range(12)]
    began = asyncio.get_running_loop().time()
    structlog.reset_defaults()  # whatever level a service before was silent at
    with capture_logs() as logged:
        stored = await service.publish(sent)
        await service.publish(sent)  # still full: told once
    [line] = logged
    assert (line["event"], line["reason"], line["log_level"]) == ("broker.refuses", "stream-full", "error")
    assert service.refusing and len(stored) < 12 and asyncio.get_running_loop().time() - began < 4
    await provision(own_broker.server, ROOMY)
    assert await service.publish(sent) == [one.event_id for one in sent]
    assert not service.refusing
    await service.close()


async def config_of(server: EmbeddedNats) -> StreamConfig:
    broker = server.broker(PROVISIONER)
    await broker.connect()
    assert broker._stream is not None
    config = (await broker._stream.stream_info("TPPO")).config
    await broker.close()
    return config


async def test_a_stream_of_before_is_brought_to_the_bound_and_keeps_the_rest(own_broker: Broker) -> None:
    server = own_broker.server
    made = await config_of(server)
    assert (made.max_bytes, made.discard) == (MAX_BYTES, DiscardPolicy.NEW)
    broker = server.broker(PROVISIONER)
    await broker.connect()
    assert broker._stream is not None
    structlog.reset_defaults()
    old = made.evolve(max_bytes=-1, discard=DiscardPolicy.OLD, max_age=3600.0)
    await broker._stream.update_stream(old)
    with capture_logs() as logged:
        await broker.provision(READERS, ROOMY)
        await broker.provision(READERS, ROOMY)
    assert [one["event"] for one in logged if "stream" in one["event"]] == ["broker.stream-changed"]
    now = await config_of(server)
    assert (now.max_bytes, now.discard, now.max_age) == (ROOMY, DiscardPolicy.NEW, 3600.0)
    assert now.deny_purge and now.deny_delete
    # a bound for which there is no disk changes nothing, and readers are served all the same
    with capture_logs() as logged:
        await broker.provision(READERS, 10**16)
    assert [one["event"] for one in logged] == ["broker.stream-not-changed"]
    assert (await config_of(server)).max_bytes == ROOMY
    await broker.close()


async def test_who_fills_the_stream_is_named_before_it_is_full(
    own_broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provisioner, "LOOK_AGAIN_SECONDS", 0.02)
    server = own_broker.server
    assert (await provision(server, SMALL)).sender is None
    async with own_broker.connected("kemensos") as member, own_broker.connected("police") as honest:
        await honest.js.publish(event("police", "kemenkes"), b"said")
        for _ in range(10):
            await member.js.publish(event("kemensos", "kemenkes"), b"x" * 5_000)
    broker = server.broker(PROVISIONER)
    await broker.connect()
    structlog.reset_defaults()
    with capture_logs() as logged:
        keeping = asyncio.create_task(keep_provisioned(broker, READERS, SMALL))
        async with asyncio.timeout(20):
            while not logged:
                await asyncio.sleep(0.02)
        for _ in range(5):  # an alarm is told once, not at every look
            await asyncio.sleep(0.03)
        keeping.cancel()
    [line] = [one for one in logged if one["event"] == "provisioner.stream-filling"]
    assert line["sender"] == "kemensos" and line["percent"] >= 80 and line["log_level"] == "error"
    await broker.close()
