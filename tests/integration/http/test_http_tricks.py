"""Path, header and body tricks, as raw bytes to a real server: each gets one exact refusal without a trace.

A trick wants two readers of one request, such as a proxy and the service, to understand it differently.
"""

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest

from tests.support.served import Answer, Served, served

CANARY, WORD = b"KANARI-7f3a", "kanari-7f3a"
ID = b"0193f0a2-7a10-7000-8000-00000000000a"
CASE = {"unit": "polres-74.01", "channel": "spkt", "exploitation": "online-scam", "destination": "KH"}
BODY = json.dumps(CASE).encode()
NTH = count()


@pytest.fixture(scope="module")
def police(tmp_path_factory: pytest.TempPathFactory, secrets: Path) -> Iterator[Served]:
    """The police, patient with somebody who asks a lot."""
    with served(tmp_path_factory.mktemp("tricks"), secrets, rate_burst=1_000_000) as service:
        yield service


def request(line: bytes, *headers: bytes, body: bytes = b"", host: bytes = b"Host: police") -> bytes:
    return b"\r\n".join([line, *filter(None, [host, b"Connection: close", *headers]), b"", body])


TOKEN, ADMINISTRATOR = b"Authorization: Bearer @officer@", b"Authorization: Bearer @administrator@"
"""Headers into which ``Served.send`` puts a token."""


def get(path: bytes, *headers: bytes, host: bytes = b"Host: police") -> bytes:
    own = any(header.lower().startswith(b"authorization") for header in headers)
    return request(b"GET " + path + b" HTTP/1.1", *([] if own else [TOKEN]), *headers, host=host)


def post(*headers: bytes, body: bytes = BODY, sized: bool = True) -> bytes:
    """Open a case under a key of its own; with a Content-Length, unless a header replaces it."""
    size = b"Content-Length: %d" % len(body) if sized else b""
    key = b"Idempotency-Key: %s-%d" % (CANARY, next(NTH))
    return request(
        b"POST /v1/cases HTTP/1.1",
        *filter(None, [TOKEN, b"Content-Type: application/json", key, size, *headers]),
        body=body,
    )


def chunked(*headers: bytes, body: bytes = b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)) -> bytes:
    return post(*headers, body=body, sized=False)


def coded(name: bytes) -> bytes:
    return chunked(b"Transfer-Encoding: " + name)


def sized(length: bytes) -> bytes:
    return post(b"Content-Length: " + length, sized=False)


@dataclass(frozen=True)
class Trick:
    """Bytes, and the answer that they must get."""

    sent: bytes
    status: int
    code: str | None = None
    field: str | None = None


