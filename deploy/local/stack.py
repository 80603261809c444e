"""Broker, provisioner, issuer of tokens and the five services as processes of this machine, in one folder."""

import asyncio
import fcntl
import importlib
import json
import logging
import os
import sys
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from pathlib import Path
from typing import IO

import httpx

from deploy.client.token_source import TokenSource, token_sources
from deploy.compose.provision import READERS
from deploy.credentials.keyring import KEYS
from deploy.credentials.secrets import PROVISIONER, SOON, certify_network, make_secrets
from deploy.issuer.profile import OnlyForDevelopment, require_development
from deploy.local.console_output import say
from deploy.local.embedded_nats import HOST, EmbeddedNats, free_port, is_free
from deploy.local.supervisor import Nats, ServiceProcess, Supervisor, cancelled
from services.members import SERVICES
from shared.logs.setup import configure_logs
from shared.messaging.provisioner import keep_provisioned
from shared.security.development import DEVELOPMENT_ISSUER
from shared.storage.engine import open_engine
from shared.storage.migrate import migrate

NATS_PORT = 4222
ORDER = ("coordination", *(name for name in SERVICES if name != "coordination"))
"""Coordination listens on the first port, the agencies on those after it, and the issuer of tokens on the last."""
ISSUER_NAME = "issuer"
READY_SECONDS = 60.0
LOOK_AGAIN_SECONDS = 0.05


class CannotRun(Exception):
    """Estafet cannot run. The message is for the operator."""


class Stack:
    """The five services with broker, provisioner and issuer of tokens, in one folder.

    ``port`` is coordination's; the agencies and the issuer of tokens take the next five. Without it each takes any
    free port.
    ``database_url``: member → URL of its database; without it databases are SQLite files in the folder.
    Raises CannotRun when another run uses the folder.
    """

    def __init__(self, folder: Path, port: int | None = None, database_url: Callable[[str], str] | None = None) -> None:
        self.folder = folder
        self.database_url = database_url or (lambda name: f"sqlite:///{folder / 'databases' / name}.db")
        self._secrets = folder / "secrets"
        self._lock = sole_user(folder)
        self._logs = folder / "logs"
        for made in (self._logs, folder / "databases"):
            made.mkdir(exist_ok=True)
        names = (*ORDER, ISSUER_NAME)
        *ports, nats_port, monitor_port = choose_ports(port, names)
        self.urls = dict(zip(names, (f"http://{HOST}:{free}" for free in ports), strict=True))
        self.issuer_url = self.urls.pop(ISSUER_NAME)
        self.supervisor = Supervisor(self._write_state)
        self.nats = EmbeddedNats(
            folder / "nats", self._secrets, nats_port, monitor_port, group=self.supervisor.leash.group
        )
        self._provisioning: asyncio.Task[None] | None = None
        self._write_state()
        self._log_to_file()

    def _log_to_file(self) -> None:
        log = (self._logs / "run.log").open("a", buffering=1)
        configure_logs("info", log)
        logging.basicConfig(stream=log, level=logging.WARNING)  # messages of libraries, not between those for a person

    async def start(self) -> None:
        """Start everything; wait until all five services are ready and connected to the broker. Raises CannotRun."""
        try:
            require_development()
            make_secrets(self._secrets)
            certify_network(self._secrets, renew=SOON)
            await asyncio.gather(self.supervisor.start(Nats(self.nats)), self._start_services())
        except (OSError, RuntimeError, OnlyForDevelopment) as error:
            raise CannotRun(str(error)) from error
        self._provisioning = asyncio.create_task(self._provision())
        async with httpx.AsyncClient(timeout=2.0) as http:
            services = (self._until(name, partial(_is_ready, http, self.urls[name])) for name in ORDER)
            issuer = self._until(ISSUER_NAME, partial(_answers, http, f"{self.issuer_url}/jwks"))
            await asyncio.gather(issuer, *services)

    def auths(self) -> dict[str, TokenSource]:
        """Member → the token source of its own system."""
        return token_sources(self.issuer_url, self._secrets)

    async def _start_services(self) -> None:
        await self.supervisor.start(self._issuer())
        # each service starts when its own database is ready; Alembic cannot migrate two databases at once
        for name in ORDER:
            await asyncio.to_thread(_migrate, SERVICES[name], self.database_url(name))
            await self.supervisor.start(self._service(name))

    def _issuer(self) -> ServiceProcess:
        options = ["--folder", str(self._secrets), "--port", self.issuer_url.rpartition(":")[2]]
        command = [sys.executable, "-m", "deploy.issuer", "serve", *options]
        return ServiceProcess(ISSUER_NAME, command, {}, self._logs / f"{ISSUER_NAME}.log")

    def _service(self, name: str) -> ServiceProcess:
        tls = self.nats.tls(name)
        environment = {
            "ESTAFET_DATABASE_URL": self.database_url(name),
            "ESTAFET_PUBLIC_URL": self.urls[name],
            "ESTAFET_KEY_FOLDER": str(self._secrets / name / KEYS),
            "ESTAFET_KEY_DIRECTORY_FILE": str(self._secrets / "public" / "keys.json"),
            "ESTAFET_KEY_DIRECTORY_ROOT_FILE": str(self._secrets / "public" / "directory-root.json"),
            "ESTAFET_NATS_URL": self.nats.url,
            "ESTAFET_NATS_SEED_FILE": str(self._secrets / name / "nats.seed"),
            "ESTAFET_ISSUER": DEVELOPMENT_ISSUER,
            "ESTAFET_ISSUER_JWKS": str(self._secrets / "public" / "issuer.json"),
            "ESTAFET_REVOKED_TOKENS_FILE": str(self._secrets / "public" / "revoked-tokens.json"),
            "ESTAFET_NATS_CA_FILE": str(tls.ca),
            "ESTAFET_NATS_CERTIFICATE_FILE": str(tls.certificate),
            "ESTAFET_NATS_KEY_FILE": str(tls.key),
        }
        return ServiceProcess(
            name, serve_command(SERVICES[name], self.urls[name]), environment, self._logs / f"{name}.log"
        )

    async def _provision(self) -> None:
        broker = self.nats.broker(PROVISIONER)
        try:
            await broker.connect()
            await keep_provisioned(broker, READERS)
        finally:
            await broker.close()

    async def _until(self, name: str, holds: Callable[[], Awaitable[bool]]) -> None:
        """Wait until a child is ready, at most READY_SECONDS. Raises CannotRun with the end of its log."""
        try:
            async with asyncio.timeout(READY_SECONDS):
                while not await holds():
                    await asyncio.sleep(LOOK_AGAIN_SECONDS)
        except TimeoutError:
            log = self._logs / f"{name}.log"
            end = log.read_text(errors="replace")[-2000:] if log.exists() else ""
            raise CannotRun(f"{name} is not ready after {READY_SECONDS:.0f} s; {log} ends with:\n{end}") from None

    def _write_state(self) -> None:
        children = {child.name: child.pid for child in self.supervisor.children}
        state = {
            "pid": os.getpid(),
            "group": self.supervisor.leash.group,
            "services": {name: {"url": url, "pid": children.get(name)} for name, url in self.urls.items()},
            "issuer": {"url": self.issuer_url, "pid": children.get(ISSUER_NAME)},
            "nats": {"url": self.nats.url, "pid": children.get("nats")},
        }
        new = self.folder / "state.json.new"
        new.write_text(json.dumps(state, indent=2) + "\n")
        new.replace(self.folder / "state.json")

    async def close(self, hurry: asyncio.Event) -> None:
        """Stop everything and release the folder. Once ``hurry`` is set, children are killed at once."""
        if self._provisioning is not None:
            await cancelled(self._provisioning)
        await self.supervisor.close(hurry)
        (self.folder / "state.json").unlink(missing_ok=True)
        self._lock.close()


