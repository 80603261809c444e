"""JSON that means one thing: what every parser reads the same passes, anything else is refused before it is parsed."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.contracts.envelope import Envelope, Unreadable
from shared.contracts.strict_json import DEEPEST, NamedTwice, NotPortable, NotStrict, TooDeep, check, is_deeper

TEXTS = st.text() | st.text(alphabet='[]{}"\\,:')
"""Any text, and texts that look like JSON."""
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner), max_leaves=25)


def depth_of(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + max(map(depth_of, value.values()), default=0)
    return 1 + max(map(depth_of, value), default=0) if isinstance(value, list) else 0


def nested(levels: int) -> bytes:
    return b'{"a":' * levels + b"1" + b"}" * levels


@given(VALUES, st.booleans(), st.sampled_from([None, 1]))
def test_plain_json_passes_however_it_is_written(value: Any, ascii_only: bool, indent: int | None) -> None:
    body = json.dumps(value, ensure_ascii=ascii_only, indent=indent).encode("utf-8", "surrogatepass")
    if depth_of(value) <= DEEPEST:
        check(body)


@given(VALUES, st.integers(0, 8))
def test_depth_is_that_of_the_brackets_outside_of_strings(value: Any, most: int) -> None:
    body = json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")
    assert is_deeper(body, most) is (depth_of(value) > most)


@given(VALUES, st.integers(0, 20))
def test_bytes_cut_short_are_left_to_the_parser_or_refused_but_break_nothing(value: Any, cut: int) -> None:
    body = json.dumps(value).encode()
    try:
        check(body[: max(len(body) - cut, 0)])
    except NotStrict as error:
        assert error.reason in ("json-too-deep", "duplicate-member", "not-strict-json")


def test_the_limit_is_where_it_is_said_to_be() -> None:
    check(nested(DEEPEST))
    check(b'"' + b"[" * 60_000 + b'"')
    check(b'["\\"[[[["' + b',"[["' * 200 + b"]")
    for too_deep in (nested(DEEPEST + 1), nested(10_000), b"[" * 60_000, b"[{" * 20 + b'"', b'["\\\\"' + b"[" * 40):
        with pytest.raises(TooDeep):
            check(too_deep)


@given(TEXTS, VALUES, VALUES)
def test_a_name_stands_once_in_an_object(name: str, one: Any, other: Any) -> None:
    plain, escaped = json.dumps(name), '"' + "".join(f"\\u{ord(unit):04x}" for unit in _units(name)) + '"'
    for again in (plain, escaped):
        body = f'{{"x": [{{{plain}: {json.dumps(one)}, {again}: {json.dumps(other)}}}]}}'
        with pytest.raises((NamedTwice, TooDeep)):
            check(body.encode())
    check(f"[{{{plain}: 1}}, {{{plain}: 2}}]".encode())


def _units(text: str) -> list[str]:
    raw = text.encode("utf-16-be", "surrogatepass")
    return [chr(int.from_bytes(raw[at : at + 2])) for at in range(0, len(raw), 2)]


@pytest.mark.parametrize(
    "body",
    [b"[NaN]", b"[Infinity]", b"-Infinity", b"[1e999]", b"[-1e999]", b'"\0"', b"\xef\xbb\xbf{}"]
    + ['{"a": 1}'.encode(encoding) for encoding in ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le")],
)
def test_what_only_some_parsers_take_is_refused(body: bytes) -> None:
    with pytest.raises(NotPortable):
        check(body)


@pytest.mark.parametrize("body", [b"", b"{", b"nama=Siti", b"\xff", b"{'a': 1}", b"9" * 5000])
def test_text_that_is_no_json_is_left_to_the_parser(body: bytes) -> None:
    check(body)


@pytest.mark.parametrize(
    ("data", "reason"),
    [(nested(10_000), "json-too-deep"), (b'{"a": 1, "a": 2}', "duplicate-member"), (b'{"a": NaN}', "not-strict-json")],
)
def test_an_event_that_two_readers_could_differ_over_is_unreadable(data: bytes, reason: str) -> None:
    with pytest.raises(Unreadable) as refused:
        Envelope.read(b'{"specversion": "1.0", "data": ' + data + b"}")
    assert refused.value.reason == reason