NOWHERE = 404, "not-found"
NO_ID = 422, "invalid-request", "victim_id"
NOT_HTTP = 400, "malformed-request"
NO_JSON = 400, "malformed-json"
TOO_LARGE = 431, "headers-too-large"
LARGE = BODY[:-1] + b" " * 64 * 1024 + b"}"
BOMB = gzip.compress(bytes(50_000_000))
TRICKS: dict[str, Trick] = {
    # one address, other spellings
    "slashes before": Trick(get(b"//v1/agency"), *NOWHERE),
    "another host for a path": Trick(get(b"//" + CANARY + b".example/v1/agency"), *NOWHERE),
    "slashes between": Trick(get(b"/v1//agency"), *NOWHERE),
    "a slash after": Trick(get(b"/v1/agency/"), *NOWHERE),
    "a step up": Trick(get(b"/v1/../health/live"), *NOWHERE),
    "a step up, in disguise": Trick(get(b"/v1/%2e%2e/health/live"), *NOWHERE),
    "a step up, half in disguise": Trick(get(b"/v1/.%2E/health/live"), *NOWHERE),
    "a step up, twice in disguise": Trick(get(b"/v1/%252e%252e/health/live"), *NOWHERE),
    "a step up at the end": Trick(get(b"/v1/agency/.."), *NOWHERE),
    "a step up for an id": Trick(get(b"/v1/victims/.."), *NOWHERE),
    "a step on the spot": Trick(get(b"/v1/./agency"), *NOWHERE),
    "out of the folder of files": Trick(get(b"/static-offline-docs/..%2fcore.py"), *NOWHERE),
    "out of it, in disguise": Trick(get(b"/static-offline-docs/%2e%2e/core.py"), *NOWHERE),
    "a slash in disguise": Trick(get(b"/v1%2fagency"), *NOWHERE),
    "a route in an id": Trick(get(b"/v1/victims/" + ID + b"%2Fidentity?purpose=first-aid"), *NOWHERE),
    "a backslash": Trick(get(b"/v1\\agency"), *NOWHERE),
    "a backslash in disguise": Trick(get(b"/v1%5Cagency"), *NOWHERE),
    "a path parameter": Trick(get(b"/v1/agency;nama=" + CANARY), *NOWHERE),
    "a dot after": Trick(get(b"/v1/agency."), *NOWHERE),
    "a space after": Trick(get(b"/v1/agency%20"), *NOWHERE),
    "upper case": Trick(get(b"/V1/Agency"), *NOWHERE),
    "an escape that is none": Trick(get(b"/v1/%zz"), *NOWHERE),
    "everything": Trick(request(b"OPTIONS * HTTP/1.1"), *NOWHERE),
    "a fragment": Trick(get(b"/v1/agency#" + CANARY), *NOT_HTTP),
    "a fragment in the query": Trick(get(b"/v1/agency?a#" + CANARY), *NOT_HTTP),
    "a raw byte": Trick(get(b"/v1/\xff"), *NOT_HTTP),
    "no slash": Trick(get(b"v1/agency"), *NOT_HTTP),
    "a tunnel": Trick(request(b"CONNECT " + CANARY + b":443 HTTP/1.1"), *NOT_HTTP),
    "a long path": Trick(get(b"/v1/" + CANARY * 400), 414, "address-too-long"),
    "a long query": Trick(get(b"/v1/agency?" + CANARY * 400), 414, "address-too-long"),
    # one id, other spellings
    "an id with a parameter": Trick(get(b"/v1/victims/" + ID + b";x=1"), *NO_ID),
    "an id with a NUL": Trick(get(b"/v1/victims/" + ID + b"%00"), *NO_ID),
    "an id with a line after": Trick(get(b"/v1/victims/" + ID + b"%0d%0aX-Kanari: " + CANARY), *NOT_HTTP),
    "an id with a line after, in disguise": Trick(get(b"/v1/victims/" + ID + b"%0d%0aX-K:%20" + CANARY), *NO_ID),
    "an id with a dot": Trick(get(b"/v1/victims/" + ID + b"."), *NO_ID),
    "an id with a space": Trick(get(b"/v1/victims/" + ID + b"%20"), *NO_ID),
    "an id in upper case": Trick(get(b"/v1/victims/" + ID.upper()), *NO_ID),
    "an id with Arabic digits": Trick(get(b"/v1/victims/" + ID.replace(b"3", "٣".encode())), *NOT_HTTP),
    "an id with them in disguise": Trick(get(b"/v1/victims/" + ID.replace(b"3", b"%D9%A3")), *NO_ID),
    "a number with Arabic digits": Trick(
        request(b"POST /v1/parked/%D9%A3/replay HTTP/1.1", ADMINISTRATOR, b"Content-Length: 0"),
        422,
        "invalid-request",
        "number",
    ),
    "an id of no encoding": Trick(get(b"/v1/victims/%ff%fe"), *NO_ID),
    # who and what is meant
    "another method in a header": Trick(post(b"X-HTTP-Method-Override: DELETE", b"X-Method-Override: PUT"), 201),
    "another address in a header": Trick(
        get(b"/v1/agency", b"X-Original-URL: /v1/" + CANARY, b"X-Rewrite-URL: /v1/" + CANARY), 200
    ),
    "a whole URL of another": Trick(get(b"http://" + CANARY + b".example/v1/agency"), 200),
    "no host": Trick(get(b"/v1/agency", host=b""), *NOT_HTTP, "Host"),
    "two hosts": Trick(get(b"/v1/agency", b"Host: " + CANARY), *NOT_HTTP, "Host"),
    "a host with a path": Trick(get(b"/v1/agency", host=b"Host: police/" + CANARY + b"?x="), *NOT_HTTP, "Host"),
    "a host with a user": Trick(get(b"/v1/agency", host=b"Host: " + CANARY + b"@police"), *NOT_HTTP, "Host"),
    "two tokens": Trick(
        get(b"/v1/agency", b"Authorization: Bearer a", b"Authorization: Bearer " + CANARY), *NOT_HTTP, "Authorization"
    ),
    "two keys": Trick(post(b"Idempotency-Key: " + CANARY), *NOT_HTTP, "Idempotency-Key"),
    "two kinds": Trick(post(b"Content-Type: text/plain"), *NOT_HTTP, "Content-Type"),
    "a key in the trailer": Trick(
        request(
            b"POST /v1/cases HTTP/1.1",
            *(TOKEN, b"Content-Type: application/json", b"Transfer-Encoding: chunked", b"Trailer: Idempotency-Key"),
            body=b"%x\r\n%s\r\n0\r\nIdempotency-Key: %s\r\n\r\n" % (len(BODY), BODY, CANARY),
        ),
        *(422, "invalid-request", "Idempotency-Key"),
    ),
    # where a request ends
    "a length twice": Trick(post(b"Content-Length: %d" % len(BODY)), *NOT_HTTP),
    "two lengths": Trick(post(b"Content-Length: 5"), *NOT_HTTP),
    "a list of lengths": Trick(sized(b"5, 5"), *NOT_HTTP),
    "a length with a sign": Trick(sized(b"+5"), *NOT_HTTP),
    "a length below nothing": Trick(sized(b"-1"), *NOT_HTTP),
    "a length in hexadecimal": Trick(sized(b"0x5"), *NOT_HTTP),
    "a length beyond every number": Trick(sized(b"9" * 30), *NOT_HTTP),
    "a length that is announced": Trick(sized(b"1000000000"), 413, "body-too-large"),
    "length and chunks": Trick(post(b"Transfer-Encoding: chunked"), *NOT_HTTP),
    "chunks and length": Trick(chunked(b"Transfer-Encoding: chunked", b"Content-Length: 4"), *NOT_HTTP),
    "chunks twice": Trick(chunked(b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked"), *NOT_HTTP),
    "chunks of chunks": Trick(coded(b"chunked, chunked"), *NOT_HTTP),
    "almost chunks": Trick(coded(b"xchunked"), *NOT_HTTP),
    "chunks behind a control character": Trick(coded(b"\x0bchunked"), *NOT_HTTP),
    "chunks, then as it is": Trick(coded(b"chunked, identity"), *NOT_HTTP),
    "chunks with a space": Trick(chunked(b"Transfer-Encoding : chunked"), *NOT_HTTP),
    "chunks on the next line": Trick(chunked(b"Transfer-Encoding:\r\n chunked"), *NOT_HTTP),
    "a chunk that is none": Trick(chunked(b"Transfer-Encoding: chunked", body=b"zz\r\n" + CANARY), *NOT_HTTP),
    "a chunk below nothing": Trick(chunked(b"Transfer-Encoding: chunked", body=b"-4\r\n" + CANARY), *NOT_HTTP),
    "a chunk beyond every number": Trick(
        chunked(b"Transfer-Encoding: chunked", body=b"f" * 17 + b"\r\n" + CANARY), *NOT_HTTP
    ),
    "more than is taken, in chunks, and nothing wrong with it": Trick(
        chunked(b"Transfer-Encoding: chunked", body=b"%x\r\n%s\r\n0\r\n\r\n" % (len(LARGE), LARGE)),
        *(413, "body-too-large"),
    ),
    # how it is written
    "line feeds alone": Trick(b"GET /v1/agency HTTP/1.1\nHost: police\n\n", *NOT_HTTP),
    "a line feed in a header": Trick(get(b"/v1/agency", b"X-A: b\nX-B: " + CANARY), *NOT_HTTP),
    "a carriage return in a header": Trick(get(b"/v1/agency", b"X-A: b\rX-B: " + CANARY), *NOT_HTTP),
    "a NUL in a header": Trick(get(b"/v1/agency", b"X-A: \0" + CANARY), *NOT_HTTP),
    "a header on two lines": Trick(get(b"/v1/agency", b"traceparent: 00-x\r\n X-B: " + CANARY), *NOT_HTTP),
    "a header without a name": Trick(get(b"/v1/agency", b": " + CANARY), *NOT_HTTP),
    "a header without a colon": Trick(get(b"/v1/agency", CANARY), *NOT_HTTP),
    "a method of no list": Trick(request(CANARY + b" /v1/agency HTTP/1.1"), *NOT_HTTP),
    "a method in lower case": Trick(request(b"get /v1/agency HTTP/1.1"), *NOT_HTTP),
    "a version to come": Trick(request(b"GET /v1/agency HTTP/9.9"), *NOT_HTTP),
    "HTTP/2 at once": Trick(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", *NOT_HTTP),
    "something else": Trick(b"\x16\x03\x01" + CANARY + b"\r\n\r\n", *NOT_HTTP),
    "another protocol": Trick(get(b"/v1/agency", b"Connection: Upgrade", b"Upgrade: websocket"), 200),
    # how much
    "many headers": Trick(get(b"/v1/agency", *(b"X-%d: %s" % (n, CANARY) for n in range(65))), *TOO_LARGE),
    "a large cookie": Trick(get(b"/v1/agency", b"Cookie: nama=" + CANARY * 1600), *TOO_LARGE),
    "a header of a megabyte": Trick(get(b"/v1/agency", b"Cookie: " + CANARY * 100_000), *TOO_LARGE),
    "a header without end": Trick(b"GET / HTTP/1.1\r\nCookie: " + CANARY * 300_000, *TOO_LARGE),
    # what it holds
    "a bomb": Trick(post(b"Content-Encoding: gzip", body=BOMB), 415, "unsupported-media-type", "Content-Encoding"),
    "a bomb in a transfer coding": Trick(
        chunked(b"Transfer-Encoding: gzip, chunked", body=b"%x\r\n%s\r\n0\r\n\r\n" % (len(BOMB), BOMB)),
        *(415, "unsupported-media-type", "Transfer-Encoding"),
    ),
    "a bomb that says nothing of it": Trick(post(body=BOMB), *NO_JSON),
    "JSON 10,000 deep": Trick(post(body=b'{"a":' * 10_000 + b"1" + b"}" * 10_000), 400, "json-too-deep"),
    "lists 30,000 deep": Trick(post(body=b"[" * 30_000), 400, "json-too-deep"),
    "a member twice": Trick(post(body=BODY[:-1] + b', "unit": "x"}'), 400, "duplicate-member"),
    "a member twice, in disguise": Trick(post(body=BODY[:-1] + b', "\\u0075nit": "x"}'), 400, "duplicate-member"),
    "a number that is none": Trick(post(body=b'{"note": NaN}'), *NO_JSON),
    "a number without end": Trick(post(body=b'{"note": 1e999}'), *NO_JSON),
    "a number of 5,000 digits": Trick(post(body=b'{"note": ' + b"9" * 5000 + b"}"), *NO_JSON),
    "UTF-16": Trick(post(body=BODY.decode().encode("utf-16-le")), *NO_JSON),
    "a mark before": Trick(post(body=b"\xef\xbb\xbf" + BODY), *NO_JSON),
}


def answer_to(police: Served, trick: Trick) -> Answer:
    return police.send(trick.sent)


@pytest.mark.parametrize("trick", TRICKS.values(), ids=TRICKS)
def test_a_trick_gets_one_exact_refusal(police: Served, trick: Trick) -> None:
    answer = answer_to(police, trick)
    assert (answer.status, answer.code, answer.answers) == (trick.status, trick.code, 1)
    assert answer.fields == ([] if trick.field is None else [trick.field])
    if trick.code is not None:
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert WORD not in f"{answer.headers} {answer.body!r}".lower()


def test_a_trick_leaves_no_trace_in_the_log(tmp_path: Path, secrets: Path) -> None:
    with served(tmp_path, secrets, rate_burst=1_000_000, log_level="debug") as police:
        for trick in TRICKS.values():
            answer_to(police, trick)
        log = police.stop()
    assert WORD not in log.lower()
    said = [json.loads(line) for line in log.splitlines()]
    events = [line["event"] for line in said]
    refused_early = len([1 for trick in TRICKS.values() if trick.status == 400])
    assert events.count("http") > 50 and 30 < events.count("http.refused") <= refused_early + 1
    assert {line["level"] for line in said} == {"info", "warning"}


def test_a_request_that_is_sound_is_served(police: Served) -> None:
    """The forms from which the tricks differ by one thing."""
    assert police.send(post()).status == 201
    assert police.send(coded(b"chunked")).status == 201
    assert police.send(post(b"Expect: 100-continue")).status == 201
    assert police.send(get(b"/v1/agency")).status == 200
    assert police.send(b"GET /v1/agency HTTP/1.0\r\n" + TOKEN + b"\r\n\r\n").status == 200


def test_nobody_says_by_a_header_where_they_call_from(police: Served) -> None:
    """A scheme that is believed would show in the answer, an address that is believed would have a new limit."""
    forwarded = (b"X-Forwarded-For: 10.0.0.1", b"X-Forwarded-Proto: https", b"Forwarded: for=10.0.0.1;proto=https")
    assert "strict-transport-security" not in police.send(get(b"/v1/agency", *forwarded)).headers


def test_what_follows_a_request_cannot_take_its_answer_away(police: Served) -> None:
    sound = b"GET /v1/agency HTTP/1.1\r\nHost: police\r\n" + TOKEN + b"\r\n\r\n"
    answer = police.send(sound + b"\0\1 no HTTP\r\n\r\n")
    assert (answer.status, answer.answers) == (200, 1)
    assert police.send(sound + sound + get(b"/v1/units?agency=police")).answers == 3


def test_a_trace_is_given_back_only_in_its_own_form(police: Served) -> None:
    sound = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    assert police.send(get(b"/v1/agency", b"traceparent: " + sound)).headers["traceparent"] == sound.decode()
    for wrong in (CANARY, sound + CANARY, sound.upper(), sound[:-1]):
        given = police.send(get(b"/v1/agency", b"traceparent: " + wrong)).headers["traceparent"]
        assert len(given) == 55 and given != wrong.decode()


@pytest.mark.parametrize("path", [b"/v1/agency", b"/v1/cases", b"/docs", b"/openapi.json", b"/v1/nothing"])
@pytest.mark.parametrize("method", [b"GET", b"OPTIONS"])
def test_no_other_site_may_read_an_answer(police: Served, method: bytes, path: bytes) -> None:
    asked = request(
        method + b" " + path + b" HTTP/1.1",
        *(b"Origin: https://kanari.example", b"Access-Control-Request-Method: POST"),
        *(b"Access-Control-Request-Headers: authorization", b"Cookie: a=b"),
    )
    headers = police.send(asked).headers
    assert [name for name in headers if name.startswith("access-control")] == []
    assert "server" not in headers and "set-cookie" not in headers and "strict-transport-security" not in headers
