"""NATS subjects: ``tppo.<from>.<to>.<entity>.<event>.<region>`` (DESIGN section 4)."""

from collections.abc import Callable, Container, Iterable

from shared.contracts.events import CATALOGUE, EventData

ROOT = "tppo"
UNDECLARED = "?"
"""Stands for a part of a subject that is no declared word."""
_WORDS = frozenset((event.entity, event.event) for event in CATALOGUE.values())


def region_parts(region: str) -> str:
    """The region as exactly two parts of a subject; a province (``74``) becomes ``74.00``.

    A province follows itself with ``tppo.*.*.*.*.74.>``. That filter needs a part after the 74. Without it,
    the province would miss the events of its own provincial desks.
    """
    return region if "." in region else f"{region}.00"


def subject(sender: str, receiver: str, event: type[EventData], region: str) -> str:
    """The subject under which ``sender`` publishes an event of this class for ``receiver`` (an agency, or ``all``)."""
    return f"{ROOT}.{sender}.{receiver}.{event.entity}.{event.event}.{region_parts(region)}"


def declared_words(
    subject: str, senders: Container[str], receivers: Container[str], is_region: Callable[[str], bool]
) -> str:
    """A subject with only declared words: members, event types of the catalogue, regions. ``?`` for anything else.

    The words of a subject are the sender's to choose, so a name or a number may stand there.
    """
    parts = subject.split(".")
    whole = len(parts) == 7
    root, sender, receiver, entity, event, province, regency = parts if whole else [*parts[:3], *[""] * 7][:7]
    known = is_region(f"{province}.{regency}") or (regency == "00" and is_region(province))
    declared = (
        sender if root == ROOT and sender in senders else UNDECLARED,
        receiver if root == ROOT and receiver in receivers else UNDECLARED,
        *((entity, event) if (entity, event) in _WORDS else (UNDECLARED, UNDECLARED)),
        *((province, regency) if known else (UNDECLARED, UNDECLARED)),
    )
    return ".".join((ROOT, *declared))


def published_by(sender: str, events: Iterable[type[EventData]]) -> list[str]:
    """The subjects under which a member may publish these event types, for any receiver and region."""
    return [f"{ROOT}.{sender}.*.{event.entity}.{event.event}.*.*" for event in events]


def addressed_to(member: str, everyone: str = "all") -> list[str]:
    """The subject filters of one agency: events for that agency, and events for all."""
    return [f"{ROOT}.*.{member}.>", f"{ROOT}.*.{everyone}.>"]


def in_province(province: str) -> str:
    """The subject filter with which a province follows itself."""
    return f"{ROOT}.*.*.*.*.{province}.>"


EVERYTHING = f"{ROOT}.>"
"""The subject filter of the stream: every event."""


def sent_by(members: Iterable[str]) -> list[str]:
    """The subject filters for all events of these members. Coordination reads the other members with them."""
    return [f"{ROOT}.{member}.>" for member in members]
