"""A member's work at NATS JetStream. Only this file, ``connection`` and ``stream`` import nats.

JetStream carries events; the sender's ledger is the record. Any answer of the broker may fail, be late or be lost.
No event is lost with it: the outbox keeps what was not acknowledged, the ledger keeps what was not receipted.
"""

import asyncio
import contextlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js import JetStreamContext

from shared.contracts.envelope import CONTENT_TYPE
from shared.messaging import stream
from shared.messaging.connection import BrokerConnection
from shared.messaging.rights import STREAM, WHO_AM_I, WRITES, BrokerRights, Durability
from shared.security.transport import ClientTls

SIGNATURE = "Estafet-Signature"
KEY = "Estafet-Key"
MESSAGE_ID = "Nats-Msg-Id"

PULL_SECONDS = 2.0
"""Longest wait of one pull. Short, because a pull in flight during a restart of the server sleeps its whole time."""
PUBLISH_SECONDS = 5.0
"""Longest wait for acknowledgements. A publication in flight during a crash of the server never resolves."""
STREAM_FULL = 10077
"""JetStream's error code "maximum bytes exceeded": the stream is at its ``max_bytes`` and discards new messages."""
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message to publish: exact bytes and their signature. The broker drops a repetition by ``event_id``."""

    subject: str
    event_id: str
    body: bytes
    signature: str
    key: str | None = None
    """A wrapped data key that travels beside the event."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message as it arrived. ``signature`` is not verified yet; ``key`` is a wrapped data key beside the event."""

    subject: str
    body: bytes
    signature: str | None
    msg: Msg
    key: str | None = None

    async def ack(self) -> None:
        """Acknowledge the message and wait for the broker's confirmation.

        A failure is ignored: the broker then delivers the message again, and the ledger recognises the duplicate.
        """
        with contextlib.suppress(NatsError, asyncio.TimeoutError):
            await self.msg.ack_sync(timeout=stream.ACK_WAIT_SECONDS)


class Unreachable(Exception):
    """The broker did not answer, or the stream does not exist now. Try again later."""


