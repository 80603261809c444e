"""Consent: record, publish, withdraw, replace, expire. ``erasure`` holds what each holder does afterwards.

A withdrawal stops new disclosure at once, and every holder is told.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlmodel import Session, col

from shared.contracts import events as e
from shared.contracts.codes import AgeClass, CancellationReason, ConsentEnd, DisclosureEnd, IdentityField, LegalBasis
from shared.contracts.types import UnitRef
from shared.domain import commands as c
from shared.domain.access import Caller, Sight
from shared.domain.consent import check_consent
from shared.domain.refusal import Refused
from shared.service import handlers, sealed, security_log
from shared.service.deadlines import Deadline
from shared.service.erasure import Answer, give_back, note, tell
from shared.service.office import Office, draft, new_id
from shared.service.reception import Park
from shared.storage import privacy, referrals
from shared.storage.agency_tables import VictimRow
from shared.storage.database import Transaction
from shared.storage.privacy_tables import ConsentRow, DisclosureRow
from shared.storage.victims import holder_of, load_victim, lock_concerned

WATCHED = "consents"
"""Wake-up topic: a consent was recorded or ended."""


def deadline(office: Office) -> Deadline:
    """The timer that ends a consent when its time is over."""
    return Deadline(WATCHED, next_end, lambda tx: end_due(tx, office))


def record(
    tx: Transaction, office: Office, caller: Caller, sight: Sight, victim_id: str, command: c.RecordConsent
) -> ConsentRow:
    """Record what a person agrees to, as the next version. The previous version ends. Returns the row.

    Raises Refused: ``unknown-victim``, ``not-responsible``, ``unknown-notice``, ``already-over``,
    ``unknown-agency``, ``not-agreed``, ``guardian-part-missing``, ``id-taken``, or for a bad ``occurred_at``.
    """
    victim, unit = _with_us(tx, office, caller, sight, victim_id)
    at = c.when(command, tx.now)
    _check(tx, office, victim, command, at)
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
        person=caller.person,
        unit=caller.unit,
        recorded_at=at,
    )
    tx.session.add(row)
    _tell_coordinator(tx, office, row, unit)
    if earlier and earlier[-1].ended_at is None:
        _replace(tx, office, earlier[-1], row, unit)
    return row


def _check(tx: Transaction, office: Office, victim: VictimRow, command: c.RecordConsent, at: datetime) -> None:
    if command.notice not in office.notices or office.notices[command.notice].valid_from > at.date():
        raise Refused("unknown-notice", field="notice")
    if command.valid_until <= tx.now:
        raise Refused("already-over", field="valid_until")
    if not command.recipients <= office.directory.agencies:
        raise Refused("unknown-agency", field="recipients")
    check_consent(AgeClass(victim.age_class), command.agrees, command.guardian)
    if command.consent_id is not None and privacy.load_consent(tx.session, command.consent_id) is not None:
        raise Refused("id-taken", field="consent_id")


@dataclass(frozen=True, slots=True)
class TakenBack:
    """The ids of the consents that a person has withdrawn, with those that other agencies recorded. ``at``: UTC."""

    victim_id: str
    consents: tuple[str, ...]
    at: datetime


def withdraw(
    tx: Transaction, office: Office, caller: Caller, sight: Sight, victim_id: str, command: c.WithdrawConsent
) -> TakenBack:
    """Withdraw the person's consent (UU 27/2022 Ps 9).

    New disclosure stops and every holder is told. We request the cancellation of our live referrals on consent.
    The withdrawal covers consents recorded elsewhere too, if we hold data on them: the agency that recorded such a
    consent is told. Raises Refused: ``unknown-victim``, ``not-responsible``, ``no-consent``, or for a bad
    ``occurred_at``.
    """
    _, unit = _with_us(tx, office, caller, sight, victim_id)
    ours = next(reversed(privacy.consents_of(tx.session, victim_id)), None)
    theirs = {row.consent_id: row.agency for row in _received(tx.session, victim_id) if row.consent_id is not None}
    if ours is None and not theirs:
        raise Refused("no-consent")
    at = c.when(command, tx.now)
    if ours is not None and ours.withdrawn_at is None:
        _take_back(tx, office, ours, unit, at)
        security_log.withdrawn(tx, caller, ours.id)
    for consent_id, agency in theirs.items():
        withdrawn = e.ConsentWithdrawn(consent_id=consent_id, victim_id=victim_id, unit=unit, occurred_at=at)
        give_back(tx, office, withdrawn, agency)
        security_log.withdrawn(tx, caller, consent_id)
    return TakenBack(victim_id, ((ours.id,) if ours else ()) + tuple(theirs), at)


def heard(tx: Transaction, office: Office, sender: str, event: e.ConsentWithdrawn) -> bool:
    """Apply a withdrawal that the person made at a holder, of a consent recorded here.

    Returns False for a consent that was not recorded here. Raises Park: ``id-of-another-victim`` or
    ``not-theirs-to-say``.
    """
    row = privacy.load_consent(tx.session, event.consent_id)
    if row is None:
        return False
    victim = load_victim(tx.session, event.victim_id)
    if victim is None or row.victim_id != event.victim_id:
        raise Park("id-of-another-victim")
    holder = holder_of(victim)
    if sender not in {one.agency for one in _given(tx.session, victim.id)} | {holder and holder.agency}:
        raise Park("not-theirs-to-say")
    latest = privacy.consents_of(tx.session, victim.id)[-1]
    if latest.withdrawn_at is None:
        _take_back(tx, office, latest, office.speaker(tx.now.date()), event.occurred_at, but=sender)
    return True


def end_due(tx: Transaction, office: Office) -> int:
    """End every consent whose time is over. Returns the number ended.

    New disclosure stops and every holder is told. Referrals go on, because the person may be asked for consent again.
    """
    over = select(ConsentRow).where(col(ConsentRow.ended_at).is_(None), col(ConsentRow.valid_until) <= tx.now)
    rows = tx.session.scalars(over.order_by(col(ConsentRow.number))).all()
    for row in rows:
        load_victim(tx.session, row.victim_id)  # everything stored about a victim is written under this lock
        row.ended_at = tx.now
        unit = office.speaker(tx.now.date())
        _stop(tx, office, row, unit, ConsentEnd.EXPIRED, row.valid_until, _given(tx.session, row.victim_id))
    return len(rows)


def next_end(session: Session) -> datetime | None:
    """The moment (UTC) at which the next consent expires, or None."""
    standing = select(col(ConsentRow.valid_until)).where(col(ConsentRow.ended_at).is_(None))
    found: datetime | None = session.scalars(standing.order_by(col(ConsentRow.valid_until)).limit(1)).first()
    return found


def _take_back(
    tx: Transaction, office: Office, row: ConsentRow, unit: UnitRef, at: datetime, but: str | None = None
) -> None:
    given = _given(tx.session, row.victim_id)
    row.withdrawn_at = row.ended_at = at
    _stop(tx, office, row, unit, ConsentEnd.WITHDRAWN, at, given, but)
    _ask_to_stop(tx, office, row.victim_id)


def _replace(tx: Transaction, office: Office, before: ConsentRow, row: ConsentRow, unit: UnitRef) -> None:
    """End the previous consent, and tell each holder of data that the new consent does not cover any more."""
    before.ended_at = tx.now
    consent, gone = privacy.to_consent(row), []
    for one in _given(tx.session, row.victim_id):
        referral = referrals.load(tx.session, one.referral_id)
        assert referral is not None  # every disclosure on consent was given with a referral
        stage = office.directory.stage_of(one.agency, referral.service)
        if not consent.covers(one.agency, stage, map(IdentityField, one.fields)):
            gone.append(one)
    if gone:
        _stop(tx, office, before, unit, ConsentEnd.REPLACED, tx.now, gone)
        _ask_to_stop(tx, office, row.victim_id, {one.referral_id for one in gone if one.agency not in row.recipients})


def _stop(
    tx: Transaction,
    office: Office,
    row: ConsentRow,
    unit: UnitRef,
    because: ConsentEnd,
    at: datetime,
    given: Sequence[DisclosureRow],
    but: str | None = None,
) -> None:
    """Stop disclosure on a consent, and tell every holder.

    ``given``: what was disclosed on that consent. ``but``: an agency that need not be told, because it told us.
    """
    stopped = e.ConsentWithdrawn(consent_id=row.id, victim_id=row.victim_id, unit=unit, because=because, occurred_at=at)
    sealed.withhold(tx, [one.referral_id for one in given])
    sealed.renew_own_key(tx, office, row.victim_id)
    note(tx, office.code, stopped, Answer(DisclosureEnd.STOPPED, None, ()))
    tell(tx, office, unit, stopped, {one.agency for one in given} - {but})


def _ask_to_stop(tx: Transaction, office: Office, victim_id: str, only: Collection[str] | None = None) -> None:
    for referral in referrals.live_of_victim(tx.session, victim_id):
        asked_by_us = referral.sender_agency == office.code and referral.basis == LegalBasis.CONSENT
        if asked_by_us and referral.ask_id is None and (only is None or referral.id in only):
            handlers.progress(tx, office, referral, c.RequestCancellation(reason=CancellationReason.CONSENT_WITHDRAWN))


def _given(session: Session, victim_id: str) -> list[DisclosureRow]:
    """The disclosures that we gave on consent and that have not ended."""
    rows = privacy.disclosures_of(session, victim_id)
    return [row for row in rows if row.given and row.basis == LegalBasis.CONSENT and row.end is None]


def _received(session: Session, victim_id: str) -> list[DisclosureRow]:
    """The disclosures that we received on consents recorded elsewhere and that have not ended."""
    rows = privacy.disclosures_of(session, victim_id)
    return [row for row in rows if not row.given and row.basis == LegalBasis.CONSENT and row.end is None]


def _with_us(
    tx: Transaction, office: Office, caller: Caller, sight: Sight, victim_id: str
) -> tuple[VictimRow, UnitRef]:
    return lock_concerned(tx.session, sight, victim_id), office.our_unit(caller.unit, tx.now.date())


def _tell_coordinator(tx: Transaction, office: Office, row: ConsentRow, unit: UnitRef) -> None:
    tx.changed |= {row.victim_id, WATCHED}
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
