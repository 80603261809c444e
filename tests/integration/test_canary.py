"""The canary: everything that can be told of a victim is told, with words that stand nowhere else; then every byte
that any of it left behind is searched. They sing in the answers to who may know, and nowhere else (DESIGN section 5).
"""

import ast
import base64
import binascii
import contextlib
import gzip
import io
import json
import logging
import os
import re
import sqlite3
import sys
import tempfile
import time
import zlib
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import httpx
import psycopg
import pytest
import structlog
from nats.js import JetStreamContext
from pypdf import PdfReader
from sqlalchemy import make_url

from deploy.embedded_nats import EmbeddedNats
from shared.contracts.types import PLAIN
from shared.domain.access import Role
from shared.domain.forms import About, Earlier, Words, body_of
from tests.conftest import DatabaseUrl
from tests.integration.test_trust import consent, until_disclosure
from tests.support.network import Client, Network, a_victim, agree, asking, problem, provisioning, refer
from tests.support.sources import ROOT
from tests.support.tokens import claims, signed

AGENCIES = ("police", "kemenpppa", "kemensos", "kemenkes")


KANARI = "Kanari"


def _digits(how_many: int) -> str:
    return str(uuid4().int)[:how_many].replace("0", "7")


@dataclass
class Canaries:
    """Words that stand nowhere else, and the answers in which they were heard."""

    words: dict[str, str] = field(default_factory=dict)
    heard: list[str] = field(default_factory=list)
    begin: str = field(default_factory=lambda: _digits(8))
    """How every number begins."""

    def name(self, what: str) -> str:
        """A new word, as a person's name could be written."""
        return self.words.setdefault(what, f"{KANARI}{uuid4().hex[:14]}")

    def number(self, what: str, digits: int) -> str:
        """A new number of that many digits, 11 at least."""
        return self.words.setdefault(what, f"{self.begin}{_digits(digits - 11)}{100 + len(self.words)}")

    def identity(self, who: str) -> dict[str, str]:
        """Somebody who does not exist."""
        return {
            "name": self.name(f"{who} name"),
            "nik": self.number(f"{who} nik", 16),
            "passport": "X" + self.number(f"{who} passport", 11),
            "born_on": self.words.setdefault(f"{who} born_on", self._day()),
            "phone": "+62" + self.number(f"{who} phone", 12),
            "address": "Jalan " + self.name(f"{who} address"),
            "statement": "Dijanjikan kerja oleh " + self.name(f"{who} statement"),
            "safe_house": "Rumah " + self.name(f"{who} safe house"),
        }

    def _day(self) -> str:
        """A day on which nobody here was born twice, and nothing else in the world of this test happened."""
        chance = uuid4().int
        return f"19{chance % 40:02}-{chance // 40 % 12 + 1:02}-{chance // 480 % 28 + 1:02}"

    def marks(self) -> dict[str, str]:
        """What every word has in it: one of these is in whatever holds a word."""
        unlike = {what: word for what, word in self.words.items() if KANARI not in word and self.begin not in word}
        return {"a name": KANARI, "a number": self.begin, **unlike}


def forms(words: Mapping[str, str]) -> Iterator[tuple[str, bytes]]:
    """Each word in each form in which bytes may hold it, in small letters: bytes are searched so too."""
    for what, word in words.items():
        small = word.lower()
        yield what, small.encode()
        yield f"{what} (UTF-16)", small.encode("utf-16-le")
        for written in {word, small, word.upper()}:
            yield f"{what} (hex)", written.encode().hex().encode()
        if quote(small) != small:
            yield f"{what} (percent)", quote(small).lower().encode()


def coded(words: Mapping[str, str]) -> Iterator[tuple[str, bytes]]:
    """Each word in Base64, where capitals count."""
    for what, word in words.items():
        plain = word.encode()
        for shift in range(3):  # base64 of the word wherever it begins; the ends depend on the neighbours
            text = base64.b64encode(b"\0" * shift + plain)
            yield f"{what} (base64)", text[4:-4] if shift else text[:-4]


