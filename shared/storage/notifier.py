"""Wake what waits for an id when a commit changes that id: long polls and timers."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum

from shared.storage.unit_of_work import Committed, Database


class Topic(StrEnum):
    """A wake-up topic: a change that concerns no single id. Each member tells which commit wakes its waiters."""

    PARKED = "parked"
    """A message was parked."""
    LINKS = "links"
    """The coordinator witnessed one of our links."""
    KEYS = "keys"
    """Another key directory was stored."""
    MATCHES = "matches"
    """A proposal that two victims are one person was made, withdrawn or decided."""
    MATCH_TOKENS = "tokens"
    """A part of a long list of match tokens was sent, and more may be due."""
    BREAK_GLASS = "break-glass"
    """A break-glass opened, changed or ended."""
    CLOCKS = "clocks"
    """A clock started, stopped or published a step."""
    CLOCKS_DUE = "clocks-due"
    """A clock has a step that is due before the timer's next regular check."""
    CONSENTS = "consents"
    """A consent was recorded or ended."""
    CAPACITY = "capacity"
    """A desk announced its capacity or described itself."""
    RETENTION = "retention"
    """The end of a retention period or of a legal hold may have come."""


class Watch:
    """One waiter for one id or topic."""

    def __init__(self) -> None:
        self._changed = asyncio.Event()

    def wake(self) -> None:
        """Report a change to the waiter."""
        self._changed.set()

    async def next(self, seconds: float) -> bool:
        """Wait up to ``seconds`` for the next change. Returns whether a change came in time."""
        try:
            async with asyncio.timeout(seconds):
                await self._changed.wait()
        except TimeoutError:
            return False
        self._changed.clear()
        return True


class Notifier:
    """All waiters, by the id or topic that each waits for."""

    def __init__(self) -> None:
        self._watches: dict[str, set[Watch]] = {}

    def listen(self, database: Database, loop: asyncio.AbstractEventLoop) -> None:
        """Wake waiters after every commit of ``database``, from any thread."""

        def committed(commit: Committed) -> None:
            if self._watches and not loop.is_closed():
                loop.call_soon_threadsafe(self._wake, commit)

        database.listeners.append(committed)

    def _wake(self, commit: Committed) -> None:
        for changed in commit.changed & self._watches.keys():
            self.wake(changed)

    def wake(self, wanted: str) -> None:
        """Wake every waiter for this id or topic."""
        for watch in self._watches.get(wanted, ()):
            watch.wake()

    @contextmanager
    def watching(self, wanted: str) -> Iterator[Watch]:
        """Watch an id or a topic. Begin before reading, or a change between the read and the wait would be missed."""
        watch = Watch()
        self._watches.setdefault(wanted, set()).add(watch)
        try:
            yield watch
        finally:
            self._watches[wanted].discard(watch)
            if not self._watches[wanted]:
                del self._watches[wanted]
