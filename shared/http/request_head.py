"""Checks of the request head, before the body is read and before the caller is known.

A proxy and this service must not understand one request differently. So a header with a single meaning may come only
once, and an address has only one spelling.
"""

import re

from starlette.types import Scope

from shared.domain.refusal import Refused

MAX_HEADERS = 64
MAX_HEADER_BYTES = 16 * 1024
MAX_ADDRESS_BYTES = 4 * 1024
"""Most bytes of path and query together."""

ONCE = frozenset(
    {
        *(b"host", b"authorization", b"content-type", b"content-length", b"transfer-encoding"),
        *(b"idempotency-key", b"if-match"),
    }
)
"""Headers that may come only once: one reader might use the first, another the last (RFC 9110 section 5.3)."""

_HOST = re.compile(rb"([a-z0-9._-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?", re.IGNORECASE)
_SPELLED_OTHERWISE = re.compile(rb"%(2f|5c)", re.IGNORECASE)
_STEPS = frozenset({"", ".", ".."})


def check(scope: Scope) -> None:
    """Raises Refused for a head that is too large or ambiguous, or that announces a compressed body.

    Codes: ``headers-too-large``, ``address-too-long``, ``malformed-request``, ``unsupported-media-type``,
    ``not-found``.
    """
    headers: list[tuple[bytes, bytes]] = scope["headers"]
    found: dict[bytes, bytes] = {}
    twice, size = None, 0
    for name, value in headers:
        if name in found and name in ONCE:
            twice = name.decode("ascii").title()
        found[name] = value
        size += len(name) + len(value)
    if len(headers) > MAX_HEADERS or size > MAX_HEADER_BYTES:
        raise Refused("headers-too-large")
    if len(_raw_path(scope)) + len(scope["query_string"]) > MAX_ADDRESS_BYTES:
        raise Refused("address-too-long")
    if twice is not None:
        raise Refused("malformed-request", field=twice)
    _check_host(scope, found.get(b"host"))
    # this service never decompresses, so a decompression bomb stays small
    if b"content-encoding" in found:
        raise Refused("unsupported-media-type", field="Content-Encoding")
    if found.get(b"transfer-encoding", b"chunked").lower() != b"chunked":
        raise Refused("unsupported-media-type", field="Transfer-Encoding")
    _check_path(scope)


def _check_host(scope: Scope, host: bytes | None) -> None:
    if (host is None and scope["http_version"] != "1.0") or (host is not None and not _HOST.fullmatch(host)):
        raise Refused("malformed-request", field="Host")


def _check_path(scope: Scope) -> None:
    path: str = scope["path"]
    # the last part may be empty: routing decides whether that address exists
    if _SPELLED_OTHERWISE.search(_raw_path(scope)) or "\\" in path or not _STEPS.isdisjoint(path.split("/")[1:-1]):
        raise Refused("not-found")
    if path.rpartition("/")[2] in (".", ".."):
        raise Refused("not-found")


def _raw_path(scope: Scope) -> bytes:
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    return raw
