"""Record a stage of a victim's journey, and close the journey. Only the custody holder may."""

from shared.casework.cases.registration import publish
from shared.casework.clocks import running as clocks
from shared.contracts import events as e
from shared.contracts.types import UnitRef
from shared.domain.cases import CloseJourney, RecordStage
from shared.domain.clocks import ClockSubject
from shared.domain.commands import when
from shared.domain.refusal import Refused
from shared.reference.acting import Acting
from shared.storage import referrals
from shared.storage.notifier import Topic
from shared.victims.erasure.retention import keep_until
from shared.victims.register.store import lock_victim, require_custody
from shared.victims.register.tables import VictimRow


def record_stage(acting: Acting, victim_id: str, command: RecordStage) -> VictimRow:
    """Record a stage of the journey. Only the custody holder may. Returns the victim's row.

    Raises Refused: ``unknown-victim``, ``not-custody-holder``, ``journey-closed``, or for a bad ``occurred_at``.
    """
    victim, unit = _in_custody(acting, victim_id)
    victim.stage = command.stage
    stage = e.StageRecorded(
        victim_id=victim_id, stage=command.stage, unit=unit, occurred_at=when(command, acting.tx.now)
    )
    publish(acting.tx, acting.office, stage, unit, victim_id)
    return victim


def close_journey(acting: Acting, victim_id: str, command: CloseJourney) -> VictimRow:
    """End the journey. Only the custody holder may, and no referral of the victim may be live here.

    The end sets until when the identity is kept. Returns the victim's row. Raises Refused: as ``record_stage``, and
    ``referral-still-live``.
    """
    tx = acting.tx
    victim, unit = _in_custody(acting, victim_id)
    live = referrals.live_of_victim(tx.session, victim_id)
    if live:
        raise Refused("referral-still-live", referral=live[0].id)
    victim.closed_at = when(command, tx.now)
    victim.outcome, victim.keep_until = command.outcome, keep_until(tx, acting.office, victim, victim.closed_at)
    tx.changed.add(Topic.RETENTION)
    closed = e.JourneyClosed(victim_id=victim_id, outcome=command.outcome, unit=unit, occurred_at=victim.closed_at)
    publish(tx, acting.office, closed, unit, victim_id)
    clocks.start_and_stop(
        tx, acting.office, closed, {ClockSubject.VICTIM: victim_id}, unit, {"outcome": command.outcome}
    )
    return victim


def _in_custody(acting: Acting, victim_id: str) -> tuple[VictimRow, UnitRef]:
    victim = lock_victim(acting.tx.session, acting.sight, victim_id)
    holder = require_custody(acting.sight, victim)
    if victim.closed_at is not None:
        raise Refused("journey-closed")
    return victim, holder
