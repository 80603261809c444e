"""Enforces the production profile: at the start of a service, and once the broker has told what it allows."""

import asyncio
import contextlib
import signal
import sys
from dataclasses import replace

import structlog

from shared.contracts.senders import MemberKind
from shared.messaging.broker import Broker, Unreachable
from shared.messaging.cancellation import heed_cancellation
from shared.messaging.rights import BrokerRights, Durability
from shared.service.production.inspection import look_around
from shared.service.production.rules import PRODUCTION, Facts, SettingFault, Unsafe, faults, refuse
from shared.service.settings import Settings

log = structlog.get_logger()

AWAY_SECONDS = 5.0
"""Longest wait for the broker at a start. A service works without the broker, so it starts after that time."""
ASK_AGAIN_SECONDS = 0.2
TRIES = 3
SILENT = BrokerRights("?", frozenset(), frozenset())
"""The rights assumed of a broker that is connected but does not tell them: it is not configured as ours."""


def check_start(settings: Settings) -> None:
    """Check settings, files and database against the production profile. Does nothing in another profile.

    Logs and prints the faults, then raises Unsafe. Raises sqlalchemy.exc.OperationalError without a database.
    """
    if settings.profile == PRODUCTION:
        refuse(_told(settings, look_around(settings)))


async def faults_of_broker(broker: Broker, settings: Settings, kind: MemberKind) -> list[SettingFault]:
    """Wait until the broker has told its rights and durability. Returns the faults, which are logged and printed.

    ``kind``: the kind of this member.
    """
    if settings.profile != PRODUCTION:
        return []
    rights = await _rights(broker)
    facts = Facts(member=broker.member, kind=kind, rights=rights)
    found = faults(settings, facts)
    durability = None if found else await _durability(broker)  # wrong rights are fault enough
    return _told(settings, replace(facts, durability=durability))


async def _rights(broker: Broker) -> BrokerRights:
    tries = 0
    while tries < TRIES:
        await broker.connected.wait()
        with contextlib.suppress(Unreachable):
            return await broker.rights()
        tries = tries + 1 if broker.connected.is_set() else 0
    return SILENT


async def _durability(broker: Broker) -> Durability:
    """Wait until the provisioner has written how the broker writes. The provisioner may start after this service."""
    while True:
        await broker.connected.wait()
        with contextlib.suppress(Unreachable):
            return await broker.durability()
        heed_cancellation()
        await asyncio.sleep(ASK_AGAIN_SECONDS)


def _told(settings: Settings, facts: Facts) -> list[SettingFault]:
    found = faults(settings, facts)
    if found:
        log.critical("service.unsafe", settings=[fault.setting for fault in found])
        print(*found, sep="\n", file=sys.stderr)  # for the operator, because the log has codes only
    return found


async def first_word(exchange: "asyncio.Task[None]", judged: asyncio.Event, settings: Settings) -> None:
    """Wait up to AWAY_SECONDS for the check of the broker before the service starts. Raises Unsafe for a fault.

    A fault that is found later ends the process. ``judged`` is set when the check finds no fault.
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
