"""A member's service, built from its declaration: ``app = create_app(MEMBER)``."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

import structlog
from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi_offline import FastAPIOffline
from pydantic import ValidationError
from starlette.exceptions import HTTPException

from shared.domain.access import AGENCY, Rule
from shared.domain.agency import Agency
from shared.domain.clocks import check_named
from shared.domain.refusal import Refused
from shared.messaging.broker import Broker
from shared.messaging.consumer import Consumer, Receive
from shared.messaging.relay import Relay
from shared.reference.clocks import load_clocks
from shared.reference.directory import load_directory
from shared.reference.notices import load_notices
from shared.reference.units import load_units
from shared.security.issuer_keys import IssuerKeys
from shared.security.key_directory import DirectoryFile, load_root
from shared.security.revocations import Revocations
from shared.security.tokens import AUDIENCE_PREFIX, Verifier
from shared.service import clocks, consents, docs, known_keys, problems, retention, tokens
from shared.service.admission import Door, check_guarded
from shared.service.break_glass import deadlines as of_break_glass
from shared.service.changes import Changes
from shared.service.deadlines import Deadline, keep
from shared.service.edge import Edge
from shared.service.examples import examples
from shared.service.guard import check_start, faults_of_broker, first_word
from shared.service.inbound import Inbound
from shared.service.limits import Limits
from shared.service.logs import about, configure_logs, silence_others
from shared.service.office import Office
from shared.service.profile import Unsafe, refuse
from shared.service.reception import Apply, Reception, set_aside
from shared.service.records import Effect
from shared.service.routes import (
    batches,
    break_glass,
    capacity,
    cases,
    letters,
    matches,
    operations,
    privacy,
    records,
    reference,
    referrals,
)
from shared.service.routes import clocks as clock_routes
from shared.service.settings import Settings, at_fault
from shared.service.vaults import open_vault
from shared.storage import batches as people_lists
from shared.storage import ended_tokens
from shared.storage import matches as proposals
from shared.storage.database import Author, Clock, Database, Transaction
from shared.storage.migrate import AGENCY_LINEAGES, check_migrated

log = structlog.get_logger()

NOTHING: Mapping[str, Effect] = MappingProxyType({})
NO_RULES: Mapping[str, Rule] = MappingProxyType({})


def wall_clock() -> datetime:
    """Now, in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Member:
    """What distinguishes one member's app: routes, access rules, tables, and what a received event does."""

    agency: Agency
    routers: Sequence[APIRouter]
    rules: Mapping[str, Rule]
    """Operation → the rule that says which roles may ask for it."""
    lineages: Sequence[Path]
    """The migration folders of the member's tables."""
    apply: Callable[[Office], Apply]
    follower: bool = False
    """Whether the member also receives events addressed to other members."""
    receive: Callable[[Reception], Receive] = lambda reception: reception
    """Wraps the reception of a batch of messages."""
    deadlines: Callable[[Office], Sequence[Deadline]] = lambda _: ()
    """The timers: what falls due at a moment with nobody logged in."""
    begin: Callable[[Transaction, Office], None] = lambda *_: None
    """Run in a unit of work at every start, before events are received."""
    examples: Callable[[Office, date], Mapping[str, Any]] = lambda *_: {}
    """Schema name → an example that is true of this member, for its OpenAPI document."""
    forgets: Sequence[Callable[[Transaction, str], None]] = ()
    """What is deleted of a victim who is erased, beside what is sealed."""
    no_such_address: Callable[[Request, Exception], Awaitable[Response]] = problems.on_http
    """The response for an unknown address, or for a method that the address does not have."""


def _deadlines(office: Office) -> Sequence[Deadline]:
    own = (clocks.deadline(office), consents.deadline(office), tokens.deadline(office))
    return [*own, *of_break_glass(office), *retention.deadlines(office)]


def _begin(tx: Transaction, office: Office) -> None:
    clocks.adopt(tx, office)
    tokens.begin(tx, office)


