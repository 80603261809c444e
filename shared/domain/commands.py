"""The fields of every command: a moment, and perhaps a note.

``occurred_at`` is the moment of the act, if not now: a paper answer may be entered later. ``note`` is free text. The
note stays in the database of its own agency, and is in no event, log or error.
"""

from datetime import date, datetime, timedelta
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer

from shared.contracts.types import EARLIEST, ONE_LINE, SEVERAL_LINES, AskedMoment
from shared.domain.refusal import Refused

Note = Annotated[
    str,
    Field(max_length=4000, pattern=SEVERAL_LINES, description="Free text, stored only at the agency that wrote it."),
]


def whole(value: Any) -> Any:
    """Convert 2.0 to 2, because 2.0 is an integer in JSON Schema (validation 6.1.1)."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


LONGEST_LINE = 200
"""The most characters of a text of one line: a name, a number, a place."""
Text = Annotated[str, Field(min_length=1, max_length=LONGEST_LINE, pattern=ONE_LINE)]


class Asked(BaseModel):
    """A request body. Unknown fields are refused, because a misspelt field must not be lost in silence.

    An act that the request itself performs, such as a break-glass, happens now and has no ``occurred_at``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")


class Command(Asked):
    """A request about a fact that may have happened earlier."""

    occurred_at: AskedMoment | None = Field(default=None, description="When it happened, if not now (RFC 3339).")


def when(command: Command, now: datetime) -> datetime:
    """When the commanded fact happened: ``occurred_at``, or ``now`` (UTC).

    Raises Refused: ``occurred-in-the-future`` or ``occurred-too-long-ago``.
    """
    at = command.occurred_at or now
    if at > now:
        raise Refused("occurred-in-the-future", field="occurred_at")
    if at <= EARLIEST:
        raise Refused("occurred-too-long-ago", field="occurred_at")
    return at


EASTERNMOST = timedelta(hours=9)
"""The UTC offset of the zone where a day begins first in Indonesia (WIT)."""


def is_past_day(day: str, now: datetime) -> bool:
    """Whether ``day`` (``2001-02-28``) is a calendar day that has begun somewhere in Indonesia. ``now``: UTC."""
    try:
        return date.fromisoformat(day) <= (now + EASTERNMOST).date()
    except ValueError:
        return False


def example(**fields: Any) -> ConfigDict:
    """The model configuration of a command, with one example for OpenAPI."""
    return ConfigDict(json_schema_extra={"examples": [fields]})


class Noted(Command):
    """A command that may carry a note."""

    note: Note | None = None


SORTED = PlainSerializer(sorted, when_used="json")
"""Writes a set in sorted order, so that the same request gives the same text in every process."""
