"""An integrator's own subscriber follows a province. It knows NATS, CloudEvents, JSON Schema and Ed25519, and no line
of Estafet: what it believes, it has checked against what is published.

``tests.network`` plays the agencies; nothing that reads imports the project.
"""

import asyncio
import base64
import hashlib
import json
import re
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import nats
import pytest
from cloudevents.core.base import BaseCloudEvent
from cloudevents.core.bindings.http import HTTPMessage, from_http_event
from cloudevents.core.exceptions import CloudEventValidationError
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from jsonschema import Draft202012Validator, FormatChecker  # type: ignore[import-untyped]
from jsonschema.exceptions import ValidationError  # type: ignore[import-untyped]
from nats.js import JetStreamContext

from tests.support.network import Client, Network, a_victim, problem, refer

# --- the subscriber ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Message:
    """A message as it came."""

    subject: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def event(self) -> BaseCloudEvent:
        """What the CloudEvents SDK makes of it. The SDK has no NATS binding; its HTTP one reads headers and body."""
        return from_http_event(HTTPMessage(dict(self.headers), self.body))

    @property
    def data(self) -> dict[str, Any]:
        data = self.event.get_data()
        assert isinstance(data, dict)
        return data

    @property
    def tokens(self) -> list[str]:
        """The words of the subject: tppo, from, to, entity, event and the two of the region."""
        return self.subject.split(".")


@dataclass(frozen=True)
class Subscriber:
    """A reader of the stream, bound to the durable consumer that was made for it."""

    mail: JetStreamContext.PullSubscription

    async def read(self, until: Callable[[list[Message]], bool]) -> list[Message]:
        """Everything, in the order of the stream, until it is enough."""
        read: list[Message] = []
        async with asyncio.timeout(20):
            while not until(read):
                for message in await self.mail.fetch(1, timeout=20):
                    read.append(Message(message.subject, message.headers or {}, message.data))
                    await message.ack()
        return read

    async def waiting(self) -> int:
        """How many messages it could still read."""
        return (await self.mail.consumer_info()).num_pending or 0


@asynccontextmanager
async def subscribed(network: Network, name: str) -> AsyncIterator[Subscriber]:
    """As the README shows it: a certificate, an nkey seed, an inbox of its own, a durable pull consumer."""
    connection = await nats.connect(
        network.nats.url,
        tls=network.nats.tls(name).context(),
        tls_handshake_first=True,
        nkeys_seed=str(network.secrets / name / "nats.seed"),
        inbox_prefix=f"_INBOX.{name}",
        allow_reconnect=False,
    )
    try:
        yield Subscriber(await connection.jetstream().pull_subscribe_bind(durable=name, stream="TPPO"))
    finally:
        await connection.close()


Keys = Mapping[str, Mapping[str, str]]
"""Key id → JWK (RFC 8037)."""


async def published_keys(service: Client) -> Keys:
    """The public keys of the network, a JWK set, as every service gives them out."""
    return {jwk["kid"]: jwk for jwk in (await service.get("/v1/keys"))["keys"]}


def signer(message: Message, keys: Keys) -> str:
    """The agency whose key has signed exactly these bytes. Raises InvalidSignature, KeyError without a known key."""
    key_id, _, signature = message.headers["Estafet-Signature"].partition(";")
    raw = base64.urlsafe_b64decode(keys[key_id]["x"] + "=")
    Ed25519PublicKey.from_public_bytes(raw).verify(base64.b64decode(signature, validate=True), message.body)
    return keys[key_id]["agency"]


def is_date_time(value: object) -> bool:
    """Whether a text is a moment of RFC 3339. Raises ValueError for a day that does not exist."""
    if not isinstance(value, str):
        return True
    written = re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", value)
    return written is not None and datetime.fromisoformat(value).tzinfo is not None


FORMATS = FormatChecker(formats=())
"""Knows what this file teaches it: without an optional package jsonschema lets every ``date-time`` pass in silence."""
FORMATS.checks("date-time", raises=ValueError)(is_date_time)


