"""Consent: recorded, told, taken back. What follows a withdrawal at every holder is in ``erasure``."""

from shared.contracts import events as e
from shared.contracts.codes import AgeClass, CancellationReason, DisclosureEnd, LegalBasis
from shared.contracts.types import UnitRef
from shared.domain import commands as c
from shared.domain.access import Caller, Sight
from shared.domain.consent import check_consent
from shared.domain.refusal import Refused
from shared.service import handlers, sealed, security_log
from shared.service.erasure import Answer, note, tell_holders
from shared.service.office import Office, draft, new_id
from shared.storage import privacy, referrals
from shared.storage.agency_tables import VictimRow
from shared.storage.database import Transaction
from shared.storage.privacy_tables import ConsentRow
from shared.storage.victims import lock_concerned


def record(
    tx: Transaction, office: Office, caller: Caller, sight: Sight, victim_id: str, command: c.RecordConsent
) -> ConsentRow:
    """Write down what a person agrees to, as the next version. Raises Refused."""
    victim, unit = _with_us(tx, office, caller, sight, victim_id)
    at = c.when(command, tx.now)
    if command.notice not in office.notices or office.notices[command.notice].valid_from > at.date():
        raise Refused("unknown-notice", field="notice")
    if command.valid_until <= tx.now:
        raise Refused("already-over", field="valid_until")
    check_consent(AgeClass(victim.age_class), command.agrees, command.guardian)
    if command.consent_id is not None and privacy.is_consent(tx.session, command.consent_id):
        raise Refused("id-taken", field="consent_id")
    earlier = privacy.consents_of(tx.session, victim_id)
    row = ConsentRow(
        id=command.consent_id or new_id(),
        victim_id=victim_id,
        version=len(earlier) + 1,
        notice=command.notice,
        purposes=sorted(command.purposes),
        fields=sorted(command.fields),
        recipients=sorted(command.recipients),
        valid_until=command.valid_until,
        manner=command.manner,
        guardian=command.guardian,
        client=caller.client,
        unit=caller.unit,
        recorded_at=at,
    )
    tx.session.add(row)
    _tell(tx, office, row, unit)
    return row


def withdraw(
    tx: Transaction, office: Office, caller: Caller, sight: Sight, victim_id: str, command: c.WithdrawConsent
) -> ConsentRow:
    """The person takes back what they agreed to: nothing more is given on it, every holder is told, and what was
    asked on it is asked to stop. Raises Refused."""
    _, unit = _with_us(tx, office, caller, sight, victim_id)
    row = next(reversed(privacy.consents_of(tx.session, victim_id)), None)
    if row is None:
        raise Refused("no-consent")
    if row.withdrawn_at is not None:
        return row
    row.withdrawn_at = c.when(command, tx.now)
    withdrawn = e.ConsentWithdrawn(consent_id=row.id, victim_id=victim_id, unit=unit, occurred_at=row.withdrawn_at)
    sealed.withhold(tx, _given_on(tx, row))
    note(tx, office.code, withdrawn, Answer(DisclosureEnd.STOPPED, None, ()))
    tell_holders(tx, office, unit, withdrawn)
    security_log.withdrawn(tx, caller, row)
    for referral in referrals.live_of_victim(tx.session, victim_id):
        asked_by_us = referral.sender_agency == office.code and referral.basis == LegalBasis.CONSENT
        if asked_by_us and referral.ask_id is None:
            handlers.progress(tx, office, referral, c.RequestCancellation(reason=CancellationReason.CONSENT_WITHDRAWN))
    return row


def _given_on(tx: Transaction, row: ConsentRow) -> list[str]:
    """The referrals with which something was given on any consent of this victim."""
    given = privacy.disclosures_of(tx.session, row.victim_id)
    return [one.referral_id for one in given if one.given and one.basis == LegalBasis.CONSENT]


def _with_us(
    tx: Transaction, office: Office, caller: Caller, sight: Sight, victim_id: str
) -> tuple[VictimRow, UnitRef]:
    return lock_concerned(tx.session, sight, victim_id), office.our_unit(caller.unit, tx.now.date())


def _tell(tx: Transaction, office: Office, row: ConsentRow, unit: UnitRef) -> None:
    tx.changed.add(row.victim_id)
    if office.agency.coordinator is None:
        return
    consent = privacy.to_consent(row)
    recorded = e.ConsentRecorded(
        consent_id=row.id,
        victim_id=row.victim_id,
        version=row.version,
        notice=row.notice,
        purposes=tuple(sorted(consent.purposes)),
        fields=tuple(sorted(consent.fields)),
        recipients=tuple(sorted(consent.recipients)),
        valid_until=row.valid_until,
        manner=consent.manner,
        guardian=consent.guardian,
        unit=unit,
        occurred_at=row.recorded_at,
    )
    tx.emit(draft(recorded, office.agency.coordinator, unit, victim_id=row.victim_id))
