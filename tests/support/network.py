"""A network of members for tests: real NATS, real databases, the real apps, in this process and on free ports."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import httpx
from fastapi import FastAPI
from sqlalchemy import event, select
from sqlmodel import Session, col

from deploy.compose.provision import READERS
from deploy.credentials.secrets import PROVISIONER
from deploy.local.embedded_nats import EmbeddedNats
from services.coordination.main import MEMBER as COORDINATION
from services.kemenkes.main import MEMBER as KEMENKES
from services.kemenpppa.main import MEMBER as KEMENPPPA
from services.kemensos.main import MEMBER as KEMENSOS
from services.police.main import MEMBER as POLICE
from shared.domain.access import Role
from shared.domain.routing import NATION
from shared.logs import trace
from shared.messaging.broker import Broker, Incoming
from shared.messaging.provisioner import keep_provisioned
from shared.reference.office import new_id
from shared.service.member import Member
from shared.service.running import now_utc, serving
from shared.service.settings import Settings
from shared.storage.notifier import Topic
from shared.storage.tables import LedgerEntry, OutboxEntry
from shared.storage.unit_of_work import Now
from tests.support.apps import app_of
from tests.support.databases import Databases, SqliteDatabases
from tests.support.tokens import Bearing, trusting

SHIPPED = {m.agency.code: m for m in (POLICE, KEMENPPPA, KEMENSOS, KEMENKES, COORDINATION)}
WAIT = 60
UNHURRIED: Mapping[str, Any] = {
    "rate_per_second": 1e6,
    "rate_burst": 1_000_000,
    "identities_per_minute": 1_000_000,
    "searches_per_minute": 1_000_000,
    "identifiers_per_minute": 1_000_000,
    "listed_identifiers_per_hour": 1_000_000,
    "identifiers_in_officers_list": 1_000,
    "break_glasses_per_hour": 1_000_000,
}
"""Rates that no test reaches; those of the limits themselves set their own."""


@dataclass
class TestClock:
    """The one clock of a network. It runs with real time until ``advance`` moves it on."""

    __test__ = False
    ahead: timedelta = timedelta()

    def __call__(self) -> datetime:
        """Now, in UTC."""
        return datetime.now(UTC) + self.ahead

    def advance(self, by: timedelta) -> None:
        """Let time pass at once."""
        self.ahead += by


@dataclass
class Client:
    """An agency system that calls one member over HTTP. Refusals come back as they are."""

    http: httpx.AsyncClient
    code: str

    async def post(
        self, path: str, body: Mapping[str, Any] | None = None, *, key: str | None = None, **headers: str
    ) -> httpx.Response:
        """POST with an Idempotency-Key of its own, unless one is given."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.http.post(path, json=body or {}, headers={"Idempotency-Key": key or new_id(), **named})

    async def get(self, path: str, **params: Any) -> Any:
        """GET what is there."""
        response = await self.http.get(path, params=params)
        response.raise_for_status()
        return response.json()

    async def act(
        self, referral_id: str, action: str, body: Mapping[str, Any] | None = None, match: str = "*"
    ) -> httpx.Response:
        """Act on a referral."""
        return await self.post(f"/v1/referrals/{referral_id}/{action}", body, If_Match=match)

    async def must(self, referral_id: str, action: str, **body: Any) -> dict[str, Any]:
        """Act on a referral and expect that it is done."""
        response = await self.act(referral_id, action, body)
        assert response.status_code == 200, response.text
        return dict(response.json())

    async def until(self, path: str, fits: Callable[[dict[str, Any]], bool], seconds: float = WAIT) -> dict[str, Any]:
        """Hold a GET open until its answer fits: no sleeping, no polling."""
        tag, seen = "", {}
        async with asyncio.timeout(seconds):
            while True:
                response = await self.http.get(path, headers={"Prefer": "wait=5", "If-None-Match": tag})
                if response.status_code == 200:
                    tag, seen = response.headers["etag"], response.json()
                    if fits(seen):
                        return dict(seen)

    async def until_status(self, referral_id: str, *status: str, seconds: float = WAIT) -> dict[str, Any]:
        """Wait until a referral has one of these statuses here."""
        return await self.until(f"/v1/referrals/{referral_id}", lambda r: r["status"] in status, seconds)


