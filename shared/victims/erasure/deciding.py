"""One person asks for an erasure and a second person decides, because destroyed keys cannot be restored."""

from shared.contracts.codes import DisclosureEnd
from shared.domain.access import require_second_person
from shared.domain.commands import when
from shared.domain.erasure import DecideErasure, Erase
from shared.domain.refusal import Refused
from shared.reference.acting import Acting
from shared.reference.office import new_id
from shared.victims.erasure import security_log, store
from shared.victims.erasure.carry_out import carry_out
from shared.victims.erasure.tables import ErasureRow
from shared.victims.register.store import lock_victim, require_custody
from shared.victims.register.tables import VictimRow
from shared.victims.sealed import holds


def ask(acting: Acting, victim_id: str, command: Erase) -> ErasureRow:
    """Request the erasure of a victim. A second person decides, because nobody alone may destroy data for ever.

    Only the custody holder may request an erasure. Returns the row. Raises Refused: ``unknown-victim``,
    ``not-custody-holder``, ``legal-hold``, ``already-asked``, or for a bad ``occurred_at``.
    """
    tx = acting.tx
    _victim_to_erase(acting, victim_id)
    if (waiting := store.waiting_erasure(tx.session, victim_id)) is not None:
        raise Refused("already-asked", erasure=waiting.id)
    at = when(command, tx.now)
    row = ErasureRow(
        id=new_id(),
        victim_id=victim_id,
        client=acting.caller.client,
        person=acting.caller.person,
        unit=acting.caller.unit,
        asked_at=at,
    )
    tx.session.add(row)
    security_log.erasure_asked(acting, row)
    return row


def decide(acting: Acting, victim_id: str, command: DecideErasure) -> ErasureRow:
    """Record the decision of a second person. An approval erases the victim here and at every controller.

    Raises Refused: ``unknown-victim``, ``not-custody-holder``, ``legal-hold``, ``unknown-erasure``,
    ``already-decided`` or ``second-person-needed``.
    """
    tx = acting.tx
    victim = _victim_to_erase(acting, victim_id)
    row = store.load_erasure(tx.session, command.erasure_id)
    if row is None or row.victim_id != victim_id:
        raise Refused("unknown-erasure", field="erasure_id")
    if row.approved is not None:
        raise Refused("already-decided", field="erasure_id")
    require_second_person(acting.caller, row.client, row.person, field="erasure_id")
    row.approved, row.decided_at = command.approved, tx.now
    row.decided_by, row.decided_person = acting.caller.client, acting.caller.person
    if command.approved:
        row.end = DisclosureEnd.ERASED
        carry_out(tx, acting.office, victim, acting.office.our_unit(acting.caller.unit, tx.now.date()), row.id)
    security_log.erasure_decided(acting, row)
    return row


def _victim_to_erase(acting: Acting, victim_id: str) -> VictimRow:
    victim = lock_victim(acting.tx.session, acting.sight, victim_id)
    require_custody(acting.sight, victim)
    if holds.holds_of(acting.tx.session, victim_id):
        raise Refused("legal-hold")
    return victim
