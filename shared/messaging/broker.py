"""NATS JetStream, and the only file that knows it.

JetStream carries; it is not the record. Every answer here may fail, be late or be lost, and nothing is lost with it:
the outbox keeps what was not acknowledged, the ledger what was not receipted.
"""

import asyncio
import contextlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.api import (
    AckPolicy,
    ConsumerConfig,
    DeliverPolicy,
    RetentionPolicy,
    StorageType,
    StreamConfig,
)
from nats.js.errors import NotFoundError

from shared.contracts.envelope import CONTENT_TYPE
from shared.contracts.subjects import EVERYTHING
from shared.messaging.rights import HOW_IT_WRITES, STREAM, WHO_AM_I, WRITES, BrokerRights, Durability
from shared.security.transport import ClientTls

SIGNATURE = "Estafet-Signature"
KEY = "Estafet-Key"
MESSAGE_ID = "Nats-Msg-Id"
MAX_MESSAGE = 72 * 1024
"""Bytes of body and headers together."""

PULL_SECONDS = 2.0
"""A pull that is in flight over a restart of the server sleeps its whole time: keep it short."""
PUBLISH_SECONDS = 5.0
"""A publication that is in flight when the server crashes never resolves: wait with a limit."""
ACK_WAIT_SECONDS = 5.0
"""After this an unacknowledged message is delivered again."""

_REFUSED = re.compile(r'permissions violation for \w+ to "([^"]+)"', re.IGNORECASE)

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message to publish: exact bytes, their signature, the id by which the broker drops a repetition."""

    subject: str
    event_id: str
    body: bytes
    signature: str
    key: str | None = None
    """A wrapped data key that travels beside the event."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message as it arrived. ``ack`` tells the broker, and waits until it knows, that we have it."""

    subject: str
    body: bytes
    signature: str | None
    msg: Msg
    key: str | None = None

    async def ack(self) -> None:
        """Acknowledge and wait for the broker's word; at worst the message comes again."""
        with contextlib.suppress(NatsError, asyncio.TimeoutError):
            await self.msg.ack_sync(timeout=ACK_WAIT_SECONDS)


