"""The canary: a story uses every field about a victim, with words that stand nowhere else. Then every byte left behind
is searched. The words appear in the answers to callers with the right, and nowhere else (DESIGN section 5)."""

import ast
import base64
import contextlib
import gzip
import io
import json
import logging
import tempfile
import time
import zlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog
from nats.js import JetStreamContext

from deploy.local.embedded_nats import EmbeddedNats
from tests.support.canary import ZEROS, Canaries, songs
from tests.support.canary_places import backups, data_folder, never_planted, planted, processes
from tests.support.canary_story import all_that_can_be_told, open_doors
from tests.support.databases import Databases
from tests.support.network import Network, provisioning
from tests.support.sources import ROOT


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """Every log line, at the most talkative level."""
    written, before = io.StringIO(), structlog.get_config()
    yield written
    structlog.configure(**before)


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """Every message for the broker's storage, before it encrypts its files: message id → subject, headers and body."""
    given: dict[str, bytes] = {}
    publish = JetStreamContext.publish_async

    async def overheard(stream: JetStreamContext, subject: str, payload: bytes, **more: Any) -> Any:
        headers = more["headers"]
        given[headers["Nats-Msg-Id"]] = f"{subject}\n{json.dumps(headers)}\n".encode() + payload
        return await publish(stream, subject, payload, **more)

    monkeypatch.setattr(JetStreamContext, "publish_async", overheard)
    return given


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, bytes]]:
    """Every request that callers make: method, path, body."""
    requests: list[tuple[str, str, bytes]] = []
    send = httpx.AsyncClient.send

    async def overheard(client: httpx.AsyncClient, request: httpx.Request, **more: Any) -> httpx.Response:
        requests.append((request.method, request.url.path, request.content))
        return await send(client, request, **more)

    monkeypatch.setattr(httpx.AsyncClient, "send", overheard)
    return requests


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Whatever is written aside for a while is written where it is searched."""
    (aside := tmp_path / "aside").mkdir()
    monkeypatch.setenv("TMPDIR", str(aside))
    monkeypatch.setattr(tempfile, "tempdir", str(aside))
    return aside


@pytest.fixture
async def talkative(
    here: Path,
    tmp_path: Path,
    secrets: Path,
    nats: EmbeddedNats,
    database_url: Databases,
    logged: io.StringIO,
    published: dict[str, bytes],
) -> AsyncIterator[Network]:
    """The shipped network, logging all that it can."""
    async with provisioning(nats):
        network = Network(tmp_path, secrets, nats, database_url, extra={"log_level": "debug"})
        yield network
        await network.stop_all()


CALLERS = ("httpx", "httpcore")
"""HTTP client libraries: their log lines belong to the caller, not to the service."""


def those_who_may_know_have_heard(canaries: Canaries) -> None:
    """Every word was in an answer to somebody who may know it, but those that are shown to nobody."""
    heard = "\n".join(canaries.heard)
    misplaced = {"misplaced", "misread", "break-glass note", "second safe house", "idempotency key",
                 "list note", "filing note", "stage note", "closure note"}  # fmt: skip
    unheard = [what for what, word in canaries.words.items() if word not in heard and what not in misplaced]
    told_to_nobody = {"first safe house", "note", "accept note", "reject note", "first statement"}
    assert set(unheard) <= told_to_nobody | {w for w in unheard if w.startswith("second")}, unheard
    assert len(canaries.words) >= 35 and canaries.words["first name"] in heard


def songs_in_files(network: Network, canaries: Canaries, begun: float) -> list[str]:
    """Canary words in files written since then: databases, their logs, the broker's files."""
    sung: list[str] = []
    searched = known = 0
    for folder in filter(None, (network.folder, data_folder(network))):
        for path in sorted(folder.rglob("*")):
            if path.is_file() and path.stat().st_mtime >= begun:  # the database server has served other tests too
                content = path.read_bytes()
                searched += len(content)
                known += b"polres-74.01" in content
                sung += songs(canaries, str(path.relative_to(folder)), ZEROS.sub(b"\0", content))
    assert searched > 1_000_000 and known
    return sung


