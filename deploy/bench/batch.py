"""``make bench-batch`` registers and refers 600 people in one call, as after a ship's arrival. Other callers work on.

The network is that of ``make run``. One request registers everybody, with identities, and refers each to first aid and
to a shelter. Meanwhile other callers of the same service, and of one receiver, read and write at an even pace. The
benchmark measures two times: until the call's last line, and until both receivers have the last referral. It also
measures the milliseconds of each other call, from when the call was due.

The goals are 600 people in 30 s, and p99 of the other calls within 200 ms. The output says whether they are met. A
person who was not registered, or a referral that does not arrive, sets exit code 1.
"""

import asyncio
import json
import os
import tempfile
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Annotated

import httpx
import typer

from deploy.bench.figures import percentile
from deploy.bench.load import http_client
from deploy.bench.run import UNHURRIED, end_as_by_ctrl_c
from deploy.client.agency_system import AgencySystem, Json, new_id
from deploy.client.token_source import supervisor_of
from deploy.local.console_output import say
from deploy.local.run import INTERRUPTED, until_told
from deploy.local.stack import Stack

SENDER, AID, SHELTER = "police", "kemenkes", "kemensos"
SECONDS_ASKED, P99_ASKED = 30.0, 0.2
PACE = 0.04
"""Seconds between two calls of the other callers."""
REFER = [
    {"service": "first-aid", "receiver": {"agency": AID}, "basis": "vital-interest"},
    {"service": "shelter-and-rehabilitation", "receiver": {"agency": SHELTER}, "basis": "public-task"},
]


def _person(number: int) -> Json:
    identity = {"name": f"Rekaan Nomor {number}", "nik": f"65030101010{number:05d}", "born_on": "2001-02-03"}
    return {"age_class": "adult", "sex": "unspecified", "home_region": "53.01", "identity": identity}


async def _a_case(police: AgencySystem) -> str:
    opened = {"unit": "polres-65.03", "channel": "immigration", "exploitation": "forced-labour", "destination": "MY"}
    return str((await police.post("/v1/cases", opened))["id"])


Call = Callable[[], Awaitable[httpx.Response]]


def _others(police: httpx.AsyncClient, aid: httpx.AsyncClient, case: str) -> Mapping[str, Call]:
    """The calls of the other callers: name → call."""

    async def register() -> httpx.Response:
        key = {"Idempotency-Key": new_id()}
        return await police.post(f"/v1/cases/{case}/victims", json=_person(0) | {"identity": None}, headers=key)

    return {
        "POST korban/victim": register,
        "GET rujukan/referrals": lambda: police.get("/v1/referrals"),
        "GET batas waktu/clocks": lambda: police.get("/v1/clocks"),
        "GET kemenkes": lambda: aid.get("/v1/referrals"),
    }


async def _meanwhile(others: Mapping[str, Call], over: asyncio.Event) -> dict[str, list[float]]:
    """Make the other calls in turn, at an even pace, until ``over`` is set. Returns name → seconds of each call."""
    now, waits = asyncio.get_running_loop().time, defaultdict[str, list[float]](list)

    async def one(name: str, call: Call, due: float) -> None:
        (await call()).raise_for_status()
        waits[name].append(now() - due)

    async with asyncio.TaskGroup() as tasks:
        due = now()
        while not over.is_set():
            for name, call in others.items():
                due += PACE
                await asyncio.sleep(due - now())  # the load keeps its pace, whatever the answers
                tasks.create_task(one(name, call, due))
    return waits


async def _take_in(head: httpx.AsyncClient, case: str, people: int) -> tuple[float, list[Json]]:
    """Register all people, and read the answer line by line. Returns the seconds to its last line, and the lines."""
    now = asyncio.get_running_loop().time
    body, lines, began = {"refer": REFER, "people": [_person(n) for n in range(1, people + 1)]}, [], now()
    path, key = f"/v1/cases/{case}/batches", {"Idempotency-Key": new_id()}
    async with head.stream("POST", path, json=body, headers=key) as answer:
        answer.raise_for_status()
        async for line in answer.aiter_lines():
            lines.append(json.loads(line))
            if lines[-1]["kind"] == "progress" and lines[-1]["registered"] % 100 == 0:
                say(f"  {lines[-1]['registered']} terdaftar", f"registered, {now() - began:.1f} s")
    return now() - began, lines