class Broker:
    """One member's work at the broker. ``connected`` is set while the connection stands.

    ``seed_file`` holds the member's NKey seed.
    """

    def __init__(self, url: str, member: str, seed_file: Path | None = None, tls: ClientTls | None = None) -> None:
        self.member = member
        self._connection = BrokerConnection(url, member, seed_file, tls, self._prepare)
        self.connected = self._connection.connected
        self.broken = self._connection.broken
        """Set from a break until the next connection."""
        self.on_connected = self._connection.on_connected
        """Called after every connect and reconnect, in the event loop."""
        self.refusing = False
        """Whether the broker last refused to store a message: the stream is full. Nothing is lost, all of it waits."""
        self._stream: JetStreamContext | None = None
        self._inbox = ""
        self._arrived: asyncio.Queue[Msg | None] = asyncio.Queue()
        """Pulled messages. None marks a new connection."""
        self._pulled = 0
        """Number of messages that the server may still send for the current pull."""
        # messages requested before a break will not arrive: wake the waiting pull
        self.on_connected.append(lambda: self._arrived.put_nowait(None))

    async def connect(self) -> None:
        """Connect; wait without limit until a server answers. Raises OSError for an unreadable seed file."""
        await self._connection.connect()

    async def close(self) -> None:
        """Close the connection for good. An error while closing is ignored."""
        await self._connection.close()

    @property
    def _client(self) -> Client:
        return self._connection.client

    async def _prepare(self, client: Client) -> None:
        self._stream = client.jetstream(timeout=PUBLISH_SECONDS)
        self._inbox = client.new_inbox()
        await client.subscribe(self._inbox, cb=self._arrived.put)

    async def publish(self, messages: Sequence[Outgoing]) -> list[str]:
        """Publish in this order, all in flight at once. Returns the ids of the events stored by the stream.

        An event missing from the result may be stored all the same: publish it again under its id.
        """
        if self._stream is None or not self.connected.is_set():
            return []
        waiting: dict[asyncio.Future[Any], str] = {}
        self._connection.refused.clear()
        try:
            for message in messages:
                headers = {
                    MESSAGE_ID: message.event_id,
                    SIGNATURE: message.signature,
                    "Content-Type": CONTENT_TYPE,
                }
                if message.key is not None:
                    headers[KEY] = message.key
                future = await self._stream.publish_async(message.subject, message.body, headers=headers)
                waiting[future] = message.event_id
        except (TimeoutError, NatsError, OSError) as error:
            log.warning("broker.publish-stopped", member=self.member, error=type(error).__name__)
        if not waiting:
            return []
        await self._answered(list(waiting))
        stored = [
            event_id
            for future, event_id in waiting.items()
            if future.done() and not future.cancelled() and future.exception() is None
        ]
        self._note_refusal(all_stored=len(stored) == len(messages))
        return stored

    def _note_refusal(self, all_stored: bool) -> None:
        """Remember, and log once, that the stream begins or ends to refuse messages."""
        if self._connection.refused.is_set():
            if not self.refusing:
                full = self._connection.refused_because == STREAM_FULL
                log.error("broker.refuses", member=self.member, reason="stream-full" if full else "not-stored")
            self.refusing = True
        elif self.refusing and all_stored:
            log.warning("broker.stores-again", member=self.member)
            self.refusing = False

    async def _answered(self, waiting: Sequence[asyncio.Future[Any]]) -> None:
        """Wait until the broker has stored all or refused one, the connection breaks, or PUBLISH_SECONDS are over."""
        answers: asyncio.Future[Any] = asyncio.gather(*waiting, return_exceptions=True)
        # read the exception of the cancelled gather, or asyncio reports that nobody retrieved it
        answers.add_done_callback(lambda given_up: given_up.cancelled() or given_up.exception())
        ended = {asyncio.ensure_future(event.wait()) for event in (self.broken, self._connection.refused)}
        try:
            await asyncio.wait({answers, *ended}, timeout=PUBLISH_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for waiter in ended:
                waiter.cancel()
            answers.cancel()  # cancels every unanswered publication too

    async def pull(self, most: int) -> list[Incoming]:
        """Up to ``most`` messages of our durable consumer, as soon as one arrives; empty after PULL_SECONDS.

        Raises Unreachable without a connection or a consumer.
        ``fetch`` of nats-py is not used, because it waits for the whole batch or the whole timeout.
        """
        await self.connected.wait()
        if self._pulled <= 0:
            await self._ask_for(most)
        batch: list[Incoming] = []
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PULL_SECONDS + 0.5):
                message = await self._arrived.get()
            while self._take(message, batch) and len(batch) < most and not self._arrived.empty():
                message = self._arrived.get_nowait()
            return batch
        self._pulled = 0
        return batch

    async def _ask_for(self, most: int) -> None:
        request = {"batch": most, "expires": int(PULL_SECONDS * 1e9)}
        subject = f"$JS.API.CONSUMER.MSG.NEXT.{STREAM}.{self.member}"
        try:
            await self._client.publish(subject, json.dumps(request).encode(), reply=self._inbox)
        except (NatsError, OSError) as error:
            raise Unreachable from error
        self._pulled = most

    def _take(self, message: Msg | None, batch: list[Incoming]) -> bool:
        """Add a message to the batch and return True. Return False for the status message that ends the pull."""
        headers: Mapping[str, str] = {} if message is None else message.headers or {}
        status = headers.get("Status")
        if message is not None and status is None:
            self._pulled -= 1
            batch.append(Incoming(message.subject, message.data, headers.get(SIGNATURE), message, headers.get(KEY)))
            return True
        self._pulled = 0
        if status == "503" and not batch:
            raise Unreachable
        return False

    async def made_at(self) -> str | None:
        """The creation time of our durable consumer, as the broker writes it, or None without a consumer.

        A changed time means that the stream was created anew.
        """
        return (await self._our_consumer()).get("created") or None

    async def waiting(self) -> int | None:
        """The number of unacknowledged messages for us, delivered or not; None when the broker does not tell."""
        known = await self._our_consumer()
        return int(known["num_pending"]) + int(known["num_ack_pending"]) if known else None

    async def _our_consumer(self) -> dict[str, Any]:
        """The broker's information about our durable consumer; empty when the broker does not answer."""
        if self._stream is None or not self.connected.is_set():
            return {}
        try:
            answer = await self._client.request(f"$JS.API.CONSUMER.INFO.{STREAM}.{self.member}", timeout=2)
            known: dict[str, Any] = json.loads(answer.data)
        except (TimeoutError, NatsError, ValueError):
            return {}
        return known if "created" in known else {}

    async def rights(self) -> BrokerRights:
        """The rights that the broker gives this member. Raises Unreachable when the broker does not answer."""
        try:
            answer = await self._client.request(WHO_AM_I, timeout=1)
            return BrokerRights.told(json.loads(answer.data))
        except (TimeoutError, NatsError, ValueError, KeyError) as error:
            raise Unreachable from error

    async def durability(self) -> Durability:
        """The broker's durability. Raises Unreachable when the broker does not answer or is not provisioned yet."""
        try:
            answer = await self._client.request(f"$JS.API.CONSUMER.INFO.{STREAM}.{self.member}", timeout=1)
            metadata = json.loads(answer.data)["config"].get("metadata") or {}
        except (TimeoutError, NatsError, ValueError, KeyError) as error:
            raise Unreachable from error
        server = self._client.connected_server_version
        return Durability((server.major, server.minor, server.patch), metadata.get(WRITES))

    async def provision(
        self, readers: Mapping[str, Sequence[str]], max_bytes: int = stream.MAX_BYTES
    ) -> stream.Filling:
        """Create the stream and each reader's durable consumer where they are missing. Only the provisioner may.

        ``readers``: name → subjects to read. Returns how full the stream is. Raises Unreachable when the broker does
        not answer, or has no room.
        """
        assert self._stream is not None
        try:
            return await stream.make_missing(self._client, self._stream, readers, max_bytes)
        except (TimeoutError, NatsError) as error:
            raise Unreachable from error


__all__ = ["Broker", "Incoming", "Outgoing", "Unreachable"]
