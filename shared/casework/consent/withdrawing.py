"""Withdraw a consent (UU 27/2022 Ps 9). The person may do so here or at any controller of the data.

A withdrawal stops new disclosure at once, and every controller is told.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.casework.consent import security_log
from shared.casework.consent.recording import victim_with_us
from shared.casework.consent.stopping import (
    ConsentStop,
    ask_to_stop,
    given_on_consent,
    received_on_consent,
    stop_disclosures,
)
from shared.contracts import events as e
from shared.contracts.codes import ConsentEnd, DisclosureEnd
from shared.contracts.envelope import Envelope
from shared.contracts.types import UnitRef
from shared.domain.commands import when
from shared.domain.consent import WithdrawConsent
from shared.domain.erasure import ErasureCause, Word
from shared.domain.refusal import Refused
from shared.messaging.parked import Park
from shared.reference.acting import Acting
from shared.reference.office import Office, new_id
from shared.storage.unit_of_work import Transaction
from shared.victims.disclosure import store as disclosure
from shared.victims.disclosure.tables import ConsentRow
from shared.victims.erasure.carry_out import ControllerAnswer, list_told
from shared.victims.erasure.holdings import give_back, on_told
from shared.victims.register.store import load_victim
from shared.victims.register.tables import VictimRow
from shared.victims.sealed import notes as sealed_notes
from shared.victims.sealed.tables import DisclosureRow


@dataclass(frozen=True, slots=True)
class TakenBack:
    """The ids of the consents that a person has withdrawn, with those that other agencies recorded. ``at``: UTC."""

    victim_id: str
    consents: tuple[str, ...]
    at: datetime


def withdraw(acting: Acting, victim_id: str, command: WithdrawConsent) -> TakenBack:
    """Withdraw the person's consent (UU 27/2022 Ps 9).

    New disclosure stops and every controller is told. We request the cancellation of our live referrals on consent.
    The withdrawal covers consents recorded elsewhere too, if we hold data on them. The agency that recorded such a
    consent is told. Raises Refused: ``unknown-victim``, ``not-responsible``, ``no-consent``, or for a bad
    ``occurred_at``.
    """
    tx = acting.tx
    victim, unit = victim_with_us(acting, victim_id)
    ours = next(reversed(disclosure.consents_of(tx.session, victim_id)), None)
    theirs = {
        row.consent_id: row.agency for row in received_on_consent(tx.session, victim_id) if row.consent_id is not None
    }
    if ours is None and not theirs:
        raise Refused("no-consent")
    at = when(command, tx.now, ours.recorded_at if ours else None)
    victim.consent_withdrawn_at = _later(victim.consent_withdrawn_at, at)
    if ours is not None and ours.withdrawn_at is None:
        _take_back(tx, acting.office, ours, unit, at)
        security_log.withdrawn(acting, ours.id)
    for consent_id, agency in theirs.items():
        withdrawn = e.ConsentWithdrawn(consent_id=consent_id, victim_id=victim_id, unit=unit, occurred_at=at)
        give_back(tx, acting.office, withdrawn, agency)
        security_log.withdrawn(acting, consent_id)
    if command.note:
        sealed_notes.keep_note(tx, acting.office, victim_id, new_id(), command.note)
    return TakenBack(victim_id, ((ours.id,) if ours else ()) + tuple(theirs), at)


def on_consent_withdrawn(tx: Transaction, office: Office, envelope: Envelope, event: e.ConsentWithdrawn) -> None:
    """Apply a withdrawal: of a consent recorded here, made at a controller; or of one that another agency recorded.

    Raises Park: ``id-of-another-victim`` or ``not-theirs-to-say``.
    """
    row = disclosure.load_consent(tx.session, event.consent_id)
    if row is None:
        on_told(tx, office, envelope, event)
    else:
        _withdrawn_at_a_controller(tx, office, envelope.sender, row, event)


def _withdrawn_at_a_controller(
    tx: Transaction, office: Office, sender: str, row: ConsentRow, event: e.ConsentWithdrawn
) -> None:
    victim = load_victim(tx.session, event.victim_id)
    if victim is None or row.victim_id != event.victim_id:
        raise Park("id-of-another-victim")
    given = [one for one in disclosure.disclosures_of(tx.session, victim.id) if one.given]
    under_it = {one.agency for one in given if one.consent_id == row.id}
    if sender not in under_it | {victim.custody_agency} or sender == office.agency.coordinator:
        raise Park("not-theirs-to-say")
    latest = disclosure.consents_of(tx.session, victim.id)[-1]
    if latest.withdrawn_at is None and _concerns(latest, given, victim, sender, event.occurred_at):
        stopped = ControllerAnswer(DisclosureEnd.STOPPED, None, ())
        list_told(tx, row.id, victim.id, ErasureCause.WITHDRAWAL, Word(sender, sender), stopped)
        victim.consent_withdrawn_at = _later(victim.consent_withdrawn_at, event.occurred_at)
        _take_back(tx, office, latest, office.speaker(tx.now.date()), event.occurred_at, but=sender)


def _concerns(
    latest: ConsentRow, given: Sequence[DisclosureRow], victim: VictimRow, sender: str, occurred_at: datetime
) -> bool:
    """Whether a withdrawal told by another agency ends the newest consent too.

    The person may have agreed anew since. Or the agency has nothing more to do with the consent.
    """
    has = any(one.agency == sender and one.end is None for one in given)
    at_work = has or sender in latest.recipients or sender == victim.custody_agency
    return at_work and occurred_at >= latest.recorded_at


def _later(before: datetime | None, at: datetime) -> datetime:
    return at if before is None else max(before, at)


def _take_back(
    tx: Transaction, office: Office, row: ConsentRow, unit: UnitRef, at: datetime, but: str | None = None
) -> None:
    given = given_on_consent(tx.session, row.victim_id)
    row.withdrawn_at = row.ended_at = at
    stop_disclosures(tx, office, row, ConsentStop(unit, ConsentEnd.WITHDRAWN, at), given, but)
    ask_to_stop(tx, office, row.victim_id)
