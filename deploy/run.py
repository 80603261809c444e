"""``make run`` starts broker, provisioner, issuer of tokens and the five services on this machine, and plays a journey.

One folder holds everything: secrets, databases, messages, logs, and ``state.json`` with each service's address and
process id. A process that dies is restarted; Ctrl-C stops everything.
"""

import asyncio
import fcntl
import importlib
import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from pathlib import Path
from typing import IO, Annotated

import httpx
import typer

from deploy import journey
from deploy.console_output import LABELS, Progress, console, say
from deploy.embedded_nats import HOST, EmbeddedNats, free_port, is_free
from deploy.issuer import ISSUER
from deploy.issuer.profile import OnlyForDevelopment, require_development
from deploy.keyring import KEYS
from deploy.provision import READERS
from deploy.secrets import PROVISIONER, SOON, certify_network, make_secrets
from deploy.supervisor import Nats, Service, Supervisor, cancelled
from deploy.token import make_token
from deploy.token_source import TokenSource, token_sources
from services.coordination.sign_in import VISIT_SECONDS
from services.members import MEMBERS
from shared.messaging.provisioner import keep_provisioned
from shared.service.logs import configure_logs
from shared.storage.database import open_engine
from shared.storage.migrate import migrate

FOLDER = Path(".run")
PORT = 8000
NATS_PORT = 4222
ORDER = ("coordination", *(name for name in MEMBERS if name != "coordination"))
"""Coordination listens on the first port, the agencies on those after it, and the issuer of tokens on the last."""
ISSUER_NAME = "issuer"
READY_SECONDS = 60.0
LOOK_AGAIN_SECONDS = 0.05
SIGN_IN_MINUTES = VISIT_SECONDS // 60
"""Validity of the console's token that is printed at the start: the longest that the console accepts."""
INTERRUPTED = 130
"""Exit code of a run that a signal stopped before its own end."""


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
        self._lock = _sole_user(folder)
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
            await asyncio.to_thread(_migrate, MEMBERS[name], self.database_url(name))
            await self.supervisor.start(self._service(name))

    def _issuer(self) -> Service:
        options = ["--folder", str(self._secrets), "--port", self.issuer_url.rpartition(":")[2]]
        command = [sys.executable, "-m", "deploy.issuer", "serve", *options]
        return Service(ISSUER_NAME, command, {}, self._logs / f"{ISSUER_NAME}.log")

    def _service(self, name: str) -> Service:
        tls = self.nats.tls(name)
        environment = {
            "ESTAFET_DATABASE_URL": self.database_url(name),
            "ESTAFET_PUBLIC_URL": self.urls[name],
            "ESTAFET_KEY_FOLDER": str(self._secrets / name / KEYS),
            "ESTAFET_KEY_DIRECTORY_FILE": str(self._secrets / "public" / "keys.json"),
            "ESTAFET_KEY_DIRECTORY_ROOT_FILE": str(self._secrets / "public" / "directory-root.json"),
            "ESTAFET_NATS_URL": self.nats.url,
            "ESTAFET_NATS_SEED_FILE": str(self._secrets / name / "nats.seed"),
            "ESTAFET_ISSUER": ISSUER,
            "ESTAFET_ISSUER_JWKS": str(self._secrets / "public" / "issuer.json"),
            "ESTAFET_REVOKED_TOKENS_FILE": str(self._secrets / "public" / "revoked-tokens.json"),
            "ESTAFET_NATS_CA_FILE": str(tls.ca),
            "ESTAFET_NATS_CERTIFICATE_FILE": str(tls.certificate),
            "ESTAFET_NATS_KEY_FILE": str(tls.key),
        }
        return Service(name, serving(MEMBERS[name], self.urls[name]), environment, self._logs / f"{name}.log")

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


def serving(app: str, url: str) -> list[str]:
    """The command that serves an ASGI app at a URL (``http://host:port``), the same for every service."""
    host, port = url.removeprefix("http://").split(":")
    options = ["--host", host, "--port", port, "--grace", "2"]
    return [sys.executable, "-m", "shared.service.serve", app, *options]


def _sole_user(folder: Path) -> IO[str]:
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
    """A free port for each name: counted from ``first``, or the next free one; any free port where ``first`` is None.

    The broker's two ports follow: for its clients and for its monitor. All ports differ.
    """
    chosen: list[int] = []
    for wanted, name in enumerate(names, first or free_port()):
        port = wanted
        while port in chosen or not is_free(port):
            port += 1
        if first is not None and port != wanted:
            say(
                f"! Port {wanted} terpakai: {name} memakai {port} (lihat --port)",
                f"port {wanted} is taken: {name} takes {port} (see --port)",
                "yellow",
            )
        chosen.append(port)
    usual = first is not None and NATS_PORT not in chosen and is_free(NATS_PORT)
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


