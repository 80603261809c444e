"""The clocks of our desks. Events start and stop clocks; a timer publishes their steps with nobody logged in.

Both sides of a referral keep its clock, each for its own desk and the desks above. So a missed limit is published
even when the other side is down. Each step is published once, signed, with the moment at which the step was due.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlmodel import col

from shared.casework.clocks.due import common_fields, tell_clock, tell_next
from shared.casework.clocks.tables import ClockRow
from shared.contracts import events as e
from shared.contracts.codes import LetterKind
from shared.contracts.envelope import Envelope
from shared.contracts.types import UnitRef, rfc3339
from shared.domain.clocks import TOLD_BY_OTHERS, Clock, ClockSubject, all_steps
from shared.domain.referral import AWAITING_START, Referral
from shared.reference.office import Office
from shared.storage import referrals
from shared.storage.notifier import Topic
from shared.storage.tables import LedgerEntry, ReferralRow
from shared.storage.timers import LOOK_AGAIN_SECONDS
from shared.storage.unit_of_work import Transaction


@dataclass(frozen=True, slots=True)
class Recorded:
    """The recording of an event: its moment (UTC), and the id of the event that it answers.

    The recorded moment decides whether a clock was met. The told moment decides where the event answers a reply slip
    on paper.
    """

    at: datetime
    causation_id: str | None = None


@dataclass(frozen=True, slots=True)
class ClockStart:
    """The start of a clock: our desk, the subject (``about``) and the moment (UTC).

    ``due`` is the end of the time limit, if the sender of a request has set one. None: computed from the clock table.
    ``peer`` is the agency of the other side.
    """

    desk: UnitRef
    about: str
    victim_id: str | None
    at: datetime
    due: datetime | None = None
    peer: str | None = None


def for_request(office: Office, code: str, receiver: UnitRef, at: datetime, facts: Mapping[str, Any]) -> Clock:
    """The clock that a request starts for the receiving desk.

    ``code`` is the clock of the service; a shorter local clock may take its place. ``at`` (UTC): the request's moment.
    Raises KeyError for a ``code`` that the clock table lacks; the start of a service checks for that.
    """
    return office.clocks.in_place_of(code, receiver, at, office.clocks.zone(receiver.region), facts)


def facts_of(referral: Referral) -> dict[str, Any]:
    """The facts of a referral that a clock's trigger may test."""
    return {"service": referral.service, "priority": referral.priority, "kind": referral.kind}


def own_due(office: Office, referral: Referral, at: datetime) -> datetime:
    """The end of the time limit by our own table, for a request that was recorded at ``at`` (UTC).

    For a service without an offer it is the moment that the sender named: such a request is rejected.
    """
    clock = _own_clock(office, referral, at)
    return clock.due(at, office.clocks.zone(referral.receiver.region)) if clock else referral.due_at


def _own_clock(office: Office, referral: Referral, at: datetime) -> Clock | None:
    offered = office.directory.services.get((referral.receiver.agency, referral.service))
    if offered is None or offered.clock not in office.clocks.by_code:
        return None
    return for_request(office, offered.clock, referral.receiver, at, facts_of(referral))


def start_and_stop_for_referral(
    tx: Transaction, office: Office, referral: Referral, event: e.ReferralEvent, recorded: Recorded, our_act: bool
) -> None:
    """Start and stop clocks after an event of a referral, for the desks of the referral that are ours.

    ``our_act``: our agency said the event. The event of another agency moves no clock of the victim.
    """
    facts, at, victim_id = facts_of(referral), event.occurred_at, referral.victim_id
    about = {ClockSubject.REFERRAL: referral.id, ClockSubject.VICTIM: victim_id}
    about = {kind: ident for kind, ident in about.items() if our_act or kind in TOLD_BY_OTHERS}
    started = _starting(office, event, facts, referral.receiver, ClockSubject.REFERRAL)
    for desk, peer in _ours(office, referral):
        if isinstance(event, e.Requested):
            _start_requested(
                tx, office, referral, ClockStart(desk, referral.id, victim_id, tx.now, referral.due_at, peer)
            )
        for clock in started:
            start(tx, office, clock, ClockStart(desk, referral.id, victim_id, at, peer=peer))
        for clock in _starting(office, event, facts, desk, ClockSubject.VICTIM):
            if clock.about in about and clock.code in office.agency.duties:
                start(tx, office, clock, ClockStart(desk, victim_id, victim_id, at))
    stop(tx, office, event, about, facts, recorded)


def _ours(office: Office, referral: Referral) -> list[tuple[UnitRef, str]]:
    """The desks of a referral that are ours, each with the agency code of the other side."""
    sides = (referral.sender, referral.receiver)
    return [(desk, peer.agency) for desk, peer in (sides, sides[::-1]) if desk.agency == office.code]


