"""The stream and the readers' durable consumers, as the provisioner makes them at the broker."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import NamedTuple

import structlog
from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.api import (
    AckPolicy,
    ConsumerConfig,
    DeliverPolicy,
    DiscardPolicy,
    RetentionPolicy,
    StorageType,
    StreamConfig,
    StreamInfo,
)
from nats.js.errors import APIError, NotFoundError

from shared.contracts.subjects import EVERYTHING
from shared.messaging.rights import HOW_IT_WRITES, STREAM, WRITES

MAX_MESSAGE = 72 * 1024
"""Most bytes of a message, body and headers together."""
MAX_BYTES = 2 * 1024**3
"""Most bytes of the stream, if the provisioner is told no other number: 30 days of some 20,000 hand-overs a day.

A full stream refuses new messages and keeps the old ones. Every sender keeps its own until there is room."""
FILLING_PERCENT = 80
"""From here on the stream is so full that an operator is told, and who fills it."""
ACK_WAIT_SECONDS = 5.0
"""After this time the broker delivers an unacknowledged message again."""

log = structlog.get_logger()


class Filling(NamedTuple):
    """How full the stream is. ``sender``: the member with the most messages, from FILLING_PERCENT on."""

    percent: int
    sender: str | None = None


async def make_missing(
    client: Client, stream: JetStreamContext, readers: Mapping[str, Sequence[str]], max_bytes: int
) -> Filling:
    """Create the stream and each reader's durable consumer where they are missing or differ.

    ``readers``: name → subjects to read. Raises TimeoutError or NatsError when the broker does not answer, or has
    no room for a stream of ``max_bytes``.
    """
    sync_interval = await _how_it_writes(client)
    info = await _made(stream, max_bytes)
    for reader, subjects in readers.items():
        wanted = _consumer(reader, subjects, sync_interval)
        try:
            known = (await stream.consumer_info(STREAM, reader)).config
        except NotFoundError:
            known = None
        if known is None or not _is_as(known, wanted):  # a new reader, or changed subjects or metadata
            await stream.add_consumer(STREAM, wanted)
            log.info("broker.consumer-made", reader=reader)
    return await _filling(stream, await _bounded(stream, info, max_bytes))


async def _made(stream: JetStreamContext, max_bytes: int) -> StreamInfo:
    try:
        return await stream.stream_info(STREAM)
    except NotFoundError:
        pass
    try:
        made = await stream.add_stream(_stream(max_bytes))
    except APIError as error:  # such as a disk that is smaller than max_bytes
        log.error("broker.stream-not-made", stream=STREAM, error=type(error).__name__)
        raise
    log.info("broker.stream-made", stream=STREAM)
    return made


async def _bounded(stream: JetStreamContext, info: StreamInfo, max_bytes: int) -> StreamInfo:
    """Bring an existing stream to the declared bound. Its other settings stay as they are."""
    if (info.config.max_bytes, info.config.discard) == (max_bytes, DiscardPolicy.NEW):
        return info
    try:
        info = await stream.update_stream(info.config.evolve(max_bytes=max_bytes, discard=DiscardPolicy.NEW))
        log.warning("broker.stream-changed", stream=STREAM)
    except APIError as error:  # the stream works on with its old bound
        log.error("broker.stream-not-changed", stream=STREAM, error=type(error).__name__)
    return info


async def _filling(stream: JetStreamContext, info: StreamInfo) -> Filling:
    bound = info.config.max_bytes or 0
    percent = info.state.bytes * 100 // bound if bound > 0 else 0
    if percent < FILLING_PERCENT:
        return Filling(percent)
    subjects = (await stream.stream_info(STREAM, subjects_filter=EVERYTHING)).state.subjects or {}
    counted: Counter[str] = Counter()
    for subject, messages in subjects.items():
        counted[subject.split(".")[1]] += messages
    return Filling(percent, counted.most_common(1)[0][0] if counted else None)


async def _how_it_writes(client: Client) -> str:
    answer = json.loads((await client.request(HOW_IT_WRITES, timeout=2)).data)
    return "always" if answer["data"]["config"].get("sync_always") else "not always"


def _stream(max_bytes: int) -> StreamConfig:
    return StreamConfig(
        name=STREAM,
        subjects=[EVERYTHING],
        retention=RetentionPolicy.LIMITS,
        storage=StorageType.FILE,
        max_msg_size=MAX_MESSAGE,
        max_bytes=max_bytes,
        discard=DiscardPolicy.NEW,
        duplicate_window=timedelta(minutes=2).total_seconds(),
        max_age=timedelta(days=30).total_seconds(),
        deny_delete=True,
        deny_purge=True,
    )


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
