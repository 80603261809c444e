"""Child processes that come back when they die, and never outlive the one who started them."""

import asyncio
import contextlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from deploy.console_output import say
from deploy.embedded_nats import EmbeddedNats

TERM_SECONDS = 6.0
SHORTEST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 5.0
LOOK_AGAIN_SECONDS = 0.05
CANCEL_SECONDS = 3.0
HEALTHY_SECONDS = 10.0
"""Who has lived so long is started again without a pause when it dies."""

_HOLD = """
import os, signal, sys
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, signal.SIG_IGN)
sys.stdin.buffer.read()
os.killpg(0, signal.SIGKILL)
"""


async def cancelled(*tasks: asyncio.Task[Any]) -> None:
    """Cancel tasks and wait for their end, but not for ever.

    Once is not enough: in Python 3.11 ``asyncio.wait_for``, which nats-py lives on, can swallow a cancellation.
    """
    deadline = time.monotonic() + CANCEL_SECONDS
    while (left := {task for task in tasks if not task.done()}) and time.monotonic() < deadline:
        for task in left:
            task.cancel()
        await asyncio.wait(left, timeout=0.2)


class Leash:
    """A small process that leads the group of all children and holds a pipe from us.

    When the pipe closes, because we pulled it or because we are gone in whatever way, it kills the whole group and
    itself. There is no list of process ids that could be stale, and it is the same on Linux and macOS. And as the
    group is not the terminal's, Ctrl-C reaches us alone: we decide who is stopped when.
    """

    def __init__(self) -> None:
        command = [sys.executable, "-I", "-S", "-c", _HOLD]
        quiet = subprocess.DEVNULL
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=quiet, stderr=quiet, process_group=0)
        self.group = self._process.pid

    def pull(self) -> None:
        """Kill whoever is left of the group, and wait until it is done."""
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.wait()


class Service:
    """One service as a child process."""

    def __init__(self, name: str, command: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        self.name = name
        self._command = command
        self._environment = environment
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The id of the running process, or None."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    async def start(self, group: int) -> None:
        """Start it; it is not ready yet."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                env={**os.environ, **self._environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                process_group=group,
            )

    async def ended(self) -> None:
        """Wait until it has ended."""
        while self.pid is not None:
            await asyncio.sleep(LOOK_AGAIN_SECONDS)

    async def stop(self) -> None:
        """Ask it to stop and wait for its end."""
        if self._process is not None:
            self._process.terminate()
        await self.ended()

    async def end(self) -> None:
        """See to it that it has ended."""
        if self._process is not None:
            self._process.kill()
        await self.ended()


class Nats:
    """The broker as a child process."""

    name = "nats"

    def __init__(self, server: EmbeddedNats) -> None:
        self._server = server
        self._starting = threading.Lock()
        self._over = False

    @property
    def pid(self) -> int | None:
        """The id of the running process, or None."""
        return self._server.pid if self._server.running else None

    async def start(self, group: int) -> None:
        """Start it and wait until it serves. It joined the group when it was made."""
        await asyncio.to_thread(self._start)

    def _start(self) -> None:
        with self._starting:
            if not self._over:
                self._server.kill()  # clears away one that has died
                self._server.start()

    async def ended(self) -> None:
        """Wait until it has ended."""
        while self._server.running:
            await asyncio.sleep(LOOK_AGAIN_SECONDS)

    async def stop(self) -> None:
        """Ask it to stop and wait for its end."""
        await asyncio.to_thread(self._server.stop)

    async def end(self) -> None:
        """Kill it, also one that a thread was just about to start, and let none start any more."""
        self._over = True
        await asyncio.to_thread(self._end)

    def _end(self) -> None:
        with self._starting:
            self._server.kill()


class Supervisor:
    """Keeps children running until it is closed. ``changed`` is called whenever one has another process id."""

    def __init__(self, changed: Callable[[], None]) -> None:
        self.leash = Leash()
        self.children: list[Service | Nats] = []
        self._changed = changed
        self._keepers: list[asyncio.Task[None]] = []
        self._closing = False

    async def start(self, child: Service | Nats) -> None:
        """Start a child and keep it running from now on."""
        self.children.append(child)
        await child.start(self.leash.group)
        self._changed()
        self._keepers.append(asyncio.create_task(self._keep(child)))

    async def _keep(self, child: Service | Nats) -> None:
        pause = 0.0
        while True:
            began = time.monotonic()
            await child.ended()
            if self._closing:
                return
            pause = 0.0 if time.monotonic() - began > HEALTHY_SECONDS else max(pause * 2, SHORTEST_PAUSE_SECONDS)
            pause = min(pause, LONGEST_PAUSE_SECONDS)
            say(f"! {child.name} mati; dihidupkan lagi", f"{child.name} died and is started again", "yellow")
            await asyncio.sleep(pause)
            try:
                await child.start(self.leash.group)
            except (OSError, RuntimeError) as error:
                say(f"! {child.name} belum dapat hidup", f"{child.name} cannot start yet: {error}", "red")
            self._changed()

    async def close(self, hurry: asyncio.Event) -> None:
        """Stop all: services first, the broker last; kill what does not stop, and all at once when in a hurry."""
        self._closing = True
        stopping = asyncio.create_task(self._stop_in_order())
        hurrying = asyncio.create_task(hurry.wait())
        await asyncio.wait({stopping, hurrying}, timeout=TERM_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        self.leash.pull()
        await cancelled(stopping, hurrying, *self._keepers)
        for child in self.children:
            await child.end()

    async def _stop_in_order(self) -> None:
        broker = [child for child in self.children if isinstance(child, Nats)]
        services = [child for child in self.children if isinstance(child, Service)]
        await asyncio.gather(*(service.stop() for service in services))
        await asyncio.gather(*(child.stop() for child in broker))