def serve_command(app: str, url: str) -> list[str]:
    """The command that serves an ASGI app at a URL (``http://host:port``), the same for every service."""
    host, port = url.removeprefix("http://").split(":")
    options = ["--host", host, "--port", port, "--grace", "2"]
    return [sys.executable, "-m", "shared.http.serve", app, *options]


def sole_user(folder: Path) -> IO[str]:
    """Lock the folder against other runs. The kernel releases the lock when this process ends. Raises CannotRun."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = (folder / "lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        raise CannotRun(
            f"Estafet sudah berjalan di {folder}; hentikan dahulu, atau pilih --folder lain.\n"
            f"Estafet runs in {folder} already: stop it first, or choose another --folder."
        ) from None
    return lock


def choose_ports(first: int | None, names: Iterable[str]) -> list[int]:
    """A free port for each name: counted from ``first``, or the next free one. Without ``first``, or 0, any free port.

    The broker's two ports follow: for its clients and for its monitor. All ports differ.
    """
    chosen: list[int] = []
    for wanted, name in enumerate(names, first or free_port()):
        port = wanted
        while port in chosen or not is_free(port):
            port += 1
        if first and port != wanted:
            say(
                f"! Port {wanted} terpakai: {name} memakai {port} (lihat --port)",
                f"port {wanted} is taken: {name} takes {port} (see --port)",
                "yellow",
            )
        chosen.append(port)
    usual = bool(first) and NATS_PORT not in chosen and is_free(NATS_PORT)
    chosen.append(NATS_PORT if usual else free_port(but=chosen))
    chosen.append(free_port(but=chosen))
    return chosen


def _migrate(module: str, database_url: str) -> None:
    engine = open_engine(database_url)
    migrate(engine, importlib.import_module(module).MEMBER.lineages)
    engine.dispose()


async def _answers(http: httpx.AsyncClient, url: str) -> bool:
    try:
        return (await http.get(url)).status_code == 200
    except httpx.TransportError:
        return False


async def _is_ready(http: httpx.AsyncClient, url: str) -> bool:
    try:
        response = await http.get(f"{url}/health/ready")
    except httpx.TransportError:
        return False
    return response.status_code == 200 and response.json()["broker"] == "connected"
