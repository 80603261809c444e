"""How much a service takes, and of whom: rates, places, time; and what stands on every answer.

A small app shows what the limits do with those who call, the real police that no work is lost by them.
"""

import asyncio
import base64
import hashlib
import re
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import httpx
import pytest
from fastapi import Depends, FastAPI, Header, Request, Response
from starlette.types import Receive, Scope, Send

from services.coordination.main import app as coordination_app
from services.police.main import MEMBER as POLICE
from shared.domain.access import Role
from shared.domain.refusal import Refused
from shared.service import connection, problems
from shared.service.answer import API_POLICY, HEADERS, REFERENCE
from shared.service.app import create_app, serving, wall_clock
from shared.service.connection import Connection
from shared.service.edge import Edge
from shared.service.limits import Limits, limit, limit_searches
from shared.service.office import new_id
from shared.service.rate import Buckets
from shared.service.settings import Settings
from shared.storage.database import open_engine
from shared.storage.migrate import migrate
from tests.network import problem
from tests.served import listening
from tests.tokens import Bearing, trusting


def settings_for(folder: Path, secrets: Path, **more: Any) -> Settings:
    url = f"sqlite:///{folder}/police.db"
    return Settings(database_url=url, log_level="critical", **trusting("police", secrets), **more)


# --- a small app ------------------------------------------------------------------------------------------------------


@dataclass
class Small:
    """An app behind the edge whose tokens are ``right-<client>``, and whose clock stands until it is moved."""

    settings: Settings
    now: float = 0.0
    entered: asyncio.Event = field(default_factory=asyncio.Event)
    released: asyncio.Event = field(default_factory=asyncio.Event)
    left: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        """Make the app."""
        self.app = app = FastAPI()
        self.limits = app.state.limits = Limits(self.settings)
        self.limits.addresses, self.limits.clients = (Buckets(clock=lambda: self.now) for _ in range(2))
        app.add_exception_handler(Refused, problems.on_refused)
        app.add_middleware(Edge)
        own = [Depends(_authenticated)]
        app.add_api_route("/open", lambda: "open")
        app.add_api_route("/health/live", lambda: "alive")
        app.add_api_route("/own", lambda: "own", dependencies=own)
        app.add_api_route("/search", lambda: "found", dependencies=[*own, Depends(limit_searches)])
        app.add_api_route("/held", self._held)
        app.add_api_route("/much", self._much)

    async def _held(self) -> str:
        self.entered.set()
        await self.released.wait()
        self.left.set()
        return "done"

    async def _much(self) -> Response:
        return Endless(self.left)

    async def ask(self, path: str = "/open", address: str = "10.0.0.1", token: str = "") -> httpx.Response:
        """GET from an address, with a token if there is one."""
        transport = httpx.ASGITransport(self.app, client=(address, 5000))
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        async with httpx.AsyncClient(transport=transport, base_url="http://small") as client:
            return await client.get(path, headers=headers)

    async def exhaust(self, **who: str) -> int:
        """Ask until it is too often; answers how often it was not."""
        times = 0
        while (answer := await self.ask(**who)).status_code != 429:
            times += 1
        assert problem(answer) == "too-many-requests"
        assert int(answer.headers["retry-after"]) >= 1
        return times


