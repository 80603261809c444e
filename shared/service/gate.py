"""What is refused by its head alone, before a body is read or anybody is looked up.

Two readers of one request, a proxy and this service, must not be able to understand it differently: so a header that
counts once comes once, and an address has one spelling.
"""

import re

from starlette.types import Scope

from shared.domain.refusal import Refused

MAX_HEADERS = 64
MAX_HEADER_BYTES = 16 * 1024
MAX_ADDRESS_BYTES = 4 * 1024
"""Path and query together."""

ONCE = frozenset(
    {
        *(b"host", b"authorization", b"content-type", b"content-length", b"transfer-encoding"),
        *(b"idempotency-key", b"if-match"),
    }
)
"""Headers of which one reader might take the first and another the last (RFC 9110 section 5.3)."""

_HOST = re.compile(rb"([a-z0-9._-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?", re.IGNORECASE)
_SPELLED_OTHERWISE = re.compile(rb"%(2f|5c)", re.IGNORECASE)
_STEPS = frozenset({"", ".", ".."})


def check(scope: Scope) -> None:
    """Raises Refused for a head that is too large, ambiguous, or announces a coded body."""
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
    # nothing is ever inflated here, so a bomb stays small
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
    # the last part may be empty: that address is there, or it is not
    if _SPELLED_OTHERWISE.search(_raw_path(scope)) or "\\" in path or not _STEPS.isdisjoint(path.split("/")[1:-1]):
        raise Refused("not-found")
    if path.rpartition("/")[2] in (".", ".."):
        raise Refused("not-found")


def _raw_path(scope: Scope) -> bytes:
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    return raw
