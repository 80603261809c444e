"""Reads the body of a request: complete, in time, not too large, and as unambiguous JSON."""

import asyncio

from starlette.types import Message, Receive, Scope

from shared.contracts import strict_json
from shared.domain.refusal import Refused
from shared.http.route_traits import RouteTraits


async def read_body(scope: Scope, receive: Receive, seconds: float, traits: RouteTraits) -> Receive:
    """Read the whole body within ``seconds``. Returns the ASGI ``receive`` from which the app reads that body.

    Raises Refused: ``malformed-request``, ``body-too-large``, ``body-too-slow``, ``json-too-deep``,
    ``duplicate-member`` or ``malformed-json``. ``traits`` of the route: the largest body, and whether it is JSON.
    """
    headers = dict(scope["headers"])
    length = headers.get(b"content-length", b"0")
    if length == b"0" and b"transfer-encoding" not in headers:
        return receive
    if not length.isdigit():
        raise Refused("malformed-request", field="Content-Length")
    if int(length[:10]) > traits.max_body:
        raise Refused("body-too-large")
    try:
        async with asyncio.timeout(seconds):
            body = await _read(receive, traits.max_body)
    except TimeoutError:
        raise Refused("body-too-slow") from None
    if traits.json_body:
        _check_json(body)
    return _replay(body, receive)


async def _read(receive: Receive, most: int) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Refused("malformed-request")  # the caller has disconnected and reads no response
        body += message.get("body", b"")
        if len(body) > most:
            raise Refused("body-too-large")
        if not message.get("more_body", False):
            return bytes(body)


def _check_json(body: bytes) -> None:
    try:
        strict_json.check(body)
    except strict_json.TooDeep:
        raise Refused("json-too-deep") from None
    except strict_json.NamedTwice:
        raise Refused("duplicate-member") from None
    except strict_json.NotStrict:
        raise Refused("malformed-json") from None


def _replay(body: bytes, receive: Receive) -> Receive:
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return waiting.pop() if waiting else await receive()

    return replay
