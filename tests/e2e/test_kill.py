"""kill -9 of any one process mid-journey: it comes back, and the journey completes with no repair."""

import asyncio
import os
import signal
from collections.abc import Iterator

import pytest

from deploy.journey.play import play
from tests.support.stack import PATIENCE, Run, running

KILLS = [
    ("police", 5),
    ("issuer", 2),  # before the others have their first token
    ("kemenpppa", 7),
    ("kemenkes", 14),
    ("nats", 6),
    ("nats", 20),
    ("kemensos", 19),
    ("coordination", 16),
    ("coordination", 24),
]
"""The service that is killed, and the step of the journey before its death."""
IN_FLIGHT_SECONDS = 0.02


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """One stack for all kills."""
    with running(tmp_path_factory.mktemp("kill") / "run", "--no-journey") as run:
        run.until("Ctrl-C")
        yield run


@pytest.mark.parametrize(("name", "after"), KILLS)
async def test_the_journey_completes_although_one_is_killed(run: Run, name: str, after: int) -> None:
    victim = run.pid_of(name)
    assert victim is not None
    steps: list[str] = []

    def report(agency: str, indonesian: str, english: str) -> None:
        steps.append(f"{agency}: {english}")
        if len(steps) == after:
            # a moment later, so that it dies with the next step under way
            asyncio.get_running_loop().call_later(IN_FLIGHT_SECONDS, os.kill, victim, signal.SIGKILL)

    result = await play(run.urls, run.auths(), report)

    assert len(result.victims) == 2
    assert len(result.handovers) == 11
    await until_back_again(run, name, victim)
    assert f"{name} died and is started again" in run.output


async def until_back_again(run: Run, name: str, dead: int) -> None:
    """Wait until another process has taken the place of the dead one."""
    async with asyncio.timeout(PATIENCE):
        while run.pid_of(name) in (None, dead):
            await asyncio.sleep(0.02)
