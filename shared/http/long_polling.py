"""Long polling: a GET with ``Prefer: wait=<seconds>`` (RFC 7240) waits until a commit changes its subject.

So a client need not ask again and again. Timers wait for changes in the same way.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Annotated

from fastapi import Header, Response
from pydantic import BaseModel

from shared.storage.notifier import Notifier

LONGEST_WAIT_SECONDS = 30.0

Prefer = Annotated[str | None, Header(description="`wait=20`: tunggu perubahan / hold until it changes (RFC 7240).")]
IfNoneMatch = Annotated[str | None, Header(alias="If-None-Match", max_length=200)]


@dataclass(frozen=True, slots=True)
class LongPoll:
    """A GET that may wait for a change: the notifier to watch with, and the request's headers about waiting."""

    notifier: Notifier
    prefer: str | None
    if_none_match: str | None

    async def until_changed(self, wanted: str, look: Callable[[], tuple[str, BaseModel] | None]) -> Response | None:
        """The response: as soon as the caller has not seen the current state, or when the waiting time is over.

        ``wanted`` is the id to watch. ``look`` reads its ETag and its view, in a thread; None: the id does not exist.
        Returns 200 with the view, 304 when nothing changed in time, or None when ``wanted`` does not exist.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + wait_of(self.prefer)
        with self.notifier.watching(wanted) as watch:
            while True:
                found = await asyncio.to_thread(look)
                fresh = found is not None and found[0] != self.if_none_match
                if fresh or not await watch.next(max(deadline - loop.time(), 0.0)):
                    break
        if found is None:
            return None
        etag, view = found
        if not fresh:
            return Response(status_code=304, headers={"ETag": etag})
        return Response(view.model_dump_json(), headers={"ETag": etag}, media_type="application/json")

    async def list_until_changed(self, wanted: str, look: Callable[[], tuple[str, BaseModel]]) -> Response:
        """The same response for a list. A list always exists, so the result is never None."""
        response = await self.until_changed(wanted, look)
        assert response is not None
        return response


def tag_of(said: str) -> str:
    """The ETag of a response: a hash of its text."""
    return f'"{sha256(said.encode()).hexdigest()[:32]}"'


def wait_of(prefer: str | None) -> float:
    """The seconds that a ``Prefer`` header asks to wait: 0 without the header, LONGEST_WAIT_SECONDS at most."""
    for preference in (prefer or "").split(","):
        name, _, value = preference.partition("=")
        if name.strip().lower() == "wait" and value.strip().isdecimal():
            return min(float(value.strip()), LONGEST_WAIT_SECONDS)
    return 0.0
