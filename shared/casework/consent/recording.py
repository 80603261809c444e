"""Record a consent as the next version, and publish it. The previous version ends.

A controller whose data the new version does not cover is told to stop: see ``stopping``.
"""

from datetime import datetime

from shared.casework.consent.stopping import (
    ConsentStop,
    ask_to_stop,
    given_on_consent,
    publish_consent,
    stop_disclosures,
)
from shared.contracts.codes import AgeClass, ConsentEnd, IdentityField
from shared.contracts.types import UnitRef
from shared.domain.commands import when
from shared.domain.consent import RecordConsent, check_consent
from shared.domain.refusal import Refused
from shared.domain.trust import A_CENTURY
from shared.reference.acting import Acting
from shared.reference.office import Office, new_id
from shared.storage import referrals
from shared.storage.unit_of_work import Transaction
from shared.victims.disclosure import store as disclosure
from shared.victims.disclosure.tables import ConsentRow
from shared.victims.register.store import lock_concerned
from shared.victims.register.tables import VictimRow
from shared.victims.sealed import notes as sealed_notes


def record(acting: Acting, victim_id: str, command: RecordConsent) -> ConsentRow:
    """Record what a person agrees to, as the next version. The previous version ends. Returns the row.

    Raises Refused: ``unknown-victim``, ``not-responsible``, ``unknown-notice``, ``already-over``, ``valid-too-long``,
    ``unknown-agency``, ``not-agreed``, ``guardian-part-missing``, or for a bad ``occurred_at``.
    """
    tx = acting.tx
    victim, unit = victim_with_us(acting, victim_id)
    earlier = disclosure.consents_of(tx.session, victim_id)
    at = when(command, tx.now, victim.consent_withdrawn_at)
    _check(tx, acting.office, victim, command, at)
    row = ConsentRow(
        id=new_id(),
        victim_id=victim_id,
        version=len(earlier) + 1,
        notice=command.notice,
        purposes=sorted(command.purposes),
        fields=sorted(command.fields),
        recipients=sorted(command.recipients),
        valid_until=command.valid_until,
        manner=command.manner,
        guardian=command.guardian,
        client=acting.caller.client,
        person=acting.caller.person,
        unit=acting.caller.unit,
        recorded_at=at,
    )
    tx.session.add(row)
    publish_consent(tx, acting.office, row, unit)
    if earlier and earlier[-1].ended_at is None:
        _replace(tx, acting.office, earlier[-1], row, unit)
    if command.note:
        sealed_notes.keep_note(tx, acting.office, victim_id, new_id(), command.note)
    return row


def _check(tx: Transaction, office: Office, victim: VictimRow, command: RecordConsent, at: datetime) -> None:
    if command.notice not in office.notices or office.notices[command.notice].valid_from > at.date():
        raise Refused("unknown-notice", field="notice")
    if command.valid_until <= tx.now:
        raise Refused("already-over", field="valid_until")
    if command.valid_until - at > A_CENTURY:
        raise Refused("valid-too-long", field="valid_until")
    if not command.recipients <= office.directory.agencies:
        raise Refused("unknown-agency", field="recipients")
    check_consent(AgeClass(victim.rule_age), command.agrees, command.guardian)


def _replace(tx: Transaction, office: Office, before: ConsentRow, row: ConsentRow, unit: UnitRef) -> None:
    """End the previous consent, and tell each controller of data that the new consent does not cover any more."""
    before.ended_at = tx.now
    consent, gone = disclosure.to_consent(row), []
    for one in given_on_consent(tx.session, row.victim_id):
        referral = referrals.load(tx.session, one.given_with)
        assert referral is not None  # every disclosure on consent was given with a referral
        stage = office.directory.stage_of(one.agency, referral.service)
        if not consent.covers(one.agency, stage, map(IdentityField, one.fields)):
            gone.append(one)
    if gone:
        stop_disclosures(tx, office, before, ConsentStop(unit, ConsentEnd.REPLACED, tx.now), gone)
        ask_to_stop(tx, office, row.victim_id, {one.given_with for one in gone if one.agency not in row.recipients})


def victim_with_us(acting: Acting, victim_id: str) -> tuple[VictimRow, UnitRef]:
    """The locked row of a victim in whom the caller's desk has or had a part, and that desk. Raises Refused."""
    victim = lock_concerned(acting.tx.session, acting.sight, victim_id)
    return victim, acting.office.our_unit(acting.caller.unit, acting.tx.now.date())
