"""The end of a consent, for any reason: disclosure stops, and every controller is told.

Replacing, withdrawing and expiring a consent all use this. What each controller does then is in ``erasure.holdings``.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from shared.casework.referrals import execution
from shared.contracts import events as e
from shared.contracts.codes import CancellationReason, ConsentEnd, DisclosureEnd, LegalBasis
from shared.contracts.types import UnitRef
from shared.domain.referral_commands import RequestCancellation
from shared.reference.office import Office, tell_coordinator
from shared.storage import referrals
from shared.storage.notifier import Topic
from shared.storage.unit_of_work import Transaction
from shared.victims.disclosure import store as disclosure
from shared.victims.disclosure.tables import ConsentRow
from shared.victims.erasure.carry_out import ControllerAnswer, remember_answer, tell
from shared.victims.sealed import forgetting
from shared.victims.sealed.tables import DisclosureRow


@dataclass(frozen=True, slots=True)
class ConsentStop:
    """The end of a consent: our unit in whose name it ended, the reason, and the moment (UTC)."""

    unit: UnitRef
    because: ConsentEnd
    at: datetime


def stop_disclosures(
    tx: Transaction,
    office: Office,
    row: ConsentRow,
    stop: ConsentStop,
    given: Sequence[DisclosureRow],
    but: str | None = None,
) -> None:
    """Stop disclosure on a consent, and tell every controller, of the consent under which it got something.

    ``given``: what was disclosed on that consent. ``but``: an agency that need not be told, because it told us.
    """
    forgetting.withhold(tx, [one.given_with for one in given])
    forgetting.renew_own_key(tx, office, row.victim_id)
    for consent_id in sorted({row.id, *(one.consent_id or row.id for one in given)}):
        stopped = e.ConsentWithdrawn(
            consent_id=consent_id, victim_id=row.victim_id, unit=stop.unit, because=stop.because, occurred_at=stop.at
        )
        remember_answer(tx, office.code, stopped, ControllerAnswer(DisclosureEnd.STOPPED, None, ()))
        under_it = {one.agency for one in given if (one.consent_id or row.id) == consent_id}
        tell(tx, office, stop.unit, stopped, under_it - {but})


def ask_to_stop(tx: Transaction, office: Office, victim_id: str, only: Collection[str] | None = None) -> None:
    """Ask the receivers to cancel our live referrals that rest on consent. ``only``: the ids of these; None: all."""
    for referral in referrals.live_of_victim(tx.session, victim_id):
        asked_by_us = referral.sender_agency == office.code and referral.basis == LegalBasis.CONSENT
        if asked_by_us and referral.ask_id is None and (only is None or referral.id in only):
            execution.execute(tx, office, referral, RequestCancellation(reason=CancellationReason.CONSENT_WITHDRAWN))


def given_on_consent(session: Session, victim_id: str) -> list[DisclosureRow]:
    """The disclosures that we gave on consent and that have not ended."""
    rows = disclosure.disclosures_of(session, victim_id)
    return [row for row in rows if row.given and row.basis == LegalBasis.CONSENT and row.end is None]


def received_on_consent(session: Session, victim_id: str) -> list[DisclosureRow]:
    """The disclosures that we received on consents recorded elsewhere and that have not ended."""
    rows = disclosure.disclosures_of(session, victim_id)
    return [row for row in rows if not row.given and row.basis == LegalBasis.CONSENT and row.end is None]


def publish_consent(tx: Transaction, office: Office, row: ConsentRow, unit: UnitRef) -> None:
    """Publish a recorded consent to the coordinator, if this agency has one. ``unit``: the desk that recorded it."""
    tx.changed |= {row.victim_id, Topic.CONSENTS}
    consent = disclosure.to_consent(row)
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
    tell_coordinator(tx, office, recorded, unit, row.victim_id)