async def test_no_byte_anywhere_tells_who_a_victim_is(
    talkative: Network,
    logged: io.StringIO,
    published: dict[str, bytes],
    sent: list[tuple[str, str, bytes]],
    caplog: pytest.LogCaptureFixture,
) -> None:
    canaries = Canaries()
    caplog.set_level(logging.DEBUG)
    begun = time.time() - 2  # file systems round
    with contextlib.redirect_stderr(logged), contextlib.redirect_stdout(logged):
        refusals = await all_that_can_be_told(talkative, canaries)
        refusals += await open_doors(talkative)
    assert never_planted(talkative, planted(sent, canaries)) == []
    those_who_may_know_have_heard(canaries)

    sung: list[str] = []
    for number, refusal in enumerate(refusals):
        sung += songs(canaries, f"answer {number}", refusal.encode())
    for where, content in backups(talkative):
        sung += songs(canaries, where, content)
    sung += songs_in_files(talkative, canaries, begun)
    for message_id, message in published.items():
        sung += songs(canaries, f"message {message_id}", message)
    assert sum(b'"Estafet-Key"' in message for message in published.values()) >= 5
    sung += songs(canaries, "log", logged.getvalue().encode())
    by_libraries = [record for record in caplog.records if record.name.partition(".")[0] not in CALLERS]
    told = "\n".join(f"{record.getMessage()} {vars(record)}" for record in by_libraries)
    sung += songs(canaries, "log of libraries", told.encode()) + songs(canaries, "processes", processes())
    assert sung == []
    assert '"event": "http"' in logged.getvalue() and "fpdf" in told
    names = {path.name for path in talkative.folder.rglob("*")}
    assert any(name.endswith(".blk") for name in names)  # what the broker stores was among it


UNSEARCHED = {
    *("prometheus_client", "opentelemetry", "sentry_sdk", "statsd"),
    *("weasyprint", "reportlab", "pypdf", "docx", "openpyxl"),
    *("smtplib", "aiosmtplib", "boto3", "redis", "celery"),
}
"""Stores of personal words that the canary does not search: metrics, traces, other PDFs, mail, other stores. A change
that adds one extends ``test_no_byte_anywhere_tells_who_a_victim_is`` and removes the name here."""


def test_there_is_no_place_that_is_not_searched() -> None:
    used = set()
    for folder in ("shared", "services", "deploy"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
                names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
                used |= {name.partition(".")[0] for name in names}
    assert {"structlog", "sqlalchemy", "nats"} <= used
    assert used & UNSEARCHED == set(), "the canary must search what this writes"


def test_the_search_would_hear_a_song(tmp_path: Path) -> None:
    """In whatever form it is written, and not when it is not there."""
    canaries = Canaries()
    word = canaries.name("a name")
    for content in (
        f"xx{word}yy".encode(),
        json.dumps({"note": f"ä {word}"}).encode(),
        f"aä{word}".encode("utf-16-le"),
        base64.b64encode(f"some words and then {word} and more".encode()),
        base64.b64encode(f"one more and {word} and more".encode()),
        base64.b64encode(f"again, then {word} and more".encode()),
        word.encode().hex().encode(),
        word.upper().encode(),
        word.lower().encode("utf-16-le"),
        word.encode().hex().upper().encode(),
        base64.b64encode(base64.b64encode(f"twice {word}".encode())),
        b"some bytes" + zlib.compress(f"packed {word}".encode()) + b"more",
        b"a" + gzip.compress(f"packed {word}".encode()).hex().encode(),
        b"\\\\x" + gzip.compress(f"packed {word}".encode()).hex().encode(),
        base64.urlsafe_b64encode(zlib.compress(base64.b64encode(word.encode()))),
        "".join(f"\\u{ord(letter):04x}" for letter in word).encode(),
    ):
        assert songs(canaries, "there", content)
    assert not songs(canaries, "there", gzip.compress(b"Kanari") + b"Kanari" * 1000)


def test_the_search_hears_every_word_in_every_form() -> None:
    canaries = Canaries()
    canaries.name("note")
    told = {**canaries.identity("somebody"), **canaries.words}
    for word in told.values():
        said = word.encode()
        for plain in (said, word.encode("utf-16-le"), said.hex().encode(), b"." + said, b".." + said):
            for content in (plain, b"before " + plain + b" after", base64.b64encode(b"ab" + plain + b"cde")):
                assert songs(canaries, "there", content), (word, content)
    assert not songs(canaries, "there", canaries.begin.encode() + b"1234567")
