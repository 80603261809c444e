"""Holds a service to the production profile: at its start, and when the broker has said what it allows."""

import asyncio
import contextlib
import signal
import sys

import structlog

from shared.messaging.broker import Broker, Unreachable, heed_cancellation
from shared.messaging.rights import BrokerRights, Durability
from shared.service.profile import PRODUCTION, Facts, Fault, Unsafe, faults, refuse
from shared.service.settings import Settings
from shared.service.surroundings import look_around

log = structlog.get_logger()

AWAY_SECONDS = 5.0
"""A service waits so long for the broker's word before it starts without: it works when the broker is away."""
ASK_AGAIN_SECONDS = 0.2
TRIES = 3
SILENT = BrokerRights("?", frozenset(), frozenset())
"""Of a broker that is there and does not say what it allows: it is not configured as ours."""


def check_start(settings: Settings) -> None:
    """Raises Unsafe, having told what is unsafe; sqlalchemy.exc.OperationalError when the database is away."""
    if settings.profile == PRODUCTION:
        refuse(_told(settings, look_around(settings)))


async def faults_of_broker(broker: Broker, settings: Settings) -> list[Fault]:
    """Wait until the broker has said what this member may do; what of that is unsafe, having told it."""
    if settings.profile != PRODUCTION:
        return []
    rights = await _rights(broker)
    found = faults(settings, Facts(member=broker.member, rights=rights))
    durability = None if found else await _durability(broker)  # who is somebody else there has nothing to look at
    return _told(settings, Facts(member=broker.member, rights=rights, durability=durability))


async def _rights(broker: Broker) -> BrokerRights:
    tries = 0
    while tries < TRIES:
        await broker.connected.wait()
        with contextlib.suppress(Unreachable):
            return await broker.rights()
        tries = tries + 1 if broker.connected.is_set() else 0
    return SILENT


async def _durability(broker: Broker) -> Durability:
    """Wait until the provisioner has said how the broker writes: it may come after us."""
    while True:
        await broker.connected.wait()
        with contextlib.suppress(Unreachable):
            return await broker.durability()
        heed_cancellation()
        await asyncio.sleep(ASK_AGAIN_SECONDS)


def _told(settings: Settings, facts: Facts) -> list[Fault]:
    found = faults(settings, facts)
    if found:
        log.critical("service.unsafe", settings=[fault.setting for fault in found])
        print(*found, sep="\n", file=sys.stderr)  # for the operator: the log has codes only
    return found


async def first_word(exchange: "asyncio.Task[None]", judged: asyncio.Event, settings: Settings) -> None:
    """Give the broker's word a moment to come before the service starts; raises Unsafe when it is a bad one.

    One that comes later ends the process.
    """
    if settings.profile != PRODUCTION:
        return
    waiting = asyncio.create_task(judged.wait())
    await asyncio.wait({exchange, waiting}, timeout=AWAY_SECONDS, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    if exchange.done():
        exchange.result()
    exchange.add_done_callback(_end_if_unsafe)


def _end_if_unsafe(exchange: "asyncio.Task[None]") -> None:
    if not exchange.cancelled() and isinstance(exchange.exception(), Unsafe):
        signal.raise_signal(signal.SIGTERM)
