"""The W3C trace context of the current request, carried from HTTP into events and into the events that they cause."""

import re
import secrets
from contextvars import ContextVar

_FORM = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")

traceparent: ContextVar[str | None] = ContextVar("traceparent", default=None)


def current() -> str:
    """The ``traceparent`` of the current request, or a new one outside a request."""
    return traceparent.get() or accept(None)


def trace_id() -> str:
    """The trace id of the current request: 32 hexadecimal digits."""
    return current().split("-")[1]


def accept(given: str | None) -> str:
    """The caller's ``traceparent`` if it is well formed, else a new one."""
    if given and _FORM.fullmatch(given):
        return given
    return f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"
