"""A small app behind the middleware, to show the effect of limits on callers."""

import asyncio
import re
from dataclasses import dataclass, field
from typing import Annotated, cast

import httpx
from fastapi import Depends, FastAPI, Header, Request, Response
from starlette.types import Receive, Scope, Send

from shared.domain.access import Caller, Role
from shared.domain.refusal import Refused
from shared.http import problems
from shared.http.admission import Admission
from shared.http.app_state import HttpState
from shared.http.limits import Limits, limit, limit_searches
from shared.http.middleware import Middleware
from shared.http.rate import Buckets
from shared.http.route_traits import route_traits
from shared.service.settings import Settings
from tests.support.network import problem


@dataclass
class Small:
    """An app behind the middleware whose tokens are ``right-<client>``, and whose clock stands until it is moved."""

    settings: Settings
    now: float = 0.0
    entered: asyncio.Event = field(default_factory=asyncio.Event)
    released: asyncio.Event = field(default_factory=asyncio.Event)
    left: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        """Make the app."""
        self.app = app = FastAPI()
        app.state = HttpState()
        self.limits = app.state.limits = Limits(self.settings)
        app.state.admission = cast(Admission, self)
        self.limits.addresses, self.limits.clients = (Buckets(monotonic=lambda: self.now) for _ in range(2))
        app.add_exception_handler(Refused, problems.on_refused)
        app.add_exception_handler(NoToken, _on_no_token)
        app.add_middleware(Middleware, routes=app.routes)
        own = [Depends(_authenticated)]
        app.add_api_route("/open", lambda: "open")
        app.add_api_route("/health/live", route_traits(always_answered=True)(lambda: "alive"))
        app.add_api_route("/own", lambda: "own", dependencies=own)
        app.add_api_route("/search", lambda: "found", dependencies=[*own, Depends(limit_searches)])
        app.add_api_route("/held", self._held)
        app.add_api_route("/much", self._much)

    def proves(self, request: Request) -> bool:
        """Whether the token of a request is right (``Admission.proves``)."""
        return request.headers.get("authorization", "").startswith("Bearer right-")

    async def _held(self) -> str:
        self.entered.set()
        await self.released.wait()
        self.left.set()
        return "done"

    async def _much(self) -> Response:
        return Endless(self.left)

    async def ask(
        self, path: str = "/open", address: str = "10.0.0.1", token: str = "", **headers: str
    ) -> httpx.Response:
        """GET from an address, with a token if there is one, and with these headers."""
        transport = httpx.ASGITransport(self.app, client=(address, 5000))
        headers |= {"Authorization": f"Bearer {token}"} if token else {}
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
    """The caller has no known token."""


async def _authenticated(request: Request, authorization: Annotated[str, Header()] = "") -> None:
    known = re.fullmatch("Bearer right-([a-z]+)", authorization)
    if known is None:
        raise NoToken
    request.state.caller = Caller(known[1], Role.OFFICER, "polres-74.01")
    limit(request)


async def _on_no_token(_: Request, __: Exception) -> Response:
    return Response(status_code=401)
