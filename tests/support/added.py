"""Answers of services in a copy of the tree with every recipe of shared/HOW-TO-ADD.md: ``… added.py FOLDER``.

It starts three services on SQLite, without a broker, and prints their answers as JSON.
"""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from deploy.credentials.secrets import make_secrets
from deploy.local.embedded_nats import EmbeddedNats
from services.members import SERVICES
from tests.support.by_hand import deliver, posted
from tests.support.catalogue import member
from tests.support.databases import SqliteDatabases
from tests.support.network import Client, Network, problem, refer

DESK = "rs-74.01"


async def capacity(network: Network, kemenkes: Client, police: Client) -> list[str | None]:
    """The police's knowledge of a desk after it has announced its capacity, and after the withdrawal."""
    known = []
    for path, body in (
        (f"/v1/desks/{DESK}/capacity", {"service": "first-aid", "capacity": "waitlist"}),
        (f"/v1/desks/{DESK}/capacity/withdrawal", {"service": "first-aid"}),
    ):
        answer = await kemenkes.post(path, body)
        assert answer.status_code < 300, answer.text
        deliver(network, *posted(network, "kemenkes", "police"), to="police")
        page = await police.get("/v1/capacity", agency="kemenkes", service="first-aid", region="74.01")
        known += [desk["capacity"] for desk in page["items"] if desk["unit"] == DESK]
    return known


async def a_victim(agency: Client, unit: str, channel: str) -> str:
    case = await agency.post("/v1/cases", {"unit": unit, "channel": channel, "exploitation": "forced-labour"})
    assert case.status_code == 201, case.text
    made = await agency.post(f"/v1/cases/{case.json()['id']}/victims", {"age_class": "adult", "sex": "male"})
    return str(made.json()["id"])


async def check_ups(kemenkes: Client) -> list[list[str]]:
    """The open clocks of a victim after a check-up that asks for another one, and after the last."""
    victim, running = await a_victim(kemenkes, DESK, "emergency"), []
    for result in ("ongoing", "recovered"):
        filed = await kemenkes.post(f"/v1/victims/{victim}/forms/check-up", {"result": result})
        assert filed.status_code == 201, filed.text
        running.append([one["clock"] for one in (await kemenkes.get("/v1/clocks", state="open"))["items"]])
    return running


async def hours(kemenkes: Client) -> dict[str, Any]:
    """The opening hours of a desk, and what a desk is told that closes before it opens."""
    path = f"/v1/desks/{DESK}/hours"
    refused = await kemenkes.post(path, {"day": "monday", "opens": 9, "closes": 8})
    for closes in (15, 16):
        stored = await kemenkes.post(path, {"day": "monday", "opens": 8, "closes": closes})
        assert stored.status_code == 200, stored.text
    return {"refused": problem(refused), **await kemenkes.get(path)}


async def answers(folder: Path) -> dict[str, Any]:
    """Recipe → what a service answers that could not answer it before."""
    make_secrets(folder / "secrets")
    members = {code: member(code) for code in SERVICES}
    nats = EmbeddedNats(folder / "nats", folder / "secrets")
    network = Network(folder, folder / "secrets", nats, SqliteDatabases(folder), members=members)
    try:
        police, kemenkes, lpsk = [await network.start(code, online=False) for code in ("police", "kemenkes", "lpsk")]
        units = await police.get("/v1/units", agency="kemenkes", region="74.01")
        victim = await a_victim(lpsk, "lpsk-pusat", "application")
        referral = await refer(lpsk, victim, "kemensos", "shelter-and-rehabilitation", kind="transfer")
        return {
            "capacity": await capacity(network, kemenkes, police),
            "clocks": await check_ups(kemenkes),
            "units": [unit["unit"] for unit in units["items"]],
            "hours": await hours(kemenkes),
            "agency": (await lpsk.get(f"/v1/referrals/{referral}"))["receiver"]["agency"],
        }
    finally:
        await network.stop_all()


if __name__ == "__main__":
    print(json.dumps(asyncio.run(answers(Path(sys.argv[1])))))
