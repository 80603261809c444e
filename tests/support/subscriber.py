"""An integrator's own subscriber. It knows NATS, CloudEvents, JSON Schema and Ed25519, and no line of the project."""

import asyncio
import base64
import hashlib
import json
import re
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import nats
from cloudevents.core.base import BaseCloudEvent
from cloudevents.core.bindings.http import HTTPMessage, from_http_event
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from jsonschema import Draft202012Validator, FormatChecker  # type: ignore[import-untyped]
from nats.js import JetStreamContext

from tests.support.network import Client, Network

# --- the subscriber ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Message:
    """A message as it came."""

    subject: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def event(self) -> BaseCloudEvent:
        """The event of the CloudEvents SDK. The SDK has no NATS binding; its HTTP one reads headers and body."""
        return from_http_event(HTTPMessage(dict(self.headers), self.body))

    @property
    def data(self) -> dict[str, Any]:
        data = self.event.get_data()
        assert isinstance(data, dict)
        return data

    @property
    def parts(self) -> list[str]:
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
        """Number of messages that this subscriber could still read."""
        return (await self.mail.consumer_info()).num_pending or 0


@asynccontextmanager
async def subscribed(network: Network, name: str) -> AsyncIterator[Subscriber]:
    """A connection as in the README: a certificate, an nkey seed, its own inbox, a durable pull consumer."""
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


# --- a journey that has nearly every event ----------------------------------------------------------------------------


IDENTITY = {
    "name": "Kanari Tujuhef Tigaa",
    "nik": "7401990011223344",
    "born_on": "2003-09-27",
    "phone": "+6281299001122",
    "address": "Jalan Kanari Gang Tujuh Nomor 73",
}
NOTE = "Ibunya, Kanari Ketigaa, menunggu kabar"
CANARIES = [*IDENTITY.values(), NOTE, "Kanari"]


# --- what must hold for every message ---------------------------------------------------------------------------------


REQUIRED = {"specversion", "id", "source", "type"}
OPTIONAL = {"subject", "time", "datacontenttype", "dataschema"}
EXTENSIONS = {"partitionkey", "sequence", "traceparent", "link", "linkseq", "causationid", "basis", "region"}
ASKS = {"cancellation-requested", "information-provided", "reminder"}
"""Asks of the sender of a referral, which make no version of the referral."""


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
    if message.parts[3] == "receipt":
        assert event.get_extension("causationid") == event.get_subject() == data["event_id"]
        assert event.get_extension("linkseq") is None
    else:
        assert event.get_extension("linkseq") >= 1
        assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}", event.get_extension("traceparent"))
    if message.parts[3] == "referral":
        assert event.get_subject() == data["referral_id"]
        assert event.get_extension("partitionkey") == data["victim_id"]
        assert re.fullmatch(r"[0-9]{10}", event.get_extension("sequence"))
        assert event.get_extension("basis") in ("vital-interest", "public-task")


def travelled_under_its_own_name(message: Message, keys: Keys) -> None:
    """Signature, link, source and subject name one sender; link and subject one receiver; and so on."""
    root, sender, receiver, entity, name, *region = message.parts
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


# --- what must hold for all of them together --------------------------------------------------------------------------


def links_have_no_gap(stream: Sequence[Message]) -> None:
    numbers: dict[str, list[int]] = defaultdict(list)
    for message in stream:
        if message.parts[3] != "receipt":
            numbers[message.event.get_extension("link")].append(message.event.get_extension("linkseq"))
    assert numbers == {link: list(range(1, len(seen) + 1)) for link, seen in numbers.items()}


def versions_follow_each_other(stream: Sequence[Message]) -> None:
    versions: dict[str, list[int]] = defaultdict(list)
    for message in stream:
        if message.parts[3] == "referral" and message.parts[4] not in ASKS:
            versions[message.data["referral_id"]].append(int(message.event.get_extension("sequence")))
    assert versions == {referral: list(range(1, len(seen) + 1)) for referral, seen in versions.items()}


def receipts_prove_what_they_say(stream: Sequence[Message]) -> None:
    """Each event for an agency that runs has one receipt: from its receiver, over its very bytes."""
    sent = {message.event.get_id(): message for message in stream if message.parts[3] != "receipt"}
    receipts = [message for message in stream if message.parts[3] == "receipt"]
    owed = [id_ for id_, message in sent.items() if message.parts[2] in ("police", "kemenpppa")]
    assert sorted(receipt.data["event_id"] for receipt in receipts) == sorted(owed)
    for receipt in receipts:
        event = sent[receipt.data["event_id"]]
        assert receipt.parts[1:3] == [event.parts[2], event.parts[1]]
        assert receipt.data["sha256"] == hashlib.sha256(event.body).hexdigest()
        assert receipt.data["linkseq"] == event.event.get_extension("linkseq")
        assert receipt.data["outcome"] == "applied"
