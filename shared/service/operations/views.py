"""HTTP answers to an operator: parked events, links, schemas, keys, problems and health."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel

from shared.contracts.types import Id, Moment
from shared.storage.tables import ParkedEvent


class ParkedView(BaseModel):
    """A parked event (tertahan): received but not applied. An untrusted event is listed but cannot be replayed.

    ``sender``: the member that sent it, by its signature or by its account at the broker; ``?`` if neither tells.
    """

    number: int
    reason: str
    trusted: bool
    sender: str
    size: int
    event_id: Id | None
    referral_id: str | None
    subject: str
    sha256: str
    parked_at: Moment
    resolved_at: Moment | None
    told_at: Moment | None
    """When the security log told that this event waits too long, or that its sender has too many."""


def parked_view(row: ParkedEvent) -> ParkedView:
    """The view of a parked event, without its body."""
    return ParkedView.model_validate(row, from_attributes=True)


class UnkeptView(BaseModel):
    """The untrusted messages of a sender that were only counted, because too many of that sender are kept."""

    sender: str
    messages: int
    bytes: int
    first_at: Moment
    last_at: Moment


class ParkedPage(BaseModel):
    """One page of parked events, newest first. Send ``next`` as ``cursor`` for the following page.

    ``unkept``: the senders of so many untrusted messages that some of them were only counted.
    """

    items: list[ParkedView]
    next: str | None
    unkept: list[UnkeptView]


class LinkView(BaseModel):
    """The state of a link between two members.

    Sent: the last number, and how many events are not published or not receipted yet. Received: the number up to which
    all events arrived, and the missing numbers after it.
    """

    link: str
    direction: Literal["sent", "received"]
    last: int
    unpublished: int = 0
    unconfirmed: int = 0
    witnessed: int | None = None
    through: int | None = None
    missing: list[int] = []


class LinkList(BaseModel):
    """Every link of this member."""

    items: list[LinkView]


class SchemaList(BaseModel):
    """Every event type of this network."""

    items: list[str]


class PublicKey(BaseModel):
    """A public key as a JWK (RFC 8037). ``agency`` is the member that owns it.

    A message that is received after ``revoked_at``, or more than 30 days after ``retired_at``, is not proven by this
    key.
    """

    kid: str
    agency: str
    kty: str
    crv: str
    use: str
    x: str
    valid_from: datetime | None = None
    retired_at: datetime | None = None
    revoked_at: datetime | None = None
    revoked_because: str | None = None


class PublicKeys(BaseModel):
    """A JWK set (RFC 7517) with the public keys of every member."""

    keys: list[PublicKey]


class ProblemKind(BaseModel):
    """One kind of problem, with its title and remedy in Indonesian and English."""

    type: str
    status: int
    title: str
    title_en: str
    remedy: str
    remedy_en: str


class ProblemList(BaseModel):
    """Every kind of problem."""

    items: list[ProblemKind]


class Health(BaseModel):
    """Whether the service works. It works without the broker too: it registers, decides and refers.

    ``broker``: ``none``, ``connected``, ``disconnected``, or ``refusing``: its stream is full and every event waits.
    """

    status: str
    member: str
    broker: str