@dataclass
class Network:
    """Members, their broker and their databases. Members can be stopped and started again at will."""

    folder: Path
    secrets: Path
    nats: EmbeddedNats
    database_url: Databases
    clock: TestClock = field(default_factory=TestClock)
    apps: dict[str, FastAPI] = field(default_factory=dict)
    clients: dict[str, Client] = field(default_factory=dict)
    members: Mapping[str, Member] = field(default_factory=lambda: SHIPPED)
    extra: Mapping[str, Any] = field(default_factory=dict)
    aside: str = ""
    """Behind a member's code, the name of another database for it."""
    _running: dict[str, contextlib.AsyncExitStack] = field(default_factory=dict)

    def settings(self, code: str, *, online: bool = True) -> Settings:
        """The settings of one member."""
        tls = self.nats.tls(code)
        return Settings(
            database_url=self.database_url(code + self.aside),
            nats_url=self.nats.url if online else None,
            nats_seed_file=self.secrets / code / "nats.seed",
            nats_ca_file=tls.ca,
            nats_certificate_file=tls.certificate,
            nats_key_file=tls.key,
            **{**trusting(code, self.secrets), "log_level": "critical", **UNHURRIED, **self.extra},
        )

    async def start(self, code: str, *, online: bool = True) -> Client:
        """Start a member on its database; ``online=False`` leaves the broker out."""
        member = self.members[code]
        await asyncio.to_thread(self.database_url.migrated, code + self.aside, member.lineages)
        settings = self.settings(code, online=online)
        app = app_of(member, settings, self.clock)
        stack = contextlib.AsyncExitStack()
        await stack.enter_async_context(serving(app, member, settings, self.clock))
        self._running[code], self.apps[code] = stack, app
        role = Role.OFFICER if "create_referral" in member.rules else Role.COORDINATOR
        self.clients[code] = await self.calling(code, role)
        return self.clients[code]

    async def operator(self, code: str) -> Client:
        """A client of the operator of a running member."""
        return await self.calling(code, Role.ADMINISTRATOR)

    async def calling(
        self, code: str, role: Role, unit: str | None = None, person: str | None = None, client: str | None = None
    ) -> Client:
        """A client of a running member, in a role at a unit; without one, at the unit above all others."""
        app = self.apps[code]
        unit = unit or app.state.office.units.desk_for(code, NATION, self.clock().date()).id
        http = await self._running[code].enter_async_context(
            httpx.AsyncClient(
                transport=httpx.ASGITransport(app),
                base_url=f"http://{code}",
                timeout=40,
                auth=Bearing(code, role, unit, self.clock, client, person),
            )
        )
        return Client(http, code)

    async def stop(self, code: str) -> None:
        """Stop a member; its database stays."""
        await self._running.pop(code).aclose()
        del self.clients[code], self.apps[code]

    async def stop_all(self) -> None:
        """Stop every running member."""
        for code in list(self._running):
            await self.stop(code)

    def __getitem__(self, code: str) -> Client:
        """The client of a running member."""
        return self.clients[code]


async def offline(
    member: Member,
    folder: Path,
    secrets: Path,
    stack: contextlib.AsyncExitStack,
    now: Now = now_utc,
) -> FastAPI:
    """A member's app on a SQLite database of its own, without a broker, until the stack is closed."""
    code = member.agency.code
    settings = Settings(
        database_url=SqliteDatabases(folder).migrated(code, member.lineages),
        **trusting(code, secrets),
        log_level="debug",
        **UNHURRIED,
    )
    app = app_of(member, settings, now)
    await stack.enter_async_context(serving(app, member, settings, now))
    return app


@asynccontextmanager
async def provisioning(nats: EmbeddedNats, readers: Mapping[str, list[str]] = READERS) -> AsyncIterator[Broker]:
    """The provisioner at work, from when the stream is there."""
    broker = nats.broker(PROVISIONER)
    await broker.connect()
    await broker.provision(readers)
    keeper = asyncio.create_task(keep_provisioned(broker, readers))
    try:
        yield broker
    finally:
        keeper.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await keeper
        await broker.close()


