"""Place, confirm and lift legal holds. The end of the last one carries out what it had prevented.

A legal hold stops a person's right to erasure, so it has an end. A second person confirms it, or it lapses.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, select
from sqlmodel import Session, col

from shared.contracts.codes import KeptBecause
from shared.contracts.types import DeskRef
from shared.domain.access import is_same_person
from shared.domain.commands import when
from shared.domain.erasure import CONFIRM_WITHIN, ConfirmHold, HoldEnd, LiftHold, PlaceHold, hold_until
from shared.domain.refusal import Refused
from shared.reference.acting import Acting
from shared.reference.office import Office, new_id
from shared.storage.notifier import Topic
from shared.storage.timers import Timer
from shared.storage.unit_of_work import Transaction
from shared.victims.erasure import security_log
from shared.victims.erasure.holdings import apply_after_all
from shared.victims.register.store import load_victim, lock_concerned
from shared.victims.register.tables import VictimRow
from shared.victims.sealed import forgetting, holds
from shared.victims.sealed import notes as sealed_notes
from shared.victims.sealed.tables import HoldRow

AT_ONCE = 500
"""Legal holds that one transaction ends."""


def place_hold(acting: Acting, victim_id: str, command: PlaceHold) -> HoldRow:
    """Place a legal hold: forbid erasure of a victim here until its end. Returns the row.

    Raises Refused: ``unknown-victim``, ``not-responsible``, ``hold-unconfirmed``, ``hold-end-not-allowed``, or for a
    bad ``occurred_at``.
    """
    tx, caller = acting.tx, acting.caller
    lock_concerned(tx.session, acting.sight, victim_id)
    at, until = when(command, tx.now), hold_until(command, tx.now)
    for row in holds.every_hold_of(tx.session, victim_id):
        # else one person alone could hold for ever, a fortnight at a time
        if row.confirmed_at is None and is_same_person(caller, row.client, row.person):
            raise Refused("hold-unconfirmed")
    row = HoldRow(
        victim_id=victim_id,
        basis=command.basis,
        client=caller.client,
        person=caller.person,
        unit=caller.unit,
        placed_at=at,
        until=until,
        stands_until=min(until, tx.now + CONFIRM_WITHIN),
    )
    tx.session.add(row)
    tx.session.flush()
    tx.changed.add(Topic.RETENTION)
    if command.note:
        sealed_notes.keep_note(tx, acting.office, victim_id, new_id(), command.note)
    security_log.hold_placed(acting, row)
    return row


def confirm_hold(acting: Acting, victim_id: str, command: ConfirmHold) -> HoldRow:
    """Confirm, as a second person, the standing legal hold of a basis: it stands until its end. Returns the row.

    Raises Refused: ``unknown-victim``, ``not-responsible``, ``unknown-hold`` or ``second-person-needed``.
    """
    tx, caller = acting.tx, acting.caller
    lock_concerned(tx.session, acting.sight, victim_id)
    waiting = [
        row
        for row in holds.holds_of(tx.session, victim_id)
        if row.confirmed_at is None and row.basis == command.basis and row.stands_until > tx.now
    ]
    if not waiting:
        raise Refused("unknown-hold", field="basis")
    row = next((one for one in waiting if not is_same_person(caller, one.client, one.person)), None)
    if row is None:
        raise Refused("second-person-needed", field="basis")
    row.confirmed_by, row.confirmed_person, row.confirmed_at = caller.client, caller.person, tx.now
    row.stands_until = row.until
    tx.changed.add(Topic.RETENTION)
    security_log.hold_confirmed(acting, row)
    return row


def lift_holds(acting: Acting, victim_id: str, command: LiftHold) -> Sequence[HoldRow]:
    """Lift the legal holds that desks in sight placed. Returns the rows lifted.

    With the last legal hold, carry out each withdrawal and erasure that only the hold had prevented. Raises Refused:
    ``unknown-victim``, ``not-responsible`` or ``not-your-unit``.
    """
    tx = acting.tx
    victim = lock_concerned(tx.session, acting.sight, victim_id)
    standing = holds.holds_of(tx.session, victim_id)
    rows = [row for row in standing if acting.sight.covers(DeskRef(agency=acting.office.code, unit=row.unit))]
    if standing and not rows:
        raise Refused("not-your-unit")
    for row in rows:
        row.lifted_at, row.end = tx.now, HoldEnd.LIFTED
        security_log.hold_lifted(acting, row)
    _carry_out_prevented(tx, acting.office, victim)
    return rows


def lapsing_holds(office: Office) -> Timer:
    """The timer that ends each legal hold whose time is over, or that no second person has confirmed."""
    return Timer(Topic.RETENTION, next_lapse, lambda tx: lapse_due(tx, office))


def lapse_due(tx: Transaction, office: Office) -> int:
    """End every legal hold whose time is over, ``AT_ONCE`` at most. Returns the number ended."""
    over = select(HoldRow).where(_standing(), col(HoldRow.stands_until) <= tx.now)
    rows = tx.session.scalars(over.order_by(col(HoldRow.stands_until)).limit(AT_ONCE)).all()
    for row in rows:
        victim = load_victim(tx.session, row.victim_id)
        assert victim is not None
        tx.session.refresh(row)  # whoever confirms or lifts it holds the victim's lock
        if row.lifted_at is not None or row.stands_until > tx.now:
            continue
        row.lifted_at, row.end = tx.now, HoldEnd.UNCONFIRMED if row.confirmed_at is None else HoldEnd.TERM
        security_log.hold_lapsed(tx, row)
        _carry_out_prevented(tx, office, victim)
    return len(rows)


def next_lapse(session: Session) -> datetime | None:
    """The moment (UTC) at which the next legal hold ends by itself, or None."""
    due = select(col(HoldRow.stands_until)).where(_standing()).order_by(col(HoldRow.stands_until))
    found: datetime | None = session.scalars(due.limit(1)).first()
    return found


def _standing() -> ColumnElement[bool]:
    return col(HoldRow.lifted_at).is_(None)


def _carry_out_prevented(tx: Transaction, office: Office, victim: VictimRow) -> None:
    """With the last legal hold of a victim ended: carry out each withdrawal and erasure that it alone had prevented."""
    tx.session.flush()
    tx.changed |= {Topic.RETENTION, victim.id}
    if not holds.holds_of(tx.session, victim.id):
        forgetting.forget_held(tx, office, victim.id)
        apply_after_all(tx, office, victim, KeptBecause.LEGAL_HOLD)
