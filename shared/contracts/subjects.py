"""NATS subjects: ``tppo.<from>.<to>.<entity>.<event>.<region>`` (DESIGN section 4)."""

from collections.abc import Iterable

from shared.contracts.events import EventData

ROOT = "tppo"


def region_tokens(region: str) -> str:
    """The region as subject tokens, always two of them.

    A province (``74``) becomes ``74.00``: ``tppo.*.*.*.*.74.>`` needs a token to stand after the 74, and a
    province that follows itself must not miss its own desks.
    """
    return region if "." in region else f"{region}.00"


def subject(sender: str, receiver: str, event: type[EventData], region: str) -> str:
    """The subject under which an event of this class travels."""
    return f"{ROOT}.{sender}.{receiver}.{event.entity}.{event.event}.{region_tokens(region)}"


def addressed_to(member: str, everyone: str = "all") -> list[str]:
    """What one agency reads: its own mail and what is meant for all."""
    return [f"{ROOT}.*.{member}.>", f"{ROOT}.*.{everyone}.>"]


def in_province(province: str) -> str:
    """What a province reads to follow itself."""
    return f"{ROOT}.*.*.*.*.{province}.>"


EVERYTHING = f"{ROOT}.>"
"""What the stream holds."""


def sent_by(members: Iterable[str]) -> list[str]:
    """Whatever these members say to anybody: what coordination reads of all the others."""
    return [f"{ROOT}.{member}.>" for member in members]
