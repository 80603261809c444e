"""What the page shows people as an alarm: contradictions between members, and closed journeys that are open again.

A contradiction is a trusted event that waits unapplied, because it claims what another member holds (``parked``).
"""

from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select
from sqlmodel import Session, col

from services.coordination.read_models import ContradictionView
from services.coordination.tables import JourneyRow
from shared.domain.anonymity import day_of
from shared.messaging.parked import ALARMS
from shared.storage.tables import LedgerEntry, ParkedEvent

REOPENED = col(JourneyRow.reopened_at).is_not(None) & col(JourneyRow.closed_at).is_(None)
"""SQL condition: the journey was closed and is open again."""


def is_alarmed() -> ColumnElement[bool]:
    """SQL condition: the journey has an open contradiction, or is open again. For who follows it whole alone."""
    return col(JourneyRow.victim_id).in_(_open(col(LedgerEntry.victim_id))) | REOPENED


def contradicted(session: Session, victims: Collection[str]) -> set[str]:
    """The victims among these about whom there is an open contradiction."""
    victim = col(LedgerEntry.victim_id)
    return set(session.scalars(_open(victim).where(victim.in_(sorted(victims))).distinct()))


def contradictions_of(session: Session, victim_id: str) -> list[ContradictionView]:
    """The open contradictions about a victim, one for each sender, reason and type, in the order of their arrival.

    So a member that repeats itself hides no other.
    """
    alike = col(ParkedEvent.reason), col(ParkedEvent.sender), col(LedgerEntry.type)
    about = _open(*alike, func.count(), func.max(col(ParkedEvent.parked_at)))
    grouped = about.where(col(LedgerEntry.victim_id) == victim_id).group_by(*alike)
    return [
        ContradictionView(reason=reason, sender=sender, type=said, times=times, day=day_of(latest))
        for reason, sender, said, times, latest in session.execute(grouped.order_by(func.min(col(ParkedEvent.number))))
    ]


def _open(*columns: Any) -> Select[Any]:
    """Columns of the open contradictions. The ledger knows the victim of a parked event."""
    of_parked = col(ParkedEvent.event_id) == col(LedgerEntry.event_id)
    trusted, waiting = col(ParkedEvent.trusted).is_(True), col(ParkedEvent.resolved_at).is_(None)
    alarm = col(ParkedEvent.reason).in_(ALARMS)
    return select(*columns).select_from(LedgerEntry).join(ParkedEvent, of_parked).where(trusted, waiting, alarm)
