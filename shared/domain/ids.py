"""The kinds of ids. An id that names a thing of one kind never names a thing of another kind."""

from collections.abc import Mapping
from enum import StrEnum

from shared.contracts import events as e
from shared.contracts.events import EventData


class IdKind(StrEnum):
    """The kind of thing that an id names."""

    VICTIM = "victim"
    CASE = "case"
    REFERRAL = "referral"
    RECORD = "record"
    CONSENT = "consent"
    ERASURE = "erasure"
    BREAK_GLASS = "break-glass"
    BATCH = "batch"


BROUGHT: Mapping[type[EventData], Mapping[str, IdKind]] = {
    e.Requested: {
        "referral_id": IdKind.REFERRAL,
        "victim_id": IdKind.VICTIM,
        "case_id": IdKind.CASE,
        "consent_id": IdKind.CONSENT,
    },
    e.RecordDelivered: {"record_id": IdKind.RECORD},
    e.ConsentWithdrawn: {"consent_id": IdKind.CONSENT},
    e.ErasureRequested: {"erasure_id": IdKind.ERASURE},
    e.BreakGlassOpened: {"break_glass_id": IdKind.BREAK_GLASS},
}
"""Event → its fields with an id that may be new to the receiver. Other events name rows that must be here already."""


def brought_by(event: EventData) -> dict[str, IdKind]:
    """Id → its kind, of the ids that an event may bring to its receiver."""
    named = {getattr(event, field): kind for field, kind in BROUGHT.get(type(event), {}).items()}
    return {ident: kind for ident, kind in named.items() if ident is not None}


def names_two_kinds(event: EventData) -> bool:
    """Whether an event uses one id for two things."""
    fields = BROUGHT.get(type(event), {})
    ids = [ident for field in fields if (ident := getattr(event, field)) is not None]
    return len(ids) != len(set(ids))


def keyed(kind: IdKind, ident: str) -> str:
    """The text that binds keys and sealed text to their subject: its kind and its id."""
    return f"{kind}:{ident}"


def id_in(subject: str) -> str:
    """The id in a text that ``keyed`` made."""
    return subject.partition(":")[2]
