"""The fields that a log line may hold, each with its meaning and the shape of its value.

An undeclared field is left out of every line. A value of another shape is replaced by MARK. So no new ``log.info`` and
no misused field can write a name into the log.
"""

import re
from collections.abc import Callable, Mapping, MutableMapping
from typing import Any, NamedTuple

MARK = "?"
"""Replaces a value of the wrong shape."""
MOST = 1_000_000_000
"""The highest number that is logged: lower than any NIK (16 digits) or phone number."""

Shape = Callable[[Any], bool]


class Field(NamedTuple):
    """The shape and the meaning of a field."""

    shape: Shape
    meaning: str


def text(pattern: str) -> Shape:
    """Text that matches the whole pattern."""
    form = re.compile(pattern)
    return lambda value: isinstance(value, str) and form.fullmatch(value) is not None


def each(shape: Shape) -> Shape:
    """A list of such values, 20 at most."""
    return lambda value: isinstance(value, list) and len(value) <= 20 and all(map(shape, value))


def number(value: Any) -> bool:
    """A count or a duration."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < MOST


def truth(value: Any) -> bool:
    """True or false."""
    return isinstance(value, bool)


# no seven digits in a row, so that a NIK or a phone number never passes as a code
code = text(r"(?!.*[0-9]{7})[a-z][a-z0-9]{0,31}(-[a-z0-9]{1,31}){0,5}")
event = text(r"[a-z]{1,31}(-[a-z]{1,31}){0,5}(\.[a-z]{1,31}(-[a-z]{1,31}){0,5})?")
setting = text(r"[a-z]{1,31}(_[a-z]{1,31}){0,5}")
uuid = text(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
class_name = text(r"[A-Z][A-Za-z0-9]{2,63}")
module = text(r"[a-z_]{1,31}(\.[A-Za-z_]{1,31}){0,5}")
place = text(r"[A-Za-z0-9_.-]{1,40}(/[A-Za-z0-9_.-]{1,40}){0,9}\.pyx?:[0-9]{1,5}")

LOG_FIELDS: Mapping[str, Field] = {
    "event": Field(event, "the event, as a code"),
    "level": Field(text("debug|info|warning|error|critical"), "the severity"),
    "timestamp": Field(text(r"[0-9-]{10}T[0-9:]{8}(\.[0-9]{1,6})?Z"), "the moment, in UTC"),
    "dropped": Field(number, "the number of fields left out, because they are not declared here"),
    "member": Field(code, "the member whose service logs"),
    # HTTP
    "method": Field(text("GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|TRACE|CONNECT"), "the method of the request"),
    "route": Field(
        text(r"-|(/([a-z0-9.-]{1,40}|\{[a-z_]{1,40}\})?){1,8}"), "the template of the route, or - without a route"
    ),
    "status": Field(number, "the status of the response"),
    "ms": Field(number, "the duration of the request, in milliseconds"),
    "problem": Field(code, "the code of the problem in the response"),
    "trace": Field(text(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}"), "the W3C traceparent"),
    # who calls, and who is trusted
    "client": Field(text(r"(?!.*[0-9]{7})[a-z][a-z0-9.-]{0,99}"), "the client of a token, as its issuer calls it"),
    "person": Field(
        text(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?!.*[0-9]{7})[A-Za-z0-9][A-Za-z0-9._:/|~-]{0,99}"),
        "the human of a token: a pseudonym of the issuer",
    ),
    "people": Field(truth, "whether a token must name a human for what the access table marks"),
    "role": Field(code, "the role of a token"),
    "unit": Field(text(r"(?!.*[0-9]{7})[a-z][a-z0-9.-]{0,47}"), "the unit of a token"),
    "certificate": Field(text(r"[A-Za-z0-9_-]{43}"), "the SHA-256 of the certificate that a caller showed"),
    "bound": Field(truth, "whether a token is bound to a certificate"),
    "version": Field(number, "the version of the key directory"),
    "keys": Field(number, "the number of unused keys in the issuer's set"),
    "jtis": Field(number, "the number of revoked tokens"),
    "clients": Field(number, "the number of revoked clients"),
    # what is done with a victim's data: never whose
    "record": Field(uuid, "the id of a break-glass, a consent or an erasure"),
    "parked": Field(number, "the number of a parked event"),
    "count": Field(number, "the number of people or meetings that an alarm of matching is about"),
    "hold": Field(number, "the number of a legal hold"),
    "approved": Field(truth, "whether a second person approved an erasure"),
    "said_by": Field(code, "the agency that said a withdrawal or an erasure first"),
    "told_by": Field(code, "the agency that told us of it"),
    "verdict": Field(code, "the verdict of a second person on a break-glass"),
    # what went wrong
    "error": Field(class_name, "the class of an error, never its message"),
    "places": Field(each(place), "the files and lines of the traceback"),
    "reason": Field(code, "the reason, as a code"),
    "logger": Field(module, "the library that logged the line"),
    "settings": Field(each(setting), "the names of unsafe or wrong settings"),
    # events and the broker
    "type": Field(text(r"id\.tppo\.[a-z]+(-[a-z]+)*\.[a-z]+(-[a-z]+)*\.v[0-9]{1,3}"), "the type of an event"),
    "event_id": Field(uuid, "the id of an event"),
    "trusted": Field(truth, "whether the signature proves the sender"),
    "messages": Field(number, "the number of messages"),
    "resent": Field(number, "the number of messages sent again"),
    "stream": Field(text(r"[A-Z]{1,31}"), "the stream at the broker"),
    "percent": Field(number, "how full the stream is"),
    "sender": Field(code, "the member that sent messages, as the account says that published them"),
    "reader": Field(code, "the consumer at the broker"),
    "subject": Field(text(r"(tppo|\$JS)(\.[A-Za-z0-9_*>-]{1,40}){1,9}"), "the subject that the broker refused"),
}


def only_declared(_: Any, __: str, said: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """Keep only the fields of a log line that LOG_FIELDS declares (a structlog processor)."""
    line: dict[str, Any] = {
        name: value if field.shape(value := said[name]) else MARK for name, field in LOG_FIELDS.items() if name in said
    }
    if undeclared := len(said) - len(line):
        line["dropped"] = undeclared
    return line
