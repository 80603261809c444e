"""Wake what waits for an id when a commit changes that id: long polls and timers."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from shared.storage.unit_of_work import Committed, Database

RETENTION = "retention"
"""Wake-up topic: the end of a retention period may have come."""


class Watch:
    """One waiter for one id."""

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


class Changes:
    """All waiters, by the id that each waits for."""

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
        """Wake every waiter for this id."""
        for watch in self._watches.get(wanted, ()):
            watch.wake()

    @contextmanager
    def watching(self, wanted: str) -> Iterator[Watch]:
        """Watch an id. Begin before reading, or a change between the read and the wait would be missed."""
        watch = Watch()
        self._watches.setdefault(wanted, set()).add(watch)
        try:
            yield watch
        finally:
            self._watches[wanted].discard(watch)
            if not self._watches[wanted]:
                del self._watches[wanted]
