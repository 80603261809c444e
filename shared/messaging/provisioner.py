"""The provisioner: the only account that may create the stream and the readers' consumers. It reads no event.

The provisioner checks every LOOK_AGAIN_SECONDS, so that a wiped broker soon has its stream and consumers again.
"""

import asyncio
from collections.abc import Mapping, Sequence

import structlog

from shared.messaging.broker import Broker, Unreachable
from shared.messaging.cancellation import heed_cancellation

LOOK_AGAIN_SECONDS = 2.0

log = structlog.get_logger()


async def keep_provisioned(broker: Broker, readers: Mapping[str, Sequence[str]]) -> None:
    """Create the stream and a consumer for each reader (name → subjects) whenever missing, until cancelled."""
    while True:
        await broker.connected.wait()
        try:
            await broker.provision(readers)
        except Unreachable:
            log.warning("provisioner.not-yet")
        heed_cancellation()
        await asyncio.sleep(LOOK_AGAIN_SECONDS)
