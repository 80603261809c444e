"""The provisioner: the only account that may create the stream and the readers' consumers. It reads no event.

The provisioner checks every LOOK_AGAIN_SECONDS, so that a wiped broker soon has its stream and consumers again.
"""

import asyncio
from collections.abc import Mapping, Sequence

import structlog

from shared.messaging.broker import Broker, Unreachable
from shared.messaging.cancellation import heed_cancellation
from shared.messaging.stream import FILLING_PERCENT, MAX_BYTES, Filling

LOOK_AGAIN_SECONDS = 2.0
STEP_PERCENT = 5

log = structlog.get_logger()


async def keep_provisioned(broker: Broker, readers: Mapping[str, Sequence[str]], max_bytes: int = MAX_BYTES) -> None:
    """Create the stream and a consumer for each reader (name → subjects) whenever missing, until cancelled.

    Keep the stream at ``max_bytes``, and tell the operator when it fills up.
    """
    before = Filling(0)
    while True:
        await broker.connected.wait()
        try:
            now = await broker.provision(readers, max_bytes)
            before = _alarmed(before, now)
        except Unreachable:
            log.warning("provisioner.not-yet")
        heed_cancellation()
        await asyncio.sleep(LOOK_AGAIN_SECONDS)


def _alarmed(before: Filling, now: Filling) -> Filling:
    """Log that the stream fills up: once, and again after each STEP_PERCENT. Returns what was told last."""
    if now.percent < FILLING_PERCENT:
        return Filling(0)
    if now.percent < max(before.percent + STEP_PERCENT, FILLING_PERCENT):
        return before
    log.error("provisioner.stream-filling", percent=now.percent, sender=now.sender)
    return now
