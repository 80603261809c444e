"""Correct the facts of a victim. The custody holder's word is told to all agencies that work for the victim.

Where no custody is known, an agency that works for the victim may state its own word. It counts first in that agency
alone, and takes the protection of a child from nobody.
A correction that takes a child's protection away waits for a second person.
"""

from sqlalchemy import select
from sqlmodel import col

from shared.contracts import events as e
from shared.contracts.codes import AgeClass, FactsBasis
from shared.contracts.envelope import Envelope
from shared.contracts.types import UnitRef, VictimFacts
from shared.domain import facts as rules
from shared.domain.access import require_second_person
from shared.domain.anonymity import province_of
from shared.domain.commands import when
from shared.domain.facts import ConfirmFacts, CorrectFacts, FactsKnown, FactsWord, needs_second_person
from shared.domain.refusal import Refused
from shared.messaging.parked import Park
from shared.reference.acting import Acting
from shared.reference.office import Office, draft, new_id, tell_coordinator
from shared.storage import referrals
from shared.storage.unit_of_work import Transaction
from shared.victims.register.facts import facts_of, hear_facts, keep_heard, known_facts, with_word
from shared.victims.register.speaking import speaking_unit
from shared.victims.register.store import load_victim, lock_victim, require_custody
from shared.victims.register.tables import FactsCorrectionRow, VictimRow


def correct(acting: Acting, victim_id: str, command: CorrectFacts) -> FactsCorrectionRow:
    """Correct the facts of a victim, or ask a second person to. Returns the row of the correction.

    A correction replaces an earlier one that still waits. Raises Refused: ``unknown-victim``, ``not-custody-holder``,
    ``not-responsible``, ``unknown-region``, or for a bad ``occurred_at``.
    """
    tx, office = acting.tx, acting.office
    victim = lock_victim(tx.session, acting.sight, victim_id)
    unit = _stating_desk(acting, victim)
    if command.home_region is not None and not office.units.is_region(command.home_region):
        raise Refused("unknown-region", field="home_region")
    at = when(command, tx.now, victim.custody_at or victim.registered_at)
    said = command.model_dump(include={"age_class", "sex", "home_region"}, exclude_none=True)
    facts = VictimFacts.model_validate({**dict(facts_of(victim)), **said})
    row = FactsCorrectionRow(
        id=new_id(),
        victim_id=victim_id,
        **dict(facts),
        basis=command.basis,
        client=acting.caller.client,
        person=acting.caller.person,
        unit=acting.caller.unit,
        asked_at=tx.now,
        occurred_at=at,
    )
    tx.session.add(row)
    known = _corrected(tx, office, victim, row)
    if not needs_second_person(AgeClass(victim.rule_age), known.rule_age):
        _apply(tx, office, victim, row, known, unit)
    return row


def confirm_correction(acting: Acting, victim_id: str, command: ConfirmFacts) -> FactsCorrectionRow:
    """A second person confirms the newest correction of a victim. Returns its row.

    Raises Refused: ``unknown-victim``, ``not-custody-holder``, ``not-responsible``, ``unknown-correction``,
    ``already-applied`` or ``second-person-needed``.
    """
    tx = acting.tx
    victim = lock_victim(tx.session, acting.sight, victim_id)
    unit = _stating_desk(acting, victim)
    theirs = select(FactsCorrectionRow).where(col(FactsCorrectionRow.victim_id) == victim_id)
    row = tx.session.scalars(theirs.order_by(col(FactsCorrectionRow.number).desc()).limit(1)).first()
    if row is None or row.id != command.correction_id:
        raise Refused("unknown-correction", field="correction_id")
    if row.applied_at is not None:
        raise Refused("already-applied", field="correction_id")
    require_second_person(acting.caller, row.client, row.person, field="correction_id")
    row.confirmed_by, row.confirmed_person = acting.caller.client, acting.caller.person
    _apply(tx, acting.office, victim, row, _corrected(tx, acting.office, victim, row), unit)
    return row


def _stating_desk(acting: Acting, victim: VictimRow) -> UnitRef:
    """The desk that may correct the facts: the custody holder, or a desk at work for the victim.

    Raises Refused: ``not-custody-holder`` or ``not-responsible``.
    """
    if victim.custody_agency is None:
        return speaking_unit(acting.sight, victim, referrals.live_of_victim(acting.tx.session, victim.id))
    return require_custody(acting.sight, victim)


def _corrected(tx: Transaction, office: Office, victim: VictimRow, row: FactsCorrectionRow) -> FactsKnown:
    """The words about the facts with a correction. Only the custody holder settles those of others."""
    word = FactsWord(office.code, facts_of(row), tx.now)
    if victim.custody_agency is None:
        return with_word(tx.session, victim, office.code, word)[0]
    return rules.settle(known_facts(tx.session, victim), word, office.code)


def _apply(
    tx: Transaction, office: Office, victim: VictimRow, row: FactsCorrectionRow, known: FactsKnown, unit: UnitRef
) -> None:
    keep_heard(tx, office, victim, known)
    row.applied_at = tx.now
    tx.changed.add(victim.id)
    if victim.custody_agency is not None:
        _tell(tx, office, victim, row, unit)
        victim.facts_untold = False


def _tell(tx: Transaction, office: Office, victim: VictimRow, row: FactsCorrectionRow, unit: UnitRef) -> None:
    corrected = e.FactsCorrected(
        correction_id=row.id,
        victim_id=victim.id,
        facts=facts_of(row),
        basis=FactsBasis(row.basis),
        unit=unit,
        occurred_at=row.occurred_at,
    )
    for agency in sorted(referrals.working_for(tx.session, victim.id) - {office.code}):
        tx.emit(draft(corrected, agency, unit, victim_id=victim.id))
    coarse = corrected.facts.model_copy(update={"home_region": province_of(corrected.facts.home_region)})
    tell_coordinator(tx, office, corrected.model_copy(update={"facts": coarse}), unit, victim.id)


def on_facts_corrected(tx: Transaction, office: Office, envelope: Envelope, event: e.FactsCorrected) -> None:
    """The custody holder has corrected the facts of a victim, or an agency that asked us states others now.

    The holder's correction settles what others said. Any other word replaces that of its sender alone, so the stricter
    word of another agency still decides. Raises Park ``not-in-custody``.
    """
    victim = load_victim(tx.session, event.victim_id)
    word = FactsWord(envelope.sender, event.facts, tx.now)
    if victim is None:
        raise Park("not-in-custody")
    if victim.custody_agency == envelope.sender and event.basis is not FactsBasis.HEARD:
        keep_heard(tx, office, victim, rules.settle(known_facts(tx.session, victim), word, office.code))
    else:
        if hear_facts(tx, office, victim, word, event.passed_on):
            referrals.count_at_answers(referrals.live_of_victim(tx.session, victim.id), office.code)
    tx.changed.add(event.victim_id)
