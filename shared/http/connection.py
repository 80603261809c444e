"""One HTTP connection: uvicorn's protocol, with limits on size and time.

The limits hold before the app sees the request. Bare uvicorn with httptools accepts headers of any size, at any speed.
Bare uvicorn also adds the trailer of a chunked body to the headers, after the check of the headers. A service run by
``serve`` uses this class and does neither.
"""

import asyncio
from typing import Any

import structlog
from fastapi import Request
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from shared.domain.refusal import Refused
from shared.http import problems
from shared.http.request_head import MAX_ADDRESS_BYTES, MAX_HEADER_BYTES
from shared.http.response_headers import HEADERS

log = structlog.get_logger()

MAX_HEAD = MAX_ADDRESS_BYTES + MAX_HEADER_BYTES
MAX_MESSAGE = 1024 * 1024
"""Most bytes of one request on the wire. The largest valid body in chunks of one byte needs less than half."""
MOST_CONNECTIONS = 4096


class Connection(HttpToolsProtocol):
    """The asyncio protocol of one connection."""

    arrival_seconds = 20.0
    """Time limit for a request to arrive completely, and for a new connection to send its first request."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._begun = 0
        """Number of requests of this connection that have started to arrive."""
        self._arrived = 0
        """Bytes of the arriving request, counted from its second packet on."""
        self._in_head = False
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the time limit, or refuse the connection with ``busy`` above MOST_CONNECTIONS."""
        super().connection_made(transport)
        if len(self.connections) > MOST_CONNECTIONS:
            self._end_with(Refused("busy", seconds="1"))
        else:
            self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the time limit."""
        self._unwatch()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse a packet, and end the connection when the head or the whole request is too large."""
        begun = self._begun
        super().data_received(data)
        self._arrived = self._arrived + len(data) if self._begun == begun else 0
        if self._in_head and self._arrived > MAX_HEAD:
            self._end_with(Refused("headers-too-large"))
        elif self._arrived > MAX_MESSAGE:
            self.transport.close()

    def on_message_begin(self) -> None:
        """The first byte of a request arrived: start the time limit."""
        super().on_message_begin()
        self._begun += 1
        self._in_head = True
        self._watch()

    def on_url(self, url: bytes) -> None:
        """Receive a part of the address. Raises ValueError for a fragment.

        A client never sends a fragment (RFC 9110 section 4.2.5), and parsers disagree about its meaning.
        """
        if b"#" in url:
            raise ValueError("fragment")
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Receive a header. A header in the trailer is dropped, because nothing checks it (RFC 9110 section 6.5.1)."""
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The head is complete."""
        self._in_head = False
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The request is complete: stop the time limit."""
        self._unwatch()
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Refuse bytes that are not HTTP."""
        self._end_with(Refused("malformed-request"))

    def _watch(self) -> None:
        self._unwatch()
        self._timer = self.loop.call_later(self.arrival_seconds, self._waited)

    def _unwatch(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _waited(self) -> None:
        if self.flow.read_paused:  # this side has paused reading, so the caller is not late
            self._watch()
        elif self._in_head:
            self._end_with(Refused("body-too-slow"))
        else:
            self.transport.close()

    def _end_with(self, refused: Refused) -> None:
        """Respond with a problem and close the connection.

        While an earlier request is being answered, close without a problem after that response.
        """
        if self.transport.is_closing():
            return
        log.warning("http.refused", reason=refused.problem)
        if self._nothing_owed():
            self.transport.write(_written(refused))
            self.transport.close()
        else:
            self.cycle.keep_alive = False
            self.flow.pause_reading()

    def _nothing_owed(self) -> bool:
        cycle = self.cycle
        if cycle is None or cycle.response_complete:
            return True
        return cycle.more_body and not cycle.response_started and not self.pipeline


def _written(refused: Refused) -> bytes:
    nobody = Request({"type": "http", "headers": []})
    retry = {"Retry-After": str(refused.facts["seconds"])} if "seconds" in refused.facts else None
    response = problems.respond(nobody, refused.problem, headers=retry)
    usual = (*HEADERS, (b"cache-control", b"no-store"), (b"connection", b"close"))
    lines = [b"%s: %s\r\n" % header for header in (*response.raw_headers, *usual)]
    return b"".join([STATUS_LINE[response.status_code], *lines, b"\r\n", bytes(response.body)])
