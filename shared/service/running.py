"""Run a member's service: open vault, database and broker, start the background tasks, close everything at the end."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import structlog
from fastapi import FastAPI
from pydantic import ValidationError

from shared.contracts.senders import MemberKind
from shared.domain.clocks import check_named
from shared.http import signed_out
from shared.http.admission import Admission
from shared.http.limits import Limits
from shared.http.listening import at_fault
from shared.logs.setup import about, configure_logs
from shared.messaging import key_directory_sync
from shared.messaging.broker import Broker
from shared.messaging.consumer import Consumer
from shared.messaging.quarantine import Quarantine
from shared.messaging.reception import Reception, ahead_timer
from shared.messaging.relay import Relay
from shared.reference.clock_table import load_clocks
from shared.reference.directory import load_directory
from shared.reference.notices import load_notices
from shared.reference.office import Office
from shared.reference.units import load_units
from shared.security.issuer_keys import IssuerKeys
from shared.security.key_directory import DirectoryFile, load_root
from shared.security.revocations import Revocations
from shared.security.tokens import AUDIENCE_PREFIX, Verifier
from shared.security.vault import Vault
from shared.service.app_state import ServiceState
from shared.service.member import Member
from shared.service.production.enforcement import check_start, faults_of_broker, first_word
from shared.service.production.rules import Unsafe, needs_people, refuse
from shared.service.settings import Settings
from shared.service.vaults import open_vault
from shared.storage.migrate import check_migrated
from shared.storage.notifier import Notifier
from shared.storage.timers import run_timer
from shared.storage.unit_of_work import Author, Database, Now

log = structlog.get_logger()


def now_utc() -> datetime:
    """Now, in UTC."""
    return datetime.now(UTC)


@asynccontextmanager
async def serving(app: FastAPI, member: Member, settings: Settings, now: Now) -> AsyncIterator[None]:
    """Open vault, database and broker; run relay, consumer and timers; close everything at the end.

    Raises Unsafe for unsafe production settings, and NotMigrated for a database of another revision. Raises too what
    an unusable file or database raises.
    """
    configure_logs(settings.log_level)
    check_start(settings)
    keys = DirectoryFile(settings.key_directory_file, load_root(settings.key_directory_root_file))
    vault = open_vault(settings, member.agency.code, keys.current, now)
    database = _open_database(member, settings, keys, vault, now)
    office = _open_office(member, settings, keys, vault)
    database.write(lambda tx: key_directory_sync.remember(tx, office))
    database.write(lambda tx: member.start(tx, office))
    state = app.state
    assert isinstance(state, ServiceState)
    state.member, state.office, state.database = member.agency.code, office, database
    state.notifier = Notifier()
    state.notifier.listen(database, asyncio.get_running_loop())
    state.broker = _broker_of(member, settings)
    state.reception = _reception_of(member, office, now)
    database.write(state.reception.try_at_start)
    state.limits = Limits(settings)
    work = [*_admit(state, member, settings, now), asyncio.create_task(key_directory_sync.poll(office, database))]
    try:
        await _exchange_and_wait(state, member, settings, work)
        for task in work:
            task.add_done_callback(_missed)
        log.info("service.started", member=member.agency.code, people=needs_people(settings))
        yield
    finally:
        await _close(state, work)


def _open_database(member: Member, settings: Settings, keys: DirectoryFile, vault: Vault, now: Now) -> Database:
    """The migrated database, and the newest key directory that it has seen."""
    database = Database(settings.database(), Author(member.agency.code, vault), now)
    try:
        check_migrated(database.engine, member.lineages)
        database.read(lambda session: key_directory_sync.recall(session, keys))
    except BaseException:
        database.close()
        raise
    return database


def _open_office(member: Member, settings: Settings, keys: DirectoryFile, vault: Vault) -> Office:
    """The office from its reference data. Raises ValueError where a declaration names a clock that is not there."""
    office = Office(
        member.agency,
        load_units(settings.units_file),
        load_directory(settings.directory_file),
        load_notices(settings.notices_file),
        load_clocks(settings.clocks_files()),
        vault,
        keys,
        settings.public_url,
        member.forgets,
        member.ids,
    )
    offered = (service.clock for service in (*member.agency.services, *office.directory.services.values()))
    check_named(office.clocks, [*offered, *member.agency.duties])
    return office


def _reception_of(member: Member, office: Office, now: Now) -> Reception:
    return Reception(
        member=member.agency.code,
        unit=office.speaker(now().date()),
        keys=office.keys,
        apply=member.apply(office),
        quarantine=Quarantine(office.vault, office.keys, office.units.is_region),
        objects=member.objects(office),
        tell_parked=member.tell_parked(office),
        follower=member.follower,
    )


def _broker_of(member: Member, settings: Settings) -> Broker | None:
    if settings.nats_url is None:
        return None
    return Broker(settings.nats_url, member.agency.code, settings.nats_seed_file, settings.nats_tls())


def _admit(state: ServiceState, member: Member, settings: Settings, now: Now) -> list[asyncio.Task[None]]:
    """Open admission. Returns the tasks that keep the issuer's keys and the revocations fresh."""
    issuer_keys = IssuerKeys(settings.issuer_jwks)
    state.revoked = Revocations(settings.revoked_tokens_file)
    state.revoked.end(state.database.read(signed_out.still_kept), now())
    bound = settings.tls_client_ca_file is not None
    audience = AUDIENCE_PREFIX + member.agency.code
    verifier = Verifier(settings.issuer, audience, issuer_keys, bound, state.revoked)
    issuer_keys.on_change = verifier.forget
    state.admission = Admission(member.rules, verifier, state.office, now, needs_people(settings))
    return [asyncio.create_task(issuer_keys.keep_fresh()), asyncio.create_task(state.revoked.keep_fresh())]