async def _bench(stack: Stack, people: int, faults: list[str]) -> None:
    say("Menyalakan lima layanan dan NATS …", "starting five services and NATS")
    os.environ.update(UNHURRIED)
    await stack.start()
    auths, over = stack.auths(), asyncio.Event()
    systems = {name: AgencySystem(name, stack.urls[name], auth=auths[name]) for name in (SENDER, AID, SHELTER)}
    async with (
        http_client(stack.urls[SENDER], auths[SENDER]) as police,
        http_client(stack.urls[SENDER], auths[supervisor_of(SENDER)]) as head,  # so many urgent patients
        http_client(stack.urls[AID], auths[AID]) as aid,
    ):
        case, other = await _a_case(systems[SENDER]), await _a_case(systems[SENDER])
        others = _others(police, aid, other)
        for call in others.values():
            (await call()).raise_for_status()
        meanwhile = asyncio.create_task(_meanwhile(others, over))
        seconds, lines = await _take_in(head, case, people)
        arrived = await _arrived(systems, lines)
        over.set()
        _tell(people, seconds, seconds + arrived, await meanwhile, lines[-1], faults)
    await asyncio.gather(*(system.close() for system in systems.values()))


async def _arrived(systems: Mapping[str, AgencySystem], lines: list[Json]) -> float:
    """Seconds until each receiver has its last referral. Earlier ones came before, because a link keeps its order."""
    now, began = asyncio.get_running_loop().time, asyncio.get_running_loop().time()
    last = [line for line in lines if line["kind"] == "person" and line["referrals"]][-1]["referrals"]
    for name, referral in zip((AID, SHELTER), last, strict=True):
        await systems[name].until(f"/v1/referrals/{referral}", lambda seen: seen["status"] == "received")
    return now() - began


def _tell(
    people: int, seconds: float, arrived: float, waits: Mapping[str, list[float]], end: Json, faults: list[str]
) -> None:
    met = {True: "✓", False: "✗"}
    say(
        f"{met[seconds <= SECONDS_ASKED]} {people} orang dalam {seconds:.1f} s (diminta ≤ {SECONDS_ASKED:.0f} s)",
        f"people registered and referred twice each; at both receivers after {arrived:.1f} s",
    )
    everything = [wait for one in waits.values() for wait in one]
    for name, one in {**waits, "semua/all": everything}.items():
        p50, p99, longest = (percentile(one, share) * 1000 for share in (0.5, 0.99, 1.0))
        say(
            f"{met[p99 <= P99_ASKED * 1000]} {name:<24} p50 {p50:>4.0f} p99 {p99:>4.0f} max {longest:>4.0f} ms",
            f"{len(one)} calls",
        )
    if (end["kind"], end.get("registered")) != ("end", people):
        faults.append(str(end))


def _command(
    people: Annotated[int, typer.Option(min=1, max=1000, help="People to register.")] = 600,
    folder: Annotated[Path, typer.Option(help="Folder for temporary files: the disk to measure.")] = Path(".run"),
) -> None:
    """Register many people in one call while others work on, and print how long everything takes."""
    end_as_by_ctrl_c()
    folder.mkdir(parents=True, exist_ok=True)
    faults: list[str] = []
    with tempfile.TemporaryDirectory(prefix="bench-", dir=folder.resolve()) as temporary:
        done = asyncio.run(until_told(partial(Stack, Path(temporary)), lambda stack: _bench(stack, people, faults)))
    if not done:
        raise typer.Exit(INTERRUPTED)
    if faults:
        say("✗ Tidak semua terdaftar", f"not everybody was registered: {faults}", "bold red")
        raise typer.Exit(1)


def main() -> None:
    """The command line."""
    typer.run(_command)


if __name__ == "__main__":
    main()