async def _run(stack: Stack, began: float, play: bool, stay: bool) -> None:
    say(f"Estafet dinyalakan di {stack.folder} …", f"starting in {stack.folder}")
    await stack.start()
    spent = f"{time.monotonic() - began:.1f} s"
    say(f"✓ Lima layanan siap dalam {spent}", f"five services ready in {spent}", "green")
    victims: list[str] = []
    if play:
        console.print()
        progress = Progress()
        try:
            result = await journey.play(stack.urls, stack.auths(), progress, journey.show_trouble)
        except journey.FAULTS as error:
            raise CannotRun(f"{type(error).__name__}: {error}") from error
        victims = result.victims
        say(
            f"✓ Perjalanan selesai dalam {result.seconds:.1f} s",
            f"journey complete in {result.seconds:.1f} s",
            "bold green",
        )
    _where_to_look(stack, victims)
    if stay:
        _how_to_sign_in(stack)
        say("Ctrl-C menghentikan semuanya.", "Ctrl-C stops everything.", "bold")
        await asyncio.Event().wait()


def _where_to_look(stack: Stack, victims: list[str]) -> None:
    home = stack.urls["coordination"]
    console.print()
    say(f"  Konsol      {home}/", "the console")
    for number, victim in enumerate(victims, 1):
        say(f"  Korban {number}    {home}/journeys/{victim}", "a journey")
    for name in ORDER:
        say(f"  {LABELS[name]:<11} {stack.urls[name]}/docs", "API")
    say(f"  Penerbit    {stack.issuer_url}/.well-known/oauth-authorization-server", "issuer of tokens, for development")
    say(f"  NATS        {stack.nats.url}", f"user seed: {stack.folder}/secrets/province-74/nats.seed")
    say(f"  Log         {stack.folder}/logs/", "logs")
    console.print()


def _how_to_sign_in(stack: Stack) -> None:
    secrets = stack.folder / "secrets"
    elsewhere = "" if stack.folder == FOLDER.resolve() else f" --folder {secrets}"
    say(f'  TOKEN=$(make token ARGS="police{elsewhere}")', "an access token for the API of the police, for ten minutes")
    token = make_token(secrets, "coordination", minutes=SIGN_IN_MINUTES)
    say(f"  Masuk ke konsol di {stack.urls['coordination']}/masuk dengan:", "sign in to the console there with")
    console.print(token, markup=False)
    console.print()


ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""The signals that end a run."""


async def until_told(make_stack: Callable[[], Stack], what: Callable[[Stack], Awaitable[None]]) -> bool:
    """Run ``what`` on a stack until it is done or a signal comes, then stop everything. Returns whether it was done.

    A second signal kills the children at once. After the stop, signals are ignored: nothing is left to end, and a late
    signal must not change the exit code. Raises what ``what`` raises.
    """
    told, hurry, loop = asyncio.Event(), asyncio.Event(), asyncio.get_running_loop()

    def on_signal() -> None:
        (hurry if told.is_set() else told).set()

    for number in ENDINGS:  # not with the loop's handlers: the loop restores the defaults when it closes
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(on_signal))
    stack = make_stack()
    work = asyncio.ensure_future(what(stack))
    telling = asyncio.create_task(told.wait())
    await asyncio.wait({work, telling}, return_when=asyncio.FIRST_COMPLETED)
    if told.is_set():
        say("\nMenghentikan semuanya …", "stopping everything")
    told.set()
    done = work.done()
    await cancelled(work, telling)
    await stack.close(hurry)
    for number in ENDINGS:
        signal.signal(number, signal.SIG_IGN)
    say("Semua sudah berhenti.", "everything has stopped")
    if work.done() and not work.cancelled():
        work.result()
    return done


def _command(
    folder: Annotated[Path, typer.Option(help="Folder of secrets, databases and logs.")] = FOLDER,
    port: Annotated[int, typer.Option(help="Port of coordination; agencies and issuer take the next five.")] = PORT,
    play: Annotated[bool, typer.Option("--journey/--no-journey", help="Play the journey.")] = True,
    exit_after_journey: Annotated[bool, typer.Option(help="Stop as soon as the journey is complete.")] = False,
    fresh: Annotated[bool, typer.Option("--fresh/--keep", help="Delete the data of earlier runs.")] = False,
) -> None:
    """Start Estafet on this machine, play a journey through it, and run until Ctrl-C."""
    began = time.monotonic() - time.process_time()  # includes the time of imports
    folder = folder.resolve()
    try:
        if fresh:
            _throw_away(folder)
        stay = not exit_after_journey
        done = asyncio.run(until_told(lambda: Stack(folder, port), lambda stack: _run(stack, began, play, stay)))
        code = 0 if done or stay else INTERRUPTED
    except CannotRun as error:
        console.print(f"✗ {error}", style="bold red", markup=False)
        code = 1
    raise typer.Exit(code)


def _throw_away(folder: Path) -> None:
    with _sole_user(folder):
        for name in ("databases", "nats", "logs", "secrets"):
            shutil.rmtree(folder / name, ignore_errors=True)


def main() -> None:
    """The command line."""
    typer.run(_command)


if __name__ == "__main__":
    main()
