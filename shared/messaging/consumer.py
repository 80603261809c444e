"""The consumer: it takes what is addressed to us, in order, and acknowledges only what is durably recorded.

A batch is one unit of work: verified, applied and receipted together, one commit, then the acknowledgements. A crash
anywhere before the last of them brings the batch again, and the ledger knows it.
"""

import asyncio
from collections.abc import Callable, Sequence

import structlog

from shared.messaging.broker import Broker, Incoming, Unreachable
from shared.storage.database import Database, Transaction

BATCH = 128
RETRY_SECONDS = 0.5

log = structlog.get_logger()

Receive = Callable[[Transaction, Sequence[Incoming]], None]
"""What records a batch of messages in a unit of work."""


class Consumer:
    """Feeds one member's mail into its database, for as long as ``run`` runs."""

    def __init__(self, database: Database, broker: Broker, receive: Receive) -> None:
        self._database = database
        self._broker = broker
        self._receive = receive

    async def run(self) -> None:
        """Consume until cancelled."""
        while True:
            try:
                batch = await self._broker.pull(BATCH)
            except Unreachable:
                await asyncio.sleep(RETRY_SECONDS)
                continue
            if batch:
                await self.record(batch)
                await asyncio.gather(*(message.ack() for message in batch))

    async def record(self, batch: Sequence[Incoming]) -> None:
        """Record the batch, however often it takes: what comes after it must not overtake it."""
        while True:
            try:
                await asyncio.to_thread(self._database.write, lambda tx: self._receive(tx, batch))
                return
            except Exception as error:  # a full disk, a database that restarts: nothing is acknowledged, nothing lost
                log.error("consumer.not-recorded", error=type(error).__name__, messages=len(batch))
                await asyncio.sleep(RETRY_SECONDS)
