"""A service calls no address for a caller: no written address is ever called, inward or outward.

There are no webhooks. A server on this machine waits for such a call. The kernel takes every connection to it, so that
none is missed.
"""

import contextlib
import json
import re
import socket
from collections.abc import AsyncIterator, Iterator, Mapping
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI
from joserfc.jwk import ECKey
from sqlalchemy import select
from sqlmodel import col

from services.coordination.main import MEMBER as COORDINATION
from services.police.main import MEMBER as POLICE
from shared.contracts.codes import Exploitation
from shared.contracts.envelope import Draft, write
from shared.contracts.events import CaseOpened
from shared.contracts.types import UnitRef
from shared.domain.access import Role
from shared.http.rate import Buckets
from shared.messaging.broker import Incoming
from shared.reference.office import new_id
from shared.security.keys import SigningKey
from shared.service.running import now_utc
from shared.storage.tables import LedgerEntry
from tests.support.network import offline
from tests.support.tokens import Bearing, claims, signed

ON_ONE_LOOP = pytest.mark.asyncio(loop_scope="module")
SERVICES = {"police": (POLICE, Role.SUPERVISOR, "bareskrim"), "coordination": (COORDINATION, Role.COORDINATOR, "pusat")}
SOMETHING = "0193f0a2-7a10-7000-8000-0000000000ff"


