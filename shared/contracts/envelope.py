"""The envelope: one CloudEvents 1.0 object in structured JSON mode, signed over its exact bytes.

The signature covers the bytes as sent, so an envelope is never serialised again. ``write`` builds the bytes once,
``Envelope.read`` parses them once.
"""

import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shared.contracts import strict_json
from shared.contracts.events import CATALOGUE, EventData
from shared.contracts.subjects import ROOT, region_parts
from shared.contracts.types import UUID7, Code, Count, Id, Link, Moment, Region, rfc3339

CONTENT_TYPE = "application/cloudevents+json"
MAX_BODY = 64 * 1024
"""The largest body, in bytes."""
SCHEMA_PREFIX = "urn:estafet:schema:"

_SOURCE = r"^/agencies/[a-z][a-z0-9-]{0,30}/units/[a-z][a-z0-9.-]{0,47}$"
_TRACEPARENT = r"^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$"
_MOST = 2**63 - 1
"""The largest integer that a database column stores (signed, 64 bits)."""


class Unreadable(ValueError):
    """The bytes are no event of this wire format. ``reason`` is a code and never repeats a part of the body."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Envelope(BaseModel):
    """The attributes of one event. ``data`` is plain JSON; ``content`` reads it as the class of a known type."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    specversion: Literal["1.0"]
    id: Id
    source: str = Field(pattern=_SOURCE)
    type: str = Field(pattern=r"^id\.tppo\.[a-z]+(-[a-z]+)*\.[a-z]+(-[a-z]+)*\.v[0-9]{1,3}$", max_length=120)
    subject: str = Field(max_length=120)
    time: Moment
    datacontenttype: Literal["application/json"]
    dataschema: str = Field(max_length=200)
    partitionkey: Id | None = None
    sequence: str | None = Field(default=None, pattern=r"^[0-9]{10}$")
    traceparent: str | None = Field(default=None, pattern=_TRACEPARENT)
    link: Link
    linkseq: Count | None = Field(default=None, ge=1, le=_MOST)
    causationid: Id | None = None
    basis: Code | None = None
    region: Region
    data: dict[str, Any]

    @property
    def sender(self) -> str:
        """The sending agency, as ``link`` names it. The signature must be of the same agency."""
        return self.link.partition(">")[0]

    @property
    def receiver(self) -> str:
        """The receiving agency, as ``link`` names it, or ``all``."""
        return self.link.partition(">")[2]

    @property
    def referral_id(self) -> str | None:
        """The id of the event's referral, or None for other events. Also known for types not in the catalogue."""
        return self.subject if self.type.startswith("id.tppo.referral.") else None

    @property
    def version(self) -> int | None:
        """The version of the referral that this event creates; for an ask, the version that the sender knew."""
        return None if self.sequence is None else int(self.sequence)

    @property
    def nats_subject(self) -> str:
        """The NATS subject under which this event must have travelled."""
        _, _, entity, event, _ = self.type.split(".")
        return f"{ROOT}.{self.sender}.{self.receiver}.{entity}.{event}.{region_parts(self.region)}"

    def content(self) -> EventData | None:
        """The data as its class, or None if the type is not in the catalogue.

        Raises Unreadable: ``data-of-another-shape``, ``subject-is-not-the-data`` or ``partitionkey-is-not-the-data``.
        """
        kind = CATALOGUE.get(self.type)
        if kind is None:
            return None
        try:
            data = kind.model_validate(self.data)
        except ValidationError as error:
            raise Unreadable("data-of-another-shape") from error
        if data.subject != self.subject:
            raise Unreadable("subject-is-not-the-data")
        if getattr(data, "victim_id", self.partitionkey) != self.partitionkey:
            raise Unreadable("partitionkey-is-not-the-data")
        return data

    @classmethod
    def read(cls, body: bytes) -> Self:
        """Parse the bytes of a body. Raises Unreadable; the error never repeats a part of the body."""
        if len(body) > MAX_BODY:
            raise Unreadable("body-too-large")
        try:
            strict_json.check(body)
        except strict_json.NotStrict as error:
            raise Unreadable(error.reason) from error
        try:
            envelope = cls.model_validate_json(body)
        except ValidationError as error:
            raise Unreadable("not-an-envelope") from error
        if not envelope.source.startswith(f"/agencies/{envelope.sender}/"):
            raise Unreadable("source-is-not-the-sender")
        if envelope.referral_id is not None and not re.fullmatch(UUID7, envelope.referral_id):
            raise Unreadable("subject-is-not-an-id")
        return envelope


@dataclass(frozen=True, slots=True)
class Draft:
    """An event that is decided but not yet numbered and signed.

    ``unit`` and ``region`` name the desk of the sender. ``sequence`` is the referral's version.
    """

    id: str
    data: EventData
    receiver: str
    unit: str
    region: str
    victim_id: str | None = None
    sequence: int | None = None
    causation_id: str | None = None
    basis: str | None = None
    traceparent: str | None = None
    key: str | None = None
    """A wrapped data key. It travels in a header beside the event, outside the signed body."""


def write(draft: Draft, sender: str, linkseq: int | None, time: datetime) -> bytes:
    """The exact bytes of an event, with ``time`` in UTC.

    Raises Unreadable("body-too-large") above MAX_BODY bytes, because every receiver refuses such a body.
    """
    event_type = draft.data.type()
    attributes = {
        "specversion": "1.0",
        "id": draft.id,
        "source": f"/agencies/{sender}/units/{draft.unit}",
        "type": event_type,
        "subject": draft.data.subject,
        "time": rfc3339(time),
        "datacontenttype": "application/json",
        "dataschema": SCHEMA_PREFIX + event_type,
        "partitionkey": draft.victim_id,
        # the CloudEvents sequence extension wants text that sorts in the order of the numbers
        "sequence": None if draft.sequence is None else f"{draft.sequence:010d}",
        "traceparent": draft.traceparent,
        "link": f"{sender}>{draft.receiver}",
        "linkseq": linkseq,
        "causationid": draft.causation_id,
        "basis": draft.basis,
        "region": draft.region,
        "data": draft.data.model_dump(mode="json", exclude_none=True),
    }
    stated = {name: value for name, value in attributes.items() if value is not None}
    body = json.dumps(stated, ensure_ascii=False, separators=(",", ":")).encode()
    if len(body) > MAX_BODY:
        raise Unreadable("body-too-large")
    return body