class Endless(Response):
    """An answer without end, which says when it is no longer given."""

    def __init__(self, left: asyncio.Event) -> None:
        super().__init__()
        self._left = left

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send (ASGI)."""
        await send({"type": "http.response.start", "status": 200, "headers": []})
        try:
            while True:
                await send({"type": "http.response.body", "body": bytes(65536), "more_body": True})
        finally:
            self._left.set()


class NoToken(Exception):
    """Nobody we know."""


async def _authenticated(request: Request, authorization: Annotated[str, Header()] = "") -> None:
    known = re.fullmatch("Bearer right-([a-z]+)", authorization)
    if known is None:
        raise NoToken
    request.state.caller = type("Caller", (), {"client": known[1]})
    limit(request)


OFFICER = Bearing("police", Role.OFFICER, "bareskrim", wall_clock)
MakeSmall = Callable[..., Small]


@pytest.fixture
def small(tmp_path: Path, secrets: Path) -> MakeSmall:
    """Makes a small app with these settings."""

    def make(**settings: Any) -> Small:
        made = Small(settings_for(tmp_path, secrets, **settings))

        async def on_no_token(_: Request, __: Exception) -> Response:
            return Response(status_code=401)

        made.app.add_exception_handler(NoToken, on_no_token)
        return made

    return make


# --- how often --------------------------------------------------------------------------------------------------------


async def test_an_address_has_a_burst_and_then_so_many_a_second(small: MakeSmall) -> None:
    service = small(rate_per_second=0.25, rate_burst=5)
    assert await service.exhaust() == 5
    refused = await service.ask()
    assert refused.headers["retry-after"] == "4"
    service.now += 4
    assert await service.exhaust() == 1
    service.now += 3600
    assert await service.exhaust() == 5


async def test_one_address_does_not_use_up_what_another_has(small: MakeSmall) -> None:
    service = small(rate_burst=3)
    await service.exhaust(address="10.0.0.1")
    assert await service.exhaust(address="10.0.0.2") == 3
    # one subscriber has a /64, and an IPv4 address may be written as IPv6
    await service.exhaust(address="2001:db8::1")
    assert (await service.ask(address="2001:db8::ffff")).status_code == 429
    assert (await service.ask(address="2001:db8:0:1::1")).status_code == 200
    assert (await service.ask(address="::ffff:10.0.0.1")).status_code == 429


async def test_a_supervisor_is_always_answered(small: MakeSmall) -> None:
    service = small(rate_burst=1)
    await service.exhaust()
    assert (await service.ask("/health/live")).status_code == 200


async def test_a_client_has_its_own_wherever_it_calls_from(small: MakeSmall) -> None:
    service = small(rate_burst=4)
    mine = {"path": "/own", "token": "right-mine"}
    assert (await service.ask(**mine)).status_code == 200
    await service.exhaust(address="10.0.0.1")  # a neighbour behind the same address
    assert await service.exhaust(**mine) == 3
    assert (await service.ask(**mine, address="10.9.9.9")).status_code == 429
    assert (await service.ask("/own", "10.0.0.2", "right-other")).status_code == 200


async def test_a_flood_of_addresses_does_not_give_a_client_its_burst_anew(small: MakeSmall) -> None:
    service = small(rate_burst=2)
    service.limits.addresses = Buckets(most=10, clock=lambda: service.now)
    await service.exhaust(path="/own", token="right-mine")
    for stranger in range(50):
        await service.ask(address=f"10.1.0.{stranger}")
    assert len(service.limits.addresses) == 10
    assert (await service.ask("/own", "10.2.0.1", "right-mine")).status_code == 429


async def test_who_guesses_tokens_is_soon_not_heard_and_keeps_nobody_else_out(small: MakeSmall) -> None:
    service = small()
    assert (await service.ask("/own", token="right-mine")).status_code == 200
    for guess in range(20):
        assert (await service.ask("/own", token=f"wrong-{guess}")).status_code == 401
    # now not even a right one would be noticed, except one that has proven itself before
    refused = await service.ask("/own", token="right-guess")
    assert problem(refused) == "too-many-requests" and refused.headers["retry-after"] == "6"
    assert (await service.ask("/own", token="right-mine")).status_code == 200
    assert (await service.ask("/own", "10.0.0.2", "right-other")).status_code == 200
    assert (await service.ask("/open")).status_code == 200
    service.now += 6
    assert (await service.ask("/own", token="right-new")).status_code == 200


async def test_a_wrong_token_does_not_spare_an_address_its_limit(small: MakeSmall) -> None:
    service = small(rate_burst=3)
    assert await service.exhaust(token="wrong") == 3


async def test_what_is_counted_by_itself_is_counted_beside_everything_else(small: MakeSmall) -> None:
    service = small(searches_per_minute=2)
    assert await service.exhaust(path="/search", token="right-mine") == 2
    assert (await service.ask("/search", token="right-mine")).headers["retry-after"] == "30"
    assert (await service.ask("/own", token="right-mine")).status_code == 200
    assert (await service.ask("/search", token="right-other")).status_code == 200


# --- how much at once, how long ---------------------------------------------------------------------------------------


async def test_more_at_once_than_there_are_places_is_refused_at_once(small: MakeSmall) -> None:
    service = small(concurrent_requests=1)
    async with listening(service.app) as url, httpx.AsyncClient(base_url=url) as client:
        held = asyncio.create_task(client.get("/held"))
        await service.entered.wait()
        refused = await client.get("/open")
        assert problem(refused) == "busy" and refused.headers["retry-after"] == "1"
        assert (await client.get("/health/live")).status_code == 200
        # those who only wait have places of their own
        assert (await client.get("/open", headers={"Prefer": "wait=1"})).status_code == 200
        service.released.set()
        assert (await held).status_code == 200
        assert (await client.get("/open")).status_code == 200


async def test_those_who_wait_have_so_many_places_and_no_more(small: MakeSmall) -> None:
    service = small(concurrent_waits=1)
    waiting = {"Prefer": "respond-async, wait=20"}
    async with listening(service.app) as url, httpx.AsyncClient(base_url=url) as client:
        held = asyncio.create_task(client.get("/held", headers=waiting))
        await service.entered.wait()
        assert problem(await client.get("/held", headers=waiting)) == "busy"
        assert (await client.get("/open")).status_code == 200
        service.released.set()
        assert (await held).status_code == 200


async def test_what_takes_too_long_is_answered_and_keeps_its_place_until_it_is_done(small: MakeSmall) -> None:
    service = small(request_seconds=0.1, concurrent_requests=1)
    async with listening(service.app) as url, httpx.AsyncClient(base_url=url) as client:
        slow = await client.get("/held")
        assert problem(slow) == "too-slow" and int(slow.headers["retry-after"]) >= 1
        assert slow.headers["content-security-policy"] == API_POLICY.decode()
        assert not service.left.is_set()
        assert problem(await client.get("/open")) == "busy"
        service.released.set()
        await service.left.wait()
        assert (await client.get("/open")).status_code == 200


async def test_an_answer_that_nobody_takes_is_given_up(small: MakeSmall) -> None:
    service = small(request_seconds=0.2)
    async with listening(service.app) as url:
        _, writer = await _connected(url)
        writer.write(b"GET /much HTTP/1.1\r\nHost: small\r\n\r\n")
        async with asyncio.timeout(10):
            await service.left.wait()
        writer.close()


async def _connected(url: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    host, port = url.removeprefix("http://").split(":")
    return await asyncio.open_connection(host, int(port))


async def _said(url: str, *parts: bytes) -> bytes:
    """All that a service says to these bytes until it hangs up."""
    reader, writer = await _connected(url)
    for part in parts:
        writer.write(part)
        await writer.drain()
    async with asyncio.timeout(10):
        said = await reader.read()
    writer.close()
    return said


async def test_a_body_must_arrive_in_time(small: MakeSmall) -> None:
    service = small(body_seconds=0.1)
    head = b"POST /open HTTP/1.1\r\nHost: small\r\nContent-Length: 100\r\n\r\n"
    async with listening(service.app) as url:
        said = await _said(url, head, b'{"name": ')
    assert said.startswith(b"HTTP/1.1 408 ") and b"problem:body-too-slow" in said


class Hasty(Connection):
    """One that waits less long."""

    arrival_seconds = 0.1


async def test_a_head_must_arrive_in_time_and_a_silent_connection_is_not_kept(small: MakeSmall) -> None:
    async with listening(small().app, Hasty) as url:
        said = await _said(url, b"GET /open HTTP/1.1\r\nHost: ")
        assert said.startswith(b"HTTP/1.1 408 ") and b"problem:body-too-slow" in said
        assert await _said(url) == b""
        # who is waited for by nobody is not hurried
        service = small()
        async with listening(service.app, Hasty) as other, httpx.AsyncClient(base_url=other) as client:
            held = asyncio.create_task(client.get("/held"))
            await service.entered.wait()
            assert await _said(other) == b""  # that is as long as a silent connection lives
            service.released.set()
            assert (await held).status_code == 200


async def test_a_body_that_nobody_reads_does_not_go_on_for_ever(small: MakeSmall) -> None:
    head = b"POST /open HTTP/1.1\r\nHost: small\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunk = b"10000\r\n" + bytes(65536) + b"\r\n"
    async with listening(small().app) as url:
        _, writer = await _connected(url)
        writer.write(head)
        with pytest.raises(ConnectionError):
            for _ in range(1000):
                writer.write(chunk)
                await writer.drain()
        writer.close()


async def test_connections_are_counted(small: MakeSmall, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "MOST_CONNECTIONS", 1)
    async with listening(small().app) as url:
        reader, writer = await _connected(url)
        writer.write(b"GET /open HTTP/1.1\r\nHost: small\r\n\r\n")
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")
        refused = await _said(url)
        assert refused.startswith(b"HTTP/1.1 503 ") and b"problem:busy" in refused and b"retry-after: 1" in refused
        writer.close()


# --- the police -------------------------------------------------------------------------------------------------------

A_CASE = {"unit": "polres-74.01", "channel": "spkt", "exploitation": "online-scam"}


@asynccontextmanager
async def police_at_work(folder: Path, secrets: Path, **more: Any) -> AsyncIterator[tuple[FastAPI, httpx.AsyncClient]]:
    """The police on a port of their own."""
    settings = settings_for(folder, secrets, **more)
    engine = open_engine(settings.database())
    migrate(engine, POLICE.lineages)
    engine.dispose()
    app = create_app(POLICE, settings)
    async with (
        serving(app, POLICE, settings, wall_clock),
        listening(app) as url,
        httpx.AsyncClient(base_url=url, timeout=20, auth=OFFICER) as client,
    ):
        yield app, client


async def test_work_that_was_too_slow_is_done_once(
    tmp_path: Path, secrets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The transaction goes on in its thread, commits whole, and the same key gets its answer."""
    released, committed = threading.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    async with police_at_work(tmp_path, secrets, request_seconds=0.2) as (app, client):
        database, key = app.state.database, {"Idempotency-Key": "sekali"}
        prompt = database.write

        def slow(work: Any) -> Any:
            released.wait()
            monkeypatch.setattr(database, "write", prompt)
            result = prompt(work)
            loop.call_soon_threadsafe(committed.set)
            return result

        monkeypatch.setattr(database, "write", slow)
        refused = await client.post("/v1/cases", json=A_CASE | {"case_id": (case := new_id())}, headers=key)
        assert problem(refused) == "too-slow"
        assert (await client.get(f"/v1/cases/{case}")).status_code == 404
        released.set()
        await committed.wait()
        again = await client.post("/v1/cases", json=A_CASE | {"case_id": case}, headers=key)
        assert again.status_code == 201 and again.headers["idempotent-replayed"] == "true"
        assert (await client.get(f"/v1/cases/{case}")).status_code == 200


