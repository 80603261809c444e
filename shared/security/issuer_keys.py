"""The public keys of the token issuer: read from a file or from its ``jwks_uri``, and kept fresh."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import structlog
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

FILE_SECONDS = 2.0
"""How often a file is looked at."""
URL_SECONDS = 300.0
"""How often an address is asked."""
RETRY_SECONDS = 5.0
"""After a failure, and the shortest time between two questions."""
LARGEST = 256 * 1024

log = structlog.get_logger()


class IssuerKeys:
    """The JWK set (RFC 7517) at ``where``: a path, or an https:// address (http:// only on this machine).

    Until it could be read once there are no keys, and no token is trusted.
    """

    def __init__(self, where: str) -> None:
        self._where = where
        self._remote = where.startswith(("https://", "http://127.0.0.1:", "http://localhost:"))
        self.on_change: Callable[[], None] = lambda: None
        """Called when other keys were read."""
        self._text = ""
        self._keys = KeySet([])
        if not self._remote:
            self._take(Path(where).read_text())

    def __call__(self) -> KeySet:
        """The keys as they were last read."""
        return self._keys

    async def keep_fresh(self) -> None:
        """Read them again and again, until cancelled. What cannot be read leaves the keys that are known."""
        async with httpx.AsyncClient(timeout=RETRY_SECONDS, follow_redirects=False) as http:
            while True:
                pause = URL_SECONDS if self._remote else FILE_SECONDS
                try:
                    self._take(await self._fetch(http) if self._remote else Path(self._where).read_text())
                except (OSError, ValueError, httpx.HTTPError, JoseError) as error:
                    log.error("issuer-keys.unreadable", error=type(error).__name__)
                    pause = RETRY_SECONDS
                await asyncio.sleep(pause)

    async def _fetch(self, http: httpx.AsyncClient) -> str:
        response = await http.get(self._where)
        response.raise_for_status()
        if len(response.content) > LARGEST:
            raise ValueError("too large for a key set")
        return response.text

    def _take(self, text: str) -> None:
        if text == self._text:
            return
        document: Any = json.loads(text)
        # a private or symmetric key has no place in a published set; one that slipped in must not verify anything
        public = [key for key in document["keys"] if key.get("kty") in ("EC", "OKP", "RSA") and "d" not in key]
        self._keys = KeySet.import_key_set({"keys": public}) if public else KeySet([])
        self._text = text
        self.on_change()
