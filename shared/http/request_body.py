"""Reads the body of a request: complete, in time, not too large, and as unambiguous JSON."""

import asyncio
import re

from starlette.types import Message, Receive, Scope

from shared.contracts import strict_json
from shared.domain.refusal import Refused

MAX_BODY = 64 * 1024
"""Most bytes of a body."""
PEOPLE = re.compile(r"/v1/cases/[^/]+/batches(\.csv)?")
MAX_PEOPLE = 1024 * 1024
"""Most bytes of a list of people."""


async def arrived(scope: Scope, receive: Receive, seconds: float) -> Receive:
    """Read the whole body within ``seconds``. Returns the ASGI ``receive`` from which the app reads that body.

    Raises Refused: ``malformed-request``, ``body-too-large``, ``body-too-slow``, ``json-too-deep``,
    ``duplicate-member`` or ``malformed-json``. A CSV list of people is not checked as JSON.
    """
    headers = dict(scope["headers"])
    length = headers.get(b"content-length", b"0")
    if length == b"0" and b"transfer-encoding" not in headers:
        return receive
    if not length.isdigit():
        raise Refused("malformed-request", field="Content-Length")
    people = PEOPLE.fullmatch(scope["path"])
    most = MAX_PEOPLE if people else MAX_BODY
    if int(length[:10]) > most:
        raise Refused("body-too-large")
    try:
        async with asyncio.timeout(seconds):
            body = await _whole(receive, most)
    except TimeoutError:
        raise Refused("body-too-slow") from None
    if people is None or people[1] is None:
        _check_json(body)
    return _again(body, receive)


async def _whole(receive: Receive, most: int) -> bytes:
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


def _again(body: bytes, receive: Receive) -> Receive:
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return waiting.pop() if waiting else await receive()

    return again