async def _exchange_and_wait(
    state: ServiceState, member: Member, settings: Settings, work: list[asyncio.Task[None]]
) -> None:
    """Start timers, relay and consumer as tasks of ``work``, and wait for the broker's word. Raises Unsafe."""
    mail_read = asyncio.Event()
    timers = [timer(state.office) for one in member.slices for timer in one.timers]
    for timer in [*timers, ahead_timer(state.reception)]:
        work.append(asyncio.create_task(run_timer(timer, state.database, state.notifier, mail_read)))
    if state.broker is None:
        mail_read.set()
        return
    judged = asyncio.Event()
    aside = state.reception.quarantine.park_all
    consumer = Consumer(state.database, state.broker, member.receive(state.reception), aside, mail_read)
    exchange = asyncio.create_task(_exchange(state.broker, settings, judged, state.database, consumer, member))
    work.append(exchange)
    await first_word(exchange, judged, settings)


async def _close(state: ServiceState, work: list[asyncio.Task[None]]) -> None:
    """Stop every task, then give back broker and database."""
    for task in work:
        task.cancel()
    for task in work:
        with contextlib.suppress(asyncio.CancelledError, Unsafe):
            await task
    if state.broker is not None:
        await state.broker.close()
    await asyncio.to_thread(state.database.close)


def _missed(task: asyncio.Task[None]) -> None:
    """End the process when a background task (relay, consumer, timer) has died, so that a supervisor restarts it."""
    if not task.cancelled() and (error := task.exception()) is not None and not isinstance(error, Unsafe):
        log.critical("service.task-died", **about(error))
        signal.raise_signal(signal.SIGTERM)


async def _exchange(
    broker: Broker, settings: Settings, judged: asyncio.Event, database: Database, consumer: Consumer, member: Member
) -> None:
    """Run relay and consumer while the service runs. Wait for an absent broker; raise Unsafe for an unsafe one."""
    relay = Relay(database, broker, witnessed=member.agency.coordinator is not None)
    relay.listen(asyncio.get_running_loop())
    kind = MemberKind.COORDINATOR if member.follower else MemberKind.AGENCY
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(broker.connect())
        if not (found := await faults_of_broker(broker, settings, kind)):
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


def settings_from_environment() -> Settings:
    """Settings from ``ESTAFET_…``. Raises WrongSettings, which names the settings at fault and never their values."""
    try:
        return Settings()  # type: ignore[call-arg]
    except ValidationError as error:
        raise WrongSettings(at_fault(error)) from None
