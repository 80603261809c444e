"""An agency's service, made from its declaration: ``app = create_app(AGENCY)``."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog
from fastapi import APIRouter, FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi_offline import FastAPIOffline
from starlette.exceptions import HTTPException

from shared.contracts.types import UnitRef
from shared.domain.agency import Agency
from shared.domain.refusal import Refused
from shared.domain.routing import NATION
from shared.messaging.broker import Broker
from shared.messaging.consumer import Consumer, Receive
from shared.messaging.relay import Relay
from shared.reference.directory import load_directory
from shared.reference.units import load_units
from shared.security.keys import KeyDirectory, SigningKey
from shared.service import problems
from shared.service.changes import Changes
from shared.service.edge import Edge
from shared.service.examples import examples
from shared.service.guard import check_start, faults_of_broker, first_word
from shared.service.inbound import Inbound
from shared.service.logs import configure_logs
from shared.service.office import Office
from shared.service.profile import Unsafe, refuse
from shared.service.reception import Apply, Reception, set_aside
from shared.service.routes import cases, operations, reference, referrals
from shared.service.settings import Settings
from shared.storage.database import Author, Clock, Database
from shared.storage.migrate import AGENCY_LINEAGES, check_migrated

log = structlog.get_logger()


def wall_clock() -> datetime:
    """Now, in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Member:
    """What makes a member's app its own: its routes, its tables, what an event does to it."""

    agency: Agency
    routers: Sequence[APIRouter]
    lineages: Sequence[Path]
    """The migration folders of its tables."""
    apply: Callable[[Office], Apply]
    follower: bool = False
    """Whether it takes in what is addressed to others."""
    receive: Callable[[Reception], Receive] = lambda reception: reception
    """What is done around the reception of a batch."""


def agency_member(agency: Agency) -> Member:
    """Any agency as a member: what is common to all of them."""
    routers = (cases.router, referrals.router, reference.router, operations.router)
    return Member(agency, routers, AGENCY_LINEAGES, Inbound)


def create_app(member: Member, settings: Settings | None = None, clock: Clock = wall_clock) -> FastAPI:
    """The service of a member. Settings are read from the environment when it starts, not when it is imported."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with serving(app, member, settings or Settings(), clock):  # type: ignore[call-arg]
            yield

    app = FastAPIOffline(
        title=f"Estafet · {member.agency.label.id}",
        version="0.1.0",
        description=f"{member.agency.label.id} / {member.agency.label.en}. Subsatgas: {member.agency.subsatgas}.",
        lifespan=lifespan,
        redoc_url=None,
        redirect_slashes=False,  # a redirect would repeat the query in its Location
        responses=problems.responses(),
        generate_unique_id_function=lambda route: route.name,
    )
    for router in member.routers:
        app.include_router(router)
    app.add_exception_handler(Refused, problems.on_refused)
    app.add_exception_handler(RequestValidationError, problems.on_invalid)
    app.add_exception_handler(HTTPException, problems.on_http)
    app.add_middleware(Edge)

    def shown() -> Mapping[str, Any]:
        office = getattr(app.state, "office", None)  # the desks are known once it has started
        return examples(office, clock().date()) if office else {}

    problems.describe(app, shown)
    return app


@asynccontextmanager
async def serving(app: FastAPI, member: Member, settings: Settings, clock: Clock) -> AsyncIterator[None]:
    """Open what the service works with, keep relay and consumer running, and close all of it in the end."""
    configure_logs(settings.log_level)
    check_start(settings)
    agency = member.agency
    key = SigningKey.load(settings.signing_key_file)
    database = Database(settings.database(), Author(agency.code, key), clock)
    try:
        check_migrated(database.engine, member.lineages)
    except BaseException:
        database.close()
        raise
    office = Office(agency, load_units(settings.units_file), load_directory(settings.directory_file))
    reception = Reception(
        member=agency.code,
        unit=_national_unit(office, clock),
        keys=KeyDirectory.load(settings.key_directory_file),
        apply=member.apply(office),
        follower=member.follower,
    )
    changes = Changes()
    changes.listen(database, asyncio.get_running_loop())
    broker = None
    if settings.nats_url is not None:
        broker = Broker(settings.nats_url, agency.code, settings.nats_seed_file, settings.nats_tls())
    app.state.member, app.state.office, app.state.database = agency.code, office, database
    app.state.changes, app.state.reception, app.state.broker = changes, reception, broker
    work = None
    try:
        if broker is not None:
            judged = asyncio.Event()
            work = asyncio.create_task(_exchange(broker, settings, judged, database, member.receive(reception), agency))
            await first_word(work, judged, settings)
        log.info("service.started", member=agency.code)
        yield
    finally:
        if work is not None and broker is not None:
            work.cancel()
            with contextlib.suppress(asyncio.CancelledError, Unsafe):
                await work
            await broker.close()
        await asyncio.to_thread(database.close)


async def _exchange(
    broker: Broker, settings: Settings, judged: asyncio.Event, database: Database, receive: Receive, agency: Agency
) -> None:
    """Relay and consume for as long as the service runs; a broker that is away is waited for, an unsafe one refused."""
    relay = Relay(database, broker, witnessed=agency.coordinator is not None)
    relay.listen(asyncio.get_running_loop())
    consumer = Consumer(database, broker, receive, set_aside)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(broker.connect())
        if not (found := await faults_of_broker(broker, settings)):
            judged.set()
            tasks.create_task(relay.run())
            tasks.create_task(consumer.run())
    refuse(found)


def _national_unit(office: Office, clock: Clock) -> UnitRef:
    """The desk in whose name the service itself speaks."""
    return office.units.desk_for(office.code, NATION, clock().date()).as_ref()
