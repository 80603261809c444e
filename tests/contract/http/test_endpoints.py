"""The whole HTTP offer of a service: no sockets, uploads, listings or debugging beside it."""

import contextlib
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.types import Message, Receive, Scope, Send

from services.coordination.console import STATIC
from services.coordination.main import MEMBER as COORDINATION
from services.police.main import MEMBER as POLICE
from shared.domain.access import Role
from shared.domain.commands import Noted
from shared.service.running import now_utc
from tests.support.network import asked_of_the_database, offline
from tests.support.tokens import Bearing

ON_ONE_LOOP = pytest.mark.asyncio(loop_scope="module")
SERVICES = {"police": POLICE, "coordination": COORDINATION}
CALLERS = {"police": (Role.OFFICER, "bareskrim"), "coordination": (Role.COORDINATOR, "pusat")}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def apps(tmp_path_factory: pytest.TempPathFactory, secrets: Path) -> AsyncIterator[dict[str, FastAPI]]:
    """The police and coordination, as they are served."""
    async with contextlib.AsyncExitStack() as stack:
        folder = tmp_path_factory.mktemp("surface")
        made = {name: await offline(member, folder, secrets, stack) for name, member in SERVICES.items()}
        made["coordination"].router.routes.append(STATIC)
        yield made


async def ask(app: FastAPI, name: str, method: str, path: str, **more: Any) -> httpx.Response:
    auth = Bearing(name, *CALLERS[name], now_utc)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=f"http://{name}", auth=auth) as http:
        return await http.request(method, path, **more)


