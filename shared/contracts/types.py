"""Field types of the wire and of the commands. They are strict where pydantic would convert a wrong JSON type."""

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
from shared.contracts.pattern import Pattern

WRITTEN = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}")
"""The first part of a moment in RFC 3339: the date, and the time to the second."""


def _written_as_text(value: Any) -> Any:
    # pydantic would read 1700000000 or "0.5" as a moment, but a number here is a mistake of the sender
    if isinstance(value, datetime) or (isinstance(value, str) and WRITTEN.match(value)):
        return value
    raise ValueError("a moment is written as RFC 3339 text")


def _in_utc(value: datetime) -> datetime:
    if not 1900 <= value.year <= 9000:  # conversion to UTC overflows near the ends of the calendar
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
"""A point in time: read as RFC 3339 text with an offset, written in UTC with microseconds."""

EARLIEST, LATEST = datetime(1900, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)


def _within_reach(value: datetime) -> datetime:
    naive = value.replace(tzinfo=None)
    if naive < datetime(1900, 1, 2):
        return EARLIEST
    return LATEST if naive > datetime(8999, 12, 31) else value.astimezone(UTC)


AskedMoment = Annotated[AwareDatetime, BeforeValidator(_written_as_text), AfterValidator(_within_reach)]
"""A moment in a request. The schema promises every ``date-time``, so this type must not refuse any.

A year outside 1900 to 9000 becomes EARLIEST or LATEST; a rule then refuses the moment."""

_DIRECTIONS = r"\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
"""The bidirectional controls (UAX 9): they draw letters in another order than the stored one."""
ONE_LINE = Pattern(
    rf"^[^\u0000-\u001f\u007f-\u009f\u2028\u2029{_DIRECTIONS}]*$",
    "teks satu baris, tanpa karakter kendali atau pengubah arah tulisan",
    "text of one line, without control characters or marks that turn the direction of writing",
)
"""Text of a name, number or place. With a line break, a letter would show it as a line of its own."""
SEVERAL_LINES = Pattern(
    rf"^[^\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u2028\u2029{_DIRECTIONS}]*$",
    "teks tanpa karakter kendali atau pengubah arah tulisan",
    "text without control characters or marks that turn the direction of writing",
)
"""Text of statements and notes: as ONE_LINE, but tabs and line breaks are allowed."""

UUID7 = Pattern(
    r"^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$",
    "UUIDv7, seperti 0193f0a2-7a10-7000-8000-000000000001",
    "a UUIDv7, such as 0193f0a2-7a10-7000-8000-000000000001",
)
REGION = Pattern(
    r"^([1-9][0-9](\.[0-9]{2})?|00\.[A-Z]{2})$",
    "kode wilayah, seperti 74, 74.01 atau 00.KH",
    "a region code, such as 74, 74.01 or 00.KH",
)
CODE = Pattern(
    r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$",
    "kode berhuruf kecil, seperti first-aid",
    "a code in small letters, such as first-aid",
)

Id = Annotated[str, StringConstraints(pattern=UUID7)]
"""A UUIDv7 (RFC 9562) in lower case."""

Region = Annotated[str, StringConstraints(pattern=REGION)]
"""A Kemendagri code of a province (``74``) or regency (``74.01``), or ``00.<ISO 3166 alpha-2>`` abroad.

``00.ID`` is the nation."""

Code = Annotated[str, StringConstraints(pattern=CODE, max_length=48)]
"""A lower-case code of a vocabulary that agencies declare, such as of an agency or a service."""

UNIT = Pattern(
    r"^[a-z][a-z0-9-]*(\.?[0-9a-z]+)*$",
    "id satuan, seperti polres-74.01",
    "the id of a unit, such as polres-74.01",
)
UnitId = Annotated[str, StringConstraints(pattern=UNIT, max_length=48)]
"""A unit's id within its agency, such as ``polres-74.01``."""

COUNTRY = Pattern(
    r"^[A-Z]{2}$", "kode negara dua huruf (ISO 3166), seperti KH", "a country's two letters (ISO 3166), such as KH"
)
Country = Annotated[str, StringConstraints(pattern=COUNTRY)]
"""ISO 3166 alpha-2."""

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
"""A digest in lower-case hexadecimal."""

LONGEST_PART = 48 * 1024
Base64Url = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]+$", max_length=LONGEST_PART)]
"""One part of a JWS (RFC 7515): base64url without padding. The reader verifies the signature."""

LINK = r"^[a-z][a-z0-9-]{0,30}>[a-z][a-z0-9-]{0,30}$"
Link = Annotated[str, StringConstraints(pattern=LINK)]
"""A link: the events of one member for another (``police>kemenkes``), or for all (``police>all``)."""

NOTICE_VERSION = Pattern(
    r"^[0-9]{4}-[0-9]{1,3}$", "versi pemberitahuan, seperti 2026-1", "the version of a notice, such as 2026-1"
)
NoticeVersion = Annotated[str, StringConstraints(pattern=NOTICE_VERSION)]
"""A version of a consent notice or of a form: year and number, such as ``2026-1``."""

EVENT_TYPE = Pattern(
    r"^id\.tppo(\.[a-z-]+){2}\.v[0-9]+$",
    "jenis peristiwa, seperti id.tppo.referral.requested.v1",
    "a type of event, such as id.tppo.referral.requested.v1",
)

LETTER_CODE = r"^[A-HJKMNP-TV-Z][0-9A-HJKMNP-TV-Z]{11}$"
LetterCode = Annotated[str, StringConstraints(pattern=LETTER_CODE)]
"""The short code of a printed letter as stored, without dashes (``shared/domain/letters.py``)."""

Flag = Annotated[bool, Strict()]
Count = Annotated[int, Strict()]
MOST_PASSED_ON = 3
"""Agencies that pass a word about the facts of a victim on, one after another, at most."""
PassedOn = Annotated[int, Strict(), Field(ge=0, le=MOST_PASSED_ON)]

FactName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,47}$")]
Fact = Flag | Annotated[Count, Field(ge=0, le=1_000_000_000_000)] | Code | Annotated[list[Code], Field(max_length=50)]
Facts = Annotated[Mapping[FactName, Fact], Field(max_length=50)]
"""Answers to a form that cannot identify a person: codes, whole numbers, yes and no."""


class Value(BaseModel):
    """Immutable data, compared by its fields. Unknown fields are ignored, so that contracts can grow."""

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
    """The unit responsible for a victim from one moment on: link ``seq`` of the victim's custody chain.

    Registration creates link 1; every accepted transfer adds the next link. Only the holder of link n offers
    link n+1, to one receiver at a time. So the chain never forks and never has a gap. It reads the same in whatever
    order its links arrive.
    """

    seq: Count


class VictimFacts(Value):
    """The coarse facts of a victim that agencies other than the holder may see."""

    age_class: AgeClass
    sex: Sex
    home_region: Region | None = None
