"""Break-glass: reading an identity in an emergency without the ordinary right. It opens at once, and is seen.

It lasts an hour at most and ends by itself, with nobody logged in. An event tells the agency responsible for the
victim; a desk of our own agency finds it in its list. A second person of another desk reviews it within 24 hours.
Without a review in time, an event tells every agency that was told of it.
"""

import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import sha256

from sqlalchemy import ColumnElement, select
from sqlmodel import Session, col

from shared.contracts import events as e
from shared.contracts.codes import BreakGlassEnd
from shared.domain.break_glass import MOST_UNJUDGED, BreakGlass
from shared.domain.refusal import Refused
from shared.reference.acting import Acting
from shared.reference.office import Office, new_id
from shared.storage.unit_of_work import Transaction
from shared.victims.break_glass import security_log
from shared.victims.break_glass.store import is_overdue, load_break_glass
from shared.victims.break_glass.telling import tell_other_side
from shared.victims.identity.tables import BreakGlassRow
from shared.victims.register.store import holder_of, lock_victim
from shared.victims.sealed import notes as sealed_notes


def open_it(acting: Acting, victim_id: str, command: BreakGlass, most_an_hour: int) -> BreakGlassRow:
    """Open a break-glass for the caller, and tell the agency responsible for the victim.

    Raises Refused: ``unknown-victim``, ``already-open``, ``reviews-pending``, ``review-overdue``,
    ``too-many-requests`` or ``unknown-unit``.
    """
    tx, office = acting.tx, acting.office
    owner = holder_of(lock_victim(tx.session, None, victim_id))
    _refuse_another(acting, victim_id, most_an_hour)
    until = tx.now + timedelta(minutes=command.minutes)
    unit = office.our_unit(acting.caller.unit, tx.now.date())
    row = BreakGlassRow(
        id=new_id(),
        victim_id=victim_id,
        agency=office.code,
        unit=unit.unit,
        region=unit.region,
        client=acting.caller.client,
        person=acting.caller.person,
        opener=acting.caller.counts_as,
        owner_agency=owner.agency if owner else None,
        owner_unit=owner.unit if owner else None,
        reason=command.reason,
        opened_at=tx.now,
        until=until,
    )
    tx.session.add(row)
    if command.note:
        sealed_notes.keep_note(tx, office, victim_id, row.id, command.note)
    opened = e.BreakGlassOpened(
        break_glass_id=row.id, victim_id=victim_id, unit=unit, reason=command.reason, until=until, occurred_at=tx.now
    )
    tell_other_side(tx, office, row, opened)
    security_log.break_glass_opened(acting, row)
    return row


def _refuse_another(acting: Acting, victim_id: str, most_an_hour: int) -> None:
    """Refuse a break-glass beside an open one of the same person, at any victim and client.

    Otherwise one person could read many identities at once, and an hour could be extended at will. Those without a
    review block a new one too, because looks that nobody judges are a search.
    """
    now, hour_ago = acting.tx.now, acting.tx.now - timedelta(hours=1)
    recent = col(BreakGlassRow.verdict).is_(None) | (col(BreakGlassRow.opened_at) > hour_ago)
    theirs = select(BreakGlassRow).where(col(BreakGlassRow.opener) == acting.caller.counts_as, recent)
    rows = acting.tx.session.scalars(theirs.order_by(col(BreakGlassRow.number)).with_for_update()).all()
    for row in rows:
        if row.ended_at is None and row.until <= now:  # the timer is late
            _expire(acting.tx, acting.office, row)
    acting.tx.session.flush()  # before the new row: only one may be open
    for row in rows:
        if row.ended_at is None:
            raise Refused("already-open", look=row.id)
        if row.victim_id == victim_id and is_overdue(row, now):
            raise Refused("review-overdue", look=row.id)
    if sum(row.verdict is None for row in rows) >= MOST_UNJUDGED:
        raise Refused("reviews-pending", most=str(MOST_UNJUDGED))
    within = [row.opened_at for row in rows if row.opened_at > hour_ago]
    if len(within) >= most_an_hour:
        raise Refused("too-many-requests", seconds=str(math.ceil((within[-most_an_hour] - hour_ago).total_seconds())))


def end_it(acting: Acting, glass_id: str) -> BreakGlassRow:
    """End a break-glass early. Only the person that opened it may. Raises Refused("unknown-break-glass")."""
    caller = acting.caller
    row = load_break_glass(acting.tx.session, glass_id)
    if row is None or row.opener != caller.counts_as:
        raise Refused("unknown-break-glass")
    if row.ended_at is None:
        _end(acting.tx, acting.office, row, BreakGlassEnd.CLOSED)
        security_log.break_glass_ended(acting.tx, caller, row)
    return row


def end_due(tx: Transaction, office: Office) -> int:
    """End every break-glass whose time is over. Returns the number ended."""
    over = _still_open(office.code) & (col(BreakGlassRow.until) <= tx.now)
    rows = tx.session.scalars(select(BreakGlassRow).where(over).with_for_update()).all()
    for row in rows:
        _expire(tx, office, row)
    return len(rows)


def next_end(session: Session, agency: str) -> datetime | None:
    """The moment (UTC) at which the next break-glass of our agency ends by itself, or None."""
    found: datetime | None = session.scalars(
        select(col(BreakGlassRow.until)).where(_still_open(agency)).order_by(col(BreakGlassRow.until)).limit(1)
    ).first()
    return found


def etag(rows: Sequence[BreakGlassRow]) -> str:
    """The entity tag of a list of break-glasses."""
    stands = "".join(f"{row.id}{row.looks}{row.end}{row.overdue_at}{row.verdict}" for row in rows)
    return f'"{sha256(stands.encode()).hexdigest()[:32]}"'


def _still_open(agency: str) -> ColumnElement[bool]:
    return (col(BreakGlassRow.agency) == agency) & col(BreakGlassRow.ended_at).is_(None)


def _expire(tx: Transaction, office: Office, row: BreakGlassRow) -> None:
    _end(tx, office, row, BreakGlassEnd.EXPIRED)
    security_log.break_glass_ended(tx, None, row)


def _end(tx: Transaction, office: Office, row: BreakGlassRow, end: BreakGlassEnd) -> None:
    row.end, row.ended_at = end, tx.now
    ended = e.BreakGlassEnded(
        break_glass_id=row.id, victim_id=row.victim_id, end=end, looks=row.looks, occurred_at=tx.now
    )
    tell_other_side(tx, office, row, ended)