def formats_in(schema: Any) -> Iterator[str]:
    """Every ``format`` that a schema asks for, at any depth."""
    if isinstance(schema, dict):
        if isinstance(schema.get("format"), str):
            yield schema["format"]
        schema = list(schema.values())
    if isinstance(schema, list):
        for part in schema:
            yield from formats_in(part)


async def published_schemas(service: Client) -> dict[str, Draft202012Validator]:
    """Event type → the validator of its schema, all fetched over HTTP."""
    found = {}
    for event_type in (await service.get("/v1/schemas"))["items"]:
        schema = await service.get(f"/v1/schemas/{event_type}")
        Draft202012Validator.check_schema(schema)
        assert set(formats_in(schema)) <= set(FORMATS.checkers)
        found[event_type] = Draft202012Validator(schema, format_checker=FORMATS)
    return found


# --- a journey that has nearly every event ------------------------------------------------------------------------

IDENTITY = {
    "name": "Kanari Tujuhef Tigaa",
    "nik": "7401990011223344",
    "born_on": "2003-09-27",
    "phone": "+6281299001122",
    "address": "Jalan Kanari Gang Tujuh Nomor 73",
}
NOTE = "Ibunya, Kanari Ketigaa, menunggu kabar"
CANARIES = [*IDENTITY.values(), NOTE, "Kanari"]
KOLAKA, MAKASSAR = "polres-74.01", "polres-73.71"
OF_ITS_OWN_STORIES = {"consent", "erasure", "disclosure", "break-glass", "clock", "match"}
"""What ``test_trust``, ``test_break_glass``, ``test_clocks`` and ``test_matches`` play, and this journey does not."""
OF_A_HOSPITAL = {"id.tppo.record.delivered.v1", "id.tppo.desk.described.v1"}
"""What ``test_visum`` and ``test_capacity`` play; no hospital takes part in this journey."""
OF_THE_NATION = {"id.tppo.link.witnessed.v1", "id.tppo.keys.published.v1", "id.tppo.tokens.told.v1"}
"""Coordination's word about a link, and about keys, and what it is told to know somebody again: between desks of the
nation, so that no province reads it."""


async def answered(asker: Client, answerer: Client, victim: str, service: str, *actions: tuple[str, Any]) -> str:
    """A referral that its receiver answers, step by step, until the sender knows the last answer."""
    referral = await refer(asker, victim, answerer.code, service, note=NOTE)
    await answerer.until_status(referral, "received")
    for action, body in actions:
        done = await answerer.must(referral, action, **body, note=NOTE)
    if actions:
        await asker.until_status(referral, done["status"])
    return referral


async def written_down(police: Client, victim: str) -> None:
    """A police report, and an interview of the victim by an officer who was trained for it."""
    case = (await police.get(f"/v1/victims/{victim}"))["case_id"]
    report = {"lp_number": "LP/Kanari/7", "reported_by": "victim", "region": "74.01", "place": "port"}
    desk = f"desks/{KOLAKA}"
    ids: dict[str, str] = {}
    for about, form, fields in (
        (f"cases/{case}", "police-report", report),
        (desk, "officer", {"name": "Kanari Penyidik", "nrp": "7401990011"}),
        (desk, "officer-training", {"module": "victim-centred", "valid_until": "2099-12-31"}),
        (f"victims/{victim}", "interview", {"companion": "lawyer", "recorded": True, "statement": NOTE}),
    ):
        named = {"officer": ids["officer"]} if form in ("officer-training", "interview") else {}
        filed = await police.post(f"/v1/{about}/forms/{form}", {**fields, **named})
        assert filed.status_code == 201, filed.text
        ids[form] = filed.json()["id"]


