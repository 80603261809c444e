"""Record a stage of a victim's journey, and close the journey. Only the custody holder may.

A child's journey, and an end that destroys or uncounts, needs a second person: one asks and another confirms.
"""

from datetime import datetime

from shared.casework.cases import store
from shared.casework.cases.registration import publish
from shared.casework.cases.tables import ClosureRow
from shared.casework.clocks import running as clocks
from shared.contracts import events as e
from shared.contracts.codes import AgeClass, JourneyOutcome
from shared.contracts.types import DeskRef, UnitRef
from shared.domain.access import NOT_TAKEN_ON, require_second_person
from shared.domain.cases import CloseJourney, DecideClosure, RecordStage, check_ending, needs_second_person
from shared.domain.clocks import ClockSubject
from shared.domain.commands import when
from shared.domain.refusal import Refused
from shared.reference.acting import Acting
from shared.reference.office import new_id
from shared.storage import referrals
from shared.storage.notifier import Topic
from shared.victims.erasure.retention import keep_until
from shared.victims.identity import rights
from shared.victims.identity.reading_notes import read_beside
from shared.victims.register.store import lock_victim, require_custody
from shared.victims.register.tables import VictimRow
from shared.victims.sealed import notes as sealed_notes


def record_stage(acting: Acting, victim_id: str, command: RecordStage) -> VictimRow:
    """Record a stage of the journey. Only the custody holder may. Returns the victim's row.

    Raises Refused: ``unknown-victim``, ``not-custody-holder``, ``journey-closed``, or for a bad ``occurred_at``.
    """
    tx = acting.tx
    victim, unit = _in_custody(acting, victim_id)
    at = when(command, tx.now, victim.custody_at)
    victim.stage = command.stage
    victim.stages = sorted({*victim.stages, command.stage})
    stage = e.StageRecorded(victim_id=victim_id, stage=command.stage, unit=unit, occurred_at=at)
    event_id = publish(tx, acting.office, stage, unit, victim_id)
    if command.note:
        sealed_notes.keep_note(tx, acting.office, victim_id, event_id, command.note)
    return victim


def close_journey(acting: Acting, victim_id: str, command: CloseJourney) -> ClosureRow:
    """End the journey, or ask a second person to confirm its end. Only the custody holder may. Returns the closure.

    No referral of the victim may be live here. Raises Refused: as ``record_stage``, and ``referral-still-live``,
    ``stages-missing``, ``note-required`` or ``closure-already-asked``.
    """
    tx = acting.tx
    victim, unit = _in_custody(acting, victim_id)
    _refuse_live(acting, victim)
    check_ending(command, victim.stages)
    if (waiting := store.waiting_closure(tx.session, victim_id)) is not None:
        raise Refused("closure-already-asked", closure=waiting.id)
    row = _closure(acting, victim_id, command, when(command, tx.now, victim.custody_at))
    tx.session.add(row)
    if command.note:
        sealed_notes.keep_note(tx, acting.office, victim_id, row.id, command.note)
    kept_for = keep_until(tx, acting.office, victim, row.occurred_at) - tx.now
    if not needs_second_person(command.outcome, AgeClass(victim.rule_age), kept_for):
        row.approved = True
        _end(acting, victim, unit, row)
    tx.changed.add(victim_id)
    return row


def decide_closure(acting: Acting, victim_id: str, command: DecideClosure) -> ClosureRow:
    """Record the decision of a second person. With an approval the journey ends. Returns the row.

    Raises Refused: as ``record_stage``, and ``referral-still-live``, ``unknown-closure``, ``closure-already-decided``
    or ``second-person-needed``.
    """
    tx = acting.tx
    victim, unit = _in_custody(acting, victim_id)
    row = store.load_closure(tx.session, command.closure_id)
    if row is None or row.victim_id != victim_id:
        raise Refused("unknown-closure", field="closure_id")
    if row.approved is not None:
        raise Refused("closure-already-decided", field="closure_id")
    require_second_person(acting.caller, row.client, row.person, field="closure_id")
    row.approved, row.decided_by, row.decided_at = command.approved, acting.caller.client, tx.now
    if command.approved:
        _refuse_live(acting, victim)
        _end(acting, victim, unit, row)
    tx.changed.add(victim_id)
    return row


def read_note(acting: Acting, closure_id: str, purpose: str) -> str | None:
    """What the first person noted of an end, or None. The reading is logged. Raises Refused("unknown-closure")."""
    row = store.load_closure(acting.tx.session, closure_id, store.visible(acting.sight))
    if row is None:
        raise Refused("unknown-closure")
    victim, right = rights.right_of(acting, row.victim_id)
    own = acting.sight.covers(DeskRef(agency=acting.office.code, unit=row.unit))
    if not right.fields and not own:
        return None
    return read_beside(acting, victim.id, right, [row.id], purpose).get(row.id)


def _closure(acting: Acting, victim_id: str, command: CloseJourney, at: datetime) -> ClosureRow:
    return ClosureRow(
        id=new_id(),
        victim_id=victim_id,
        outcome=command.outcome,
        occurred_at=at,
        client=acting.caller.client,
        person=acting.caller.person,
        unit=acting.caller.unit,
        asked_at=acting.tx.now,
    )


def _end(acting: Acting, victim: VictimRow, unit: UnitRef, row: ClosureRow) -> None:
    """End the journey at the told moment. The end sets until when the identity is kept."""
    tx, office, outcome, at = acting.tx, acting.office, JourneyOutcome(row.outcome), row.occurred_at
    victim.closed_at, victim.outcome = at, outcome
    victim.keep_until = keep_until(tx, office, victim, at)
    tx.changed.add(Topic.RETENTION)
    closed = e.JourneyClosed(victim_id=victim.id, outcome=outcome, unit=unit, occurred_at=at)
    publish(tx, office, closed, unit, victim.id)
    clocks.start_and_stop(tx, office, closed, {ClockSubject.VICTIM: victim.id}, unit, {"outcome": outcome})


def _refuse_live(acting: Acting, victim: VictimRow) -> None:
    """Refuse while work goes on. A request that nobody here has taken on keeps no journey open."""
    live = referrals.live_of_victim(acting.tx.session, victim.id)
    work = [row for row in live if row.sender_agency == acting.office.code or row.status not in NOT_TAKEN_ON]
    if work:
        raise Refused("referral-still-live", referral=work[0].id)


def _in_custody(acting: Acting, victim_id: str) -> tuple[VictimRow, UnitRef]:
    victim = lock_victim(acting.tx.session, acting.sight, victim_id)
    holder = require_custody(acting.sight, victim)
    if victim.closed_at is not None:
        raise Refused("journey-closed")
    return victim, holder
