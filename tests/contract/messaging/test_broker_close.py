"""A service stops although its broker does not answer the goodbye."""

import asyncio
from types import SimpleNamespace

import pytest

from shared.messaging import connection as module
from shared.messaging.broker import Broker


async def test_a_close_that_the_other_side_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    async def never() -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(module, "CLOSE_SECONDS", 0.01)
    broker = Broker("nats://127.0.0.1:1", "library")
    client = SimpleNamespace(is_connected=True, is_reconnecting=False, is_connecting=False, close=never)
    monkeypatch.setattr(broker._connection, "client", client)
    async with asyncio.timeout(20):  # without a limit of its own it waits for ever
        await broker.close()
