"""Timers: work that must run at a moment with nobody logged in. Runs once, at its moment, also after a restart."""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from shared.storage.notifier import Notifier, Topic
from shared.storage.unit_of_work import Database, Transaction

LOOK_AGAIN_SECONDS = 30.0
"""Longest time between two checks. A check is due even without a change: the machine's time may have been set."""
RETRY_SECONDS = 1.0
MAIL_SECONDS = 60.0
"""Longest wait for the first empty inbox after a start, for the broker may be absent for long."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Timer:
    """A timer: one kind of work that falls due.

    ``watched`` is the wake-up topic that changes when the next work is due. ``next_due`` returns the next moment (UTC)
    or None. ``do_due`` does the due work in a unit of work and returns the number of things done.
    """

    watched: Topic
    next_due: Callable[[Session], datetime | None]
    do_due: Callable[[Transaction], int]
    after_mail: bool = False
    """Whether the timer waits after a start for the events of the downtime, for they may change what is due."""


async def run_timer(timer: Timer, database: Database, notifier: Notifier, mail_read: asyncio.Event) -> None:
    """Run a timer until cancelled. Failures of the database do not end the loop.

    ``mail_read`` is set as soon as the inbox at the broker is empty and recorded.
    """
    if timer.after_mail:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(MAIL_SECONDS):
                await mail_read.wait()
    with notifier.watching(timer.watched) as watch:
        while True:
            try:
                await asyncio.to_thread(database.write, timer.do_due)
                due = await asyncio.to_thread(database.read, timer.next_due)
            except SQLAlchemyError as error:
                log.error("timers.database", error=type(error).__name__)
                await asyncio.sleep(RETRY_SECONDS)
                continue
            left = LOOK_AGAIN_SECONDS if due is None else (due - database.now()).total_seconds()
            with contextlib.suppress(TimeoutError):
                await watch.next(min(max(left, 0.0), LOOK_AGAIN_SECONDS))
