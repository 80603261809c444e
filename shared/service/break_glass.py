"""Break-glass: somebody looks who normally may not. It opens at once, and it is seen.

For an hour at most; the agency responsible for the victim hears of it by an event, the desk responsible in our own
agency by its list; a second person judges it within 24 hours, or everybody who heard of it hears that nobody has. It
ends by itself, with nobody logged in.
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
"""What wakes when any of them changes."""


def deadlines(office: Office) -> Sequence[Deadline]:
    """What ends a break-glass at its moment, and what says that nobody has judged it in time."""
    return (
        Deadline(WATCHED, lambda session: next_end(session, office.code), lambda tx: end_due(tx, office)),
        Deadline(WATCHED, lambda session: next_overdue(session, office.code), lambda tx: tell_overdue(tx, office)),
    )


def open_it(tx: Transaction, office: Office, caller: Caller, victim_id: str, command: c.BreakGlass) -> BreakGlassRow:
    """Let the caller look for a while, and tell who is responsible. Raises Refused."""
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
    """An hour is an hour: nobody opens a second while one of theirs is open, or was judged by nobody in time."""
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
    """The caller who opened it looks no more. Raises Refused."""
    row = _load(tx.session, glass_id)
    if row is None or row.agency != office.code or (row.client, row.person) != (caller.client, caller.person):
        raise Refused("unknown-break-glass")
    if row.ended_at is None:
        _end(tx, office, row, BreakGlassEnd.CLOSED)
        security_log.break_glass_ended(tx, caller, row)
    return row


def end_due(tx: Transaction, office: Office) -> int:
    """End every one whose time is over; answers how many."""
    over = _still_open(office.code) & (col(BreakGlassRow.until) <= tx.now)
    rows = tx.session.scalars(select(BreakGlassRow).where(over).with_for_update()).all()
    for row in rows:
        _end(tx, office, row, BreakGlassEnd.EXPIRED)
        security_log.break_glass_ended(tx, None, row)
    return len(rows)


def next_end(session: Session, agency: str) -> datetime | None:
    """When the next one ends by itself."""
    found: datetime | None = session.scalars(
        select(col(BreakGlassRow.until)).where(_still_open(agency)).order_by(col(BreakGlassRow.until)).limit(1)
    ).first()
    return found


def tell_overdue(tx: Transaction, office: Office) -> int:
    """Tell of every one that nobody has judged in time, once; answers how many."""
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
    """When the next one will have been judged by nobody in time."""
    opened = select(col(BreakGlassRow.opened_at)).where(_unjudged(agency)).order_by(col(BreakGlassRow.opened_at))
    first: datetime | None = session.scalars(opened.limit(1)).first()
    return None if first is None else first + REVIEW_WITHIN


def review_due(row: BreakGlassRow) -> datetime:
    """Until when a second person judges it."""
    return row.opened_at + REVIEW_WITHIN


def is_overdue(row: BreakGlassRow, now: datetime) -> bool:
    """Whether nobody has judged it in time."""
    return row.verdict is None and review_due(row) <= now


def review(
    tx: Transaction, office: Office, caller: Caller, sight: Sight, glass_id: str, command: c.ReviewBreakGlass
) -> BreakGlassRow:
    """A second person, who answers for the desk that looked or for the one responsible, judges it. Raises Refused."""
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
    """Why somebody looked, in their own words, for who judges it; logged as a look at the victim. Raises Refused."""
    row = _load(tx.session, glass_id)
    if row is None or row.agency != office.code or not _concerns(sight, row):
        raise Refused("unknown-break-glass")
    text = sealed.notes(tx.session, office, row.victim_id, [row.id], held=True).get(row.id)
    if text is None:
        raise Refused("no-note")
    identities.log(tx, caller, row.victim_id, "audit", identities.Right(frozenset(), "review", row), [NOTED])
    return text


def etag(rows: Sequence[BreakGlassRow]) -> str:
    """The entity tag of a list of them."""
    stands = "".join(f"{row.id}{row.looks}{row.end}{row.overdue_at}{row.verdict}" for row in rows)
    return f'"{sha256(stands.encode()).hexdigest()[:32]}"'


def heard(tx: Transaction, office: Office, sender: str, event: e.BreakGlassEvent) -> None:
    """Another agency has looked at a victim of ours, stopped, or judged it; the coordinator may say so too, who knows
    better than it who is responsible by now. Raises Park."""
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
    """Tell who is responsible, if it is another, and the coordinator, who passes it on to whoever has become it since.

    Who only works for a victim does not know who is responsible: they tell those who asked them to.
    """
    tx.changed |= {WATCHED, row.id}
    unit = UnitRef(agency=row.agency, unit=row.unit, region=row.region)
    owners = {row.owner_agency} if row.owner_agency else referrals.senders_of_victim(tx.session, row.victim_id)
    for agency in sorted(filter(None, (owners | {office.agency.coordinator}) - {office.code})):
        tx.emit(draft(event, agency, unit, victim_id=row.victim_id))
