"""The connection to the NATS server. It comes back by itself after every break, and after every failed beginning."""

import asyncio
import contextlib
import re
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import structlog
from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js.errors import APIError

from shared.security.transport import ClientTls

CONNECT_SECONDS = 2
"""Longest wait for one step of a login: the TCP connection, the TLS handshake, the server's first line."""
ATTEMPT_SECONDS = 6.0
"""Longest life of a client that is not connected yet. A client that waits for a TLS handshake may wait for ever."""
RETRY_SECONDS = 0.25
CLOSE_SECONDS = 5.0
"""Longest wait for a close: with TLS, the client may wait for the other side without end."""

_REFUSED = re.compile(r'permissions violation for \w+ to "([^"]+)"', re.IGNORECASE)

log = structlog.get_logger()


class BrokerConnection:
    """One member's connection. Connects in the background, and again after every break.

    A client of nats-py comes back after most breaks, but not after all. A server that turns a member away ends the
    client; a TLS handshake without an answer may do so too. Then a new client takes the place of the old one.
    """

    def __init__(
        self,
        url: str,
        member: str,
        seed_file: Path | None,
        tls: ClientTls | None,
        prepare: Callable[[Client], Awaitable[None]],
    ) -> None:
        """``seed_file`` holds the member's NKey seed. ``prepare`` runs with each new client, once it is connected."""
        self.connected = asyncio.Event()
        """Set while the connection stands."""
        self.broken = asyncio.Event()
        """Set from a break until the next connection."""
        self.refused = asyncio.Event()
        """Set when the stream refuses a publication. The publisher clears it."""
        self.refused_because = 0
        """JetStream's error code of the last refusal."""
        self.on_connected: list[Callable[[], None]] = []
        """Called after every connect and reconnect, in the event loop."""
        self.client = Client()
        self._url = url
        self._member = member
        self._seed_file = seed_file
        self._tls = tls
        self._context = None if tls is None else tls.context()
        self._prepare = prepare
        self._replacing: asyncio.Task[None] | None = None

    async def connect(self) -> None:
        """Connect; wait without limit until a server answers. Raises OSError for an unreadable seed file."""
        while not await self._attempt():
            await self._give_up_client()
        await self._up()

    async def _attempt(self) -> bool:
        try:
            async with asyncio.timeout(ATTEMPT_SECONDS):
                await self._log_in(self.client)
                await self._prepare(self.client)
        except (TimeoutError, NatsError) as error:
            log.warning("broker.not-connected", member=self._member, error=type(error).__name__)
            return False
        return True

    async def _log_in(self, client: Client) -> None:
        await client.connect(
            self._url,
            name=f"estafet-{self._member}",
            nkeys_seed=None if self._seed_file is None else str(self._seed_file),
            tls=self._context,
            # otherwise the client starts TLS only when the server asks for TLS in clear text
            tls_handshake_first=self._context is not None,
            inbox_prefix=f"_INBOX.{self._member}",
            allow_reconnect=True,
            max_reconnect_attempts=-1,
            reconnect_time_wait=RETRY_SECONDS,  # type: ignore[arg-type]
            ping_interval=5,
            max_outstanding_pings=2,
            connect_timeout=CONNECT_SECONDS,
            error_cb=partial(self._failed, client),
            disconnected_cb=self._lost,
            reconnected_cb=self._up,
            closed_cb=partial(self._ended, client),
        )

    async def close(self) -> None:
        """Close the connection for good. An error while closing is ignored."""
        if self._replacing is not None:
            self._replacing.cancel()
        await self._give_up_client()

    async def _give_up_client(self) -> None:
        """Close the client and forget it: its callbacks no longer count."""
        client, self.client = self.client, Client()
        if client.is_connected or client.is_reconnecting or client.is_connecting:
            with contextlib.suppress(NatsError, TimeoutError):
                async with asyncio.timeout(CLOSE_SECONDS):
                    await client.close()

    async def _up(self) -> None:
        self.broken.clear()
        self.connected.set()
        for listener in self.on_connected:
            listener()

    async def _lost(self) -> None:
        self.connected.clear()
        self.broken.set()
        self._show_certificate()

    async def _ended(self, client: Client) -> None:
        """A client will not come back: begin with a new client, unless this service gave the old one up."""
        if client is self.client:
            log.warning("broker.turned-away", member=self._member)
            self.client = Client()
            self._replacing = asyncio.create_task(self._replace())

    async def _replace(self) -> None:
        while True:
            try:
                return await self.connect()
            except OSError as error:  # the seed file is being renewed, or its folder is away
                log.error("broker.no-seed", member=self._member, error=type(error).__name__)
                await asyncio.sleep(ATTEMPT_SECONDS)

    def _show_certificate(self) -> None:
        """Load the client certificate again for the next connection, for the file may have been renewed."""
        if self._tls is not None and self._context is not None:
            with contextlib.suppress(OSError):
                self._tls.show_in(self._context)

    async def _failed(self, client: Client, error: Exception) -> None:
        if client is not self.client:  # after our close, TLS reports late data as an error
            return
        if not self.connected.is_set():
            self._show_certificate()
        if isinstance(error, APIError):  # nats-py tells it here alone: the future of that publication stays open
            self.refused_because = error.err_code or 0
            self.refused.set()
            return
        # only this callback reports a subject that is not allowed; of the broker's text only the subject is logged
        if (refused := _REFUSED.search(str(error))) is not None:
            log.warning("broker.not-allowed", member=self._member, subject=refused[1])
        else:
            log.warning("broker.error", member=self._member, error=type(error).__name__)
