"""An agency system's tokens: got when needed, kept while good, replaced in time, and once when refused."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from joserfc.jwk import ECKey
from starlette.types import Receive, Scope, Send

from deploy.client.agency_system import AgencySystem, CallRefused
from deploy.client.token_source import TokenSource, token_sources
from deploy.issuer.app import create_issuer
from deploy.issuer.keys import load_private_key
from deploy.local.embedded_nats import HOST, free_port
from services.members import SERVICES
from tests.support.issuer import b64
from tests.support.listening import listening
from tests.support.network import TestClock

CLIENT = "police-officer"


@dataclass
class Service:
    """A service that wants a token, and refuses those it is told to."""

    url: str = ""
    refused: set[str] = field(default_factory=set)
    refuses_all: bool = False
    seen: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    def app(self) -> FastAPI:
        app = FastAPI()

        @app.api_route("/v1/cases", methods=["GET", "POST"])
        async def cases(request: Request) -> JSONResponse:
            kind, _, token = request.headers.get("authorization", "").partition(" ")
            self.seen.append(token)
            self.bodies.append(await request.body())
            good = kind == "Bearer" and token and token not in self.refused and not self.refuses_all
            return JSONResponse({"id": "1"}, 200 if good else 401)

        return app


@dataclass
class Issuer:
    """The real issuer, with a count of how often it was asked."""

    secrets: Path
    clock: TestClock
    port: int = field(default_factory=free_port)
    asked: int = 0
    answers: int | None = None
    """A status that it answers with, instead of what it would."""

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    def __post_init__(self) -> None:
        self._app = create_issuer(self.secrets, self.url, self.clock)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.asked += 1
        app = self._app if self.answers is None else JSONResponse({}, self.answers)
        await app(scope, receive, send)


@dataclass
class World:
    """A service, an issuer and the clock they share with the system that calls."""

    service: Service
    issuer: Issuer
    clock: TestClock
    stack: AsyncExitStack

    def source(self, key: ECKey | None = None) -> TokenSource:
        own = key or load_private_key(self.issuer.secrets / "police" / "clients" / f"{CLIENT}.pem")
        return TokenSource(f"{self.issuer.url}/token", CLIENT, own, "police", self.clock)

    async def system(self, source: TokenSource | None = None) -> AgencySystem:
        system = AgencySystem("police", self.service.url, auth=source or self.source())
        self.stack.push_async_callback(system.close)
        return system

    async def open_issuer(self) -> None:
        await self.stack.enter_async_context(listening(self.issuer, self.issuer.port))


@pytest.fixture
async def world(secrets: Path) -> AsyncIterator[World]:
    """All of it listening, but for the issuer, which a test opens."""
    async with AsyncExitStack() as stack:
        service, clock = Service(), TestClock()
        service.url = await stack.enter_async_context(listening(service.app()))
        yield World(service, Issuer(secrets, clock), clock, stack)


async def test_a_token_is_kept_until_half_a_minute_before_it_expires(world: World) -> None:
    await world.open_issuer()
    system = await world.system()
    for seconds, tokens in ((0, 1), (565, 1), (10, 2), (0, 2)):
        world.clock.advance(timedelta(seconds=seconds))
        await system.get("/v1/cases")
        assert (len(set(world.service.seen)), world.issuer.asked) == (tokens, tokens)


async def test_many_calls_at_once_ask_for_one_token(world: World) -> None:
    await world.open_issuer()
    system = await world.system()
    await asyncio.gather(*(system.get("/v1/cases") for _ in range(10)))
    assert (len(world.service.seen), len(set(world.service.seen)), world.issuer.asked) == (10, 1, 1)


async def test_a_refused_token_is_replaced_and_the_call_repeated_whole(world: World) -> None:
    await world.open_issuer()
    system = await world.system()
    await system.get("/v1/cases")
    world.service.refused.update(world.service.seen)  # as when the issuer's key was replaced
    assert await system.post("/v1/cases", {"unit": "polres-74.01"}) == {"id": "1"}
    first, refused, second = world.service.seen
    assert first == refused != second
    assert world.service.bodies[1] == world.service.bodies[2] == b'{"unit":"polres-74.01"}'
    assert world.issuer.asked == 2


async def test_many_refused_at_once_ask_for_one_new_token(world: World) -> None:
    await world.open_issuer()
    system = await world.system()
    await system.get("/v1/cases")
    world.service.refused.update(world.service.seen)
    await asyncio.gather(*(system.get("/v1/cases") for _ in range(5)))
    assert world.issuer.asked == 2


async def test_a_fresh_token_that_is_refused_is_not_replaced_again(world: World) -> None:
    await world.open_issuer()
    system = await world.system()
    world.service.refuses_all = True
    with pytest.raises(CallRefused) as refusal:
        await system.get("/v1/cases")
    assert refusal.value.status == 401
    assert (len(world.service.seen), world.issuer.asked) == (2, 2)


async def test_an_issuer_that_is_away_is_waited_for(world: World) -> None:
    away = asyncio.Event()
    system = AgencySystem("police", world.service.url, lambda _: away.set(), world.source())
    world.stack.push_async_callback(system.close)
    asking = asyncio.create_task(system.get("/v1/cases"))
    await away.wait()
    await world.open_issuer()
    assert await asking == {"id": "1"}


@pytest.mark.parametrize("status", [429, 503])
async def test_an_issuer_that_cannot_answer_now_is_asked_again(world: World, status: int) -> None:
    await world.open_issuer()
    world.issuer.answers = status
    heard: list[str] = []

    def trouble(what: str) -> None:
        heard.append(what)
        world.issuer.answers = None

    system = AgencySystem("police", world.service.url, trouble, world.source())
    world.stack.push_async_callback(system.close)
    assert await system.get("/v1/cases") == {"id": "1"}
    assert heard == ["IssuerAway"] and len(world.service.seen) == 1


async def test_a_client_unknown_to_the_issuer_is_told_at_once(world: World) -> None:
    await world.open_issuer()
    system = await world.system(world.source(ECKey.generate_key("P-256")))
    with pytest.raises(CallRefused) as refusal:
        await system.get("/v1/cases")
    assert (refusal.value.status, refusal.value.code) == (401, "invalid_client")
    assert (world.service.seen, world.issuer.asked) == ([], 1)
    # and the next call is not stuck behind the one that failed
    with pytest.raises(CallRefused):
        await system.get("/v1/cases")


async def test_every_members_own_system_and_every_supervisor_gets_a_token(world: World) -> None:
    await world.open_issuer()
    for source in token_sources(world.issuer.url, world.issuer.secrets).values():
        assert await (await world.system(source)).get("/v1/cases") == {"id": "1"}
    assert len(set(world.service.seen)) == 2 * len(SERVICES) - 1  # coordination has no supervisor
    for token in world.service.seen:  # each calls for a human, as in production
        said = json.loads(b64(token.split(".")[1]))
        assert (said["sub"], said["act"]) == (f"petugas-{said['client_id']}", {"sub": said["client_id"]})


def test_a_synchronous_client_is_not_left_without_a_token_unawares(world: World) -> None:
    with httpx.Client(auth=world.source()) as http, pytest.raises(RuntimeError, match="AsyncClient"):
        http.get(f"{world.service.url}/v1/cases")
