"""Place and lift legal holds. Lifting the last one carries out what it had prevented."""

from collections.abc import Sequence

from shared.contracts.codes import KeptBecause
from shared.contracts.types import DeskRef
from shared.domain.commands import when
from shared.domain.erasure import LiftHold, PlaceHold
from shared.domain.refusal import Refused
from shared.reference.acting import Acting
from shared.storage.notifier import Topic
from shared.victims.erasure import security_log
from shared.victims.erasure.holdings import apply_after_all
from shared.victims.register.store import lock_concerned
from shared.victims.sealed import forgetting, holds
from shared.victims.sealed.tables import HoldRow


def place_hold(acting: Acting, victim_id: str, command: PlaceHold) -> HoldRow:
    """Place a legal hold: forbid erasure of a victim here. Returns the row.

    Raises Refused: ``unknown-victim``, ``not-responsible``, or for a bad ``occurred_at``.
    """
    tx = acting.tx
    lock_concerned(tx.session, acting.sight, victim_id)
    at = when(command, tx.now)
    row = HoldRow(
        victim_id=victim_id,
        basis=command.basis,
        client=acting.caller.client,
        person=acting.caller.person,
        unit=acting.caller.unit,
        placed_at=at,
    )
    tx.session.add(row)
    tx.session.flush()
    security_log.hold_placed(acting, row)
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
        row.lifted_at = tx.now
        security_log.hold_lifted(acting, row)
    tx.session.flush()
    if not holds.holds_of(tx.session, victim_id):
        tx.changed.add(Topic.RETENTION)
        forgetting.forget_held(tx, acting.office, victim_id)
        apply_after_all(tx, acting.office, victim, KeptBecause.LEGAL_HOLD)
    return rows
