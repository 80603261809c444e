"""The provisioner: it alone may make the stream and the readers' consumers, and sees no event.

It looks again every few seconds, so that a broker that was wiped is whole again before anybody has noticed.
"""

import asyncio
from collections.abc import Mapping, Sequence

import structlog

from shared.messaging.broker import Broker, Unreachable, heed_cancellation

LOOK_AGAIN_SECONDS = 2.0

log = structlog.get_logger()


async def keep_provisioned(broker: Broker, readers: Mapping[str, Sequence[str]]) -> None:
    """Keep the stream and a consumer for each reader (name → subjects) in being, until cancelled."""
    while True:
        await broker.connected.wait()
        try:
            await broker.provision(readers)
        except Unreachable:
            log.warning("provisioner.not-yet")
        heed_cancellation()
        await asyncio.sleep(LOOK_AGAIN_SECONDS)
