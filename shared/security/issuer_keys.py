"""The public keys of the token issuer: read from a file or from its ``jwks_uri``, and kept fresh."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import structlog
from joserfc.jwk import KeySet

from shared.security.issuer_key_set import key_set

FILE_SECONDS = 2.0
"""The interval between two reads of a file."""
URL_SECONDS = 300.0
"""The interval between two requests to an address."""
RETRY_SECONDS = 5.0
"""The pause after a failure, and the time limit of a request."""
STALE_SECONDS = 24 * 3600.0
"""Keys that were last read longer ago verify nothing, because the issuer may have withdrawn them."""
LARGEST = 256 * 1024
"""The largest key set from an address, in bytes."""
HERE = ("127.0.0.1", "localhost")
"""The names of this machine, to which http:// is allowed."""

log = structlog.get_logger()


class WrongAddress(ValueError):
    """The setting ``issuer_jwks`` is neither a path nor an allowed address."""

    reason = "wrong-settings"
    settings = ("issuer_jwks",)


def is_remote(where: str) -> bool:
    """Whether ``where`` is an address and no path: https://, or http:// on this machine. Raises WrongAddress.

    The operator may choose any https address, even an internal one such as a cloud's metadata service. No caller and
    no token can influence the address, and no redirect is followed.
    """
    try:
        url = urlsplit(where)
        told, _ = bool(url.hostname) and url.username is None, url.port
    except ValueError:
        raise WrongAddress("issuer_jwks") from None
    if not url.scheme and not url.netloc:
        return False
    if told and (url.scheme == "https" or (url.scheme == "http" and url.hostname in HERE)):
        return True
    raise WrongAddress("issuer_jwks")


class IssuerKeys:
    """The JWK set (RFC 7517) at ``where``: a path, or an https:// address (http:// only on this machine).

    Before the first successful read there are no keys, and no token is trusted. ``monotonic`` counts seconds; ``wait``
    sleeps for some seconds. Raises WrongAddress, and for a file OSError or ValueError.
    """

    def __init__(
        self,
        where: str,
        monotonic: Callable[[], float] = time.monotonic,
        wait: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._where, self._monotonic, self._wait = where, monotonic, wait
        self._remote = is_remote(where)
        self.on_change: Callable[[], None] = lambda: None
        """Called when the keys have changed, or when no key is trusted any more."""
        self._text: str | None = None
        self._keys = KeySet([])
        self._read_at = monotonic()
        if not self._remote:
            self._take(Path(where).read_text())

    def __call__(self) -> KeySet:
        """The keys of the last read, or none if the last read is more than STALE_SECONDS ago."""
        return KeySet([]) if self._stale() else self._keys

    async def keep_fresh(self) -> None:
        """Read the keys again and again, until cancelled. A failed read leaves the known keys."""
        # A client reads the machine's list of CAs, which takes longer than the rest of a start: only for URLs.
        client = httpx.AsyncClient(timeout=RETRY_SECONDS, follow_redirects=False) if self._remote else nullcontext()
        async with client as http:
            while True:
                pause = URL_SECONDS if self._remote else FILE_SECONDS
                try:
                    self._take(Path(self._where).read_text() if http is None else await self._fetch(http))
                except (OSError, ValueError, httpx.HTTPError, httpx.InvalidURL) as error:
                    log.error("issuer-keys.unreadable", error=type(error).__name__)
                    pause = RETRY_SECONDS
                    if self._stale():
                        self.on_change()
                await self._wait(pause)

    async def _fetch(self, http: httpx.AsyncClient) -> str:
        said = bytearray()
        async with asyncio.timeout(RETRY_SECONDS), http.stream("GET", self._where) as response:
            response.raise_for_status()
            async for part in response.aiter_bytes():
                said += part
                if len(said) > LARGEST:
                    raise ValueError("too large for a key set")
        return said.decode()

    def _take(self, text: str) -> None:
        keys = self._keys if text == self._text else key_set(text)
        self._read_at = self._monotonic()
        if text != self._text:
            self._keys, self._text = keys, text
            self.on_change()

    def _stale(self) -> bool:
        return self._monotonic() - self._read_at > STALE_SECONDS
