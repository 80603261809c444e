"""JSON that every parser reads the same way (RFC 8259, RFC 7493 section 2).

Parsers disagree on a member named twice, on ``NaN``, on ``1e999`` and on UTF-16. A deeply nested body crashes a
recursive parser. So ``check`` refuses such bytes before any other code parses them. Bytes that are no JSON pass:
the parser of the caller refuses those.
"""

import codecs
import json
import math
import re
from typing import Any

DEEPEST = 32
"""The most levels of nested arrays and objects. The deepest body of this network has five."""

_BRACKET = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"?|([\[{])|([\]}])', re.DOTALL)
"""Matches a string, which ``is_deeper`` skips, or a bracket: group 1 opens, group 2 closes."""


class NotStrict(ValueError):
    """Parsers may read the bytes in more than one way. ``reason`` is a code and never repeats a part of the bytes."""

    reason = "not-strict-json"


class TooDeep(NotStrict):
    """The body nests deeper than DEEPEST levels."""

    reason = "json-too-deep"


class NamedTwice(NotStrict):
    """An object has two members of one name."""

    reason = "duplicate-member"


class NotPortable(NotStrict):
    """The body holds a number that JSON does not have, or is not UTF-8 without a byte order mark."""


def check(body: bytes) -> None:
    """Raise NotStrict if two parsers could read ``body`` differently."""
    # JSON in UTF-8 has no raw U+0000; UTF-16 and UTF-32 have, and Python's parser would accept them
    if b"\0" in body or body.startswith(codecs.BOM_UTF8):
        raise NotPortable
    if is_deeper(body, DEEPEST):
        raise TooDeep
    try:
        json.loads(body, object_pairs_hook=_members, parse_float=_number, parse_constant=_number)
    except NotStrict:
        raise
    except ValueError:
        return


def is_deeper(body: bytes, most: int) -> bool:
    """Whether brackets outside strings nest deeper than ``most`` levels. Does not parse the body."""
    if body.count(b"{") + body.count(b"[") <= most:
        return False
    depth = 0
    for found in _BRACKET.finditer(body):
        if found.lastindex == 1:
            depth += 1
            if depth > most:
                return True
        elif found.lastindex == 2:
            depth -= 1
    return False


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise NamedTwice
    return members


def _number(text: str) -> float:
    number = float(text)  # the parser also passes the constants NaN, Infinity and -Infinity
    if not math.isfinite(number):
        raise NotPortable
    return number
