"""What must happen at a moment although nobody asks: it happens once, at its moment, also after a restart."""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from shared.service.changes import Changes
from shared.storage.database import Database, Transaction

LOOK_AGAIN_SECONDS = 30.0
"""How often to look although nothing has changed: the clock of the machine may have been set."""
RETRY_SECONDS = 1.0
MAIL_SECONDS = 60.0
"""How long what waits for the mail waits for it after a start: the broker may be away for long."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Deadline:
    """One kind of what falls due: what changes it, when the next one is due (UTC), and what is done about those that
    are."""

    watched: str
    next_due: Callable[[Session], datetime | None]
    do_due: Callable[[Transaction], int]
    after_mail: bool = False
    """Whether, after a start, what came while we were down is read first: it may change what is due."""


async def keep(deadline: Deadline, database: Database, changes: Changes, mail_read: asyncio.Event) -> None:
    """Do what is due, again and again, until cancelled. ``mail_read``: set when nothing waits for us at the broker."""
    if deadline.after_mail:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(MAIL_SECONDS):
                await mail_read.wait()
    with changes.watching(deadline.watched) as watch:
        while True:
            try:
                await asyncio.to_thread(database.write, deadline.do_due)
                due = await asyncio.to_thread(database.read, deadline.next_due)
            except SQLAlchemyError as error:
                log.error("deadlines.database", error=type(error).__name__)
                await asyncio.sleep(RETRY_SECONDS)
                continue
            left = LOOK_AGAIN_SECONDS if due is None else (due - database.clock()).total_seconds()
            with contextlib.suppress(TimeoutError):
                await watch.next(min(max(left, 0.0), LOOK_AGAIN_SECONDS))
