"""One person asks for an erasure and a second person decides, because destroyed keys cannot be restored."""

from shared.domain import commands as domain_commands
from shared.domain.access import Caller, Sight
from shared.domain.erasure import DecideErasure, Erase
from shared.domain.refusal import Refused
from shared.reference.office import Office, new_id
from shared.storage.unit_of_work import Transaction
from shared.victims.erasure import security_log, store
from shared.victims.erasure.carry_out import carry_out
from shared.victims.erasure.tables import ErasureRow
from shared.victims.register.store import holder_of, lock_victim
from shared.victims.register.tables import VictimRow
from shared.victims.sealed import holds


def ask(tx: Transaction, office: Office, caller: Caller, sight: Sight, victim_id: str, command: Erase) -> ErasureRow:
    """Request the erasure of a victim. A second person decides, because nobody alone may destroy data for ever.

    Only the custody holder may request an erasure. Returns the row. Raises Refused: ``unknown-victim``,
    ``not-custody-holder``, ``legal-hold``, ``already-asked``, ``id-taken``, or for a bad ``occurred_at``.
    """
    _require_custody(tx, sight, victim_id)
    if (waiting := store.waiting_erasure(tx.session, victim_id)) is not None:
        raise Refused("already-asked", erasure=waiting.id)
    at = domain_commands.when(command, tx.now)
    if command.erasure_id is not None and (
        store.obeyed(tx.session, command.erasure_id) or store.load_erasure(tx.session, command.erasure_id)
    ):
        raise Refused("id-taken", field="erasure_id")
    row = ErasureRow(
        id=command.erasure_id or new_id(),
        victim_id=victim_id,
        client=caller.client,
        person=caller.person,
        unit=caller.unit,
        asked_at=at,
    )
    tx.session.add(row)
    security_log.erasure_asked(tx, caller, row)
    return row


def decide(
    tx: Transaction, office: Office, caller: Caller, sight: Sight, victim_id: str, command: DecideErasure
) -> ErasureRow:
    """Record the decision of a second person. An approval erases the victim here and at every holder.

    Raises Refused: ``unknown-victim``, ``not-custody-holder``, ``legal-hold``, ``unknown-erasure``,
    ``already-decided`` or ``second-person-needed``.
    """
    victim = _require_custody(tx, sight, victim_id)
    row = store.load_erasure(tx.session, command.erasure_id)
    if row is None or row.victim_id != victim_id:
        raise Refused("unknown-erasure", field="erasure_id")
    if row.approved is not None:
        raise Refused("already-decided", field="erasure_id")
    if row.client == caller.client or row.person == caller.person:
        raise Refused("second-person-needed", field="erasure_id")
    row.approved, row.decided_by, row.decided_at = command.approved, caller.client, tx.now
    if command.approved:
        carry_out(tx, office, victim, office.our_unit(caller.unit, tx.now.date()), row.id)
    security_log.erasure_decided(tx, caller, row)
    return row


def _require_custody(tx: Transaction, sight: Sight, victim_id: str) -> VictimRow:
    victim = lock_victim(tx.session, sight, victim_id)
    holder = holder_of(victim)
    if holder is None or not sight.covers(holder):
        raise Refused("not-custody-holder")
    if holds.holds_of(tx.session, victim_id):
        raise Refused("legal-hold")
    return victim
