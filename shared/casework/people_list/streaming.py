"""The answer to a batch: a stream of JSON lines, one for each person."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import structlog
from fastapi import Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ValidationError
from sqlalchemy.exc import InterfaceError, OperationalError

from shared.casework.people_list import registering
from shared.casework.people_list.registering import Batch, ListedPerson
from shared.casework.people_list.tables import BatchRow
from shared.casework.people_list.views import BeginLine, EndLine, PersonLine, ProgressLine, person_line
from shared.domain.matching import is_search
from shared.domain.people_list import BatchPerson, TakeIn, written_twice
from shared.domain.refusal import Refused
from shared.http import problems
from shared.http.idempotency import Posting
from shared.http.limits import limit_listed_identifiers
from shared.http.validation_messages import fields_of
from shared.reference.acting import CallerAtDesk
from shared.security.vault import VaultUnavailable
from shared.storage.unit_of_work import Database, Transaction

log = structlog.get_logger()
LINES = "application/x-ndjson"


@dataclass(frozen=True, slots=True)
class Sending:
    """A batch sent to us: the HTTP request, its sender, and the case that the people belong to."""

    request: Request
    case_id: str
    by: CallerAtDesk
    posting: Posting


def stream(sending: Sending, command: TakeIn, headings: Mapping[str, str] | None) -> StreamingResponse:
    """Store the batch first, so that an invalid batch is refused as a whole. Then stream a line for each person.

    ``headings``: field → column heading, for people from a table; None: no table.
    """
    request, posting = sending.request, sending.posting

    def told(refused: Refused) -> dict[str, Any]:
        errors = problems.fault_of(request, refused)
        return _told_of_columns(problems.document(request, refused.problem, errors, refused.facts), headings)

    people = [_person(raw, command) for raw in command.people]
    readable = [person if isinstance(person, BatchPerson) else None for person in people]
    searched = sum(person is not None and is_search(person.identity) for person in readable)

    def count() -> None:
        if not command.check:  # a check stores nothing, and so meets nobody
            limit_listed_identifiers(request, searched)

    batch = Batch(sending.by, sending.case_id, command.refer, readable, told, count)
    fingerprint = posting.fingerprint(command.model_dump_json(exclude={"people"}) + repr(command.people))
    row = _begun(posting.database, batch, command, posting.name, fingerprint)
    listed = list(_listed(request, people, batch, headings))
    lines = _lines(request, posting.database, replace(batch, batch_id=row.id), listed, command.check)
    return StreamingResponse(lines, media_type=LINES)


def _begun(database: Database, batch: Batch, command: TakeIn, name: str, fingerprint: str) -> BatchRow:
    def work(tx: Transaction) -> BatchRow:
        row = registering.begin(tx, batch, command, name, fingerprint)
        tx.session.flush()
        if command.check:
            raise _Undone(row)
        return row

    return _undone(database, work) if command.check else database.write(work)


class _Undone(Exception):
    """Carries the result of a check out of the transaction, which is then rolled back."""

    def __init__(self, what: Any) -> None:
        super().__init__()
        self.what = what


def _undone(database: Database, work: Callable[[Transaction], Any]) -> Any:
    try:
        database.write(work)
    except _Undone as undone:
        return undone.what
    raise AssertionError("it was to be undone")


def _listed(
    request: Request,
    read: Sequence[BatchPerson | ValidationError],
    batch: Batch,
    headings: Mapping[str, str] | None,
) -> Iterator[ListedPerson]:
    """Each person of the list: readable, or with the problem of the row."""
    twice = written_twice([person if isinstance(person, BatchPerson) else None for person in read])
    for row, person in enumerate(read, 1):
        if isinstance(person, ValidationError):
            faults = [{**fault, "loc": ("body", *fault["loc"])} for fault in person.errors()]
            errors = problems.faults_of(request, faults, fields_of(BatchPerson))
            yield ListedPerson(
                row, None, _told_of_columns(problems.document(request, "invalid-request", errors), headings)
            )
        elif row in twice:
            earlier, of = twice[row]
            yield ListedPerson(
                row, person, batch.told(Refused("written-twice", field=f"identity/{of}", row=str(earlier)))
            )
        else:
            yield ListedPerson(row, person)


def _person(raw: Any, command: TakeIn) -> BatchPerson | ValidationError:
    try:
        person = BatchPerson.model_validate(raw)
    except ValidationError as error:
        return error
    told = {"occurred_at": person.occurred_at or command.occurred_at, "note": person.note or command.note}
    return person.model_copy(update=told)


def _told_of_columns(problem: problems.Problem, headings: Mapping[str, str] | None) -> dict[str, Any]:
    """The problem of a person; for a person from a table, its fields are named by the column headings."""
    told = problem.model_dump()
    for fault in told["errors"] if headings is not None else ():
        fault["field"] = (headings or {}).get(fault["field"].removeprefix("/"), fault["field"])
    return told


async def _lines(
    request: Request, database: Database, batch: Batch, listed: Sequence[ListedPerson], check: bool
) -> AsyncIterator[str]:
    yield _line(BeginLine(batch_id=batch.batch_id, people=len(listed), check=check))
    registered = refused = 0
    try:
        for start in range(0, len(listed), registering.AT_ONCE):
            some = listed[start : start + registering.AT_ONCE]
            lines = await asyncio.to_thread(_some, database, batch, some, check)
            for line in lines:
                refused, registered = refused + (line.problem is not None), registered + (line.problem is None)
            left = len(listed) - registered - refused
            yield "".join(map(_line, [*lines, ProgressLine(registered=registered, refused=refused, left=left)]))
        if not check:
            await asyncio.to_thread(database.write, batch.end)
    except (OperationalError, InterfaceError, VaultUnavailable) as error:
        log.error("batch.stopped", error=type(error).__name__)
        problem = problems.document(request, "unavailable")
        yield _line(EndLine(registered=registered, refused=refused, problem=problem))
        return
    yield _line(EndLine(registered=registered, refused=refused, problem=None))


def _some(database: Database, batch: Batch, some: Sequence[ListedPerson], check: bool) -> list[PersonLine]:
    def work(tx: Transaction) -> list[PersonLine]:
        lines = [person_line(row) for row in batch.some(tx, some)]
        if check:
            raise _Undone(lines)
        return lines

    if not check:
        return database.write(work)
    lines: list[PersonLine] = _undone(database, work)
    return [line.model_copy(update={"victim_id": None, "referrals": []}) for line in lines]


def _line(what: BaseModel) -> str:
    return what.model_dump_json() + "\n"
