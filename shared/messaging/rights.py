"""A member's rights at the broker and the broker's durability: as the broker reports them, and as they should be."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.contracts.senders import MemberKind, sent_by_kind
from shared.contracts.subjects import published_by

STREAM = "TPPO"
WHO_AM_I = "$SYS.REQ.USER.INFO"
"""On this subject a NATS server reports a user's own rights to that user."""
HOW_IT_WRITES = "$SYS.REQ.SERVER.PING.JSZ"
"""On this subject the server reports its configuration. Only the provisioner may ask: other questions reveal more."""
WRITES = "estafet.sync-interval"
"""Metadata field of each consumer. Here the provisioner writes the server's answer, for the member to read."""
OLDEST = (2, 15, 1)
"""The first version of nats-server that keeps ``sync_interval: always`` as a single server (DESIGN section 8)."""


@dataclass(frozen=True, slots=True)
class BrokerRights:
    """The account that a member logs in to, and the subjects that the member may publish and subscribe."""

    account: str
    publish: frozenset[str]
    subscribe: frozenset[str]

    @classmethod
    def told(cls, answer: Mapping[str, Any]) -> "BrokerRights":
        """Read the rights from the server's answer. What the answer does not limit is allowed.

        Raises KeyError for an answer of another form.
        """
        told = answer["data"]
        permissions = told.get("permissions") or {}
        may = {verb: (permissions.get(verb) or {}).get("allow") or [">"] for verb in ("publish", "subscribe")}
        return cls(told["account"], frozenset(may["publish"]), frozenset(may["subscribe"]))

    def beyond(self, most: "BrokerRights") -> list[str]:
        """The rights that exceed ``most``, in words. Subjects are compared as text, without wildcards.

        So even a narrower subject exceeds ``most``, unless ``most`` lists that very subject.
        """
        more = [f"publish {subject}" for subject in sorted(self.publish - most.publish)]
        more += [f"subscribe {subject}" for subject in sorted(self.subscribe - most.subscribe)]
        return more if self.account == most.account else [f"account {self.account}", *more]


@dataclass(frozen=True, slots=True)
class Durability:
    """The durability of a broker: its version, and its ``sync_interval`` as reported to the provisioner."""

    version: tuple[int, int, int]
    sync_interval: str | None

    def faults(self) -> list[str]:
        """The faults by which the broker may lose acknowledged messages, in words of its configuration."""
        old = f"nats-server {'.'.join(map(str, self.version))} < {'.'.join(map(str, OLDEST))}"
        sync = f"sync_interval: {self.sync_interval or '?'}"
        return [old] * (self.version < OLDEST) + [sync] * (self.sync_interval != "always")


def most_rights(member: str, kind: MemberKind) -> BrokerRights:
    """The rights that a member needs: publish what its kind sends, read its own messages, read its own rights."""
    publish = (
        *published_by(member, sent_by_kind(kind)),
        f"$JS.API.CONSUMER.MSG.NEXT.{STREAM}.{member}",
        f"$JS.API.CONSUMER.INFO.{STREAM}.{member}",
        f"$JS.ACK.{STREAM}.{member}.>",
        f"$JS.ACK._.*.{STREAM}.{member}.>",
        WHO_AM_I,
    )
    return BrokerRights(member, frozenset(publish), frozenset({f"_INBOX.{member}.>"}))
