"""Delivery of a record to the desk that asked for the referral: sealed for that desk's agency alone.

A delivery is a disclosure (``shared.victims.disclosure``): both sides store it, and an erasure reaches it.
"""

from collections.abc import Mapping
from typing import Any

from shared.casework.records import store
from shared.casework.records.tables import RecordRow
from shared.contracts import events as e
from shared.contracts.codes import LegalBasis
from shared.contracts.envelope import Envelope
from shared.contracts.types import UnitRef
from shared.domain.forms import FormSubject
from shared.domain.refusal import Refused
from shared.messaging.parked import Park
from shared.reference.acting import Acting
from shared.reference.office import Office, draft
from shared.storage import referrals
from shared.storage.tables import ReferralRow
from shared.storage.unit_of_work import Transaction
from shared.victims.disclosure import disclose as disclosure
from shared.victims.register.store import load_victim
from shared.victims.register.tables import VictimRow
from shared.victims.sealed import giving, receiving

REFUSED_CODES = ("no-key-to-seal-for", "too-long-to-seal")


def send(
    acting: Acting,
    victim: VictimRow,
    basis: LegalBasis,
    row: RecordRow,
    referral: ReferralRow,
    fields: Mapping[str, Any],
) -> None:
    """Deliver a record to the agency that sent the referral. A desk of our own agency reads the record already.

    A law demands the record, so a withdrawn consent does not stop it. The delivery tells of that.

    ``fields``: the sealed fields in clear. Raises Refused, one of REFUSED_CODES: an undeliverable record is not filed.
    """
    tx, office = acting.tx, acting.office
    if referral.sender_agency == office.code:
        return
    try:
        given = giving.seal_record(tx, office, referral.victim_id, row.id, referral.sender_agency, fields)
    except ValueError:
        raise Refused("too-long-to-seal") from None
    if given is None:
        raise Refused("no-key-to-seal-for", agency=referral.sender_agency)
    asked = disclosure.ForService(referral.sender_agency, referral.service, basis)
    against = disclosure.is_against_withdrawal(acting, victim, asked)
    unit = UnitRef(agency=office.code, unit=row.unit, region=row.region)
    told = _delivered(row, referral, unit, given.sealed, against)
    tx.emit(draft(told, referral.sender_agency, unit, victim_id=referral.victim_id, basis=basis, key=given.key))
    disclosed = disclosure.Disclosure(
        row.id, referral.victim_id, referral.sender_agency, basis, against_withdrawal=against
    )
    disclosure.record_disclosure(tx, disclosed, True, (), first=True)


def _delivered(row: RecordRow, referral: ReferralRow, unit: UnitRef, sealed: str, against: bool) -> e.RecordDelivered:
    return e.RecordDelivered(
        record_id=row.id,
        form=row.form,
        form_version=row.form_version,
        victim_id=referral.victim_id,
        referral_id=referral.id,
        corrects=row.corrects,
        unit=unit,
        against_withdrawal=against,
        sealed=sealed,
        occurred_at=row.occurred_at,
    )


def on_record_delivered(tx: Transaction, office: Office, envelope: Envelope, event: e.RecordDelivered) -> None:
    """Receive a record that was delivered to our desk, the sender of the referral.

    Raises Park: ``no-legal-basis`` or ``record-id-taken``.
    """
    referral = referrals.load(tx.session, event.referral_id)
    assert referral is not None  # the table of trust parks a record of an unknown referral
    if envelope.basis is None:
        raise Park("no-legal-basis")
    if store.load(tx.session, event.record_id) is not None:
        raise Park("record-id-taken")
    load_victim(tx.session, event.victim_id)  # everything stored about a victim is written under this lock
    row = _row(tx, envelope, event, referral)
    tx.session.add(row)
    before = store.load(tx.session, event.corrects) if event.corrects else None
    if before is not None and before.delivered_by == envelope.sender and before.about == row.about:
        before.corrected_by = row.id
    if receiving.receive_record(tx, office, envelope.id, event.victim_id, event.record_id, event.sealed):
        disclosed = disclosure.Disclosure(
            row.id,
            event.victim_id,
            envelope.sender,
            envelope.basis,
            against_withdrawal=event.against_withdrawal,
        )
        disclosure.record_disclosure(tx, disclosed, False, (), first=True)
    tx.changed |= {referral.id, row.id, event.victim_id}


def _row(tx: Transaction, envelope: Envelope, event: e.RecordDelivered, referral: ReferralRow) -> RecordRow:
    return RecordRow(
        id=event.record_id,
        form=event.form,
        form_version=event.form_version,
        kind=FormSubject.REFERRAL,
        about=referral.id,
        victim_id=event.victim_id,
        case_id=referral.case_id,
        unit=referral.sender_unit,
        region=referral.sender_region,
        delivered_by=envelope.sender,
        facts={},
        corrects=event.corrects,
        occurred_at=event.occurred_at,
        recorded_at=tx.now,
    )
