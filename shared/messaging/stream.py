"""The stream and the readers' durable consumers, as the provisioner makes them at the broker."""

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta

import structlog
from nats.aio.client import Client
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

from shared.contracts.subjects import EVERYTHING
from shared.messaging.rights import HOW_IT_WRITES, STREAM, WRITES

MAX_MESSAGE = 72 * 1024
"""Most bytes of a message, body and headers together."""
ACK_WAIT_SECONDS = 5.0
"""After this time the broker delivers an unacknowledged message again."""

log = structlog.get_logger()


async def make_missing(client: Client, stream: JetStreamContext, readers: Mapping[str, Sequence[str]]) -> None:
    """Create the stream and each reader's durable consumer where they are missing or differ.

    ``readers``: name → subjects to read. Raises TimeoutError or NatsError when the broker does not answer.
    """
    sync_interval = await _how_it_writes(client)
    try:
        await stream.stream_info(STREAM)
    except NotFoundError:
        await stream.add_stream(_stream())
        log.info("broker.stream-made", stream=STREAM)
    for reader, subjects in readers.items():
        wanted = _consumer(reader, subjects, sync_interval)
        try:
            known = (await stream.consumer_info(STREAM, reader)).config
        except NotFoundError:
            known = None
        if known is None or not _is_as(known, wanted):  # a new reader, or changed subjects or metadata
            await stream.add_consumer(STREAM, wanted)
            log.info("broker.consumer-made", reader=reader)


async def _how_it_writes(client: Client) -> str:
    answer = json.loads((await client.request(HOW_IT_WRITES, timeout=2)).data)
    return "always" if answer["data"]["config"].get("sync_always") else "not always"


def _stream() -> StreamConfig:
    return StreamConfig(
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
