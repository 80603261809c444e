"""Break-glass: reading an identity in an emergency without the ordinary right. It opens at once, and is seen.

It lasts an hour at most and ends by itself, with nobody logged in. An event tells the agency responsible for the
victim; a desk of our own agency finds it in its list. A second person reviews it within 24 hours. Without a review
in time, an event tells every agency that was told of it.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import sha256

from sqlalchemy import ColumnElement, select
from sqlmodel import Session, col

from shared.contracts import events as e
from shared.contracts.codes import BreakGlassEnd
from shared.contracts.types import UnitRef
from shared.domain import commands as c
from shared.domain.access import Caller, Sight
from shared.domain.refusal import Refused
from shared.service import identities, sealed, security_log
from shared.service.deadlines import Deadline
from shared.service.notes import NOTED
from shared.service.office import Office, draft, new_id
from shared.service.reception import Park
from shared.storage import referrals
from shared.storage.database import Transaction
from shared.storage.privacy_tables import BreakGlassRow
from shared.storage.victims import holder_of, load_victim, lock_victim

REVIEW_WITHIN = timedelta(hours=24)
WATCHED = "break-glass"
"""Wake-up topic: a break-glass opened, changed or ended."""


def deadlines(office: Office) -> Sequence[Deadline]:
    """The timers of break-glass: the end at its moment, and the overdue review."""
    return (
        Deadline(WATCHED, lambda session: next_end(session, office.code), lambda tx: end_due(tx, office)),
        Deadline(WATCHED, lambda session: next_overdue(session, office.code), lambda tx: tell_overdue(tx, office)),
    )


def open_it(tx: Transaction, office: Office, caller: Caller, victim_id: str, command: c.BreakGlass) -> BreakGlassRow:
    """Open a break-glass for the caller, and tell the agency responsible for the victim.

    Raises Refused: ``unknown-victim``, ``already-open``, ``review-overdue`` or ``unknown-unit``.
    """
    owner = holder_of(lock_victim(tx.session, None, victim_id))
    _refuse_another(tx, office, caller, victim_id)
    until = tx.now + timedelta(minutes=command.minutes)
    unit = office.our_unit(caller.unit, tx.now.date())
    row = BreakGlassRow(
        id=new_id(),
        victim_id=victim_id,
        agency=office.code,
        unit=unit.unit,
        region=unit.region,
        client=caller.client,
        person=caller.person,
        owner_agency=owner.agency if owner else None,
        owner_unit=owner.unit if owner else None,
        reason=command.reason,
        opened_at=tx.now,
        until=until,
    )
    tx.session.add(row)
    if command.note:
        sealed.keep_note(tx, office, victim_id, row.id, command.note)
    opened = e.BreakGlassOpened(
        break_glass_id=row.id, victim_id=victim_id, unit=unit, reason=command.reason, until=until, occurred_at=tx.now
    )
    _tell(tx, office, row, opened)
    security_log.break_glass_opened(tx, caller, row)
    return row


def _refuse_another(tx: Transaction, office: Office, caller: Caller, victim_id: str) -> None:
    """Refuse a second break-glass of the same person at the same victim.

    Otherwise an hour could be extended at will. A break-glass whose review is overdue blocks a new one too.
    """
    theirs = select(BreakGlassRow).where(
        col(BreakGlassRow.victim_id) == victim_id,
        col(BreakGlassRow.agency) == office.code,
        col(BreakGlassRow.client) == caller.client,
        col(BreakGlassRow.person) == caller.person,
    )
    for row in tx.session.scalars(theirs):
        if row.ended_at is None and row.until > tx.now:
            raise Refused("already-open", look=row.id)
        if is_overdue(row, tx.now):
            raise Refused("review-overdue", look=row.id)


def end_it(tx: Transaction, office: Office, caller: Caller, glass_id: str) -> BreakGlassRow:
    """End a break-glass early. Only the person that opened it may. Raises Refused("unknown-break-glass")."""
    row = _load(tx.session, glass_id)
    if row is None or row.agency != office.code or (row.client, row.person) != (caller.client, caller.person):
        raise Refused("unknown-break-glass")
    if row.ended_at is None:
        _end(tx, office, row, BreakGlassEnd.CLOSED)
        security_log.break_glass_ended(tx, caller, row)
    return row


def end_due(tx: Transaction, office: Office) -> int:
    """End every break-glass whose time is over. Returns the number ended."""
    over = _still_open(office.code) & (col(BreakGlassRow.until) <= tx.now)
    rows = tx.session.scalars(select(BreakGlassRow).where(over).with_for_update()).all()
    for row in rows:
        _end(tx, office, row, BreakGlassEnd.EXPIRED)
        security_log.break_glass_ended(tx, None, row)
    return len(rows)


def next_end(session: Session, agency: str) -> datetime | None:
    """The moment (UTC) at which the next break-glass of our agency ends by itself, or None."""
    found: datetime | None = session.scalars(
        select(col(BreakGlassRow.until)).where(_still_open(agency)).order_by(col(BreakGlassRow.until)).limit(1)
    ).first()
    return found


def tell_overdue(tx: Transaction, office: Office) -> int:
    """Publish, once, that the review of a break-glass is overdue, for each of them. Returns the number published."""
    late = _unjudged(office.code) & (col(BreakGlassRow.opened_at) <= tx.now - REVIEW_WITHIN)
    rows = tx.session.scalars(select(BreakGlassRow).where(late).with_for_update()).all()
    for row in rows:
        row.overdue_at = tx.now
        overdue = e.BreakGlassReviewOverdue(
            break_glass_id=row.id, victim_id=row.victim_id, due_at=review_due(row), occurred_at=tx.now
        )
        _tell(tx, office, row, overdue)
        security_log.review_overdue(tx, row)
    return len(rows)


def next_overdue(session: Session, agency: str) -> datetime | None:
    """The moment (UTC) at which the next review becomes overdue, or None."""
    opened = select(col(BreakGlassRow.opened_at)).where(_unjudged(agency)).order_by(col(BreakGlassRow.opened_at))
    first: datetime | None = session.scalars(opened.limit(1)).first()
    return None if first is None else first + REVIEW_WITHIN


def review_due(row: BreakGlassRow) -> datetime:
    """The moment (UTC) until which a second person must review the break-glass."""
    return row.opened_at + REVIEW_WITHIN


def is_overdue(row: BreakGlassRow, now: datetime) -> bool:
    """Whether the review is overdue at ``now`` (UTC)."""
    return row.verdict is None and review_due(row) <= now


def review(
    tx: Transaction, office: Office, caller: Caller, sight: Sight, glass_id: str, command: c.ReviewBreakGlass
) -> BreakGlassRow:
    """Record the verdict of a second person from the desk that looked or from the desk responsible.

    Raises Refused: ``unknown-break-glass``, ``second-person-needed`` or ``already-reviewed``.
    """
    row = _load(tx.session, glass_id)
    if row is None or row.agency != office.code or not _concerns(sight, row):
        raise Refused("unknown-break-glass")
    if row.client == caller.client or row.person == caller.person:
        raise Refused("second-person-needed")
    if row.verdict is not None:
        raise Refused("already-reviewed")
    row.verdict, row.reviewer, row.reviewed_at = command.verdict, caller.client, tx.now
    reviewed = e.BreakGlassReviewed(
        break_glass_id=row.id, victim_id=row.victim_id, verdict=command.verdict, occurred_at=row.reviewed_at
    )
    _tell(tx, office, row, reviewed)
    security_log.break_glass_reviewed(tx, caller, row)
    return row


def read_note(tx: Transaction, office: Office, caller: Caller, sight: Sight, glass_id: str) -> str:
    """The written reason for a break-glass, for the reviewer. The read is logged as a read of the victim's data.

    Raises Refused: ``unknown-break-glass`` or ``no-note``.
    """
    row = _load(tx.session, glass_id)
    if row is None or row.agency != office.code or not _concerns(sight, row):
        raise Refused("unknown-break-glass")
    text = sealed.notes(tx.session, office, row.victim_id, [row.id], held=True).get(row.id)
    if text is None:
        raise Refused("no-note")
    identities.log(tx, caller, row.victim_id, "audit", identities.Right(frozenset(), "review", row), [NOTED])
    return text


def etag(rows: Sequence[BreakGlassRow]) -> str:
    """The entity tag of a list of break-glasses."""
    stands = "".join(f"{row.id}{row.looks}{row.end}{row.overdue_at}{row.verdict}" for row in rows)
    return f'"{sha256(stands.encode()).hexdigest()[:32]}"'


def heard(tx: Transaction, office: Office, sender: str, event: e.BreakGlassEvent) -> None:
    """Apply a break-glass event of another agency at a victim of ours: opened, ended, reviewed or overdue.

    The sender is the agency that looked, or the coordinator. The coordinator passes the event on, because it knows
    better than that agency which agency is responsible now. Raises Park: ``unknown-break-glass``,
    ``not-theirs-to-say`` or ``id-of-another-victim``.
    """
    row = _load(tx.session, event.break_glass_id)
    looked = event.unit.agency if isinstance(event, e.BreakGlassOpened) else row and row.agency
    if looked is None:
        raise Park("unknown-break-glass")
    if looked == office.code or sender not in (looked, office.agency.coordinator):
        raise Park("not-theirs-to-say")
    if isinstance(event, e.BreakGlassOpened):
        if row is None:
            tx.session.add(_notice(tx, event))
    elif row is None or row.victim_id != event.victim_id:
        raise Park("id-of-another-victim")
    elif isinstance(event, e.BreakGlassEnded):
        row.end, row.ended_at, row.looks = event.end, event.occurred_at, event.looks
    elif isinstance(event, e.BreakGlassReviewOverdue):
        row.overdue_at = event.occurred_at
    elif isinstance(event, e.BreakGlassReviewed):
        row.verdict, row.reviewed_at = event.verdict, event.occurred_at
    tx.changed.add(WATCHED)


def _notice(tx: Transaction, event: e.BreakGlassOpened) -> BreakGlassRow:
    victim = load_victim(tx.session, event.victim_id)
    owner = holder_of(victim) if victim is not None else None
    return BreakGlassRow(
        id=event.break_glass_id,
        victim_id=event.victim_id,
        agency=event.unit.agency,
        unit=event.unit.unit,
        region=event.unit.region,
        owner_agency=owner.agency if owner else None,
        owner_unit=owner.unit if owner else None,
        reason=event.reason,
        opened_at=event.occurred_at,
        until=event.until,
    )


def _concerns(sight: Sight, row: BreakGlassRow) -> bool:
    looked, owner = (row.agency, row.unit), (row.owner_agency, row.owner_unit)
    ours = [unit for agency, unit in (looked, owner) if agency == sight.agency]
    return sight.units is None or any(unit in sight.units for unit in ours)


def _still_open(agency: str) -> ColumnElement[bool]:
    return (col(BreakGlassRow.agency) == agency) & col(BreakGlassRow.ended_at).is_(None)


def _unjudged(agency: str) -> ColumnElement[bool]:
    return (
        (col(BreakGlassRow.agency) == agency)
        & col(BreakGlassRow.verdict).is_(None)
        & col(BreakGlassRow.overdue_at).is_(None)
    )


def _load(session: Session, glass_id: str) -> BreakGlassRow | None:
    return session.scalars(select(BreakGlassRow).where(col(BreakGlassRow.id) == glass_id).with_for_update()).first()


def _end(tx: Transaction, office: Office, row: BreakGlassRow, end: BreakGlassEnd) -> None:
    row.end, row.ended_at = end, tx.now
    ended = e.BreakGlassEnded(
        break_glass_id=row.id, victim_id=row.victim_id, end=end, looks=row.looks, occurred_at=tx.now
    )
    _tell(tx, office, row, ended)


def _tell(tx: Transaction, office: Office, row: BreakGlassRow, event: e.BreakGlassEvent) -> None:
    """Tell the responsible agency, if it is another one, and the coordinator.

    The coordinator passes the event on to the agency that has become responsible since. An agency that only serves
    a victim may not know the responsible agency. It then tells the agencies that sent it a referral of the victim.
    """
    tx.changed |= {WATCHED, row.id}
    unit = UnitRef(agency=row.agency, unit=row.unit, region=row.region)
    owners = {row.owner_agency} if row.owner_agency else referrals.senders_of_victim(tx.session, row.victim_id)
    for agency in sorted(filter(None, (owners | {office.agency.coordinator}) - {office.code})):
        tx.emit(draft(event, agency, unit, victim_id=row.victim_id))
