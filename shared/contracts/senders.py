"""Which kind of member may send an event type at all. The rights at the broker are made from this table.

An event type of the catalogue that stands in no set here is for agencies alone.
"""

from enum import StrEnum

from shared.contracts import events as e
from shared.contracts.events import CATALOGUE, EventData


class MemberKind(StrEnum):
    """A kind of member that sends events."""

    AGENCY = "agency"
    COORDINATOR = "coordinator"


OF_THE_COORDINATOR: frozenset[type[EventData]] = frozenset(
    {e.CustodyChecked, e.MatchProposed, e.MatchWithdrawn, e.LinkWitnessed, e.KeysPublished}
)
"""Event types that the coordinator alone sends."""

OF_BOTH: frozenset[type[EventData]] = frozenset(
    {
        e.ReceiptRecorded,
        # the coordinator passes these on to the custody holder
        *(e.BreakGlassOpened, e.BreakGlassEnded, e.BreakGlassReviewed, e.BreakGlassReviewOverdue),
    }
)
"""Event types that agencies and the coordinator send."""


def sent_by_kind(kind: MemberKind) -> tuple[type[EventData], ...]:
    """The event types that a member of this kind may send, in the order of the catalogue."""
    if kind is MemberKind.COORDINATOR:
        return tuple(event for event in CATALOGUE.values() if event in OF_THE_COORDINATOR | OF_BOTH)
    return tuple(event for event in CATALOGUE.values() if event not in OF_THE_COORDINATOR)
