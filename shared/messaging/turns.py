"""When a parked event has its turn: at its time, and after what arrived before it about the same referral.

Every reader has one order of arrival. So all of them take the first of two answers, whenever they read.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlmodel import Session, col

from shared.contracts.envelope import Envelope
from shared.domain.trust import AHEAD
from shared.messaging.parked import IN_TURN, Retry, reasons_tried
from shared.storage.tables import ParkedEvent


def parked_for(session: Session, when: Retry) -> list[tuple[Envelope, ParkedEvent]]:
    """The trusted parked events that wait for this kind of retry."""
    waiting = col(ParkedEvent.resolved_at).is_(None) & col(ParkedEvent.reason).in_(reasons_tried(when))
    rows = session.scalars(
        select(ParkedEvent).where(waiting, col(ParkedEvent.trusted)).order_by(col(ParkedEvent.number))
    )
    return [(Envelope.read(row.body), row) for row in rows]


def next_ahead(session: Session) -> datetime | None:
    """When the next event that waits for its time may be tried again (UTC); None if there is none."""
    return min((moment for moment, _, _ in _by_moment(session)), default=None)


def whose_time_has_come(session: Session, now: datetime) -> list[tuple[Envelope, ParkedEvent]]:
    """The parked events that may be tried again at ``now`` (UTC), in the order of their arrival."""
    return [(envelope, row) for moment, envelope, row in _by_moment(session) if moment <= now]


def _by_moment(session: Session) -> list[tuple[datetime, Envelope, ParkedEvent]]:
    """The events that wait for their time, each with its moment: not before the moments of those it stands behind."""
    found, latest = [], dict[tuple[str | None, str], datetime]()
    for envelope, row in parked_for(session, Retry.WHEN_TIME_COMES):
        queue, moment = (row.referral_id, envelope.link), envelope.time - AHEAD
        if row.reason in IN_TURN and row.referral_id is not None:
            moment = latest[queue] = max(moment, latest.get(queue, moment))
        found.append((moment, envelope, row))
    return found


def is_before(other: ParkedEvent, envelope: Envelope, row: ParkedEvent | None) -> bool:
    """Whether another event of the referral arrived earlier on the same link, and still waits for its turn.

    ``row``: the event's own parked row, where it has one.
    """
    if other.reason not in IN_TURN or other.referral_id != envelope.referral_id:
        return False
    earlier = row is None or (other.number or 0) < (row.number or 0)
    return earlier and Envelope.read(other.body).link == envelope.link


def by_version(waiting: Sequence[ParkedEvent]) -> list[tuple[Envelope, ParkedEvent]]:
    """What waits for an event, in the order in which it may apply. Of one version, what arrived first."""
    pairs = [(Envelope.read(row.body), row) for row in waiting if row.reason not in IN_TURN]
    return sorted(pairs, key=lambda pair: pair[0].version or 0)
