"""The outermost layer of HTTP: limits, trace context, one log line a request, and no word of what went wrong inside."""

import time
import traceback

import structlog
from fastapi import Request
from sqlalchemy.exc import InterfaceError, OperationalError
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.service import problems, trace

MAX_REQUEST = 64 * 1024
"""Bytes of a request body, at most."""

log = structlog.get_logger()


class Edge:
    """An ASGI middleware around the whole app."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        parent = trace.accept(request.headers.get("traceparent"))
        token = trace.traceparent.set(parent)
        began, answered = time.perf_counter(), 0

        async def watched_send(message: Message) -> None:
            nonlocal answered
            if message["type"] == "http.response.start":
                answered = message["status"]
                message["headers"] = [*message["headers"], (b"traceparent", parent.encode())]
            await send(message)

        try:
            await self._app(scope, _limited(receive), watched_send)
        except Exception as error:
            if answered:
                raise
            await _refuse(error, request, scope, receive, watched_send)
        finally:
            trace.traceparent.reset(token)
            route = getattr(scope.get("route"), "path", "-")
            spent = round((time.perf_counter() - began) * 1000, 1)
            log.info("http", method=scope["method"], route=route, status=answered, ms=spent, trace=parent)


def _limited(receive: Receive) -> Receive:
    taken = 0

    async def limited() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > MAX_REQUEST:
            raise problems.TooLarge
        return message

    return limited


async def _refuse(error: Exception, request: Request, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer for an error that nobody foresaw. Its message may hold a name, so only its kind and place are logged."""
    if isinstance(error, (OperationalError, InterfaceError)):
        response = problems.respond(request, "unavailable", headers={"Retry-After": "2"})
        log.error("http.database", error=type(error).__name__)
    else:
        response = problems.respond(request, "internal-error")
        places = [f"{frame.filename}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)[-6:]]
        log.error("http.fault", error=type(error).__name__, places=places)
    await response(scope, receive, send)
