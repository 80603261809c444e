"""The police with faults in every place where an error could say too much: ``uvicorn tests.support.faulty:app``."""

import asyncio
import logging
import threading
import warnings
from dataclasses import replace
from typing import Any

import structlog
from fastapi import APIRouter
from pydantic import BaseModel

from services.police.main import MEMBER
from shared.domain.access import AccessRule, Target
from shared.http.admission import GuardedRoute
from shared.messaging.reception import Apply
from shared.reference.office import Office
from shared.service.app import create_app
from shared.service.slice import Slice

CANARY = "Siti KANARI-7f3a, NIK 7401016502990001"
router = APIRouter(prefix="/faults", include_in_schema=False, route_class=GuardedRoute)
log = structlog.get_logger()
kept: list[Any] = []


class Person(BaseModel):
    """A body whose name field takes numbers only."""

    name: int


@router.get("/route")
def in_a_route() -> None:
    """An error whose message is a name, caused by another."""
    try:
        raise KeyError(CANARY)
    except KeyError as error:
        raise RuntimeError(f"cannot find {CANARY}") from error


@router.get("/answer")
def in_an_answer() -> Person:
    """An answer of another shape than declared."""
    return {"name": CANARY}  # type: ignore[return-value]


@router.get("/warning")
def in_a_warning() -> str:
    """The warning of a serializer quotes the value."""
    warnings.warn(CANARY, stacklevel=1)
    Person.model_construct(name=CANARY).model_dump_json()
    return "ok"


@router.get("/library")
def in_a_library() -> str:
    """Log lines of libraries."""
    for name in ("nats.aio.client", "sqlalchemy.engine.Engine", "uvicorn.error", "alembic", "asyncio", CANARY):
        logging.getLogger(name).error("failed for %s", CANARY)
        logging.getLogger(name).critical(ValueError(CANARY))
        try:
            raise ValueError(CANARY)
        except ValueError:
            logging.getLogger(name).exception(CANARY, extra={"name_of_victim": CANARY})
    return "ok"


@router.get("/task")
async def in_a_task() -> str:
    """A task that nobody waits for, a thread, and something thrown away."""

    async def fails() -> None:
        raise ValueError(CANARY)

    task = asyncio.create_task(fails())
    await asyncio.wait([task])
    del task
    thread = threading.Thread(target=lambda: kept[CANARY])  # type: ignore[call-overload]
    thread.start()
    thread.join()

    class Thrown:
        def __del__(self) -> None:
            raise ValueError(CANARY)

    Thrown()
    return "ok"


@router.get("/log")
def in_a_log() -> str:
    """Log lines of a writer who has not read the rules."""
    log.info("person.found", name=CANARY, nik=7401016502990001, reason=CANARY, status=7401016502990001)
    log.bind(address=CANARY).warning(f"found {CANARY}\n{{}}", member="siti-7401016502990001")
    log.error("person.lost %s", CANARY, exc_info=ValueError(CANARY), stack_info=True)
    return "ok"


def _faulty(office: Office) -> Apply:
    raise RuntimeError(f"cannot start for {CANARY}")


FAULTY = Slice(routers=(router,), forgets="These routes keep nothing.")
OPEN = {
    route.name: AccessRule(frozenset(), Target.NOTHING) for route in router.routes if isinstance(route, GuardedRoute)
}
app = create_app(replace(MEMBER, slices=(*MEMBER.slices, FAULTY), rules={**MEMBER.rules, **OPEN}))
never_starts = create_app(replace(MEMBER, apply=_faulty))
