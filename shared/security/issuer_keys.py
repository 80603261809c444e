"""The public keys of the token issuer: read from a file or from its ``jwks_uri``, and kept fresh."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import structlog
from joserfc.jwk import KeySet

from shared.security.issuer_key_set import key_set

FILE_SECONDS = 2.0
"""How often a file is looked at."""
URL_SECONDS = 300.0
"""How often an address is asked."""
RETRY_SECONDS = 5.0
"""After a failure, and how long an answer may take."""
STALE_SECONDS = 24 * 3600.0
"""Keys that could not be read again for so long verify nothing: the issuer may have withdrawn them."""
LARGEST = 256 * 1024
HERE = ("127.0.0.1", "localhost")

log = structlog.get_logger()


class WrongAddress(ValueError):
    """What names the issuer's keys is neither a path nor an address that they may come from."""

    reason = "wrong-settings"
    settings = ("issuer_jwks",)


def is_remote(where: str) -> bool:
    """Whether ``where`` is an address and no path: https://, or http:// on this machine. Raises WrongAddress.

    Which https address is the operator's choice, also one inside such as a cloud's metadata service: nothing that
    a caller or a token says has a part in it, and no redirect is followed.
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

    Until it could be read once there are no keys, and no token is trusted. ``clock`` counts seconds; ``wait`` is what
    lets them pass. Raises WrongAddress.
    """

    def __init__(
        self,
        where: str,
        clock: Callable[[], float] = time.monotonic,
        wait: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._where, self._clock, self._wait = where, clock, wait
        self._remote = is_remote(where)
        self.on_change: Callable[[], None] = lambda: None
        """Called when other keys were read, or none are trusted any more."""
        self._text: str | None = None
        self._keys = KeySet([])
        self._read_at = clock()
        if not self._remote:
            self._take(Path(where).read_text())

    def __call__(self) -> KeySet:
        """The keys as they were last read, unless that is too long ago."""
        return KeySet([]) if self._stale() else self._keys

    async def keep_fresh(self) -> None:
        """Read them again and again, until cancelled. What cannot be read leaves the keys that are known."""
        async with httpx.AsyncClient(timeout=RETRY_SECONDS, follow_redirects=False) as http:
            while True:
                pause = URL_SECONDS if self._remote else FILE_SECONDS
                try:
                    self._take(await self._fetch(http) if self._remote else Path(self._where).read_text())
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
        self._read_at = self._clock()
        if text != self._text:
            self._keys, self._text = keys, text
            self.on_change()

    def _stale(self) -> bool:
        return self._clock() - self._read_at > STALE_SECONDS
