"""The loads of ``make bench``, and what is noted of each hand-over under them."""

import asyncio
import itertools
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import httpx

from deploy.client.agency_system import Json, new_id
from deploy.local.console_output import say

CLIENTS = 8

LOST_SECONDS = 30
"""A hand-over that is not visible this long after its 201 counts as lost. A service holds a GET no longer."""


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
class MeasuredSystem:
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
                long_poll, made = {"Prefer": f"wait={LOST_SECONDS}"}, str(asked.json()["id"])
                seen = await self.receiver.get(f"/v1/referrals/{made}", headers=long_poll)
                if seen.status_code == 404:
                    measured.lost.append(made)
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