class Trap:
    """A server that nobody has a reason to call."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        port = listener.getsockname()[1]
        self.addresses = [f"{scheme}127.0.0.1:{port}/latest/meta-data" for scheme in ("http://", "https://", "//", "")]

    def callers(self) -> int:
        """Number of callers since the last question."""
        callers = 0
        with contextlib.suppress(BlockingIOError):
            while True:
                self._listener.accept()[0].close()
                callers += 1
        return callers


@pytest.fixture
def trap() -> Iterator[Trap]:
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
        listener.setblocking(False)
        yield Trap(listener)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def apps(tmp_path_factory: pytest.TempPathFactory, secrets: Path) -> AsyncIterator[Mapping[str, FastAPI]]:
    async with contextlib.AsyncExitStack() as stack:
        folder = tmp_path_factory.mktemp("errand")
        yield {name: await offline(member, folder, secrets, stack) for name, (member, _, _) in SERVICES.items()}


@contextlib.asynccontextmanager
async def calling(app: FastAPI, name: str, **headers: str) -> AsyncIterator[httpx.AsyncClient]:
    auth = Bearing(name, *SERVICES[name][1:], now_utc)
    given = {"If-Match": "*", **headers}
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url=f"http://{name}", auth=auth, headers=given
    ) as http:
        yield http


async def test_the_trap_hears_who_calls(trap: Trap) -> None:
    with contextlib.closing(socket.create_connection(("127.0.0.1", urlsplit(trap.addresses[0]).port or 0))):
        assert (trap.callers(), trap.callers()) == (1, 0)


# --- what a request takes ---------------------------------------------------------------------------------------------


def operations(app: FastAPI) -> Iterator[tuple[str, str, Mapping[str, Any], Mapping[str, Any]]]:
    """Method, path, description, and a body with each of its fields, of every operation."""
    document = app.openapi()
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
            name = content.get("schema", {}).get("$ref", "").rpartition("/")[2]
            schema = document["components"]["schemas"].get(name, {})
            sound: Mapping[str, Any] = next(iter(schema.get("examples", [])), {})
            yield method, path, operation, {**dict.fromkeys(schema.get("properties", {})), **sound}


FREE_TEXT = {"note": None, "identity": ("name", "address", "statement", "safe_house"), "name": None, "address": None,
             "statement": None, "safe_house": None}  # fmt: skip
"""Fields in which an address is text like any other: it is accepted, and kept."""


def bodies(sound: Mapping[str, Any], address: str) -> Iterator[Mapping[str, Any]]:
    """The body with the address in each field in turn, in all free texts, and in an extra field."""
    stated = {name: value for name, value in sound.items() if value is not None}
    for name in sound:
        yield {**stated, name: address}
    texts = {
        name: dict.fromkeys(inner, address) if inner else address for name, inner in FREE_TEXT.items() if name in sound
    }
    yield {**stated, **texts}
    for name in ("callback_url", "webhook", "url", "jwks_uri", "$ref", "@context"):
        yield {**stated, name: address}


@ON_ONE_LOOP
@pytest.mark.parametrize("name", SERVICES)
async def test_nothing_that_an_operation_takes_is_called(apps: Mapping[str, FastAPI], trap: Trap, name: str) -> None:
    taken = 0
    async with calling(apps[name], name) as http:
        for method, path, operation, sound in operations(apps[name]):
            here = re.sub(r"{\w+}", SOMETHING, path)
            address = trap.addresses[0]
            for body in bodies(sound, address) if method == "post" else (None,):
                answer = await http.request(method, here, json=body, headers={"Idempotency-Key": new_id()})
                taken += answer.status_code < 300
            for parameter in operation.get("parameters", []):
                there = re.sub(r"{\w+}", quote(address, safe=""), path) if parameter["in"] == "path" else here
                query = {parameter["name"]: address} if parameter["in"] == "query" else {}
                await http.request(method, there, params=query)
    assert taken > 5 and trap.callers() == 0


HEADERS = (
    *("Origin", "Referer", "X-Callback-Url", "X-Forwarded-Host", "X-Original-URL", "Content-Location", "Link", "Via"),
    *("Idempotency-Key", "If-None-Match", "Accept-Language", "traceparent", "tracestate", "Prefer", "Cookie", "From"),
    *("Client-Cert", "Signature-Input", "DPoP", "X-Wap-Profile", "Reply-To", "Location", "Destination", "SOAPAction"),
)


@ON_ONE_LOOP
@pytest.mark.parametrize("name", SERVICES)
async def test_nothing_that_a_header_says_is_called(apps: Mapping[str, FastAPI], trap: Trap, name: str) -> None:
    path = "/v1/cases" if name == "police" else "/v1/journeys"
    case = {"unit": "polres-74.01", "channel": "spkt", "exploitation": "sexual"}
    for header, address in product(HEADERS, trap.addresses[:2]):
        said = f"respond-async; callback={address}" if header == "Prefer" else address
        async with calling(apps[name], name, **{"Idempotency-Key": new_id(), header: said}) as http:
            answer = await (http.post(path, json=case) if name == "police" else http.get(path))
            assert answer.status_code in (200, 201), header
    assert trap.callers() == 0


# --- what a token or an event says ------------------------------------------------------------------------------------


STRANGE_KEY = ECKey.generate_key("P-256", {"kid": "issuer-9"}, auto_kid=False)


@ON_ONE_LOOP
async def test_no_token_says_where_its_keys_are(apps: Mapping[str, FastAPI], trap: Trap) -> None:
    """A token names its keys neither by header (``jku``, ``x5u``) nor by claims about its issuer."""
    here = trap.addresses[0]
    good = claims("police", "officer", "bareskrim", now_utc())
    elsewhere = {"iss": here, "sub": here, "jti": here, "client_id": here, "jwks_uri": here}
    for key in (None, STRANGE_KEY):
        for said in (good, *({**good, claim: value} for claim, value in elsewhere.items()), {**good, **elsewhere}):
            for header in ({}, {"jku": here}, {"x5u": here}, {"jku": here, "x5u": here, "kid": here}):
                apps["police"].state.limits.addresses = Buckets()  # who guesses is soon not heard; here all is
                token = {"Authorization": f"Bearer {signed(said, key, **header)}"}
                async with httpx.AsyncClient(
                    transport=httpx.ASGITransport(apps["police"]), base_url="http://police", headers=token
                ) as http:
                    await http.get("/v1/agency")
    assert trap.callers() == 0


@ON_ONE_LOOP
async def test_no_event_says_where_its_schema_or_data_is(
    apps: Mapping[str, FastAPI], trap: Trap, secrets: Path
) -> None:
    here = trap.addresses[0]
    unit = UnitRef(agency="kemenkes", unit="rs-74.01", region="74.01")
    at = now_utc()
    opened = CaseOpened(case_id=new_id(), unit=unit, channel="spkt", exploitation=Exploitation.SEXUAL, occurred_at=at)
    own = SigningKey.load(secrets / "kemenkes" / "keys" / "kemenkes-1.pem")
    sound = json.loads(write(Draft(new_id(), opened, "coordination", unit.unit, unit.region), "kemenkes", 1, at))
    state = apps["coordination"].state
    for number, more in enumerate(
        [{"dataschema": here}, {"dataref": here}, {"source": f"/agencies/kemenkes/{here}"}, {"callback": here}], 1
    ):
        body = json.dumps({**sound, "id": new_id(), "linkseq": number, **more}).encode()
        came = Incoming("tppo.kemenkes.coordination.case.opened.74.01", body, own.sign(body), None)  # type: ignore[arg-type]
        state.database.write(partial(state.reception, batch=[came]))
    received = select(LedgerEntry).where(col(LedgerEntry.sent).is_(False))
    recorded = state.database.read(lambda session: session.scalars(received).all())
    assert len(recorded) == 3  # what is no source is no event; the others are taken as they are
    assert trap.callers() == 0
