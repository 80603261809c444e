"""Which roles may call which operation of coordination, and which journeys exist for a caller.

A province sees the part of a journey in which its own desks stood (``shared.domain.anonymity.Part``).
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, or_, select, true
from sqlmodel import col

from services.coordination.tables import AlarmRow, CustodyRow, JourneyRow
from shared.domain.access import ANYBODY, MAY_SEE_IDENTITY, OPERATIONS, AccessRule, Role, Sight, Target
from shared.storage.tables import ReferralRow

FOLLOWERS = frozenset({Role.COORDINATOR, Role.AUDITOR})

RULES: Mapping[str, AccessRule] = {
    **OPERATIONS,
    "list_journeys": AccessRule(FOLLOWERS, Target.MANY),
    "see_journey": AccessRule(FOLLOWERS, Target.JOURNEY),
    "see_custody": AccessRule(FOLLOWERS, Target.JOURNEY),
    "see_counts": AccessRule(FOLLOWERS, Target.MANY),
    "list_norm_gaps": AccessRule(FOLLOWERS, Target.MANY),
    "list_match_alarms": AccessRule(FOLLOWERS, Target.MANY),
    "list_page": AccessRule(FOLLOWERS, Target.MANY),
    "journey_page": AccessRule(FOLLOWERS, Target.JOURNEY),
    "sign_in_page": ANYBODY,
    "sign_in": ANYBODY,
    "sign_out": ANYBODY,
}
"""Every operation of coordination → the roles that may call it."""


def journeys_seen(sight: Sight) -> ColumnElement[bool]:
    """SQL condition: the caller sees a part of the journey. A desk in the caller's regions stood in it."""
    if sight.regions is None:
        return true()
    held = select(col(CustodyRow.seq)).where(col(CustodyRow.victim_id) == col(JourneyRow.victim_id), links_seen(sight))
    return or_(_within(sight, JourneyRow.custody_region), held.exists(), _handover(handovers_seen(sight)))


def journeys_whole(sight: Sight) -> ColumnElement[bool]:
    """SQL condition: the caller follows the journey. A desk in the caller's regions has custody, or is at work."""
    if sight.regions is None:
        return true()
    at_work = col(ReferralRow.status).in_(sorted(MAY_SEE_IDENTITY)) & _within(sight, ReferralRow.receiver_region)
    return or_(_within(sight, JourneyRow.custody_region), _handover(at_work))


def handovers_seen(sight: Sight) -> ColumnElement[bool]:
    """SQL condition: the hand-over is from or to a desk in the caller's regions."""
    return or_(_within(sight, ReferralRow.sender_region), _within(sight, ReferralRow.receiver_region))


def alarms_seen(sight: Sight) -> ColumnElement[bool]:
    """SQL condition: a desk in the caller's regions keeps the clock."""
    return _within(sight, AlarmRow.region)


def links_seen(sight: Sight) -> ColumnElement[bool]:
    """SQL condition: the link of the custody chain is of a desk in the caller's regions."""
    return _within(sight, CustodyRow.region)


def _handover(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    of_journey = col(ReferralRow.victim_id) == col(JourneyRow.victim_id)
    return select(col(ReferralRow.id)).where(of_journey, condition).exists()


def _within(sight: Sight, column: Any) -> ColumnElement[bool]:
    return true() if sight.regions is None else col(column).in_(sorted(sight.regions))