def operations(app: FastAPI) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Method, path and description of every operation in the OpenAPI document."""
    for path, methods in app.openapi()["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


NEVER_IN_AN_ADDRESS = ("Melati Contoh", "MELATI", "melati contoh", "7401234567890001", "+6281200000000", "Jl. Mawar 7")


def fits(text: str, schema: Mapping[str, Any], document: Mapping[str, Any]) -> bool:
    """Whether a parameter of this schema could hold a text."""
    if "$ref" in schema:
        return fits(text, document["components"]["schemas"][schema["$ref"].rpartition("/")[2]], document)
    if "anyOf" in schema:
        return any(fits(text, one, document) for one in schema["anyOf"])
    if "enum" in schema or "const" in schema:
        return text in schema.get("enum", [schema.get("const")])
    match schema:
        case {"type": "array", "items": items}:
            return fits(text, items, document)
        case {"type": "null"} | {"type": "string", "format": "date-time"}:
            return False
        case {"type": "integer"}:
            return text.isdigit() and schema.get("minimum", 0) <= int(text) <= schema.get("maximum", int(text))
    return re.search(schema.get("pattern", ""), text) is not None


async def knock(app: FastAPI, path: str) -> list[str]:
    """The kinds of messages that somebody gets who wants to speak WebSocket."""
    sent: list[str] = []

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        sent.append(message["type"])

    scope = {"type": "websocket", "scheme": "wss", "path": path, "raw_path": path.encode(), "query_string": b""}
    await app({**scope, "root_path": "", "headers": [], "subprotocols": [], "app": app}, receive, send)
    return sent


@ON_ONE_LOOP
@pytest.mark.parametrize("name", SERVICES)
async def test_no_door_opens_to_a_websocket(apps: dict[str, FastAPI], name: str) -> None:
    for path in {"/", "/ws", "/graphql", "/static/console.css", *(path for _, path, _ in operations(apps[name]))}:
        assert await knock(apps[name], path) == ["websocket.close"], path


@ON_ONE_LOOP
@pytest.mark.parametrize("name", SERVICES)
async def test_nothing_that_a_person_is_known_by_fits_into_an_address(apps: dict[str, FastAPI], name: str) -> None:
    """Addresses stand in the logs of whatever a request passes through."""
    document = apps[name].openapi()
    parameters = [
        (path, parameter)
        for _, path, operation in operations(apps[name])
        for parameter in operation.get("parameters", [])
        if parameter["in"] in ("path", "query")
    ]
    assert len(parameters) > 10
    for path, parameter in parameters:
        taken = [text for text in NEVER_IN_AN_ADDRESS if fits(text, parameter["schema"], document)]
        assert not taken, (path, parameter["name"])


@ON_ONE_LOOP
@pytest.mark.parametrize("name", SERVICES)
async def test_a_body_is_json_or_a_table_and_nothing_else(apps: dict[str, FastAPI], name: str) -> None:
    """No file, no form, no archive: what a browser may send to another site without asking is not understood here.

    (Those are forms and ``text/plain`` alone: Fetch standard, CORS-safelisted request-header.)
    """
    for _, path, operation in operations(apps[name]):
        taken = "text/csv" if path.endswith(".csv") else "application/json"
        assert set(operation.get("requestBody", {}).get("content", {taken: {}})) == {taken}, path


@ON_ONE_LOOP
@pytest.mark.parametrize("name", SERVICES)
async def test_what_changes_something_is_a_post(apps: dict[str, FastAPI], name: str) -> None:
    assert {method for method, _, _ in operations(apps[name])} <= {"get", "post"}
    assert any("requestBody" in operation for _, _, operation in operations(apps[name])) == (name == "police")
    assert not [
        path for method, path, operation in operations(apps[name]) if method == "get" and "requestBody" in operation
    ]


@ON_ONE_LOOP
@pytest.mark.parametrize("name", SERVICES)
@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "PUT", "PATCH", "DELETE", "OPTIONS", "DEBUG"])
async def test_no_other_method_is_served(apps: dict[str, FastAPI], name: str, method: str) -> None:
    canary = {"X-Pelapor": "KANARI-7f3a"}
    for path in ("/v1/agency", "/health/live", "/docs", "/static/console.css"):
        answer = await ask(apps[name], name, method, path, headers=canary)
        assert answer.status_code in (404, 405)
        assert "KANARI" not in answer.text and "access-control-allow-origin" not in answer.headers


METHODS = ("GET", "POST", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "PROPFIND", "BREW")
PLACES = {"number": "1", "event_type": "id.tppo.referral.accepted.v1"}
SOME_ID = "0193f0a2-7a10-7000-8000-0000000000ff"


@ON_ONE_LOOP
@pytest.mark.parametrize("name", SERVICES)
async def test_every_address_takes_its_own_methods_and_no_other(apps: dict[str, FastAPI], name: str) -> None:
    """Another method, also without a token, is answered with the allowed ones, without a look at the database."""
    served = {path: {method.upper() for method in methods} for path, methods in apps[name].openapi()["paths"].items()}
    if name == "coordination":
        served |= {"/": {"GET"}, "/journeys/{victim_id}": {"GET"}, "/masuk": {"GET", "POST"}, "/keluar": {"POST"}}
    with asked_of_the_database(apps[name]) as statements:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(apps[name]), base_url=f"http://{name}") as http:
            for path, methods in served.items():
                address = re.sub(r"{(\w+)}", lambda place: PLACES.get(place[1], SOME_ID), path)
                for method in set(METHODS) - methods:
                    answer = await http.request(method, address)
                    assert answer.status_code == 405, (method, path)
                    assert set(answer.headers["allow"].split(", ")) == methods, (method, path)
    assert statements == []


OUT = [
    "",
    "/",
    "/.",
    "/..",
    "/../main.py",
    "/../../units.csv",
    "/..\\main.py",
    "//etc/passwd",
    "/%2e%2e/main.py",
    "/\0",
]


@ON_ONE_LOOP
@pytest.mark.parametrize("name", SERVICES)
@pytest.mark.parametrize("folder", ["/static", "/static-offline-docs"])
async def test_no_folder_is_listed_and_none_is_left(apps: dict[str, FastAPI], name: str, folder: str) -> None:
    for path in (*(folder + out for out in OUT), "/.git/config", "/main.py", "/deploy/secrets"):

        async def as_written(scope: Scope, receive: Receive, send: Send, path: str = path) -> None:
            await apps[name]({**scope, "path": path, "raw_path": path.encode()}, receive, send)

        async with httpx.AsyncClient(transport=httpx.ASGITransport(as_written), base_url=f"http://{name}") as http:
            answer = await http.get("/")
        assert answer.status_code in (400, 404), path
        assert answer.headers["content-type"] == "application/problem+json"


@ON_ONE_LOOP
@pytest.mark.parametrize("name", SERVICES)
async def test_nothing_is_served_for_debugging(apps: dict[str, FastAPI], name: str) -> None:
    assert not apps[name].debug
    for path in ("/debug", "/metrics", "/admin", "/redoc", "/env", "/.env", "/server-status", "/console", "/test"):
        assert (await ask(apps[name], name, "GET", path)).status_code == 404


TYPES = {
    "/docs": "text/html; charset=utf-8",
    "/openapi.json": "application/json",
    "/v1/keys": "application/json",
    "/health/ready": "application/json",
    "/v1/nothing": "application/problem+json",
    "/static-offline-docs/swagger-ui.css": "text/css; charset=utf-8",
    "/static-offline-docs/swagger-ui-bundle.js": "text/javascript; charset=utf-8",
}
PAGE_TYPES = {
    "/masuk": "text/html; charset=utf-8",
    "/static/console.css": "text/css; charset=utf-8",
    "/static/htmx.min.js": "text/javascript; charset=utf-8",
    "/static/baton.svg": "image/svg+xml",
}


@ON_ONE_LOOP
@pytest.mark.parametrize("name", SERVICES)
async def test_an_answer_says_what_it_is(apps: dict[str, FastAPI], name: str) -> None:
    """With the charset where the type is text; JSON is UTF-8 by definition (RFC 8259 section 8.1)."""
    for path, kind in (TYPES | (PAGE_TYPES if name == "coordination" else {})).items():
        answer = await ask(apps[name], name, "GET", path)
        assert answer.headers["content-type"] == kind, path
        answer.content.decode("utf-8")


def test_every_command_with_a_note_says_that_it_may_need_one() -> None:
    """Told a day late it needs a note, whatever else the command asks."""
    noted = [
        route
        for router in POLICE.routers
        for route in router.routes
        if isinstance(route, APIRoute)
        and any(isinstance(one, type) and issubclass(one, Noted) for one in route.endpoint.__annotations__.values())
    ]
    assert len(noted) >= 13
    silent = [r.path for r in noted if "note-required" not in r.responses["default"]["description"].split()]
    assert silent == []
