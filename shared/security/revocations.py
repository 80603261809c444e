"""What an operator has struck off: tokens that are refused from now on although they have not ended.

A file of theirs says it, and is read again while the service runs::

    {"jti": ["0193f0a2-…"], "clients": {"police-officer-polres-74.01": "2026-11-24T03:00:00Z", "*": "…"}}

``jti`` are single tokens (RFC 7519 section 4.1.7). Of a client, or of all of them (``*``), the tokens that were issued
before the moment (RFC 3339) count no more. Besides, whoever signs out ends the token they signed in with.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from pathlib import Path

import structlog
from pydantic import AwareDatetime, BaseModel, ConfigDict

LOOK_SECONDS = 2.0
"""How often the file is looked at."""
EVERYBODY = "*"

log = structlog.get_logger()


class Listed(BaseModel):
    """What stands in the file. A misspelt member is no such file: what was meant would not be heeded."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    jti: frozenset[str] = frozenset()
    clients: dict[str, AwareDatetime] = {}

    def strikes_off(self, jti: str, client: str, issued: int) -> bool:
        """Whether a token counts no more. ``issued``: its ``iat``, in seconds since 1970."""
        moments = [self.clients[name] for name in (client, EVERYBODY) if name in self.clients]
        return jti in self.jti or any(issued < moment.timestamp() for moment in moments)


class Revocations:
    """What the file at ``path`` strikes off; without a path, nothing.

    Raises OSError or ValueError when it cannot be read at the start. Later what is known stays, and the log says so.
    """

    def __init__(self, path: Path | None, wait: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self._path, self._wait = path, wait
        self._text: str | None = None
        self._listed = Listed()
        self._ended: dict[str, datetime] = {}
        self._look()

    def __call__(self, jti: str, client: str, issued: int) -> bool:
        """Whether a token counts no more: as the file was last read, or because its bearer has ended it."""
        return jti in self._ended or self._listed.strikes_off(jti, client, issued)

    def end(self, tokens: Mapping[str, datetime], now: datetime) -> None:
        """From now on these count no more. ``tokens``: ``jti`` → when it ends by itself and can be forgotten."""
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
            self._listed, self._text = Listed.model_validate_json(text), text
            log.info("revocations.read", jtis=len(self._listed.jti), clients=len(self._listed.clients))
