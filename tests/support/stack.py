"""``python -m deploy.local.run`` as a user starts it: in its own folder, on free ports, with its output read along."""

import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from deploy.client.token_source import TokenSource, token_sources
from deploy.local.embedded_nats import free_port, is_free
from tests.support.sources import ROOT

PATIENCE = 180.0


class Run:
    """A running ``deploy.local.run``."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.folder = folder
        self.lines: list[str] = []
        self._unread: queue.Queue[str | None] = queue.Queue()
        # port 0: any free ports, so that two runs at the same time do not both take the broker's usual one
        command = [sys.executable, "-m", "deploy.local.run", "--folder", str(folder), "--port", "0"]
        self.process = subprocess.Popen(
            [*command, *options],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            env={**os.environ, "PYTHONIOENCODING": "utf-8"},
            start_new_session=True,  # a signal to it is not one to the tests
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip())
            self._unread.put(line)
        self.process.stdout.close()
        self._unread.put(None)

    @property
    def output(self) -> str:
        """All it has said until now."""
        return "\n".join(self.lines)

    def until(self, text: str) -> None:
        """Read along until a line holds ``text``."""
        deadline = time.monotonic() + PATIENCE
        while True:
            line = self._unread.get(timeout=max(deadline - time.monotonic(), 0.01))
            assert line is not None, f"ended without saying {text!r}:\n{self.output}"
            if text in line:
                return

    def state(self) -> dict[str, Any]:
        """The network's description of itself."""
        return dict(json.loads((self.folder / "state.json").read_text()))

    @property
    def urls(self) -> dict[str, str]:
        """Member → URL."""
        return {name: service["url"] for name, service in self.state()["services"].items()}

    @property
    def secrets(self) -> Path:
        """The folder of the secrets."""
        return self.folder / "secrets"

    def auths(self) -> dict[str, TokenSource]:
        """Member → what its own system identifies itself with."""
        return token_sources(self.state()["issuer"]["url"], self.secrets)

    def pid_of(self, name: str) -> int | None:
        """The process that is now this service, the issuer, or the broker."""
        state = self.state()
        found: int | None = (state[name] if name in ("nats", "issuer") else state["services"][name])["pid"]
        return found

    def wait(self) -> int:
        """Its exit code, when it has ended and all it said is read."""
        code = self.process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        return code

    def end(self) -> None:
        """Have it ended, whatever happened."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.wait()


@contextmanager
def running(folder: Path, *options: str) -> Iterator[Run]:
    """``deploy.local.run`` with these options; ended in any case."""
    run = Run(folder, *options)
    try:
        yield run
    finally:
        run.end()


def six_free_ports() -> int:
    """The first of six free ports in a row: for five services and the issuer."""
    while True:
        first = free_port()
        if all(is_free(port) for port in range(first, first + 6)):
            return first


def left_of_group(group: int) -> list[int]:
    """The living processes of a process group; one that has died and only waits to be reaped does not live."""
    if not Path("/proc/self/stat").exists():
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return []
        return [group]
    return [pid for pid in map(int, filter(str.isdecimal, os.listdir("/proc"))) if _belongs(pid, group)]


def _belongs(pid: int, group: int) -> bool:
    try:
        state, _, its_group = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[:3]
    except OSError:
        return False
    return int(its_group) == group and state not in "ZX"


def until_free(ports: Iterable[int], seconds: float) -> list[int]:
    """The ports still in use after at most this many seconds. A killed process may already wait to be reaped while its
    thread still closes them."""
    deadline, taken = time.monotonic() + seconds, list(ports)
    while (taken := [port for port in taken if not is_free(port)]) and time.monotonic() < deadline:
        time.sleep(0.02)
    return taken


def until_gone(group: int, seconds: float) -> list[int]:
    """The processes of the group still alive after at most this many seconds."""
    deadline = time.monotonic() + seconds
    while (left := left_of_group(group)) and time.monotonic() < deadline:
        time.sleep(0.02)
    return left
