"""Place and lift legal holds. Lifting the last one carries out what it had prevented."""

from collections.abc import Sequence

from shared.contracts.codes import KeptBecause
from shared.contracts.types import DeskRef
from shared.domain import commands as domain_commands
from shared.domain.access import Caller, Sight
from shared.domain.erasure import LiftHold, PlaceHold
from shared.domain.refusal import Refused
from shared.reference.office import Office
from shared.storage.notifier import Topic
from shared.storage.unit_of_work import Transaction
from shared.victims.erasure import security_log
from shared.victims.erasure.holdings import apply_after_all
from shared.victims.register.store import lock_concerned
from shared.victims.sealed import forgetting, holds
from shared.victims.sealed.tables import HoldRow


def place_hold(tx: Transaction, caller: Caller, sight: Sight, victim_id: str, command: PlaceHold) -> HoldRow:
    """Place a legal hold: forbid erasure of a victim here. Returns the row.

    Raises Refused: ``unknown-victim``, ``not-responsible``, or for a bad ``occurred_at``.
    """
    lock_concerned(tx.session, sight, victim_id)
    at = domain_commands.when(command, tx.now)
    row = HoldRow(
        victim_id=victim_id,
        basis=command.basis,
        client=caller.client,
        person=caller.person,
        unit=caller.unit,
        placed_at=at,
    )
    tx.session.add(row)
    tx.session.flush()
    security_log.hold_placed(tx, caller, row)
    return row


def lift_holds(
    tx: Transaction, office: Office, caller: Caller, sight: Sight, victim_id: str, command: LiftHold
) -> Sequence[HoldRow]:
    """Lift the legal holds that desks in sight placed. Returns the rows lifted.

    With the last legal hold, carry out each withdrawal and erasure that only the hold had prevented. Raises Refused:
    ``unknown-victim``, ``not-responsible`` or ``not-your-unit``.
    """
    victim = lock_concerned(tx.session, sight, victim_id)
    standing = holds.holds_of(tx.session, victim_id)
    rows = [row for row in standing if sight.covers(DeskRef(agency=office.code, unit=row.unit))]
    if standing and not rows:
        raise Refused("not-your-unit")
    for row in rows:
        row.lifted_at = tx.now
        security_log.hold_lifted(tx, caller, row)
    tx.session.flush()
    if not holds.holds_of(tx.session, victim_id):
        tx.changed.add(Topic.RETENTION)
        forgetting.forget_held(tx, office, victim_id)
        apply_after_all(tx, office, victim, KeptBecause.LEGAL_HOLD)
    return rows
