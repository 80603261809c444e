"""The outermost HTTP layer: limits, trace context, one log line per request. No response shows an internal error."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext

import structlog
from fastapi import Request
from sqlalchemy.exc import InterfaceError, OperationalError
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from shared.domain.refusal import Refused
from shared.http import problems, request_head
from shared.http.app_state import state_of
from shared.http.limits import Limits, waiting_seconds
from shared.http.request_body import read_body
from shared.http.response_headers import ResponseSender
from shared.http.route_traits import RouteTraits, TraitsTable
from shared.logs import trace
from shared.logs.setup import places_of
from shared.security.vault import VaultUnavailable

log = structlog.get_logger()


class Middleware:
    """The ASGI middleware around the whole app."""

    def __init__(self, app: ASGIApp, routes: Sequence[BaseRoute]) -> None:
        """``routes`` of the whole app. Starlette calls this at the first request or start, when all routes are in."""
        self._app = app
        self._traits = TraitsTable(routes)
        self._late: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request: set the trace context, check limits, respond, and write the log line."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        parent = trace.accept(request.headers.get("traceparent"))
        outer = trace.traceparent.set(parent)
        began, traits = time.perf_counter(), self._traits.of(scope)
        sender = ResponseSender(scope, send, parent, traits.cacheable)
        try:
            await self._serve(request, sender, traits)
        except Refused as refused:
            await _refuse(refused, request, sender)
        except Exception as error:
            await _respond_to_error(error, request, sender)
        finally:
            trace.traceparent.reset(outer)
            route = getattr(scope.get("route"), "path", "-")
            spent = round((time.perf_counter() - began) * 1000, 1)
            _log_request(scope, route, sender.status, spent, parent)

    async def _serve(self, request: Request, sender: ResponseSender, traits: RouteTraits) -> None:
        scope, limits = request.scope, state_of(request).limits
        request_head.check(scope)
        if not traits.always_answered:
            limits.admit(scope, lambda: state_of(request).admission.proves(request))
        receive = await read_body(scope, request.receive, limits.body_seconds, traits)
        place = nullcontext() if traits.always_answered else limits.place(scope)
        with place, self._deadline(limits, request, sender):
            await self._app(scope, receive, sender)
        limits.settle(scope, sender.status)

    @contextmanager
    def _deadline(self, limits: Limits, request: Request, sender: ResponseSender) -> Iterator[None]:
        """Respond ``too-slow`` when the block has not begun to respond within the time limit.

        The work itself is not stopped: a thread cannot be stopped, and a transaction commits whole or not at all.
        Slow work keeps its place until it ends, so that slow work cannot pile up. A started response is cancelled
        only when the caller reads no part of it within the time limit.
        """
        loop, serving = asyncio.get_running_loop(), asyncio.current_task()
        timers: list[asyncio.TimerHandle] = []

        def over(taken: int) -> None:
            if sender.parts > taken:
                timers.append(loop.call_later(limits.request_seconds, over, sender.parts))
            elif sender.status:
                assert serving is not None
                serving.cancel()
            else:
                refusing = loop.create_task(_refuse(Refused("too-slow", seconds="2"), request, sender.replace(503)))
                self._late.add(refusing)
                refusing.add_done_callback(self._late.discard)

        # 2: the head and one part, for most responses have no more
        timers.append(loop.call_later(limits.request_seconds + waiting_seconds(request.scope), over, 2))
        try:
            yield
        finally:
            for timer in timers:
                timer.cancel()


def _log_request(scope: Scope, route: str, status: int, spent: float, parent: str) -> None:
    """Write the log line of a request: route, status, time in milliseconds, and the caller if authenticated."""
    state = scope.get("state", {})
    caller, problem = state.get("caller"), state.get("problem")
    log = structlog.get_logger().bind(method=scope["method"], route=route, status=status, ms=spent, trace=parent)
    if caller is not None:
        log = log.bind(client=caller.client, role=str(caller.role), unit=caller.unit)
    if problem is not None:
        log = log.bind(problem=problem)
    log.info("http")


async def _refuse(refused: Refused, request: Request, sender: ResponseSender) -> None:
    response = await problems.on_refused(request, refused)
    if response.status_code == 408:
        response.headers["Connection"] = "close"  # do not wait for the rest of the body
    await response(request.scope, request.receive, sender)


async def _respond_to_error(error: Exception, request: Request, sender: ResponseSender) -> None:
    """Respond to an unexpected error. Its message may hold a person's name, so only its type and place are logged."""
    if isinstance(error, (OperationalError, InterfaceError, VaultUnavailable)):
        # the database or the vault is unavailable: nothing is stored, and the caller may repeat the request
        log.error("http.unavailable", error=type(error).__name__)
        response = problems.respond(request, "unavailable", headers={"Retry-After": "2"})
    else:
        log.error("http.fault", error=type(error).__name__, places=places_of(error))
        response = problems.respond(request, "internal-error")
    if sender.status and not sender.replaced:
        raise error  # the response is half sent: the server closes the connection
    await response(request.scope, request.receive, sender)
