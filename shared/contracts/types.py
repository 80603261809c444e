"""Field types of the wire and of the commands: strict where JSON would let a wrong kind slip through."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    Strict,
    StringConstraints,
)

from shared.contracts.codes import AgeClass, Sex

WRITTEN = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}")
"""How a moment begins (RFC 3339)."""


def _written_as_text(value: Any) -> Any:
    # pydantic would read 1700000000, or "0.5", as a moment; a sender who writes a number has made a mistake
    if isinstance(value, datetime) or (isinstance(value, str) and WRITTEN.match(value)):
        return value
    raise ValueError("a moment is written as RFC 3339 text")


def _in_utc(value: datetime) -> datetime:
    if not 1900 <= value.year <= 9000:  # near the ends of the calendar UTC conversion overflows
        raise ValueError("the year must lie between 1900 and 9000")
    return value.astimezone(UTC)


def rfc3339(moment: datetime) -> str:
    """``moment`` as RFC 3339 in UTC with six digits of microseconds, ``2026-11-23T04:05:06.000000Z``."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


Moment = Annotated[
    AwareDatetime,
    BeforeValidator(_written_as_text),
    AfterValidator(_in_utc),
    PlainSerializer(rfc3339, when_used="json"),
]
"""A point in time: RFC 3339 with an offset on the way in, UTC with microseconds on the way out."""

EARLIEST, LATEST = datetime(1900, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)


def _within_reach(value: datetime) -> datetime:
    naive = value.replace(tzinfo=None)
    if naive < datetime(1900, 1, 2):
        return EARLIEST
    return LATEST if naive > datetime(8999, 12, 31) else value.astimezone(UTC)


AskedMoment = Annotated[AwareDatetime, BeforeValidator(_written_as_text), AfterValidator(_within_reach)]
"""A moment as a caller writes it. A year that nobody can mean becomes EARLIEST or LATEST, for a rule to refuse: the
schema promises every ``date-time``, so the shape alone must not refuse one."""

PLAIN = r"^[^\u0000]*$"
"""Text without U+0000, which PostgreSQL cannot hold."""

UUID7 = r"^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"
REGION = r"^([1-9][0-9](\.[0-9]{2})?|00\.[A-Z]{2})$"
CODE = r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$"

Id = Annotated[str, StringConstraints(pattern=UUID7)]
"""A UUIDv7 (RFC 9562) in lower case."""

Region = Annotated[str, StringConstraints(pattern=REGION)]
"""A Kemendagri code of a province (``74``) or regency (``74.01``), or ``00.<ISO 3166 alpha-2>`` abroad.

``00.ID`` is the nation."""

Code = Annotated[str, StringConstraints(pattern=CODE, max_length=48)]
"""A lower-case word of a vocabulary that agencies declare: an agency, a service."""

UNIT = r"^[a-z][a-z0-9-]*(\.?[0-9a-z]+)*$"
UnitId = Annotated[str, StringConstraints(pattern=UNIT, max_length=48)]
"""A unit's id within its agency, such as ``polres-74.01``."""

Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
"""ISO 3166 alpha-2."""

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
"""A digest in lower-case hexadecimal."""

LONGEST_PART = 48 * 1024
Base64Url = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]+$", max_length=LONGEST_PART)]
"""Part of a JWS (RFC 7515): base64url without padding. Whoever reads it proves the signature."""

LINK = r"^[a-z][a-z0-9-]{0,30}>[a-z][a-z0-9-]{0,30}$"
Link = Annotated[str, StringConstraints(pattern=LINK)]
"""The events of one member for another, ``police>kemenkes``, or for all: ``police>all``."""

NoticeVersion = Annotated[str, StringConstraints(pattern=r"^[0-9]{4}-[0-9]{1,3}$")]
"""A version of the notice that people are told before they agree: year and number."""

LETTER_CODE = r"^[A-HJKMNP-TV-Z][0-9A-HJKMNP-TV-Z]{11}$"
LetterCode = Annotated[str, StringConstraints(pattern=LETTER_CODE)]
"""The short code of something printed, as it is kept: without groups (``shared/domain/letters.py``)."""

Flag = Annotated[bool, Strict()]
Count = Annotated[int, Strict()]

FactName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,47}$")]
Fact = Flag | Annotated[Count, Field(ge=0, le=1_000_000_000_000)] | Code | Annotated[list[Code], Field(max_length=50)]
Facts = Annotated[Mapping[FactName, Fact], Field(max_length=50)]
"""Answers to a form that can say nothing of a person: codes, numbers, yes and no."""


class Value(BaseModel):
    """A piece of data compared by what it says. Fields it does not know are ignored, so that contracts can grow."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class UnitRef(Value):
    """A unit of an agency and the region it serves."""

    agency: Code
    unit: UnitId
    region: Region


class DeskRef(Value):
    """A unit named by its agency and id."""

    agency: Code
    unit: UnitId


class Custody(UnitRef):
    """Who is responsible for the victim from one moment on: link ``seq`` of that victim's custody chain.

    The chain starts at 1 with the registration; every accepted transfer adds the next number. Only the holder of
    link n can offer link n+1, to one receiver at a time, so the chain never forks and has no gap, and it reads the
    same in whatever order its links arrive.
    """

    seq: Count


class VictimFacts(Value):
    """The coarse facts of a victim that may be seen outside the holder."""

    age_class: AgeClass
    sex: Sex
    home_region: Region | None = None