async def a_journey(police: Client, kemenpppa: Client) -> str:
    """From a case in Kolaka to its end, with everything that can be asked, answered, refused and taken back."""
    victim = await a_victim(police, KOLAKA, identity=IDENTITY)
    await police.post(f"/v1/victims/{victim}/stages", {"stage": "identification"})
    await written_down(police, victim)

    room = {"service": "case-management", "capacity": "capacity"}
    announced = await kemenpppa.post("/v1/desks/uptd-ppa-74.01/capacity", room)
    assert announced.status_code == 201, announced.text

    transfer = await refer(police, victim, "kemenpppa", "case-management", kind="transfer", note=NOTE)
    await kemenpppa.until_status(transfer, "received")
    letter = await police.post(f"/v1/referrals/{transfer}/letters", {"kind": "referral-letter"})
    assert letter.status_code == 201, letter.text
    await police.must(transfer, "provide-information", about="family", note=NOTE)
    await police.must(transfer, "remind")
    for action, body in (("accept", {}), ("start", {}), ("hold", {"reason": "awaiting-information"}), ("resume", {})):
        await kemenpppa.must(transfer, action, **body, note=NOTE)
    await police.until(f"/v1/referrals/{transfer}", lambda seen: seen["version"] == 6)
    await police.must(transfer, "request-cancellation", reason="sent-in-error", note=NOTE)
    await police.until(f"/v1/referrals/{transfer}", lambda seen: seen["version"] == 7)  # refused: custody has moved
    await kemenpppa.must(transfer, "complete", outcome="service-provided", note=NOTE)

    await answered(kemenpppa, police, victim, "investigation", ("reject", {"reason": "no-capacity"}))
    steps: list[tuple[str, Any]] = [("accept", {}), ("start", {}), ("fail", {"reason": "cannot-locate"})]
    await answered(kemenpppa, police, victim, "investigation", *steps)
    taken_back = await answered(kemenpppa, police, victim, "temporary-protection")
    await kemenpppa.must(taken_back, "request-cancellation", reason="not-needed", note=NOTE)
    await kemenpppa.until_status(taken_back, "cancelled")

    closed = await kemenpppa.post(f"/v1/victims/{victim}/closure", {"outcome": "reintegrated"})
    assert closed.status_code == 201, closed.text
    return victim


def is_over(read: Sequence[Message]) -> bool:
    """Whether the journey is closed, and every event for an agency that runs has its receipt."""
    types = {message.event.get_type() for message in read}
    owed = {m.event.get_id() for m in read if m.tokens[2] in ("police", "kemenpppa") and m.tokens[3] != "receipt"}
    given = {message.data["event_id"] for message in read if message.tokens[3] == "receipt"}
    return "id.tppo.journey.closed.v1" in types and owed <= given


# --- what must hold for every message ------------------------------------------------------------------------------

REQUIRED = {"specversion", "id", "source", "type"}
OPTIONAL = {"subject", "time", "datacontenttype", "dataschema"}
EXTENSIONS = {"partitionkey", "sequence", "traceparent", "link", "linkseq", "causationid", "basis", "region"}
ASKS = {"cancellation-requested", "information-provided", "reminder"}
"""What the sender of a referral asks, and what makes no version of it."""


def is_a_cloudevent(message: Message) -> None:
    """The CloudEvents SDK takes it, and its attributes say what DESIGN section 4 says they do."""
    event, data = message.event, message.data
    stated = event.get_attributes()
    assert REQUIRED | OPTIONAL <= set(stated) <= REQUIRED | OPTIONAL | EXTENSIONS
    assert message.headers["Content-Type"] == "application/cloudevents+json"
    assert message.headers["Nats-Msg-Id"] == event.get_id()
    assert len(message.body) <= 64 * 1024
    assert UUID(event.get_id()).version == 7
    assert event.get_datacontenttype() == "application/json"
    assert event.get_time().utcoffset() == timedelta()  # type: ignore[union-attr]
    assert re.fullmatch(r"....-..-..T..:..:..\.\d{6}Z", json.loads(message.body)["time"])
    assert event.get_extension("partitionkey") == data.get("victim_id", event.get_extension("partitionkey"))
    if message.tokens[3] == "receipt":
        assert event.get_extension("causationid") == event.get_subject() == data["event_id"]
        assert event.get_extension("linkseq") is None
    else:
        assert event.get_extension("linkseq") >= 1
        assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}", event.get_extension("traceparent"))
    if message.tokens[3] == "referral":
        assert event.get_subject() == data["referral_id"]
        assert event.get_extension("partitionkey") == data["victim_id"]
        assert re.fullmatch(r"[0-9]{10}", event.get_extension("sequence"))
        assert event.get_extension("basis") == "vital-interest"


