"""Response models of the HTTP API for batches of people."""

from collections.abc import Sequence
from typing import Any, Literal

from pydantic import BaseModel, Field

from shared.casework.people_list.tables import BatchPersonRow, BatchRow
from shared.contracts.types import Id, Moment
from shared.domain.people_list import PersonRole
from shared.http.problems import Problem


class PersonLine(BaseModel):
    """The result for one person (orang) of a batch: registered with referrals, or refused with a problem."""

    kind: Literal["person"] = "person"
    row: int = Field(description="Urutan dalam daftar, mulai 1 / the place in the list, from 1.")
    role: PersonRole | None
    victim_id: Id | None
    referrals: list[Id] = Field(description="The ids of the referrals, in the order of the request.")
    left_out: list[str] = Field(
        description="Services not requested, because the person is a suspect: an officer decides."
    )
    problem: Problem | None


class ProgressLine(BaseModel):
    """The progress of the batch so far, in people."""

    kind: Literal["progress"] = "progress"
    registered: int
    refused: int
    left: int


class BeginLine(BaseModel):
    """The first line of the response."""

    kind: Literal["batch"] = "batch"
    batch_id: Id
    people: int
    check: bool


class EndLine(BaseModel):
    """The last line. Without this line the response was cut off; the same request, repeated, continues there."""

    kind: Literal["end"] = "end"
    registered: int
    refused: int
    problem: Problem | None = Field(description="Why the list stopped before its end; repeat the same request.")


class BatchView(BaseModel):
    """A batch (daftar orang): many people of one case, sent in one request."""

    id: Id
    case_id: Id
    people: int
    registered: int
    refused: int
    left: int
    begun_at: Moment
    finished_at: Moment | None


class WholeBatch(BatchView):
    """A batch with the result for each person processed so far."""

    items: list[PersonLine]


class BatchList(BaseModel):
    """The batches of a case, oldest first."""

    items: list[BatchView]


def person_line(row: BatchPersonRow) -> PersonLine:
    """The line for the result of one person."""
    return PersonLine.model_validate(row, from_attributes=True)


def batch_view(row: BatchRow, registered: int, refused: int) -> BatchView:
    """The view of a batch, with the numbers of people registered and refused."""
    counted: dict[str, Any] = {"registered": registered, "refused": refused}
    stored = row.model_dump(include=set(BatchView.model_fields))
    return BatchView(**stored, **counted, left=row.people - registered - refused)


def whole_batch(row: BatchRow, people: Sequence[BatchPersonRow]) -> WholeBatch:
    """The view of a batch with the result for each person."""
    registered = sum(person.victim_id is not None for person in people)
    view = batch_view(row, registered, len(people) - registered)
    return WholeBatch(**view.model_dump(), items=[person_line(person) for person in people])
