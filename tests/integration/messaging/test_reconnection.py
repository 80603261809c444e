"""A service finds its way back to the broker by itself, whatever ended the connection or kept it from beginning."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
import structlog
from structlog.testing import capture_logs

from deploy.local.embedded_nats import CONFIG, HOST, EmbeddedNats, free_port
from shared.messaging import connection
from shared.messaging.broker import Broker as ServiceBroker
from shared.messaging.broker import Outgoing
from tests.support.brokers import Broker, event

LONG = 30.0
"""More than any attempt takes, on a busy machine too."""


@asynccontextmanager
async def silent_at_first(server: EmbeddedNats) -> AsyncIterator[str]:
    """A way to the server: the first caller is accepted and never answered, later callers are let through."""
    callers = 0

    async def called(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal callers
        callers += 1
        if callers == 1:
            while await reader.read(4096):
                pass
            writer.close()
            return
        onward, back = await asyncio.open_connection(HOST, server.port)
        await asyncio.gather(pass_on(reader, back), pass_on(onward, writer))

    async def pass_on(source: asyncio.StreamReader, to: asyncio.StreamWriter) -> None:
        while data := await source.read(65536):
            to.write(data)
        to.close()

    port = free_port()
    way = await asyncio.start_server(called, HOST, port)
    try:
        yield f"tls://{HOST}:{port}"
    finally:
        way.close()


def of_police(broker: Broker, url: str) -> ServiceBroker:
    return ServiceBroker(url, "police", broker.secrets / "police" / "nats.seed", broker.server.tls("police"))


async def published(service: ServiceBroker, event_id: str) -> bool:
    outgoing = Outgoing(event("police", "kemenkes"), event_id, b"{}", "signature")
    return await service.publish([outgoing]) == [event_id]


async def test_a_server_that_once_did_not_answer_is_called_again(own_broker: Broker) -> None:
    async with silent_at_first(own_broker.server) as url:
        service = of_police(own_broker, url)
        async with asyncio.timeout(LONG):
            await service.connect()
        assert await published(service, "said-after-the-silence")
        await service.close()


async def test_a_member_that_the_server_turned_away_comes_back_when_there_is_room(own_broker: Broker) -> None:
    """An operator may limit the connections too far, and then correct the limit."""
    services = await two_of_police(own_broker)
    async with room_for_one(own_broker, services):
        pass
    for number, service in enumerate(services):
        async with asyncio.timeout(LONG):
            await service.connected.wait()
        assert await published(service, f"said-after-the-return-{number}")
        await service.close()


async def test_a_seed_that_is_away_at_that_moment_is_read_again(
    own_broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "ATTEMPT_SECONDS", 1.0)
    seed = own_broker.secrets / "police" / "nats.seed"
    services = await two_of_police(own_broker)
    structlog.reset_defaults()  # whatever level a service before was silent at
    with capture_logs() as logs:
        away = seed.rename(seed.with_name("away"))
        async with asyncio.timeout(LONG), room_for_one(own_broker, services):
            while not any(line["event"] == "broker.no-seed" for line in logs):
                await asyncio.sleep(0.01)
        away.rename(seed)
    for service in services:
        async with asyncio.timeout(LONG):
            await service.connected.wait()
        await service.close()


async def two_of_police(broker: Broker) -> list[ServiceBroker]:
    services = [of_police(broker, broker.server.url) for _ in range(2)]
    for service in services:
        await service.connect()
    return services


@asynccontextmanager
async def room_for_one(broker: Broker, services: Sequence[ServiceBroker]) -> AsyncIterator[None]:
    """The server has room for one connection, and has turned another away."""
    config = broker.server.store / CONFIG.name
    as_shipped = config.read_text()
    config.write_text(f"{as_shipped}\nmax_connections: 1\n")
    reload(broker.server)
    async with asyncio.timeout(LONG):
        breaks = [asyncio.ensure_future(service.broken.wait()) for service in services]
        _, others = await asyncio.wait(breaks, return_when=asyncio.FIRST_COMPLETED)
    for other in others:
        other.cancel()
    yield
    config.write_text(as_shipped)
    reload(broker.server)


def reload(server: EmbeddedNats) -> None:
    """Have the server read its configuration again."""
    assert server.pid is not None
    os.kill(server.pid, signal.SIGHUP)