def travelled_under_its_own_name(message: Message, keys: Keys) -> None:
    """Signature, link, source and subject name one sender; link and subject one receiver; and so on."""
    root, sender, receiver, entity, name, *region = message.tokens
    event = message.event
    assert signer(message, keys) == sender
    assert event.get_source().startswith(f"/agencies/{sender}/units/")
    assert event.get_extension("link") == f"{sender}>{receiver}"
    assert (root, event.get_type()) == ("tppo", f"id.tppo.{entity}.{name}.v1")
    assert event.get_extension("region") == ".".join(region)


def is_as_published(message: Message, schemas: Mapping[str, Draft202012Validator]) -> None:
    """The schema fetched under its type is the one that it names, and the whole event fits it."""
    validator = schemas[message.event.get_type()]
    assert validator.schema["$id"] == message.event.get_dataschema()
    validator.validate(json.loads(message.body))


def names_nobody(message: Message) -> None:
    """No part of an identity or a note is anywhere in it."""
    whole = b"\n".join([message.subject.encode(), repr(message.headers).encode(), message.body]).lower()
    assert [canary for canary in CANARIES if canary.lower().encode() in whole] == []


# --- what must hold for all of them together --------------------------------------------------------------------


def links_have_no_gap(stream: Sequence[Message]) -> None:
    numbers: dict[str, list[int]] = defaultdict(list)
    for message in stream:
        if message.tokens[3] != "receipt":
            numbers[message.event.get_extension("link")].append(message.event.get_extension("linkseq"))
    assert numbers == {link: list(range(1, len(seen) + 1)) for link, seen in numbers.items()}


def versions_follow_each_other(stream: Sequence[Message]) -> None:
    versions: dict[str, list[int]] = defaultdict(list)
    for message in stream:
        if message.tokens[3] == "referral" and message.tokens[4] not in ASKS:
            versions[message.data["referral_id"]].append(int(message.event.get_extension("sequence")))
    assert versions == {referral: list(range(1, len(seen) + 1)) for referral, seen in versions.items()}


def receipts_prove_what_they_say(stream: Sequence[Message]) -> None:
    """Each event for an agency that runs has one receipt: from its receiver, over its very bytes."""
    sent = {message.event.get_id(): message for message in stream if message.tokens[3] != "receipt"}
    receipts = [message for message in stream if message.tokens[3] == "receipt"]
    owed = [id_ for id_, message in sent.items() if message.tokens[2] in ("police", "kemenpppa")]
    assert sorted(receipt.data["event_id"] for receipt in receipts) == sorted(owed)
    for receipt in receipts:
        event = sent[receipt.data["event_id"]]
        assert receipt.tokens[1:3] == [event.tokens[2], event.tokens[1]]
        assert receipt.data["sha256"] == hashlib.sha256(event.body).hexdigest()
        assert receipt.data["linkseq"] == event.event.get_extension("linkseq")
        assert receipt.data["outcome"] == "applied"


# --- the stories ------------------------------------------------------------------------------------------------


