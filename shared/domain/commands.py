"""The fields of every command: a moment, and perhaps a note.

``occurred_at`` is the moment of the act, if not now: a paper answer may be entered later. ``note`` is free text. The
note stays in the database of its own agency, and is in no event, log or error.
"""

from datetime import date, datetime, timedelta
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer

from shared.contracts.types import EARLIEST, ONE_LINE, SEVERAL_LINES, AskedMoment
from shared.domain.noting import TOLD_LATE, require_note
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


BACKDATED = timedelta(hours=24)
"""A fact told later than this after it happened needs a note, and stands on the supervisor's list."""


def when(command: Command, now: datetime, not_before: datetime | None = None) -> datetime:
    """When the commanded fact happened: ``occurred_at``, or ``now`` (UTC).

    ``not_before``: the moment of what the fact answers. A told moment must not be earlier. Raises Refused:
    ``occurred-in-the-future``, ``occurred-too-long-ago``, ``occurred-too-early``, or ``note-required`` where a
    command that has a note is back-dated without one.
    """
    at = command.occurred_at or now
    if at > now:
        raise Refused("occurred-in-the-future", field="occurred_at")
    if at <= EARLIEST:
        raise Refused("occurred-too-long-ago", field="occurred_at")
    if command.occurred_at is not None and not_before is not None and at < not_before:
        raise Refused("occurred-too-early", field="occurred_at")
    if isinstance(command, Noted) and is_backdated(at, now):
        require_note(command.note, TOLD_LATE)
    return at


def is_backdated(at: datetime, now: datetime) -> bool:
    """Whether a fact of the moment ``at`` is told so late that a supervisor looks at it."""
    return at < now - BACKDATED


def told_late(command: BaseModel, now: datetime) -> datetime | None:
    """The moment of a fact that a command tells so late that a supervisor looks at it, or None. ``now``: UTC."""
    at = command.occurred_at if isinstance(command, Command) else None
    return at if at is not None and is_backdated(at, now) else None


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