def agency_member(
    agency: Agency,
    effects: Mapping[str, Effect] = NOTHING,
    routers: Sequence[APIRouter] = (),
    rules: Mapping[str, Rule] = NO_RULES,
    lineages: Sequence[Path] = (),
) -> Member:
    """The member of an agency: the parts that all agencies share, and the agency's own.

    ``effects``: form → what the agency does when the form is filed. ``routers``, ``rules`` and ``lineages`` add to
    the shared ones, as in ``Member``.
    """
    work = (
        cases.router,
        batches.router,
        referrals.router,
        capacity.router,
        letters.router,
        letters.pages,
        matches.router,
        clock_routes.router,
        privacy.router,
        break_glass.router,
    )
    forms = (records.router_of(agency, effects), records.router)
    common = (*work, *forms, reference.router, operations.router)
    return Member(
        agency,
        (*common, *routers),
        {**AGENCY, **records.rules_of(agency), **rules},
        (*AGENCY_LINEAGES, *lineages),
        Inbound,
        deadlines=_deadlines,
        begin=_begin,
        examples=examples,
        forgets=(people_lists.forget_role, proposals.forget),
    )


def create_app(member: Member, settings: Settings | None = None, clock: Clock = wall_clock) -> FastAPI:
    """The service of a member as a FastAPI app.

    Without ``settings`` the app reads the environment at its start, not at import. ``clock``: now, in UTC.
    Raises ValueError when routes and access rules do not match. The start raises WrongSettings, Unsafe, NotMigrated
    and what an unusable file or database raises.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        configure_logs("info")
        silence_others()  # only a server runs this code, so the whole process is ours
        try:
            async with serving(app, member, settings or _settings(), clock):
                yield
        except Exception as error:
            log.critical("service.failed", **about(error))
            raise

    app = FastAPIOffline(
        title=f"Estafet · {member.agency.label.id}",
        version="0.1.0",
        description=f"{member.agency.label.id} / {member.agency.label.en}. Subsatgas: {member.agency.subsatgas}.",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,  # a redirect would repeat the query in its Location
        responses=problems.responses(),
        generate_unique_id_function=lambda route: route.name,
    )
    for router in member.routers:
        app.include_router(router)
    check_guarded(member.rules, member.routers)
    docs.add_to(app)
    app.add_exception_handler(Refused, problems.on_refused)
    app.add_exception_handler(RequestValidationError, problems.on_invalid)
    app.add_exception_handler(HTTPException, member.no_such_address)
    app.add_middleware(Edge)

    def shown() -> Mapping[str, Any]:
        office = getattr(app.state, "office", None)  # the desks are known only after the start
        return member.examples(office, clock().date()) if office else {}

    problems.describe(app, shown, {name for name, rule in member.rules.items() if rule.public})
    return app


@asynccontextmanager
async def serving(app: FastAPI, member: Member, settings: Settings, clock: Clock) -> AsyncIterator[None]:
    """Open vault, database and broker; run relay, consumer and timers; close everything at the end.

    Raises Unsafe for unsafe production settings, and NotMigrated for a database of another revision. Raises too what
    an unusable file or database raises.
    """
    configure_logs(settings.log_level)
    check_start(settings)
    agency = member.agency
    keys = DirectoryFile(settings.key_directory_file, load_root(settings.key_directory_root_file))
    vault = open_vault(settings, agency.code, keys.current, clock)
    database = Database(settings.database(), Author(agency.code, vault), clock)
    try:
        check_migrated(database.engine, member.lineages)
        database.read(lambda session: known_keys.recall(session, keys))
    except BaseException:
        database.close()
        raise
    office = Office(
        agency,
        load_units(settings.units_file),
        load_directory(settings.directory_file),
        load_notices(settings.notices_file),
        load_clocks(settings.clocks_files()),
        vault,
        keys,
        settings.public_url,
        member.forgets,
    )
    offered = (service.clock for service in (*agency.services, *office.directory.services.values()))
    check_named(office.clocks, [*offered, *agency.duties])
    database.write(lambda tx: known_keys.remember(tx, office))
    database.write(lambda tx: member.begin(tx, office))
    reception = Reception(
        member=agency.code,
        unit=office.speaker(clock().date()),
        keys=keys,
        apply=member.apply(office),
        follower=member.follower,
    )
    changes = Changes()
    changes.listen(database, asyncio.get_running_loop())
    broker = None
    if settings.nats_url is not None:
        broker = Broker(settings.nats_url, agency.code, settings.nats_seed_file, settings.nats_tls())
    issuer_keys = IssuerKeys(settings.issuer_jwks)
    bound = settings.tls_client_ca_file is not None
    revoked = Revocations(settings.revoked_tokens_file)
    revoked.end(database.read(ended_tokens.still_kept), clock())
    verifier = Verifier(settings.issuer, AUDIENCE_PREFIX + agency.code, issuer_keys, bound, revoked)
    issuer_keys.on_change = verifier.forget
    app.state.door = Door(member.rules, verifier, office, clock)
    app.state.member, app.state.office, app.state.database = agency.code, office, database
    app.state.changes, app.state.reception, app.state.broker = changes, reception, broker
    app.state.limits, app.state.revoked = Limits(settings), revoked
    work = [asyncio.create_task(issuer_keys.keep_fresh()), asyncio.create_task(revoked.keep_fresh())]
    work += [asyncio.create_task(known_keys.keep(office, database))]
    mail_read = asyncio.Event()
    work += [asyncio.create_task(keep(due, database, changes, mail_read)) for due in member.deadlines(office)]
    try:
        if broker is None:
            mail_read.set()
        else:
            judged, receive = asyncio.Event(), member.receive(reception)
            consumer = Consumer(database, broker, receive, set_aside, mail_read)
            exchange = asyncio.create_task(_exchange(broker, settings, judged, database, consumer, agency))
            work.append(exchange)
            await first_word(exchange, judged, settings)
        for task in work:
            task.add_done_callback(_missed)
        log.info("service.started", member=agency.code)
        yield
    finally:
        for task in work:
            task.cancel()
        for task in work:
            with contextlib.suppress(asyncio.CancelledError, Unsafe):
                await task
        if broker is not None:
            await broker.close()
        await asyncio.to_thread(database.close)


def _missed(task: asyncio.Task[None]) -> None:
    """End the process when a background task (relay, consumer, timer) has died, so that a supervisor restarts it."""
    if not task.cancelled() and (error := task.exception()) is not None and not isinstance(error, Unsafe):
        log.critical("service.task-died", **about(error))
        signal.raise_signal(signal.SIGTERM)


async def _exchange(
    broker: Broker, settings: Settings, judged: asyncio.Event, database: Database, consumer: Consumer, agency: Agency
) -> None:
    """Run relay and consumer while the service runs. Wait for an absent broker; raise Unsafe for an unsafe one."""
    relay = Relay(database, broker, witnessed=agency.coordinator is not None)
    relay.listen(asyncio.get_running_loop())
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(broker.connect())
        if not (found := await faults_of_broker(broker, settings)):
            judged.set()
            tasks.create_task(relay.run())
            tasks.create_task(consumer.run())
    refuse(found)


class WrongSettings(Exception):
    """A setting is missing or wrong in the environment.

    ``settings`` holds the names of the settings; values are never shown, for a value may be a secret.
    """

    reason = "wrong-settings"

    def __init__(self, settings: list[str]) -> None:
        super().__init__(", ".join(settings))
        self.settings = settings


def _settings() -> Settings:
    try:
        return Settings()  # type: ignore[call-arg]
    except ValidationError as error:
        raise WrongSettings(at_fault(error)) from None