async def test_a_province_follows_itself_and_believes_only_what_it_has_checked(network: Network) -> None:
    """Southeast Sulawesi (74) follows itself, while victims are handed over in South Sulawesi (73) too."""
    police, kemenpppa = await network.start("police"), await network.start("kemenpppa")
    schemas, keys = await published_schemas(police), await published_keys(police)
    next_door = await a_victim(police, MAKASSAR, home_region="74.01", identity=IDENTITY)
    await answered(police, kemenpppa, next_door, "case-management", ("accept", {}))
    victim = await a_journey(police, kemenpppa)
    # the police do know who is in their care, and no more who is in the care of others
    shown = await police.get(f"/v1/victims/{next_door}/identity", purpose="family-tracing")
    assert {name: value for name, value in shown.items() if value is not None} == IDENTITY
    handed_over = await police.http.get(f"/v1/victims/{victim}/identity", params={"purpose": "family-tracing"})
    assert problem(handed_over) == "no-identity"

    async with subscribed(network, "province-74") as province:
        read = await province.read(is_over)
        assert await province.waiting() == 0
    # coordination does not run here: in its place we read all that was sent, to see what the province was not
    async with subscribed(network, "coordination") as everything:
        stream = await everything.read(is_over)

    elsewhere = [message for message in stream if message.tokens[5] != "74"]
    # by what somebody may be known again is told to coordination, and in no province
    of_nowhere = {".".join(message.tokens[3:5]) for message in elsewhere if message.tokens[5] == "00"}
    assert of_nowhere == {"tokens.told"}
    assert {message.tokens[5] for message in elsewhere} == {"73", "00"} and len(elsewhere) >= 7
    assert read == [message for message in stream if message not in elsewhere]
    played = {name for name in schemas if name.split(".")[2] not in OF_ITS_OWN_STORIES}
    played -= OF_THE_NATION | OF_A_HOSPITAL
    assert {message.event.get_type() for message in read} == played
    for message in read:
        assert next_door.encode() not in message.body
    for message in stream:
        is_a_cloudevent(message)
        travelled_under_its_own_name(message, keys)
        is_as_published(message, schemas)
        names_nobody(message)
    links_have_no_gap(stream)
    versions_follow_each_other(stream)
    receipts_prove_what_they_say(stream)


async def test_what_was_tampered_with_is_not_believed(network: Network) -> None:
    """The checks above can fail."""
    police = await network.start("police")
    schemas, keys = await published_schemas(police), await published_keys(police)
    await a_victim(police, KOLAKA, identity=IDENTITY)
    async with subscribed(network, "province-74") as province:
        _, real = await province.read(lambda read: len(read) == 2)
    assert signer(real, keys) == "police"
    is_as_published(real, schemas)

    signature, event = real.headers["Estafet-Signature"], json.loads(real.body)
    in_anothers_name = {**real.headers, "Estafet-Signature": signature.replace("police-1", "kemenkes-1")}
    for tampered in (
        replace(real, body=real.body.replace(b"female", b"male")),
        replace(real, body=real.body + b" "),
        replace(real, body=json.dumps(event).encode()),  # the same JSON in other bytes
        replace(real, headers=in_anothers_name),
    ):
        assert tampered != real
        with pytest.raises(InvalidSignature):
            signer(tampered, keys)

    data = event["data"]
    for wrong in (
        {"data": {**data, "facts": {"age_class": "grown", "sex": "female"}}},
        {"data": {**data, "occurred_at": "2026-02-30T00:00:00Z"}},
        {"data": {name: value for name, value in data.items() if name != "custody"}},
        {"id": "7"},
        {"linkseq": "4"},
        {"region": "Kolaka"},
    ):
        with pytest.raises(ValidationError):
            is_as_published(replace(real, body=json.dumps({**event, **wrong}).encode()), schemas)
    for no_cloudevent in ({"specversion": "0.9"}, {"time": "2026-11-23"}, {"source": None}, {"link-seq": 4}):
        with pytest.raises((CloudEventValidationError, ValueError)):
            is_a_cloudevent(replace(real, body=json.dumps({**event, **no_cloudevent}).encode()))
    with pytest.raises(AssertionError, match="Kanari"):
        names_nobody(replace(real, body=json.dumps({**event, "name": IDENTITY["name"]}).encode()))
