"""The FastAPI dependencies of routes: typed objects of the app, and common parameters.

The dependencies are coroutines although they await nothing: FastAPI would run each plain function in a thread.
"""

from datetime import datetime
from typing import Annotated

from fastapi import Depends, Path, Query, Request

from shared.contracts.codes import Purpose
from shared.contracts.pattern import Pattern
from shared.contracts.types import UUID7
from shared.http.app_state import state_of
from shared.http.idempotency import Posting, posting
from shared.http.long_polling import IfNoneMatch, LongPoll, Prefer
from shared.reference.office import Office
from shared.storage.notifier import Notifier
from shared.storage.pages import CURSOR, Page
from shared.storage.unit_of_work import Database


async def _office(request: Request) -> Office:
    return state_of(request).office


async def _database(request: Request) -> Database:
    return state_of(request).database


async def _notifier(request: Request) -> Notifier:
    return state_of(request).notifier


async def _now(request: Request) -> datetime:
    return (await _database(request)).now()


OfficeDep = Annotated[Office, Depends(_office)]
DatabaseDep = Annotated[Database, Depends(_database)]
NotifierDep = Annotated[Notifier, Depends(_notifier)]
PostingDep = Annotated[Posting, Depends(posting)]
NowDep = Annotated[datetime, Depends(_now)]

ETAG = Pattern(
    r'^(\*|(W/)?"[!#-~]{0,100}")$',
    'ETag dari jawaban, seperti "2.0", atau *',
    'the ETag of an answer, such as "2.0", or *',
)
"""An ETag or ``*``, as in ``If-Match`` (RFC 9110 section 13.1.1)."""

IdPath = Annotated[str, Path(pattern=UUID7, description="UUIDv7, huruf kecil / lower case.")]
PurposeQuery = Annotated[Purpose, Query(description="Tujuan melihat data ini / the purpose of the reading.")]
Cursor = Annotated[
    str | None, Query(pattern=CURSOR, description="`next` dari halaman sebelumnya / from the previous page.")
]
Limit = Annotated[int, Query(ge=1, le=200, description="Banyaknya per halaman / items per page.")]


async def _page(cursor: Cursor = None, limit: Limit = 50) -> Page:
    return Page(cursor, limit)


async def _long_poll(notifier: NotifierDep, prefer: Prefer = None, if_none_match: IfNoneMatch = None) -> LongPoll:
    return LongPoll(notifier, prefer, if_none_match)


PageDep = Annotated[Page, Depends(_page)]
"""The page of a list. In the OpenAPI document, its parameters stand after those of the route and of earlier filters."""
LongPollDep = Annotated[LongPoll, Depends(_long_poll)]
