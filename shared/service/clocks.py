"""The clocks that our desks keep: started and stopped by events, telling at their moments with nobody logged in.

Both sides of a hand-over keep its clock, each for its own desk and its own desks above, so that it is told although
the other side is down. What a clock tells is signed and in the ledger, once, with the moment at which it was due.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from shared.contracts import events as e
from shared.contracts.types import UnitRef, rfc3339
from shared.domain.clocks import About, Clock, Moment, Step, moments
from shared.domain.referral import AWAITING_START, Referral
from shared.domain.routing import NATION
from shared.service.deadlines import LOOK_AGAIN_SECONDS, Deadline
from shared.service.office import Office, draft
from shared.storage import referrals
from shared.storage.agency_tables import ClockRow
from shared.storage.database import Transaction
from shared.storage.tables import ReferralRow

WATCHED = "clocks"
"""What wakes when a clock starts, stops or tells."""
DUE = "clocks-due"
"""What wakes when a clock has something to tell before anybody looks again."""
AT_ONCE = 200
"""Clocks that tell in one transaction."""


def deadline(office: Office) -> Deadline:
    """What clocks tell at their moments."""
    return Deadline(DUE, next_due, lambda tx: tell_due(tx, office), after_mail=True)


def for_request(office: Office, code: str, receiver: UnitRef, at: datetime, facts: Mapping[str, Any]) -> Clock:
    """The clock of a service (``code``) that a request starts ``at`` a moment for the desk that receives it."""
    return office.clocks.in_place_of(code, receiver, at, office.clocks.zone(receiver.region), facts)


def facts_of(referral: Referral) -> dict[str, Any]:
    """What a trigger may ask of a referral."""
    return {"service": referral.service, "priority": referral.priority, "kind": referral.kind}


def note_referral(tx: Transaction, office: Office, referral: Referral, event: e.ReferralEvent) -> None:
    """Start and stop what an event of a referral does, for those desks of it that are ours."""
    facts = facts_of(referral)
    started = _starting(office, event, facts, referral.receiver, About.REFERRAL)
    for desk, peer in _ours(office, referral):
        if isinstance(event, e.Requested):
            _start_requested(tx, office, referral, desk, peer, event.clock)
        for clock in started:
            start(tx, office, clock, desk, referral.id, referral.victim_id, event.occurred_at, peer=peer)
        for clock in _starting(office, event, facts, desk, About.VICTIM):
            if clock.code in office.agency.duties:
                start(tx, office, clock, desk, referral.victim_id, referral.victim_id, event.occurred_at)
    stop(tx, office, event, {About.REFERRAL: referral.id, About.VICTIM: referral.victim_id}, facts)


def _ours(office: Office, referral: Referral) -> list[tuple[UnitRef, str]]:
    """The desks of a referral that are ours, each with the agency of the other one."""
    sides = (referral.sender, referral.receiver)
    return [(desk, peer.agency) for desk, peer in (sides, sides[::-1]) if desk.agency == office.code]


def _start_requested(
    tx: Transaction, office: Office, referral: Referral, desk: UnitRef, peer: str, named: str | None = None
) -> None:
    """Start the clock that a request names, or that of its service where the sender's table has one that ours has
    not. A service that nobody offers has none."""
    by_code = office.clocks.by_code
    if named not in by_code:
        offered = office.directory.services.get((referral.receiver.agency, referral.service))
        named = offered.clock if offered else ""
    if clock := by_code.get(named or ""):
        start(tx, office, clock, desk, referral.id, referral.victim_id, referral.requested_at, referral.due_at, peer)


def note(
    tx: Transaction, office: Office, event: Any, about: Mapping[About, str], desk: UnitRef, facts: Mapping[str, Any]
) -> None:
    """Start and stop what an event of our own work does: the duties that this agency has declared. ``about``: the ids
    of what it is about."""
    for kind, ident in about.items():
        for clock in _starting(office, event, facts, desk, kind):
            if clock.code in office.agency.duties:
                start(tx, office, clock, desk, ident, about.get(About.VICTIM), event.occurred_at)
    stop(tx, office, event, about, facts)


def _starting(office: Office, event: Any, facts: Mapping[str, Any], desk: UnitRef, about: About) -> list[Clock]:
    return [clock for clock in office.clocks.started_by(event, facts, desk) if clock.about is about]


def start(
    tx: Transaction,
    office: Office,
    clock: Clock,
    desk: UnitRef,
    about: str,
    victim_id: str | None,
    at: datetime,
    due: datetime | None = None,
    peer: str | None = None,
) -> None:
    """Start a clock for a desk of ours, once. ``due``: where another has said when its time is over."""
    known = select(col(ClockRow.number)).where(
        col(ClockRow.about) == about, col(ClockRow.clock) == clock.code, col(ClockRow.unit) == desk.unit
    )
    if clock.by_itself and tx.session.scalars(known).first() is not None:
        return
    due = due or clock.due(at, office.clocks.zone(desk.region))
    above = office.units.above(desk.agency, desk.unit, tx.now.date())
    steps = moments(clock, at, due, len(above))
    tx.session.add(
        ClockRow(
            about=about,
            kind=clock.about,
            clock=clock.code,
            victim_id=victim_id,
            peer=peer,
            unit=desk.unit,
            region=desk.region,
            started_at=at,
            due_at=due,
            moments=[[step.step, rfc3339(step.at), step.height] for step in steps],
            next_at=steps[0].at,
        )
    )
    tx.changed.add(WATCHED)
    if steps[0].at <= tx.now + timedelta(seconds=LOOK_AGAIN_SECONDS):
        tx.changed.add(DUE)


def stop(tx: Transaction, office: Office, event: Any, about: Mapping[About, str], facts: Mapping[str, Any]) -> None:
    """Stop every clock of ours that an event stops; of one that has told something, tell that too.

    What was due before the event occurred is told first, although nobody has looked since: what a clock tells depends
    on what happened, not on whether we were up or how fast we are.
    """
    codes = [clock for clock in office.clocks.stopped_by(event, facts) if clock.about in about]
    if not codes:
        return
    running = select(ClockRow).where(
        col(ClockRow.about).in_({about[clock.about] for clock in codes}),
        col(ClockRow.clock).in_([clock.code for clock in codes]),
        col(ClockRow.stopped_at).is_(None),
    )
    for row in tx.session.scalars(running.with_for_update()):
        while row.next_at is not None and row.next_at < event.occurred_at:
            _tell_next(tx, office, row)
        row.stopped_at, row.next_at = event.occurred_at, None
        tx.changed.add(WATCHED)
        if row.told:
            said = _said(office, row, event.occurred_at)
            _tell(tx, office, row, e.ClockStopped(**said, in_time=event.occurred_at <= row.due_at))


def tell_due(tx: Transaction, office: Office) -> int:
    """Tell the next thing of every clock whose moment has come, the earliest first; answers how many."""
    due = select(ClockRow).where(col(ClockRow.next_at) <= tx.now).order_by(col(ClockRow.next_at)).limit(AT_ONCE)
    rows = tx.session.scalars(due.with_for_update()).all()
    for row in rows:
        _tell_next(tx, office, row)
    return len(rows)


def next_due(session: Session) -> datetime | None:
    """When the next clock has something to tell."""
    due = select(col(ClockRow.next_at)).where(col(ClockRow.next_at).is_not(None)).order_by(col(ClockRow.next_at))
    found: datetime | None = session.scalars(due.limit(1)).first()
    return found


def steps_of(row: ClockRow) -> Sequence[Moment]:
    """The steps of a running clock, told or not."""
    return [Moment(Step(step), datetime.fromisoformat(at), height) for step, at, height in row.moments]


def adopt(tx: Transaction, office: Office) -> None:
    """Start the clocks of hand-overs that were under way before clocks were kept here."""
    kept = select(col(ClockRow.number)).where(col(ClockRow.about) == col(ReferralRow.id)).exists()
    before = select(ReferralRow).where(col(ReferralRow.status).in_(sorted(AWAITING_START)), ~kept)
    for row in tx.session.scalars(before).all():
        referral = referrals.to_referral(row)
        for desk, peer in _ours(office, referral):
            _start_requested(tx, office, referral, desk, peer)


def _tell_next(tx: Transaction, office: Office, row: ClockRow) -> None:
    steps = steps_of(row)
    _tell(tx, office, row, _told(tx, office, row, steps[row.told]))
    row.told += 1
    row.next_at = steps[row.told].at if row.told < len(steps) else None


def _said(office: Office, row: ClockRow, at: datetime) -> dict[str, Any]:
    return {
        "about": row.about,
        "clock": row.clock,
        "victim_id": row.victim_id,
        "unit": UnitRef(agency=office.code, unit=row.unit, region=row.region),
        "started_at": row.started_at,
        "due_at": row.due_at,
        "occurred_at": at,
    }


def _told(tx: Transaction, office: Office, row: ClockRow, moment: Moment) -> e.ClockEvent:
    """What a step says, with the moment at which it was due although we may have been down then."""
    said = _said(office, row, moment.at)
    if moment.step is Step.WARNED:
        return e.ClockWarned(**said)
    if moment.step is Step.BREACHED:
        return e.ClockBreached(**said)
    on = tx.now.date()
    above = office.units.above(office.code, row.unit, on) or (office.units.desk_for(office.code, NATION, on),)
    desk = above[min(moment.height, len(above)) - 1]
    return e.ClockEscalated(**said, to=desk.as_ref(), level=desk.level)


def _tell(tx: Transaction, office: Office, row: ClockRow, event: e.ClockEvent) -> None:
    """To the coordinator; in a network without one, to the other side, or to our own ledger alone."""
    tx.changed.add(WATCHED)
    unit = UnitRef(agency=office.code, unit=row.unit, region=row.region)
    receiver = office.agency.coordinator or row.peer or office.code
    tx.emit(draft(event, receiver, unit, victim_id=row.victim_id))
