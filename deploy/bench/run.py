"""``make bench`` measures hand-overs per second and their latency, beside a bare endpoint that inserts the same rows.

The network is that of ``make run``: the embedded broker and five services. Each service is a uvicorn process with a
database of its own. A hand-over is one transfer of one victim from the police to KemenPPPA, requested over HTTP.
Measured are:

- *POST*: milliseconds until the police answer 201. From then on Estafet guarantees the hand-over.
- *201→visible*: milliseconds from that 201 until KemenPPPA shows the transfer. The GET is sent at the 201, and the
  service holds it (``Prefer: wait``) until the transfer arrives. The figure includes the round trip of that one GET.

*The floor* is a FastAPI endpoint of one process with the same uvicorn options, engine, driver and pragmas. Under the
same loads it inserts, in one transaction, the rows of a real POST. Their bytes come from the database of the police.
It has no rules, reads nothing, numbers no link, signs nothing and sends nothing. *× the floor* says what all of that
costs.

There are two kinds of load. At 10 and 40 a second, hand-overs arrive evenly, whether or not earlier ones are done.
POST then counts from the moment when a hand-over was due: a stall counts for every hand-over it delays. With 8
clients, each client sends its next hand-over when its last one is visible (at the floor: answered).

Every hand-over is of a fresh victim, because a victim has one open transfer at most. Victims are registered before the
window, and a window opens when the network is at rest. No time limit fails the run. A hand-over that is refused, or
not visible after 30 s, sets exit code 1.
"""

import asyncio
import itertools
import os
import platform
import signal
import sqlite3
import subprocess
import tempfile
from collections import Counter
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import create_engine, text

from deploy.bench.databases import DatabaseKind, postgresql
from deploy.bench.figures import Pair, table_of
from deploy.bench.floor import start_floor
from deploy.bench.load import LOADS, LOST_SECONDS, Load, MeasuredSystem, http_client
from deploy.bench.network import RECEIVER, SENDER, Network, transfer
from deploy.client.agency_system import new_id
from deploy.local.console_output import console, say
from deploy.local.embedded_nats import find_nats_server
from deploy.local.run import ENDINGS, INTERRUPTED, until_told
from deploy.local.stack import CannotRun, Stack

MOST_PER_SECOND = 100
"""Victims registered for each second of the clients' load. When they run out, the window ends early."""
WARM_UP = 24
UNHURRIED = {
    "ESTAFET_RATE_PER_SECOND": "1000000",
    "ESTAFET_RATE_BURST": "1000000",
    "ESTAFET_IDENTIFIERS_PER_MINUTE": "1000000",
    "ESTAFET_IDENTIFIERS_IN_OFFICERS_LIST": "1000",
}
"""Settings that lift the rate limits: one client makes all the load."""


async def _bench(stack: Stack, seconds: int, identity: bool, results: list[Pair]) -> None:
    """Start everything, register victims, and measure each load on the network and then on the floor."""
    say("Menyalakan lima layanan dan NATS …", "starting five services and NATS")
    os.environ.update(UNHURRIED)
    await stack.start()
    auths = stack.auths()
    network = Network(stack.urls, auths, identity)
    try:
        floor_url = await start_floor(stack, await network.at_rest())
        count = WARM_UP + sum(seconds * (load.rate or MOST_PER_SECOND) for load in LOADS)
        say(f"Mendaftarkan {count} korban …", "registering victims, one for each hand-over")
        victims = map(transfer, await network.register(count))
        nobody = (transfer(new_id()) for _ in itertools.count())
        async with (
            http_client(stack.urls[SENDER], auths[SENDER]) as police,
            http_client(stack.urls[RECEIVER], auths[RECEIVER]) as there,
            http_client(floor_url) as bare,
        ):
            estafet, dasar = (
                MeasuredSystem("Estafet", victims, police, there),
                MeasuredSystem("dasar/floor", nobody, bare),
            )
            for target in (estafet, dasar):
                await target.measure(Load("awal", rate=WARM_UP), 1)
            for load in LOADS:
                await network.at_rest()
                ours = await estafet.measure(load, seconds)
                await network.at_rest()
                results.append((ours, await dasar.measure(load, seconds)))
    finally:
        await network.close()


def end_as_by_ctrl_c() -> None:
    """Let every signal stop the database server like Ctrl-C. ``until_told`` handles signals itself."""
    for number in ENDINGS:
        signal.signal(number, signal.default_int_handler)


def _measure_on(kind: DatabaseKind, folder: Path, seconds: int, identity: bool) -> tuple[str, list[Pair]] | None:
    """The name of the database and its measurements; None when a signal came before all loads were measured."""
    results: list[Pair] = []
    with postgresql(folder) if kind is DatabaseKind.POSTGRESQL else nullcontext() as database_url:
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
    database: Annotated[DatabaseKind, typer.Option(help="Which database to measure on.")] = DatabaseKind.SQLITE,
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
        for kind in (DatabaseKind.SQLITE, DatabaseKind.POSTGRESQL) if database is DatabaseKind.BOTH else (database,):
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
        console.print(table_of(name, results))
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
