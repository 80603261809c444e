"""Child processes that are restarted when they die, and never outlive the process that started them."""

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

from deploy.local.console_output import say
from deploy.local.embedded_nats import EmbeddedNats

TERM_SECONDS = 6.0
SHORTEST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 5.0
LOOK_AGAIN_SECONDS = 0.05
CANCEL_SECONDS = 3.0
HEALTHY_SECONDS = 10.0
"""A child that dies after more than this time is restarted without a pause."""

_HOLD = """
import os, signal, sys
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, signal.SIG_IGN)
sys.stdin.buffer.read()
os.killpg(0, signal.SIGKILL)
"""


async def cancelled(*tasks: asyncio.Task[Any]) -> None:
    """Cancel tasks and wait for their end, at most CANCEL_SECONDS.

    Tasks are cancelled repeatedly, because ``asyncio.wait_for`` of Python 3.11, which nats-py uses, can swallow a
    cancellation.
    """
    deadline = time.monotonic() + CANCEL_SECONDS
    while (left := {task for task in tasks if not task.done()}) and time.monotonic() < deadline:
        for task in left:
            task.cancel()
        await asyncio.wait(left, timeout=0.2)


class Leash:
    """A small process that leads the process group of all children and reads a pipe from this process.

    The pipe closes when ``pull`` is called or when this process ends, for any reason. Then the leash kills the whole
    group and itself. No list of process ids can become stale, and Linux and macOS behave the same. The group is not the
    terminal's, so Ctrl-C reaches this process only, which then stops the children in order.
    """

    def __init__(self) -> None:
        command = [sys.executable, "-I", "-S", "-c", _HOLD]
        quiet = subprocess.DEVNULL
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=quiet, stderr=quiet, process_group=0)
        self.group = self._process.pid

    def pull(self) -> None:
        """Kill all processes left in the group, and wait for the end of the leash."""
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.wait()


class ServiceProcess:
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
        """Start the process in this group. It is not ready yet."""
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
        """Kill the process and wait for its end."""
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
        """Start the broker and wait until it serves. ``EmbeddedNats`` knows the group. Raises RuntimeError."""
        await asyncio.to_thread(self._start)

    def _start(self) -> None:
        with self._starting:
            if not self._over:
                self._server.kill()  # clears the state of a process that has died
                self._server.start()

    async def ended(self) -> None:
        """Wait until it has ended."""
        while self._server.running:
            await asyncio.sleep(LOOK_AGAIN_SECONDS)

    async def stop(self) -> None:
        """Ask it to stop and wait for its end."""
        await asyncio.to_thread(self._server.stop)

    async def end(self) -> None:
        """Kill the broker, also one that a thread is about to start, and prevent every later start."""
        self._over = True
        await asyncio.to_thread(self._end)

    def _end(self) -> None:
        with self._starting:
            self._server.kill()


class Supervisor:
    """Keeps children running until it is closed. ``changed`` is called when a child has a new process id."""

    def __init__(self, changed: Callable[[], None]) -> None:
        self.leash = Leash()
        self.children: list[ServiceProcess | Nats] = []
        self._changed = changed
        self._keepers: list[asyncio.Task[None]] = []
        self._closing = False

    async def start(self, child: ServiceProcess | Nats) -> None:
        """Start a child and restart it whenever it dies. Raises what the first start raises."""
        self.children.append(child)
        await child.start(self.leash.group)
        self._changed()
        self._keepers.append(asyncio.create_task(self._keep(child)))

    async def _keep(self, child: ServiceProcess | Nats) -> None:
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
        """Stop the services, then the broker; after TERM_SECONDS kill the rest. Once ``hurry`` is set, kill at once."""
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
        services = [child for child in self.children if isinstance(child, ServiceProcess)]
        await asyncio.gather(*(service.stop() for service in services))
        await asyncio.gather(*(child.stop() for child in broker))