def heed_cancellation() -> None:
    """Raises CancelledError where this task was cancelled and the library has swallowed it.

    (nats-py waits with ``wait_for``, which before Python 3.12 drops a cancellation that comes together with an answer.)
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


class Unreachable(Exception):
    """The broker did not answer, or the stream is not there now. Try again later."""


class Broker:
    """One member's connection. It is made in the background and made again whenever it breaks."""

    def __init__(self, url: str, member: str, seed_file: Path | None = None, tls: ClientTls | None = None) -> None:
        self.member = member
        self.connected = asyncio.Event()
        self._broken = asyncio.Event()
        self.on_connected: list[Callable[[], None]] = []
        """Called at every new connection."""
        self._url = url
        self._seed_file = seed_file
        self._tls = tls
        self._context = None if tls is None else tls.context()
        self._client = Client()
        self._stream: JetStreamContext | None = None
        self._inbox = ""
        self._arrived: asyncio.Queue[Msg | None] = asyncio.Queue()
        """Messages that were pulled, and None for a connection made anew."""
        self._pulled = 0
        """How many messages the server may still send for the pull under way."""

    async def connect(self) -> None:
        """Connect, waiting as long as it takes for a server to be there."""
        await self._client.connect(
            self._url,
            name=f"estafet-{self.member}",
            nkeys_seed=None if self._seed_file is None else str(self._seed_file),
            tls=self._context,
            # else the client asks for TLS only where the server, in clear, says that it wants it
            tls_handshake_first=self._context is not None,
            inbox_prefix=f"_INBOX.{self.member}",
            allow_reconnect=True,
            max_reconnect_attempts=-1,
            reconnect_time_wait=0.25,  # type: ignore[arg-type]
            ping_interval=5,
            max_outstanding_pings=2,
            connect_timeout=2,
            error_cb=self._failed,
            disconnected_cb=self._lost,
            reconnected_cb=self._up,
        )
        self._stream = self._client.jetstream(timeout=PUBLISH_SECONDS)
        self._inbox = self._client.new_inbox()
        await self._client.subscribe(self._inbox, cb=self._arrived.put)
        await self._up()

    async def close(self) -> None:
        """Hang up."""
        if self._client.is_connected or self._client.is_reconnecting or self._client.is_connecting:
            with contextlib.suppress(NatsError, asyncio.TimeoutError):
                await self._client.close()

    async def _up(self) -> None:
        # what was pulled before the break will not come; wake whoever waits for it
        self._arrived.put_nowait(None)
        self._broken.clear()
        self.connected.set()
        for listener in self.on_connected:
            listener()

    async def _lost(self) -> None:
        self.connected.clear()
        self._broken.set()
        self._show_certificate()

    def _show_certificate(self) -> None:
        """Let the next connection show the certificate as it is now: it may have been renewed."""
        if self._tls is not None and self._context is not None:
            with contextlib.suppress(OSError):
                self._tls.show_in(self._context)

    async def _failed(self, error: Exception) -> None:
        if self._client.is_closed:  # we have hung up; TLS takes what was still on its way for an error
            return
        if not self.connected.is_set():
            self._show_certificate()
        # a refused publish is only seen here; of the broker's words only the subject that it refused is repeated
        if (refused := _REFUSED.search(str(error))) is not None:
            log.warning("broker.not-allowed", member=self.member, subject=refused[1])
        else:
            log.warning("broker.error", member=self.member, error=type(error).__name__)

    async def publish(self, messages: Sequence[Outgoing]) -> list[str]:
        """Publish in this order, all in flight at once; answers the ids that the stream has stored.

        What is missing from the answer may be stored all the same: publish it again under the same id.
        """
        if self._stream is None or not self.connected.is_set():
            return []
        waiting: dict[asyncio.Future[Any], str] = {}
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
        return [
            event_id
            for future, event_id in waiting.items()
            if future.done() and not future.cancelled() and future.exception() is None
        ]

    async def _answered(self, waiting: Sequence[asyncio.Future[Any]]) -> None:
        """Wait until the broker has answered all of these, or cannot any more."""
        answers: asyncio.Future[Any] = asyncio.gather(*waiting, return_exceptions=True)
        # when it is cancelled below nobody looks at it any more, and asyncio would report that as an error
        answers.add_done_callback(lambda given_up: given_up.cancelled() or given_up.exception())
        broken: asyncio.Future[Any] = asyncio.ensure_future(self._broken.wait())
        try:
            await asyncio.wait({answers, broken}, timeout=PUBLISH_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        finally:
            broken.cancel()
            answers.cancel()  # and with it every publication that is still unanswered

    async def pull(self, most: int) -> list[Incoming]:
        """Up to ``most`` messages of our durable consumer, as soon as there is one; empty after PULL_SECONDS.

        Raises Unreachable when there is no connection or no consumer.

        (``fetch`` of nats-py waits for the whole batch or the whole timeout; this takes what is there.)
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
        """Add a message to the batch, or answer False: it was the word that the pull is over."""
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
        """When our durable consumer was made, or None where it is not there: another moment means another stream."""
        return (await self._our_consumer()).get("created") or None

    async def waiting(self) -> int | None:
        """How many messages for us are not acknowledged yet, given to us or not; None where the broker does not say."""
        known = await self._our_consumer()
        return int(known["num_pending"]) + int(known["num_ack_pending"]) if known else None

    async def _our_consumer(self) -> dict[str, Any]:
        """What the broker says of our durable consumer; nothing where it does not."""
        if self._stream is None or not self.connected.is_set():
            return {}
        try:
            answer = await self._client.request(f"$JS.API.CONSUMER.INFO.{STREAM}.{self.member}", timeout=2)
            known: dict[str, Any] = json.loads(answer.data)
        except (TimeoutError, NatsError, ValueError):
            return {}
        return known if "created" in known else {}

    async def rights(self) -> BrokerRights:
        """What the broker lets this member do. Raises Unreachable when it does not say."""
        try:
            answer = await self._client.request(WHO_AM_I, timeout=1)
            return BrokerRights.told(json.loads(answer.data))
        except (TimeoutError, NatsError, ValueError, KeyError) as error:
            raise Unreachable from error

    async def durability(self) -> Durability:
        """How safely the broker writes. Raises Unreachable when it does not say, or nothing is provisioned yet."""
        try:
            answer = await self._client.request(f"$JS.API.CONSUMER.INFO.{STREAM}.{self.member}", timeout=1)
            metadata = json.loads(answer.data)["config"].get("metadata") or {}
        except (TimeoutError, NatsError, ValueError, KeyError) as error:
            raise Unreachable from error
        server = self._client.connected_server_version
        return Durability((server.major, server.minor, server.patch), metadata.get(WRITES))

    async def provision(self, readers: Mapping[str, Sequence[str]]) -> None:
        """Make the stream and each reader's durable consumer where they are missing. Only the provisioner may.

        Raises Unreachable when the broker does not answer.
        """
        assert self._stream is not None
        stream = StreamConfig(
            name=STREAM,
            subjects=[EVERYTHING],
            retention=RetentionPolicy.LIMITS,
            storage=StorageType.FILE,
            max_msg_size=MAX_MESSAGE,
            duplicate_window=timedelta(minutes=2).total_seconds(),
            max_age=timedelta(days=30).total_seconds(),
            deny_delete=True,
            deny_purge=True,
        )
        try:
            await self._make_missing(stream, readers, await self._how_it_writes())
        except (TimeoutError, NatsError) as error:
            raise Unreachable from error

    async def _how_it_writes(self) -> str:
        answer = json.loads((await self._client.request(HOW_IT_WRITES, timeout=2)).data)
        return "always" if answer["data"]["config"].get("sync_always") else "not always"

    async def _make_missing(
        self, stream: StreamConfig, readers: Mapping[str, Sequence[str]], sync_interval: str
    ) -> None:
        assert self._stream is not None
        try:
            await self._stream.stream_info(STREAM)
        except NotFoundError:
            await self._stream.add_stream(stream)
            log.info("broker.stream-made", stream=STREAM)
        for reader, subjects in readers.items():
            wanted = _consumer(reader, subjects, sync_interval)
            try:
                known = (await self._stream.consumer_info(STREAM, reader)).config
            except NotFoundError:
                known = None
            if known is None or not _is_as(known, wanted):  # a new reader, or a network that has grown
                await self._stream.add_consumer(STREAM, wanted)
                log.info("broker.consumer-made", reader=reader)


def _is_as(known: ConsumerConfig, wanted: ConsumerConfig) -> bool:
    same_mail = set(known.filter_subjects or ()) == set(wanted.filter_subjects or ())
    return same_mail and (wanted.metadata or {}).items() <= (known.metadata or {}).items()


def _consumer(reader: str, subjects: Sequence[str], sync_interval: str) -> ConsumerConfig:
    return ConsumerConfig(
        metadata={WRITES: sync_interval},
        durable_name=reader,
        filter_subjects=list(subjects),
        ack_policy=AckPolicy.EXPLICIT,
        deliver_policy=DeliverPolicy.ALL,
        ack_wait=ACK_WAIT_SECONDS,
        max_deliver=-1,
        max_ack_pending=1000,
    )


__all__ = ["Broker", "Incoming", "Outgoing", "Unreachable"]
