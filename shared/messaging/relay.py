"""The relay: publishes the events of the outbox. The commit that files an event wakes the relay.

Each agency runs one relay. No event is lost: an event that the broker did not acknowledge stays unpublished.
An event that the receiver did not receipt in time is published again.
"""

import asyncio
import contextlib
from collections.abc import Callable

import structlog
from sqlalchemy.exc import SQLAlchemyError

from shared.messaging.broker import Broker, Outgoing
from shared.messaging.cancellation import heed_cancellation
from shared.storage import outbox
from shared.storage.unit_of_work import Committed, Database, Transaction

BATCH = 256
"""Events in flight at once."""
LOOK_AGAIN_SECONDS = 5.0
"""Time between two checks for overdue receipts. New events do not wait for a check: the commit wakes the relay."""
RETRY_SECONDS = 0.5
REFUSED_SECONDS = 1.0
"""Time between two tries while the stream is full. Each try is one event, the oldest, so that it costs nobody much."""

log = structlog.get_logger()


class Relay:
    """Publishes the outbox of one database, while ``run`` runs.

    ``witnessed``: the network has a coordinator, so each event must reach the coordinator too.
    """

    def __init__(self, database: Database, broker: Broker, witnessed: bool) -> None:
        self._database = database
        self._broker = broker
        self._witnessed = witnessed
        self._woken = asyncio.Event()
        self._stream_made_at: str | None = None

    def wake(self) -> None:
        """Wake the relay to publish. Call this in the event loop's thread."""
        self._woken.set()

    def listen(self, loop: asyncio.AbstractEventLoop) -> None:
        """Wake the relay at every commit that files an event, from any thread, and at every new connection."""

        def committed(commit: Committed) -> None:
            if commit.emitted and not loop.is_closed():
                loop.call_soon_threadsafe(self.wake)

        self._database.listeners.append(committed)
        self._broker.on_connected.append(self.wake)

    async def run(self) -> None:
        """Publish until cancelled. Failures of the database or the broker do not end the loop."""
        loop = asyncio.get_running_loop()
        look_again = loop.time()
        await self._until_done(self._resend_unread)
        while True:
            heed_cancellation()
            await self._broker.connected.wait()
            self._woken.clear()
            if loop.time() >= look_again:
                await self._notice_new_stream()
                await self._until_done(lambda tx: outbox.resend_due(tx.session, tx.now))
                look_again = loop.time() + LOOK_AGAIN_SECONDS
            emptied = await self._emptied()
            if self._broker.refusing:  # a new event makes no room
                heed_cancellation()
                await asyncio.sleep(REFUSED_SECONDS)
                continue
            patience = max(look_again - loop.time(), 0.0) if emptied else RETRY_SECONDS
            heed_cancellation()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(patience):  # not wait_for, which can swallow a cancellation
                    await self._woken.wait()

    async def _emptied(self) -> bool:
        try:
            return await self.empty()
        except SQLAlchemyError as error:
            log.error("relay.database", error=type(error).__name__)
            return False

    async def _until_done(self, work: Callable[[Transaction], int]) -> int:
        while True:
            try:
                return await asyncio.to_thread(self._database.write, work)
            except SQLAlchemyError as error:
                log.error("relay.database", error=type(error).__name__)
                await asyncio.sleep(RETRY_SECONDS)

    async def empty(self) -> bool:
        """Publish every unpublished event. Returns False when the broker did not store all of them.

        Raises SQLAlchemyError when the database fails.
        """
        while True:
            limit = 1 if self._broker.refusing else BATCH
            batch = await asyncio.to_thread(self._database.read, lambda s, most=limit: outbox.unsent(s, most))
            if not batch:
                return True
            messages = [Outgoing(u.subject, u.event_id, u.body, u.signature, u.key) for u in batch]
            stored = set(await self._broker.publish(messages))
            published = [u for u in batch if u.event_id in stored]
            if published:
                await asyncio.to_thread(
                    self._database.write, lambda tx, done=published: outbox.mark_published(tx.session, done, tx.now)
                )
            if len(published) < len(batch):
                return False
            if len(batch) < limit:  # a later commit wakes the relay again
                return True

    async def _notice_new_stream(self) -> None:
        made_at = await self._broker.made_at()
        if made_at is None or made_at == self._stream_made_at:
            return
        if self._stream_made_at is not None:
            count = await self._until_done(self._resend_unread)
            log.warning("relay.stream-made-anew", resent=count)
        self._stream_made_at = made_at

    def _resend_unread(self, transaction: Transaction) -> int:
        return outbox.resend_unread(transaction.session, self._witnessed)
