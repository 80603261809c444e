"""Which roles may call which operation of coordination, and which journeys exist for a caller.

A province sees the journeys in which a desk of its own takes part.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, or_, select, true
from sqlmodel import col

from services.coordination.tables import JourneyRow
from shared.domain.access import ANYBODY, OPERATIONS, AccessRule, Role, Sight, Target
from shared.storage.tables import ReferralRow

FOLLOWERS = frozenset({Role.COORDINATOR, Role.AUDITOR})

RULES: Mapping[str, AccessRule] = {
    **OPERATIONS,
    "list_journeys": AccessRule(FOLLOWERS, Target.MANY),
    "see_journey": AccessRule(FOLLOWERS, Target.JOURNEY),
    "see_custody": AccessRule(FOLLOWERS, Target.JOURNEY),
    "see_counts": AccessRule(FOLLOWERS, Target.MANY),
    "list_norm_gaps": AccessRule(FOLLOWERS, Target.MANY),
    "list_page": AccessRule(FOLLOWERS, Target.MANY),
    "journey_page": AccessRule(FOLLOWERS, Target.JOURNEY),
    "sign_in_page": ANYBODY,
    "sign_in": ANYBODY,
    "sign_out": ANYBODY,
}
"""Every operation of coordination → the roles that may call it."""


def journeys_seen(sight: Sight) -> ColumnElement[bool]:
    """SQL condition: a desk in the caller's regions has custody, or is sender or receiver of a hand-over."""
    if sight.regions is None:
        return true()
    here = select(col(ReferralRow.id)).where(
        col(ReferralRow.victim_id) == col(JourneyRow.victim_id), handovers_seen(sight)
    )
    return or_(_within(sight, JourneyRow.custody_region), here.exists())


def handovers_seen(sight: Sight) -> ColumnElement[bool]:
    """SQL condition: the hand-over is from or to a desk in the caller's regions."""
    return or_(_within(sight, ReferralRow.sender_region), _within(sight, ReferralRow.receiver_region))


def _within(sight: Sight, column: Any) -> ColumnElement[bool]:
    return true() if sight.regions is None else col(column).in_(sorted(sight.regions))
