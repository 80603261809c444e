"""The consumer: it takes what is addressed to us, in order, and acknowledges only what is durably recorded.

A batch is one unit of work: verified, applied and receipted together, one commit, then the acknowledgements. A crash
anywhere before the last of them brings the batch again, and the ledger knows it.
"""

import asyncio
from collections.abc import Callable, Sequence

import structlog
from sqlalchemy.exc import InterfaceError, OperationalError

from shared.messaging.broker import Broker, Incoming, Unreachable, heed_cancellation
from shared.security.vault import VaultUnavailable
from shared.storage.database import Database, Transaction

BATCH = 128
RETRY_SECONDS = 0.5

log = structlog.get_logger()

Receive = Callable[[Transaction, Sequence[Incoming]], None]
"""What records a batch of messages in a unit of work, or sets aside what cannot be recorded."""


class Consumer:
    """Feeds one member's mail into its database, for as long as ``run`` runs."""

    def __init__(
        self, database: Database, broker: Broker, receive: Receive, set_aside: Receive, mail_read: asyncio.Event
    ) -> None:
        """``mail_read`` is set as soon as all that waited for us is recorded."""
        self._database = database
        self._broker = broker
        self._receive = receive
        self._set_aside = set_aside
        self._mail_read = mail_read

    async def run(self) -> None:
        """Consume until cancelled."""
        while True:
            heed_cancellation()
            try:
                batch = await self._broker.pull(BATCH)
            except Unreachable:
                await asyncio.sleep(RETRY_SECONDS)
                continue
            if batch:
                await self.record(batch)
                await asyncio.gather(*(message.ack() for message in batch))
            if not self._mail_read.is_set() and await self._broker.waiting() == 0:
                self._mail_read.set()

    async def record(self, batch: Sequence[Incoming]) -> None:
        """Record the batch, however often it takes: what comes after it must not overtake it.

        Where it is neither the database that fails nor our keys, one message of it does: the others are recorded one by
        one, and that one is set aside, so that it does not stand in the way of all that come after it.
        """
        work = self._receive
        while True:
            try:
                await asyncio.to_thread(self._database.write, lambda tx, work=work: work(tx, batch))
                return
            except (OperationalError, InterfaceError, VaultUnavailable) as error:
                # a full disk, a restart, no key to sign a receipt with: nothing is acknowledged
                log.error("consumer.not-recorded", error=type(error).__name__, messages=len(batch))
                await asyncio.sleep(RETRY_SECONDS)
            except Exception as error:
                log.error("consumer.cannot-record", error=type(error).__name__, messages=len(batch))
                if len(batch) > 1:
                    for message in batch:
                        await self.record([message])
                    return
                if work is self._set_aside:
                    await asyncio.sleep(RETRY_SECONDS)
                work = self._set_aside
