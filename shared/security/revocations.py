"""Revoked access tokens: the service refuses them although they have not expired.

The operator lists them in a file, which the service reads again while it runs::

    {"jti": ["0193f0a2-…"], "clients": {"police-officer-polres-74.01": "2026-11-24T03:00:00Z", "*": "…"}}

``jti`` lists single tokens (RFC 7519 section 4.1.7). ``clients`` revokes the tokens of a client, or of all clients
(``*``), that were issued before the moment (RFC 3339). Besides, signing out revokes the token of that sign-in.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from pathlib import Path

import structlog
from pydantic import AwareDatetime, BaseModel, ConfigDict

LOOK_SECONDS = 2.0
"""The interval between two reads of the file."""
EVERYBODY = "*"
"""The name for all clients."""

log = structlog.get_logger()


class RevocationList(BaseModel):
    """The content of the file. A misspelt member is refused, because its revocation would be lost in silence."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    jti: frozenset[str] = frozenset()
    clients: dict[str, AwareDatetime] = {}

    def strikes_off(self, jti: str, client: str, issued: int) -> bool:
        """Whether the file revokes a token. ``issued``: its ``iat``, in seconds since 1970."""
        moments = [self.clients[name] for name in (client, EVERYBODY) if name in self.clients]
        return jti in self.jti or any(issued < moment.timestamp() for moment in moments)


class Revocations:
    """The revocations in the file at ``path``, none without a path, and those by signing out.

    Raises OSError or ValueError if the file cannot be read at the start. If a later read fails, the known revocations
    stay, and the log records the failure.
    """

    def __init__(self, path: Path | None, wait: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self._path, self._wait = path, wait
        self._text: str | None = None
        self._list = RevocationList()
        self._ended: dict[str, datetime] = {}
        self._look()

    def __call__(self, jti: str, client: str, issued: int) -> bool:
        """Whether a token is revoked, by the file as last read or because its bearer signed out."""
        return jti in self._ended or self._list.strikes_off(jti, client, issued)

    def end(self, tokens: Mapping[str, datetime], now: datetime) -> None:
        """Revoke these tokens from now on. ``tokens``: ``jti`` → when the token expires and can be forgotten."""
        still = {jti: until for jti, until in self._ended.items() if until > now}
        self._ended = still | dict(tokens)

    async def keep_fresh(self) -> None:
        """Read the file again and again, until cancelled."""
        while self._path is not None:
            await self._wait(LOOK_SECONDS)
            try:
                self._look()
            except (OSError, ValueError) as error:
                log.error("revocations.unreadable", error=type(error).__name__)

    def _look(self) -> None:
        if self._path is None:
            return
        text = self._path.read_text(encoding="utf-8")
        if text != self._text:
            self._list, self._text = RevocationList.model_validate_json(text), text
            log.info("revocations.read", jtis=len(self._list.jti), clients=len(self._list.clients))