def _start_requested(tx: Transaction, office: Office, referral: Referral, begun: ClockStart) -> None:
    """Start the clock of a request, by our own table. A service without an offer has no clock.

    The clock counts from the moment at which we recorded the request. So no told moment starts it late or early.
    """
    if clock := _own_clock(office, referral, begun.at):
        start(tx, office, clock, begun)


def start_and_stop(
    tx: Transaction,
    office: Office,
    event: Any,
    about: Mapping[ClockSubject, str],
    desk: UnitRef,
    facts: Mapping[str, Any],
) -> None:
    """Start and stop clocks after an event of our own work. Only clocks among the agency's declared duties start.

    ``about``: kind of subject → id, such as the victim's id. ``desk``: the desk that keeps the clocks.
    """
    for kind, ident in about.items():
        for clock in _starting(office, event, facts, desk, kind):
            if clock.code in office.agency.duties:
                start(tx, office, clock, ClockStart(desk, ident, about.get(ClockSubject.VICTIM), event.occurred_at))
    stop(tx, office, event, about, facts, Recorded(tx.now))


def _starting(office: Office, event: Any, facts: Mapping[str, Any], desk: UnitRef, about: ClockSubject) -> list[Clock]:
    return [clock for clock in office.clocks.started_by(event, facts, desk) if clock.about is about]


def start(tx: Transaction, office: Office, clock: Clock, begun: ClockStart) -> None:
    """Start a clock for one of our desks. A clock that starts by itself starts once per subject and desk."""
    desk = begun.desk
    known = select(col(ClockRow.number)).where(
        col(ClockRow.about) == begun.about, col(ClockRow.clock) == clock.code, col(ClockRow.unit) == desk.unit
    )
    if clock.by_itself and tx.session.scalars(known).first() is not None:
        return
    due = begun.due or clock.due(begun.at, office.clocks.zone(desk.region))
    above = office.units.above(desk.agency, desk.unit, tx.now.date())
    steps = all_steps(clock, begun.at, due, len(above))
    tx.session.add(
        ClockRow(
            about=begun.about,
            kind=clock.about,
            clock=clock.code,
            victim_id=begun.victim_id,
            peer=begun.peer,
            unit=desk.unit,
            region=desk.region,
            started_at=begun.at,
            due_at=due,
            moments=[[step.step, rfc3339(step.at), step.height] for step in steps],
            next_at=steps[0].at,
        )
    )
    tx.changed.add(Topic.CLOCKS)
    if steps[0].at <= tx.now + timedelta(seconds=LOOK_AGAIN_SECONDS):
        tx.changed.add(Topic.CLOCKS_DUE)


def stop(
    tx: Transaction,
    office: Office,
    event: Any,
    about: Mapping[ClockSubject, str],
    facts: Mapping[str, Any],
    recorded: Recorded,
) -> None:
    """Stop every clock of ours that an event stops. If a clock has published a step, publish its stop too.

    Steps that were due before the stop are published first. What a clock publishes must depend on what happened, not
    on whether this service was up or fast. Both moments are stored and published: the told one and the recorded one.
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
        counts = event.occurred_at if _signed_on_paper(tx, row.about, event.occurred_at, recorded) else recorded.at
        while row.next_at is not None and row.next_at < counts:
            tell_next(tx, office, row)
        row.stopped_at, row.recorded_at, row.next_at = event.occurred_at, recorded.at, None
        row.in_time = counts <= row.due_at
        tx.changed.add(Topic.CLOCKS)
        if row.told:
            said = common_fields(office, row, event.occurred_at)
            tell_clock(tx, office, row, e.ClockStopped(**said, in_time=row.in_time, recorded_at=recorded.at))


def _signed_on_paper(tx: Transaction, referral_id: str, at: datetime, recorded: Recorded) -> bool:
    """Whether an event told for ``at`` answers a reply slip of this referral that was printed before then."""
    if recorded.causation_id is None or at >= recorded.at:
        return False
    letter = select(col(LedgerEntry.body)).where(
        col(LedgerEntry.event_id) == recorded.causation_id, col(LedgerEntry.type) == e.LetterIssued.type()
    )
    body = tx.session.scalars(letter).first()
    if body is None:
        return False
    said = e.LetterIssued.model_validate(Envelope.read(body).data)
    return said.kind is LetterKind.REPLY_SLIP and said.referral_id == referral_id and said.occurred_at <= at


def adopt(tx: Transaction, office: Office) -> None:
    """Start the missing clocks of referrals that await their start: those from before this database kept clocks."""
    kept = select(col(ClockRow.number)).where(col(ClockRow.about) == col(ReferralRow.id)).exists()
    before = select(ReferralRow).where(col(ReferralRow.status).in_(sorted(AWAITING_START)), ~kept)
    for row in tx.session.scalars(before).all():
        referral = referrals.to_referral(row)
        for desk, peer in _ours(office, referral):
            begun = ClockStart(desk, referral.id, row.victim_id, referral.requested_at, referral.due_at, peer)
            _start_requested(tx, office, referral, begun)
