"""JSON that every parser reads the same (RFC 8259, RFC 7493 section 2).

A member named twice, ``NaN``, ``1e999`` or UTF-16 is read one way here and another way elsewhere, and a body nested
deep enough takes a recursive parser down. So such bytes are refused before anything is made of them. Bytes that are
no JSON at all pass: whoever parses them says so.
"""

import codecs
import json
import math
import re
from typing import Any

DEEPEST = 32
"""Levels of arrays and objects, at most. The deepest body of this network has five."""

_BRACKET = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"?|([\[{])|([\]}])', re.DOTALL)
"""A string, which is skipped, or a bracket."""


class NotStrict(ValueError):
    """The bytes can be read in more than one way. ``reason`` is a code, never a part of them."""

    reason = "not-strict-json"


class TooDeep(NotStrict):
    """More levels than DEEPEST."""

    reason = "json-too-deep"


class NamedTwice(NotStrict):
    """An object has two members of one name."""

    reason = "duplicate-member"


class NotPortable(NotStrict):
    """A number that JSON does not have, or another encoding than UTF-8."""


def check(body: bytes) -> None:
    """Raises NotStrict where two parsers could read ``body`` differently."""
    # U+0000 is raw in no JSON text, but in all of UTF-16 and UTF-32, which Python's parser would accept
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
    """Whether brackets outside of strings are nested deeper than ``most``, without parsing."""
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
    number = float(text)  # also of the constants NaN, Infinity and -Infinity
    if not math.isfinite(number):
        raise NotPortable
    return number
