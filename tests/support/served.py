"""Services as they are really served, and bytes sent to them as they are."""

import asyncio
import os
import re
import socket
import subprocess
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from fastapi import FastAPI

from deploy.local.embedded_nats import free_port
from deploy.local.stack import serve_command
from services.members import SERVICES
from services.police.main import MEMBER as POLICE
from shared.domain.access import Role
from shared.http.connection import Connection
from shared.service.app import create_app
from shared.service.running import now_utc, serving
from shared.service.settings import Settings
from shared.storage.engine import open_engine
from shared.storage.migrate import migrate
from tests.support.sources import ROOT
from tests.support.tokens import Bearing, claims, signed, trusting

OFFICER = Bearing("police", Role.OFFICER, "bareskrim", now_utc)
PATIENCE, LOOK_AGAIN = 60.0, 0.05


@dataclass(frozen=True)
class Answer:
    """The reply on a connection: its first answer, and the number of answers."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    answers: int

    @property
    def code(self) -> str | None:
        """The code of the problem, if it is one."""
        found = re.search(rb'"type":"urn:estafet:problem:([a-z-]+)"', self.body)
        return found and found[1].decode()

    @property
    def fields(self) -> list[str]:
        """The fields that the problem names as wrong."""
        return [field.decode() for field in re.findall(rb'"field":"([^"]*)"', self.body)]


@dataclass
class Served:
    """A service on a port, and the file it logs to."""

    port: int
    log: Path
    process: subprocess.Popen[bytes]

    def send(self, *parts: bytes) -> Answer:
        """Send these bytes on a connection of their own and read until the service has hung up."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE) as connection:
            for part in parts:
                try:
                    connection.sendall(_with_tokens(part))
                except (BrokenPipeError, ConnectionResetError):
                    break  # it has heard enough; what it said can still be read
            return _parsed(b"".join(_until_closed(connection)))

    def stop(self) -> str:
        """Stop it; answers all that it has logged."""
        self.process.terminate()
        self.process.wait(PATIENCE)
        return self.log.read_text(encoding="utf-8")


def _with_tokens(part: bytes) -> bytes:
    """The bytes with a token in the place of ``@officer@`` or ``@administrator@``."""
    for role in (Role.OFFICER, Role.ADMINISTRATOR):
        if (mark := b"@%s@" % role.encode()) in part:
            said = claims("police", role, "bareskrim", datetime.now(UTC))
            part = part.replace(mark, signed(said).encode())
    return part


def _until_closed(connection: socket.socket) -> Iterator[bytes]:
    try:
        while packet := connection.recv(65536):
            yield packet
    except ConnectionResetError:
        return


def _parsed(said: bytes) -> Answer:
    said = said.removeprefix(b"HTTP/1.1 100 Continue\r\n\r\n")
    head, _, body = said.partition(b"\r\n\r\n")
    status, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    return Answer(int(status.split()[1]), headers, body, len(re.findall(rb"HTTP/1\.1 \d{3} ", said)))


@contextmanager
def served(
    folder: Path, secrets: Path, app: str = f"{SERVICES['police']}:app", *, listens: bool = True, **settings: Any
) -> Iterator[Served]:
    """An app with the tables of the police, on SQLite, without a broker, with these settings; stopped in any case."""
    port, log = free_port(), folder / "log"
    url = f"sqlite:///{folder}/police.db"
    engine = open_engine(url)
    migrate(engine, POLICE.lineages)
    engine.dispose()
    own = {
        "database_url": url,
        **trusting("police", secrets),
        **settings,
    }
    environment = {f"ESTAFET_{name.upper()}": str(value) for name, value in own.items()}
    with log.open("wb") as out:
        process = subprocess.Popen(
            serve_command(app, f"http://127.0.0.1:{port}"),
            env={**os.environ, **environment},
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
        )
    try:
        if listens:
            _until_listening(port, process, log)
        yield Served(port, log, process)
    finally:
        process.kill()
        process.wait(PATIENCE)


def _until_listening(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=PATIENCE).close()
            return
        except ConnectionRefusedError:
            with suppress(subprocess.TimeoutExpired):
                process.wait(LOOK_AGAIN)
                raise AssertionError(log.read_text()) from None


@asynccontextmanager
async def listening(app: FastAPI, connection: type[asyncio.Protocol] = Connection) -> AsyncIterator[str]:
    """An app that is already at work on a free port of this machine, in this process. Answers its URL."""
    own: dict[str, Any] = {"http": connection, "ws": "none", "proxy_headers": False, "server_header": False}
    server = uvicorn.Server(uvicorn.Config(app, port=0, lifespan="off", log_config=None, access_log=False, **own))
    server.config.load()
    started = asyncio.create_task(server.serve())
    try:
        async with asyncio.timeout(10):
            while not server.started:
                await asyncio.sleep(0)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        with suppress(asyncio.CancelledError):
            await started


def settings_of_police(folder: Path, secrets: Path, **more: Any) -> Settings:
    """The police on SQLite, without a broker and without a word."""
    url = f"sqlite:///{folder}/police.db"
    return Settings(database_url=url, log_level="critical", **trusting("police", secrets), **more)


@asynccontextmanager
async def police_at_work(folder: Path, secrets: Path, **more: Any) -> AsyncIterator[tuple[FastAPI, httpx.AsyncClient]]:
    """The police on a port of their own."""
    settings = settings_of_police(folder, secrets, **more)
    engine = open_engine(settings.database())
    migrate(engine, POLICE.lineages)
    engine.dispose()
    app = create_app(POLICE, settings)
    async with (
        serving(app, POLICE, settings, now_utc),
        listening(app) as url,
        httpx.AsyncClient(base_url=url, timeout=20, auth=OFFICER) as client,
    ):
        yield app, client
