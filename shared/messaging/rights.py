"""What a member may do at the broker and how safely the broker writes, as it tells itself; and what both should be."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

STREAM = "TPPO"
WHO_AM_I = "$SYS.REQ.USER.INFO"
"""A NATS server answers here what the asking user may do."""
HOW_IT_WRITES = "$SYS.REQ.SERVER.PING.JSZ"
"""It answers here how it is configured. Only the provisioner may ask, for it answers more than that if asked to."""
WRITES = "estafet.sync-interval"
"""Where the provisioner has written down the answer: in the metadata of each consumer, which its member may look at."""
OLDEST = (2, 15, 1)
"""The first version that holds to ``sync_interval: always`` as a single server (DESIGN section 8)."""


@dataclass(frozen=True, slots=True)
class BrokerRights:
    """The account a member logs in to, and the subjects it may publish and subscribe."""

    account: str
    publish: frozenset[str]
    subscribe: frozenset[str]

    @classmethod
    def told(cls, answer: Mapping[str, Any]) -> "BrokerRights":
        """From the server's answer. What it does not limit is allowed. Raises KeyError for another answer."""
        told = answer["data"]
        permissions = told.get("permissions") or {}
        may = {verb: (permissions.get(verb) or {}).get("allow") or [">"] for verb in ("publish", "subscribe")}
        return cls(told["account"], frozenset(may["publish"]), frozenset(may["subscribe"]))

    def beyond(self, most: "BrokerRights") -> list[str]:
        """What goes beyond that. A subject counts by its letters: even a narrower one that is not listed is more."""
        more = [f"publish {subject}" for subject in sorted(self.publish - most.publish)]
        more += [f"subscribe {subject}" for subject in sorted(self.subscribe - most.subscribe)]
        return more if self.account == most.account else [f"account {self.account}", *more]


@dataclass(frozen=True, slots=True)
class Durability:
    """How safely a broker writes: its version, and its ``sync_interval`` as the provisioner was told."""

    version: tuple[int, int, int]
    sync_interval: str | None

    def faults(self) -> list[str]:
        """By what it may lose messages that it has acknowledged, in words of its configuration."""
        old = f"nats-server {'.'.join(map(str, self.version))} < {'.'.join(map(str, OLDEST))}"
        sync = f"sync_interval: {self.sync_interval or '?'}"
        return [old] * (self.version < OLDEST) + [sync] * (self.sync_interval != "always")


def most_rights(member: str) -> BrokerRights:
    """What an agency needs: to speak in its own name, to take its own mail, to look at itself."""
    publish = (
        f"tppo.{member}.>",
        f"$JS.API.CONSUMER.MSG.NEXT.{STREAM}.{member}",
        f"$JS.API.CONSUMER.INFO.{STREAM}.{member}",
        f"$JS.ACK.{STREAM}.{member}.>",
        f"$JS.ACK._.*.{STREAM}.{member}.>",
        WHO_AM_I,
    )
    return BrokerRights(member, frozenset(publish), frozenset({f"_INBOX.{member}.>"}))