async def test_a_held_get_is_not_too_slow(tmp_path: Path, secrets: Path) -> None:
    async with police_at_work(tmp_path, secrets, request_seconds=0.3) as (_, client):
        answer = await client.get(f"/v1/referrals/{new_id()}", headers={"Prefer": "wait=1"})
        assert problem(answer) == "unknown-referral" and answer.elapsed.total_seconds() >= 1


async def test_identities_are_read_so_often_and_no_more(tmp_path: Path, secrets: Path) -> None:
    async with police_at_work(tmp_path, secrets, identities_per_minute=2) as (_, client):
        case = (await client.post("/v1/cases", json=A_CASE, headers={"Idempotency-Key": "a"})).json()["id"]
        known = {"age_class": "adult", "sex": "female", "identity": {"name": "Contoh Rekaan"}}
        made = await client.post(f"/v1/cases/{case}/victims", json=known, headers={"Idempotency-Key": "b"})
        path = f"/v1/victims/{made.json()['id']}"
        answers = [await client.get(f"{path}/identity", params={"purpose": "first-aid"}) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [200, 200, 429]
        assert {answer.headers["cache-control"] for answer in answers} == {"no-store"}
        assert int(answers[2].headers["retry-after"]) > 1
        assert (await client.get(path)).status_code == 200


def test_the_image_serves_with_the_same_limits() -> None:
    dockerfile = Path(__file__).parents[2] / "deploy" / "Dockerfile"
    assert " ".join(connection.OPTIONS) in dockerfile.read_text(encoding="utf-8")


# --- on every answer --------------------------------------------------------------------------------------------------

PATHS = {
    **dict.fromkeys(("/health/live", "/v1/cases", "/v1/referrals", "/v1/parked", "/v1/nothing", "/", "/x"), "no-store"),
    **dict.fromkeys((f"/v1/victims/{new_id()}", "/v1/schemas/nobody", "/v1/unitsx", "/static/x"), "no-store"),
    **dict.fromkeys(("/v1/agency", "/v1/keys", "/v1/problems", "/v1/schemas", "/docs", "/openapi.json"), "no-cache"),
    **dict.fromkeys(("/v1/units?agency=police", "/v1/schemas/id.tppo.case.opened.v1"), "no-cache"),
    "/static-offline-docs/swagger-ui.css": "no-cache",
}


async def test_every_answer_has_the_headers_that_protect_it(tmp_path: Path, secrets: Path) -> None:
    async with police_at_work(tmp_path, secrets) as (app, client):
        for path, kept in PATHS.items():
            headers = (await client.get(path)).headers
            for name, value in HEADERS:
                policy_of_its_own = (path, name) == ("/docs", b"content-security-policy")
                assert headers.get_list(name.decode()) == [value.decode()] or policy_of_its_own, path
            assert headers.get_list("cache-control") == [kept], path
            assert "server" not in headers and "strict-transport-security" not in headers
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://police") as secure:
            for path in PATHS:
                told = (await secure.get(path)).headers["strict-transport-security"]
                assert told == "max-age=31536000; includeSubDomains"


async def test_the_page_that_describes_a_service_allows_its_one_script_and_nothing_else(
    tmp_path: Path, secrets: Path
) -> None:
    async with police_at_work(tmp_path, secrets) as (_, client):
        page = await client.get("/docs")
        policy = page.headers["content-security-policy"]
        [script] = re.findall("<script>(.*?)</script>", page.text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        assert f"script-src 'self' 'sha256-{digest}';" in policy
        assert "unsafe" not in policy and policy.startswith("default-src 'none';")
        assert re.findall('(?:src|href)="(?!/)', page.text) == []


def test_reference_data_is_what_is_the_same_for_everybody() -> None:
    """A path in the table is one that some service has, and nobody's data is at it."""
    described = {*create_app(POLICE).openapi()["paths"], *coordination_app.openapi()["paths"]}
    assert set(REFERENCE) - described == {"/docs", "/openapi.json"}
    assert not [path for path in REFERENCE if re.search("victim|case|referral|journey|parked|link", path)]
