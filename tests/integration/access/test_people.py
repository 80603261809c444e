"""A machine's token opens no identity in the production profile, and takes no decision that needs people."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest_asyncio
from fastapi import FastAPI

from services.police.main import MEMBER as POLICE
from shared.domain.access import Role
from shared.service.production.rules import needs_people
from shared.service.settings import Settings
from tests.support.access_matrix import BY_HUMAN, NOBODY, TOP, TRIES, ask, told
from tests.support.network import offline
from tests.support.tokens import trusting


@pytest_asyncio.fixture
async def police(tmp_path: Path, secrets: Path) -> AsyncIterator[FastAPI]:
    """The police, without any victim."""
    async with contextlib.AsyncExitStack() as stack:
        yield await offline(POLICE, tmp_path, secrets, stack)


def in_production(app: FastAPI) -> FastAPI:
    """Admission as in the production profile, without its certificates, broker and PostgreSQL."""
    app.state.admission = replace(app.state.admission, people=True)
    return app


async def refused_to_machines(app: FastAPI) -> set[str]:
    """The operations that a supervisor's machine may not call for want of a human."""
    answers = [
        (what.operation, await ask(app, "police", Role.SUPERVISOR, TOP, what.method, what.path, person="", **what.sent))
        for what in TRIES
    ]
    assert all(answer.status_code == 403 for _, answer in answers if told(answer) == "person-needed")
    return {operation for operation, answer in answers if told(answer) == "person-needed"}


async def test_in_production_a_machine_is_refused_what_only_people_may_do(police: FastAPI) -> None:
    assert await refused_to_machines(in_production(police)) == BY_HUMAN


async def test_in_production_a_human_is_not_refused_for_that(police: FastAPI) -> None:
    in_production(police)
    for what in (one for one in TRIES if one.operation in BY_HUMAN):
        answer = await ask(police, "police", Role.SUPERVISOR, TOP, what.method, what.path, **what.sent)
        assert told(answer) != "person-needed", what.operation


async def test_in_development_a_machine_may_do_as_before(police: FastAPI) -> None:
    assert await refused_to_machines(police) == set()


async def test_the_role_is_looked_at_before_the_human(police: FastAPI) -> None:
    in_production(police)
    answer = await ask(police, "police", Role.AUDITOR, TOP, "POST", f"/v1/victims/{NOBODY}/erasure", person="")
    assert told(answer) == "role-not-allowed" and "supervisor" in answer.json()["detail"]


def test_the_production_profile_needs_people_and_development_does_not(secrets: Path) -> None:
    told = {"database_url": "sqlite://", **trusting("police", secrets)}
    assert needs_people(Settings(**told, profile="production")) is True
    assert needs_people(Settings(**told)) is False