DEEPEST = 3
"""Wrappings in wrappings that are unwrapped: Base64 of compressed Base64."""
_PACKED = re.compile(rb"\x78[\x01\x5e\x9c\xda]|\x1f\x8b\x08")
_HEX = re.compile(rb"[0-9a-fA-F]{20,}")
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{16,}")
_NOTHING = re.compile(rb"\0{64,}")
_ESCAPED = re.compile(rb"(?:\\+u00[0-9a-fA-F]{2}){4,}")


def unwrapped(content: bytes) -> Iterator[bytes]:
    """What is packed in some bytes: compressed, in hexadecimal, in Base64, as escapes of JSON."""
    for found in _PACKED.finditer(content):
        unpacking = zlib.decompressobj(wbits=47)  # of zlib and of gzip
        with contextlib.suppress(zlib.error):
            yield unpacking.decompress(content[found.start() : found.start() + 100_000], 1_000_000)
    for found in _HEX.finditer(content):
        for digits in (found[0], found[0][1:]):  # a digit may stand before it that is none of it
            yield binascii.unhexlify(digits[: len(digits) // 2 * 2])
    for found in _BASE64.finditer(content):
        coded = found[0].replace(b"-", b"+").replace(b"_", b"/")
        with contextlib.suppress(binascii.Error):
            yield binascii.a2b_base64(coded[: len(coded) // 4 * 4])
    for found in _ESCAPED.finditer(content):
        yield binascii.unhexlify(re.sub(rb"\\+u00", b"", found[0]))


def songs(canaries: Canaries, where: str, content: bytes, deep: int = 0) -> list[str]:
    """Which canaries are heard in some bytes, and in what is packed in them."""
    small = content.lower()
    sung: list[str] = []
    # a hundred megabytes, and hundreds of forms: for most of it, it is enough that what all have in them is not there
    for words in (canaries.marks(), canaries.words):
        sung = [f"{where}: {what}" for what, form in forms(words) if form in small]
        sung += [f"{where}: {what}" for what, form in coded(words) if form in content]
        if not sung:
            break
    if deep < DEEPEST:
        packed = b"\n".join(unwrapped(content))
        sung += songs(canaries, f"{where} (packed)", packed, deep + 1) if packed else []
    return sung


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """Everything that is logged, at the most talkative level."""
    written, before = io.StringIO(), structlog.get_config()
    yield written
    structlog.configure(**before)


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """All that the broker is given to store, before it encrypts its files: message id → subject, headers and body."""
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
    database_url: DatabaseUrl,
    logged: io.StringIO,
    published: dict[str, bytes],
) -> AsyncIterator[Network]:
    """The shipped network, logging all that it can."""
    async with provisioning(nats):
        network = Network(tmp_path, secrets, nats, database_url, extra={"log_level": "debug"})
        yield network
        await network.stop_all()


async def look(canaries: Canaries, client: Client, victim: str) -> None:
    """Somebody who may know looks; what they hear is kept."""
    answer = await client.http.get(f"/v1/victims/{victim}/identity", params={"purpose": "care"})
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    canaries.heard.append(answer.text)


async def all_that_can_be_told(network: Network, canaries: Canaries) -> list[str]:
    """Every way in which something about a person comes in, and every answer to who must not know."""
    police, kemenpppa, kemensos, kemenkes = [await network.start(code) for code in AGENCIES]
    coordination = await network.start("coordination")
    refusals: list[str] = []

    opened = {
        "unit": "polres-74.01",
        "channel": "spkt",
        "exploitation": "online-scam",
    }
    case = (await police.post("/v1/cases", opened, key=canaries.name("idempotency key"))).json()["id"]
    victim = await a_victim(police, identity=canaries.identity("first"))
    second = await a_victim(police)
    await police.post(f"/v1/victims/{second}/identity", canaries.identity("second"))
    await look(canaries, police, victim)

    transfer = await refer(police, victim, "kemenpppa", "case-management", kind="transfer", note=canaries.name("note"))
    await kemenpppa.until_status(transfer, "received")
    await kemenpppa.must(transfer, "accept", note=canaries.name("accept note"))
    await police.until_status(transfer, "accepted")
    await look(canaries, kemenpppa, victim)
    refused = await refer(kemenpppa, victim, "kemenkes", "examination-and-treatment")
    await kemenkes.until_status(refused, "received")
    await kemenkes.must(refused, "reject", reason="other", note=canaries.name("reject note"))
    treated = await refer(kemenpppa, victim, "kemenkes", "first-aid", priority="stat")
    await kemenkes.until_status(treated, "received")
    await kemenkes.must(treated, "accept")
    await look(canaries, kemenkes, victim)
    await kemenpppa.post(f"/v1/victims/{victim}/identity", {"name": canaries.name("corrected name")})
    await kemenpppa.must(treated, "provide-information", about="identity", note=canaries.name("information note"))
    await kemenkes.until(f"/v1/referrals/{treated}", lambda seen: seen["asks"] == 1)
    await look(canaries, kemenkes, victim)
    shelter = await refer(kemenpppa, victim, "kemensos", "shelter-and-rehabilitation", kind="transfer")
    await kemensos.until_status(shelter, "received")
    await kemensos.must(shelter, "accept")
    await look(canaries, kemensos, victim)
    canaries.heard.append(json.dumps(await kemenpppa.get(f"/v1/referrals/{treated}/notes", purpose="care")))
    refusals.append(json.dumps(await kemenpppa.get(f"/v1/referrals/{treated}/history")))

    found = await police.post("/v1/victim-search", {"field": "nik", "value": canaries.words["second nik"]})
    assert [item["id"] for item in found.json()["items"]] == [second]
    stranger = await network.calling("police", Role.OFFICER, "polres-11.01")
    urgent = {"reason": "child-at-risk", "minutes": 5, "note": canaries.name("break-glass note")}
    assert (await stranger.post(f"/v1/victims/{second}/break-glass", urgent)).status_code == 201
    await look(canaries, stranger, second)

    head = await network.calling("police", Role.SUPERVISOR)
    [glass] = (await head.get("/v1/break-glass"))["items"]
    reviewed = await head.post(f"/v1/break-glass/{glass['id']}/review", {"verdict": "justified"})
    refusals.append(reviewed.text)

    refusals += await every_move(network, canaries, second)
    refusals += await on_paper(network, canaries, second)
    for client in (police, kemenpppa, kemensos, kemenkes):
        refusals += await every_form(network, canaries, client)

    # many at once, of whom one cannot be read
    people = [{"age_class": "adult", "sex": "female", "identity": canaries.identity("fourth")},
              {"age_class": canaries.name("misread"), "sex": "female", "home_region": "99.99"}]  # fmt: skip
    table = f"nama,alamat,wilayah_asal\n{canaries.name('fifth')},{canaries.name('sixth')},74.01\n"
    csv = {"Content-Type": "text/csv", "Idempotency-Key": "tabel"}
    for batch in (
        await police.post(f"/v1/cases/{case}/batches", {"people": people}),
        await police.http.post(f"/v1/cases/{case}/batches.csv", content=table, headers=csv),
        await police.http.post(f"/v1/cases/{case}/batches.csv", content=table.replace("nama", "x"), headers=csv),
        await police.http.get(f"/v1/cases/{case}/batches"),
    ):
        refusals.append(batch.text)
        if batch.headers["content-type"] == "application/x-ndjson":
            lines = [json.loads(line) for line in batch.text.splitlines()]
            for taken_in in [line["victim_id"] for line in lines if line["kind"] == "person" and line["victim_id"]]:
                await look(canaries, police, taken_in)

    # the same person at two agencies
    known = {name: canaries.words[f"second {name}"] for name in ("name", "nik", "born_on")}
    known["phone"] = "+62" + canaries.words["second phone"]
    refusals += await known_again(network, second, known)

    # agreed, taken back, erased
    third = await a_victim(police, identity=canaries.identity("third"))
    agreed = await consent(police, third, fields=["name", "born_on", "phone"])
    agreeing = await refer(police, third, "kemenkes", "examination-and-treatment", basis="consent")
    await kemenkes.until_status(agreeing, "received")
    await kemenkes.must(agreeing, "accept")
    await look(canaries, police, third)
    await look(canaries, kemenkes, third)
    withdrawn = await police.post(f"/v1/victims/{third}/consents/withdrawal")
    assert await until_disclosure(police, third, agreeing, lambda item: item["end"] == "erased")
    erased = await head.post(f"/v1/victims/{third}/erasure")
    await agree(network, "police", third, erased.json()["erasure_id"])
    refusals += [json.dumps(agreed), withdrawn.text, erased.text]
    assert problem(await police.http.get(f"/v1/victims/{third}/identity", params={"purpose": "care"})) == "no-identity"

    # who must not know, and what is wrong: the answers must not repeat what was sent
    word = canaries.name("misplaced")
    for answer in (
        await stranger.http.get(f"/v1/victims/{victim}/identity", params={"purpose": word}),
        await police.post("/v1/cases", {**opened, "unit": word}),
        await police.post("/v1/cases", {**opened, word: word}),
        await police.post(f"/v1/cases/{case}/victims", {"age_class": word, "sex": "female", "identity": {"nik": word}}),
        await police.post(f"/v1/victims/{second}/identity", {"name": word + "\0", "born_on": word}),
        await police.post("/v1/victim-search", {"field": "nik", "value": word}),
        await police.post("/v1/referrals", asking(second, word, word), key=word),
        await police.http.get(f"/v1/victims/{word}"),
        await police.http.get("/v1/referrals", params={"cursor": word, "status": word}),
        await police.http.get(f"/{word}", headers={"X-Name": word, "User-Agent": word, "traceparent": word}),
        await police.http.post("/v1/cases", content=f'{{"note": "{word}'.encode(), headers={"Idempotency-Key": "1"}),
        await coordination.http.get(f"/journeys/{word}"),
        await coordination.http.post("/masuk", data={"token": word}),
        await coordination.http.get("/v1/journeys", params={"region": word}),
    ):
        refusals.append(answer.text + repr(answer.headers.multi_items()))
    assert problem(await kemenkes.http.get(f"/v1/victims/{second}/identity", params={"purpose": "care"}))
    await coordination.until(f"/v1/journeys/{victim}", lambda seen: len(seen["handovers"]) == 4)
    for path in ("/v1/journeys", f"/v1/journeys/{victim}", "/v1/counts"):
        refusals.append((await coordination.http.get(path)).text)
    refusals += [page async for page in pages(network, "/", f"/journeys/{victim}", f"/journeys/{third}")]
    for code in AGENCIES:
        operator = await network.operator(code)
        for path in ("/v1/parked", "/v1/links"):
            refusals.append((await operator.http.get(path)).text)
        auditor = await network.calling(code, Role.AUDITOR)
        refusals.append((await auditor.http.get("/v1/access-log")).text)
        refusals.append((await auditor.http.get(f"/v1/victims/{victim}/access-report")).text)
        refusals.append((await auditor.http.get(f"/v1/referrals/{treated}/history")).text)
    return refusals


async def known_again(network: Network, victim: str, known: dict[str, str]) -> list[str]:
    """KemenPPPA registers somebody whom the police have, and both say so; what the lists and the pages show of it."""
    police, kemenpppa = network["police"], network["kemenpppa"]
    units, agency = network.apps["kemenpppa"].state.office.units, network.members["kemenpppa"].agency
    desk = units.desk_for("kemenpppa", "74.01", network.clock().date()).id
    opened = {"unit": desk, "channel": next(iter(agency.channels)), "exploitation": "sexual"}
    case = (await kemenpppa.post("/v1/cases", opened)).json()["id"]
    person = {"age_class": "adult", "sex": "female", "identity": known}
    again = (await kemenpppa.post(f"/v1/cases/{case}/victims", person)).json()["id"]
    page = await police.until("/v1/matches", lambda page: any(item["other_id"] == again for item in page["items"]))
    [match] = [item for item in page["items"] if item["other_id"] == again]
    assert match["victim_id"] == victim and set(match["kinds"]) == {"nik", "phone", "name-and-birth"}
    shown = [json.dumps(page)]
    for side in (police, kemenpppa):
        await side.until("/v1/matches", lambda page: any(i["match_id"] == match["match_id"] for i in page["items"]))
        said = await side.post(f"/v1/matches/{match['match_id']}/decision", {"decision": "same-person"})
        assert said.status_code == 200, said.text
        shown.append(said.text)
    await police.until("/v1/matches?state=linked", lambda page: bool(page["items"]))
    shown += [json.dumps(await police.get(f"/v1/victims/{victim}")), json.dumps(await kemenpppa.get("/v1/matches"))]
    return shown + [page async for page in pages(network, f"/journeys/{victim}", f"/journeys/{again}")]


async def every_move(network: Network, canaries: Canaries, victim: str) -> list[str]:
    """Each move of a referral that takes a note, with one."""
    police, kemenkes = network["police"], network["kemenkes"]
    histories: list[str] = []
    courses: list[list[tuple[str, dict[str, Any]]]] = [
        [("start", {}), ("hold", {"reason": "awaiting-information"}), ("resume", {}),
         ("complete", {"outcome": "service-provided"})],
        [("start", {}), ("fail", {"reason": "other"})],
        [("start", {}), ("request-cancellation", {"reason": "not-needed"}), ("answer-cancellation", {"granted": True})],
    ]  # fmt: skip
    for moves in courses:
        referral = await refer(police, victim, "kemenkes", "first-aid")
        await kemenkes.until_status(referral, "received")
        await kemenkes.must(referral, "accept")
        for action, body in moves:
            mover = police if action == "request-cancellation" else kemenkes
            if mover is police:
                await police.until_status(referral, "in-progress")
            await mover.must(referral, action, note=canaries.name(f"{action} note {referral}"), **body)
            if mover is police:
                await kemenkes.until(f"/v1/referrals/{referral}", lambda seen: seen["cancellation_asked"])
        await police.until_status(referral, "completed", "failed", "cancelled")
        histories += [(await side.http.get(f"/v1/referrals/{referral}/history")).text for side in (police, kemenkes)]
        for side in (police, kemenkes):
            read = await side.http.get(f"/v1/referrals/{referral}/notes", params={"purpose": "care"})
            canaries.heard.append(read.text)
    return histories


async def paper_of(client: Client, canaries: Canaries, made: httpx.Response) -> list[str]:
    """Something printed: what stands on it is the answer to who may know; all else of the file must be silent."""
    assert made.status_code == 201, made.text
    answer = await client.http.get(f"/v1/letters/{made.json()['code']}/pdf", params={"purpose": "care"})
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    paper = PdfReader(io.BytesIO(answer.content))
    canaries.heard.append("".join("".join(page.extract_text().split()) for page in paper.pages))
    apart = [repr(paper.metadata), repr(paper.xmp_metadata), repr(paper.outline), repr(list(paper.attachments))]
    checked = await client.http.get(f"/v1/letters/{made.json()['code']}")
    return [made.text, checked.text, repr(answer.headers.multi_items()), *apart]


async def on_paper(network: Network, canaries: Canaries, victim: str) -> list[str]:
    """A letter and a slip, and the slip's answer with what stood on it."""
    police, kemenkes = network["police"], network["kemenkes"]
    referral = await refer(police, victim, "kemenkes", "examination-and-treatment")
    await kemenkes.until_status(referral, "received")
    told: list[str] = []
    for client, kind in ((police, "referral-letter"), (kemenkes, "reply-slip")):
        made = await client.post(f"/v1/referrals/{referral}/letters", {"kind": kind})
        told += await paper_of(client, canaries, made)
    assert (
        canaries.words["second name"] in canaries.heard[-2] and canaries.words["second name"] not in canaries.heard[-1]
    )
    slip = {"letter": made.json()["code"], "answer": "rejected", "reason": "other",
            "occurred_at": network.clock().isoformat(), "signed_by": canaries.name("signed by"),
            "note": canaries.name("slip note")}  # fmt: skip
    answered = await kemenkes.post(f"/v1/referrals/{referral}/paper-answer", slip)
    assert answered.status_code == 200, answered.text
    await police.until_status(referral, "rejected")
    read = await kemenkes.http.get(f"/v1/referrals/{referral}/notes", params={"purpose": "care"})
    canaries.heard.append(read.text)
    return [*told, answered.text, (await police.http.get(f"/v1/referrals/{referral}/history")).text]


FILLED: dict[str, dict[str, Any]] = {
    "screening": {"decision": "not-found"},
    "interview": {"reason": "Rekaan"},
    "shelter-beds": {"female_adult": 1},
}
"""What is answered in a form beside its example, so that it can be filed."""


async def every_form(network: Network, canaries: Canaries, client: Client) -> list[str]:
    """Each form that an agency files, with a word of its own in each field for words; and what the lists show of it."""
    agency, units = network.members[client.code].agency, network.apps[client.code].state.office.units
    desk = units.desk_for(client.code, "74.01", network.clock().date()).id
    opened = {"unit": desk, "channel": next(iter(agency.channels)), "exploitation": "forced-labour"}
    case = (await client.post("/v1/cases", opened)).json()["id"]
    person = {"age_class": "adult", "sex": "female"}
    victim = (await client.post(f"/v1/cases/{case}/victims", person)).json()["id"]
    subjects = {"case": f"cases/{case}", "victim": f"victims/{victim}", "desk": f"desks/{desk}"}
    filed: dict[str, str] = {}
    silent: list[str] = []
    for form in agency.forms:
        if form.about is About.REFERRAL and (form.of_service or "referral" not in subjects):
            subjects["referral"] = f"referrals/{await taken_on(network, client, form.of_service)}"
        [body] = body_of(form).model_json_schema()["examples"]
        body |= FILLED.get(form.code, {})
        for one in form.fields:
            match one.kind:
                case Words(most):
                    body[one.code] = canaries.name(f"{form.code} {one.code}")[:most]
                case Earlier(forms):
                    body[one.code] = next(filed[code] for code in filed if code in forms)
        answer = await client.post(f"/v1/{subjects[form.about]}/forms/{form.code}", body)
        assert answer.status_code == 201, (form.code, answer.text)
        filed[form.code] = answer.json()["id"]
        whole = await client.http.get(f"/v1/records/{filed[form.code]}", params={"purpose": "care"})
        canaries.heard.append(whole.text)
        if form.delivered:
            canaries.heard.append(await delivered(network["police"], answer.json()["victim_id"], answer.json()["id"]))
        if form.printed is not None:
            printed = await client.post(f"/v1/records/{filed[form.code]}/letters")
            silent += await paper_of(client, canaries, printed)
            assert canaries.words[f"{form.code} belongings"] in canaries.heard[-1]
    listed = [subject for kind, subject in subjects.items() if kind != "referral"]
    return [*silent, *[(await client.http.get(f"/v1/{subject}/records")).text for subject in listed]]


async def delivered(asker: Client, victim: str, record: str) -> str:
    """What whoever asked for it reads of a record, once it has arrived."""
    arrived = f"/v1/victims/{victim}/records"
    await asker.until(arrived, lambda page: any(one["id"] == record for one in page["items"]))
    return (await asker.http.get(f"/v1/records/{record}", params={"purpose": "investigation"})).text


async def taken_on(network: Network, client: Client, service: str | None) -> str:
    """A referral that the police have sent to an agency, and it has accepted."""
    police = network["police"]
    asked = service or network.members[client.code].agency.services[0].code
    referral = await refer(police, await a_victim(police), client.code, asked)
    await client.until_status(referral, "received")
    await client.must(referral, "accept")
    return referral


async def open_doors(network: Network) -> list[str]:
    """What every address without a name in it answers, to everybody."""
    answers: list[str] = []
    for code, app in network.apps.items():
        callers = [await network.calling(code, role) for role in Role]
        paths = [path for path, item in app.openapi()["paths"].items() if "get" in item and "{" not in path]
        assert "/health/ready" in paths
        for path in paths:
            answers += [(await caller.http.get(path)).text for caller in callers]
        answers += [(await callers[0].http.get(path)).text for path in ("/openapi.json", "/docs")]
    return answers


async def pages(network: Network, *paths: str) -> AsyncIterator[str]:
    """What the console shows to a coordinator who has signed in."""
    app = network.apps["coordination"]
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="https://coordination") as browser:
        token = signed(claims("coordination", Role.COORDINATOR, "pusat", network.clock()))
        own = {"Sec-Fetch-Site": "same-origin"}
        assert (await browser.post("/masuk", data={"token": token}, headers=own)).status_code == 303
        for path in paths:
            page = await browser.get(path)
            assert page.status_code == 200 and "<html" in page.text
            yield page.text


def backups(network: Network) -> Iterator[tuple[str, bytes]]:
    """A backup of every database, made while it runs, by the database's own means."""
    for code in network.apps:
        url = make_url(network.database_url(code))
        if url.get_backend_name() == "sqlite":
            copy = network.folder / f"{code}.backup"
            with contextlib.closing(sqlite3.connect(str(url.database))) as source:
                with contextlib.closing(sqlite3.connect(copy)) as target:
                    source.backup(target)
                yield f"dump of {code}", "\n".join(source.iterdump()).encode()
            continue
        plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(plain) as connection:
            tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
            connection.execute("CHECKPOINT")
            for (table,) in tables:
                with connection.cursor().copy(f'COPY "{table}" TO STDOUT') as rows:
                    yield f"dump of {code}.{table}", b"".join(bytes(block) for block in rows)


def data_folder(network: Network) -> Path | None:
    """Where the PostgreSQL server of the tests keeps everything, its write-ahead log too."""
    url = make_url(network.database_url("police"))
    if url.get_backend_name() == "sqlite":
        return None
    plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain) as connection:
        shown = connection.execute("SHOW data_directory").fetchone()
    assert shown is not None
    return Path(shown[0])


NUMBERS = ("/nik", "/passport", "/born_on", "/phone", "/value")


def texts_taken(app: Any) -> Iterator[tuple[str, str, str]]:
    """Each place in a request where a person may be told of in words or numbers: method, route, pointer."""
    document = app.openapi()

    def below(schema: dict[str, Any], at: str) -> Iterator[str]:
        if "$ref" in schema:
            schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        for one in schema.get("anyOf", ()):
            yield from below(one, at)
        for name, one in schema.get("properties", {}).items():
            yield from below(one, f"{at}/{name}")
        free = schema.get("pattern") in (None, PLAIN) and not {"enum", "const", "format"} & schema.keys()
        if schema.get("type") == "string" and (free or at.endswith(NUMBERS)):
            yield at

    for path, item in document["paths"].items():
        for method, operation in item.items():
            content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
            for at in below(content.get("schema", {}), ""):
                yield method.upper(), path, at


def planted(sent: list[tuple[str, str, bytes]], canaries: Canaries) -> set[tuple[str, str, str]]:
    """Where callers have told a canary: method, path, pointer."""

    def texts(value: Any, at: str = "") -> Iterator[str]:
        if isinstance(value, dict):
            for name, one in value.items():
                yield from texts(one, f"{at}/{name}")
        elif isinstance(value, str) and any(word in value for word in canaries.words.values()):
            yield at

    found = set()
    for method, path, body in sent:
        with contextlib.suppress(ValueError):
            found |= {(method, path, at) for at in texts(json.loads(body))}
    return found


def never_planted(network: Network, told: Iterable[tuple[str, str, str]]) -> list[tuple[str, str, str]]:
    """The places for a word of a person in which this run has said none."""
    taken = {place for code in AGENCIES for place in texts_taken(network.apps[code])}
    assert len(taken) > 25
    told = set(told)

    def is_told(place: tuple[str, str, str]) -> bool:
        method, route, at = place
        form = re.compile(re.sub(r"{[^}]*}", "[^/]+", route))
        return any((method, at) == (how, where) and form.fullmatch(path) for how, path, where in told)

    return sorted(place for place in taken if not is_told(place))


def processes() -> bytes:
    """The words and the environment that each process here was started with, where the system tells (Linux)."""
    seen = [repr(sys.argv).encode(), repr(dict(os.environ)).encode()]
    for file in (*Path("/proc").glob("[0-9]*/cmdline"), *Path("/proc").glob("[0-9]*/environ")):
        with contextlib.suppress(OSError):
            seen.append(file.read_bytes())
    return b"\n".join(seen)


CALLERS = ("httpx", "httpcore")
"""Libraries of callers: what they log is on the side of who asks."""


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
    heard = "\n".join(canaries.heard)
    misplaced = {"misplaced", "misread", "break-glass note", "second safe house", "idempotency key"}
    unheard = [what for what, word in canaries.words.items() if word not in heard and what not in misplaced]
    told_to_nobody = {"first safe house", "note", "accept note", "reject note", "first statement"}
    assert set(unheard) <= told_to_nobody | {w for w in unheard if w.startswith("second")}, unheard
    assert len(canaries.words) >= 35 and canaries.words["first name"] in heard

    sung: list[str] = []
    for number, refusal in enumerate(refusals):
        sung += songs(canaries, f"answer {number}", refusal.encode())
    for where, content in backups(talkative):
        sung += songs(canaries, where, content)
    searched = known = 0
    for folder in filter(None, (talkative.folder, data_folder(talkative))):
        for path in sorted(folder.rglob("*")):
            if path.is_file() and path.stat().st_mtime >= begun:  # the database server has served other tests too
                content = path.read_bytes()
                searched += len(content)
                known += b"polres-74.01" in content
                sung += songs(canaries, str(path.relative_to(folder)), _NOTHING.sub(b"\0", content))
    for message_id, message in published.items():
        sung += songs(canaries, f"message {message_id}", message)
    assert sum(b'"Estafet-Key"' in message for message in published.values()) >= 5
    sung += songs(canaries, "log", logged.getvalue().encode())
    by_libraries = [record for record in caplog.records if record.name.partition(".")[0] not in CALLERS]
    told = "\n".join(f"{record.getMessage()} {vars(record)}" for record in by_libraries)
    sung += songs(canaries, "log of libraries", told.encode()) + songs(canaries, "processes", processes())
    assert sung == []
    assert searched > 1_000_000 and known  # databases, their logs, the broker's files
    assert '"event": "http"' in logged.getvalue() and "asyncio" in told
    names = {path.name for path in talkative.folder.rglob("*")}
    assert any(name.endswith(".blk") for name in names)  # what the broker stores was among it


UNSEARCHED = {
    *("prometheus_client", "opentelemetry", "sentry_sdk", "statsd"),
    *("weasyprint", "reportlab", "pypdf", "docx", "openpyxl"),
    *("smtplib", "aiosmtplib", "boto3", "redis", "celery"),
}
"""Where words of a person could come to lie that the canary does not search: metrics, traces, PDFs of another kind,
mail, other stores. Who brings one of them in adds its place to ``test_no_byte_anywhere_tells_who_a_victim_is`` and
takes it off here."""


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
