"""The consumer: receives the messages addressed to us, in order, and acknowledges only what is durably recorded.

A batch is one unit of work: verify, apply and receipt all messages, commit once, then acknowledge. After a crash
before the last acknowledgement the broker delivers the batch again, and the ledger recognises the duplicates.
"""

import asyncio
from collections.abc import Callable, Sequence

import structlog
from sqlalchemy.exc import InterfaceError, OperationalError

from shared.messaging.broker import Broker, Incoming, Unreachable
from shared.messaging.cancellation import heed_cancellation
from shared.security.vault import VaultUnavailable
from shared.storage.unit_of_work import Database, Transaction

BATCH = 128
RETRY_SECONDS = 0.5

log = structlog.get_logger()

Receive = Callable[[Transaction, Sequence[Incoming]], None]
"""Records a batch of messages in a unit of work, or parks messages that cannot be recorded."""


class Consumer:
    """Receives one member's messages and records them in the member's database, while ``run`` runs."""

    def __init__(
        self, database: Database, broker: Broker, receive: Receive, park_untrusted: Receive, mail_read: asyncio.Event
    ) -> None:
        """``mail_read`` is set as soon as the inbox at the broker is empty and all messages are recorded."""
        self._database = database
        self._broker = broker
        self._receive = receive
        self._park_untrusted = park_untrusted
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
        """Record the batch; repeat until that works, because a later message must not overtake this batch.

        When neither the database nor the vault fails, one of the messages is at fault. Then each message is recorded
        alone, and the faulty message is parked. Otherwise the faulty message would block all later ones.
        """
        work = self._receive
        while True:
            try:
                await asyncio.to_thread(self._database.write, lambda tx, work=work: work(tx, batch))
                return
            except (OperationalError, InterfaceError, VaultUnavailable) as error:
                # for example a full disk, a restart, or no key to sign a receipt: acknowledge nothing
                log.error("consumer.not-recorded", error=type(error).__name__, messages=len(batch))
                await asyncio.sleep(RETRY_SECONDS)
            except Exception as error:
                log.error("consumer.cannot-record", error=type(error).__name__, messages=len(batch))
                if len(batch) > 1:
                    for message in batch:
                        await self.record([message])
                    return
                if work is self._park_untrusted:
                    await asyncio.sleep(RETRY_SECONDS)
                work = self._park_untrusted