async def a_victim(police: Client, unit: str = "polres-74.01", **facts: Any) -> str:
    """A case with one victim, found by a Polres. Answers the victim's id."""
    case = await police.post(
        "/v1/cases", {"unit": unit, "channel": "spkt", "exploitation": "online-scam", "destination": "KH"}
    )
    assert case.status_code == 201, case.text
    victim = {"age_class": "adult", "sex": "female", "home_region": "74.01", **facts}
    response = await police.post(f"/v1/cases/{case.json()['id']}/victims", victim)
    assert response.status_code == 201, response.text
    return str(response.json()["id"])


OF_LAW = ("investigation", "visum-et-repertum", "reintegration", "book-loan", "membership", "cataloguing")
"""Services that are no vital interest: the law gives them as a task."""


def asking(victim_id: str, agency: str, service: str, **more: Any) -> dict[str, Any]:
    """The body of a referral."""
    return {
        "victim_id": victim_id,
        "service": service,
        "receiver": {"agency": agency},
        "basis": "public-task" if service in OF_LAW else "vital-interest",
        **more,
    }


async def refer(sender: Client, victim_id: str, agency: str, service: str, **more: Any) -> str:
    """Create a referral and answer its id."""
    response = await sender.post("/v1/referrals", asking(victim_id, agency, service, **more))
    assert response.status_code == 201, response.text
    return str(response.json()["id"])


async def taken_on(giver: Client, taker: Client, victim_id: str, service: str, **more: Any) -> str:
    """A referral that its receiver has accepted in good faith, and both know it. Answers its id."""
    referral = await refer(giver, victim_id, taker.code, service, **more)
    await taker.until_status(referral, "received")
    await taker.must(referral, "accept")
    await giver.until_status(referral, "accepted")
    return referral


async def until_told(network: Network, code: str, times: int) -> None:
    """Let the clocks of a member look at the time, and wait until those that run have told so often."""
    network.apps[code].state.notifier.wake(Topic.CLOCKS_DUE)
    await network[code].until("/v1/clocks", lambda page: sum(kept["told"] for kept in page["items"]) >= times)


async def erase(network: Network, code: str, victim_id: str, unit: str | None = None) -> str:
    """Have somebody erased: one supervisor asks, a second person agrees. Answers the id of the erasure."""
    head = await network.calling(code, Role.SUPERVISOR, unit)
    asked = await head.post(f"/v1/victims/{victim_id}/erasure")
    assert asked.status_code == 202, asked.text
    await agree(network, code, victim_id, asked.json()["erasure_id"], unit)
    return str(asked.json()["erasure_id"])


async def agree(network: Network, code: str, victim_id: str, erasure_id: str, unit: str | None = None) -> None:
    """A second person agrees to an erasure."""
    second = await network.calling(code, Role.SUPERVISOR, unit, "orang-kedua", "klien-kedua")
    decision = {"erasure_id": erasure_id, "approved": True}
    decided = await second.post(f"/v1/victims/{victim_id}/erasure/decision", decision)
    assert decided.status_code == 200, decided.text


def sent_by(network: Network, code: str) -> list[Incoming]:
    """Every message that a member has sent, as it would arrive."""

    def look(session: Session) -> list[Incoming]:
        rows = session.execute(
            select(col(OutboxEntry.subject), col(LedgerEntry.body), col(LedgerEntry.signature)).join(
                LedgerEntry, col(LedgerEntry.event_id) == col(OutboxEntry.event_id)
            )
        )
        return [Incoming(subject, body, signature, cast(Any, None)) for subject, body, signature in rows]

    found: list[Incoming] = network.apps[code].state.database.read(look)
    return found


@contextlib.contextmanager
def asked_of_the_database(app: FastAPI) -> Iterator[list[str]]:
    """The statements that requests run meanwhile; not those that a service runs by itself, as for its deadlines."""
    statements: list[str] = []

    def heard(*told: Any) -> None:
        if trace.traceparent.get() is not None:  # a request is under way, in this thread too
            statements.append(told[2])

    listener = (app.state.database.engine, "before_cursor_execute", heard)
    event.listen(*listener)
    yield statements
    event.remove(*listener)


def problem(response: httpx.Response) -> str:
    """The code of a refusal, which must be a whole problem document."""
    assert response.headers["content-type"] == "application/problem+json", response.text
    body = json.loads(response.content)
    assert body["title"] and body["remedy"] and body["status"] == response.status_code
    return str(body["type"]).removeprefix("urn:estafet:problem:")


Act = Callable[[], Awaitable[Any]]
