"""Applies the events of all agencies to the journeys. Every order of arrival gives the same journeys."""

import json
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlmodel import col

from services.coordination import matching
from services.coordination.queries import journey_row
from services.coordination.tables import AlarmRow, CaseFactsRow, CustodyRow, JourneyRow, StageRow
from shared.contracts import events as e
from shared.contracts.codes import Stage
from shared.contracts.envelope import Envelope
from shared.contracts.types import Custody, UnitRef
from shared.domain.referral import ENDED, evolve, fault, open_referral
from shared.messaging.parked import Park
from shared.messaging.receipts import is_outcome, on_receipt
from shared.reference.office import Office, draft
from shared.storage import ledger, referrals
from shared.storage.tables import LedgerEntry, ReferralRow
from shared.storage.unit_of_work import Transaction


@dataclass(frozen=True, slots=True)
class Projection:
    """Coordination's ``Apply``: see ``shared.messaging.reception``."""

    office: Office

    def __call__(self, tx: Transaction, envelope: Envelope, event: e.EventData) -> None:
        """Apply one trusted event. Raises Park where it cannot be applied, now or ever."""
        match event:
            case e.ReceiptRecorded() if envelope.receiver == self.office.code:
                on_receipt(tx, self.office, envelope, event)
            case e.ReceiptRecorded():
                _receipt(tx, envelope, event)
            case e.LinkWitnessed():
                pass
            case e.Requested():
                self._requested(tx, envelope, event)
            case e.ReferralEvent():
                self._progressed(tx, envelope, event)
            case e.BreakGlassEvent() | e.TokensTold() | e.MatchDecided() | e.VictimInterviewed():
                if envelope.receiver == self.office.code:
                    self._sent_to_us(tx, envelope, event)
            case e.ClockEvent():
                _spoken_by(envelope, event.unit)
                _alarm(tx, event)
            case e.ConsentRecorded() | e.ConsentWithdrawn() | e.ErasureRequested() | e.DisclosureEnded():
                _told(tx, event.victim_id)
            case _:
                _desk_work(tx, envelope, event)

    def _sent_to_us(
        self,
        tx: Transaction,
        envelope: Envelope,
        event: e.BreakGlassEvent | e.TokensTold | e.MatchDecided | e.VictimInterviewed,
    ) -> None:
        """Fold what counts only where it is sent to us."""
        if isinstance(event, e.VictimInterviewed):
            _spoken_by(envelope, event.unit)
        _told(tx, event.victim_id)
        match event:
            case e.BreakGlassEvent():
                self._looked(tx, envelope, event)
            case e.TokensTold():
                matching.told(tx, self.office, envelope, event)
            case e.MatchDecided():
                matching.decided(tx, self.office, envelope, event)

    def _requested(self, tx: Transaction, envelope: Envelope, event: e.Requested) -> None:
        _spoken_by(envelope, event.sender)
        if referrals.load(tx.session, event.referral_id) is not None:
            raise Park("referral-id-taken")
        _journey(tx, event.victim_id)  # read before any row is added, so that one flush writes all rows
        referrals.add(tx.session, open_referral(event), envelope.basis, tx.now)
        tx.changed.add(event.referral_id)

    def _progressed(self, tx: Transaction, envelope: Envelope, event: e.ReferralEvent) -> None:
        row = referrals.load(tx.session, event.referral_id)
        if row is None:
            raise Park("unknown-referral")
        if row.victim_id != event.victim_id:
            raise Park("id-of-another-victim")
        referral = referrals.to_referral(row)
        _spoken_by(envelope, referral.sender if isinstance(event, e.SenderAsk) else referral.receiver)
        # for asks too: an answer may arrive here before the ask that it answers
        reason = fault(referral, event, envelope.version)
        if reason is not None:
            raise Park(reason)
        after = evolve(referral, event)
        _journey(tx, row.victim_id)  # read before any row changes, so that one flush writes all rows
        referrals.save(row, after, tx.now)
        if after.status in ENDED:
            row.closed = _is_receipted(tx, envelope, row)
        tx.changed.add(row.id)
        if isinstance(event, e.Accepted) and event.custody is not None:
            _custody(tx, row.victim_id, event.custody, event.occurred_at, row.id)
            matching.moved(tx, self.office, row.victim_id)
        if isinstance(event, e.Started):
            stage = self.office.directory.stage_of(row.receiver_agency, row.service)
            _stage(tx, row.victim_id, stage, referral.receiver, event.occurred_at)

    def _looked(self, tx: Transaction, envelope: Envelope, event: e.BreakGlassEvent) -> None:
        """Pass a break-glass event on to the custody holder: the agency that looked may not know the current holder.
        Events of its end and review go to the agencies that were told of its opening. Raises Park."""
        if isinstance(event, e.BreakGlassOpened):
            journey = journey_row(tx.session, event.victim_id)
            if journey is None or journey.custody_agency is None:
                raise Park("not-in-custody")
            told = {journey.custody_agency} - {envelope.sender}
        else:
            told = _told_of_opening(tx, event)
        unit = self.office.speaker(tx.now.date())
        for agency in sorted(told):
            tx.emit(draft(event, agency, unit, victim_id=event.victim_id, causation_id=envelope.id))


def _desk_work(tx: Transaction, envelope: Envelope, event: e.EventData) -> None:
    """Fold what a desk tells of its own work."""
    match event:
        case e.CaseOpened():
            _spoken_by(envelope, event.unit)
            _case(tx, event)
        case e.VictimRegistered():
            _spoken_by(envelope, event.custody)
            _registered(tx, event)
        case e.StageRecorded():
            _spoken_by(envelope, event.unit)
            _once_holder(tx, event.victim_id, event.unit)
            _stage(tx, event.victim_id, event.stage, event.unit, event.occurred_at)
        case e.JourneyClosed():
            _spoken_by(envelope, event.unit)
            _closed(tx, event)
        case e.CapacityAnnounced() | e.DeskDescribed() | e.RecordDelivered():
            _spoken_by(envelope, event.unit)
        case e.RecordFiled() | e.LetterIssued():
            _spoken_by(envelope, event.unit)
            if event.victim_id is not None:
                _told(tx, event.victim_id)


def _told_of_opening(tx: Transaction, event: e.BreakGlassEvent) -> set[str]:
    """The agencies to which coordination passed on the opening of this break-glass, in this transaction too."""
    sent = select(LedgerEntry).where(
        col(LedgerEntry.victim_id) == event.victim_id,
        col(LedgerEntry.sent),
        col(LedgerEntry.type) == e.BreakGlassOpened.type(),
    )
    envelopes = [Envelope.read(entry.body) for entry in tx.session.scalars(sent)]
    told = {one.receiver for one in envelopes if one.data["break_glass_id"] == event.break_glass_id}
    return told | {
        one.receiver
        for one in tx.drafts
        if isinstance(one.data, e.BreakGlassOpened) and one.data.break_glass_id == event.break_glass_id
    }


def _spoken_by(envelope: Envelope, unit: UnitRef) -> None:
    if envelope.sender != unit.agency:
        raise Park("not-theirs-to-say")


def _once_holder(tx: Transaction, victim_id: str, unit: UnitRef) -> None:
    """Raises Park unless the agency ever had custody of the victim.

    A stage may arrive before its desk's custody (it waits parked), or after the next desk's custody."""
    link = select(col(CustodyRow.seq)).where(
        col(CustodyRow.victim_id) == victim_id, col(CustodyRow.agency) == unit.agency
    )
    if tx.session.scalars(link).first() is None:
        raise Park("not-in-custody")


def _closed(tx: Transaction, event: e.JourneyClosed) -> None:
    """Close a journey. Raises Park unless the agency has custody now."""
    journey = journey_row(tx.session, event.victim_id)
    if journey is None or journey.custody_agency != event.unit.agency:
        raise Park("not-in-custody")
    journey = _journey(tx, event.victim_id)
    journey.closed_at, journey.outcome = event.occurred_at, event.outcome


def _journey(tx: Transaction, victim_id: str) -> JourneyRow:
    """The row of a journey, made on first mention, and one more event in it. Registration may arrive later."""
    journey = journey_row(tx.session, victim_id)
    if journey is None:
        journey = JourneyRow(victim_id=victim_id, stage=Stage.DETECTION)
        tx.session.add(journey)
    journey.events += 1
    tx.changed.add(victim_id)
    return journey


def _told(tx: Transaction, victim_id: str) -> None:
    """Count an event that a journey only shows in its list of events."""
    if journey_row(tx.session, victim_id) is not None:
        _journey(tx, victim_id)


def _case(tx: Transaction, event: e.CaseOpened) -> None:
    tx.session.merge(
        CaseFactsRow(
            case_id=event.case_id,
            agency=event.unit.agency,
            unit=event.unit.unit,
            region=event.unit.region,
            channel=event.channel,
            exploitation=event.exploitation,
            destination=event.destination,
            opened_at=event.occurred_at,
        )
    )


def _registered(tx: Transaction, event: e.VictimRegistered) -> None:
    journey = _journey(tx, event.victim_id)
    if journey.registered_at is not None:
        raise Park("registered-twice")
    journey.case_id = event.case_id
    journey.age_class, journey.sex = event.facts.age_class, event.facts.sex
    journey.home_region = event.facts.home_region
    journey.registered_at = event.occurred_at
    _custody(tx, event.victim_id, event.custody, event.occurred_at, None)
    _stage(tx, event.victim_id, Stage.DETECTION, event.custody, event.occurred_at)


def _custody(tx: Transaction, victim_id: str, custody: Custody, since: datetime, referral_id: str | None) -> None:
    """Add a link to the custody chain. The link with the highest number is the current holder. Raises Park."""
    if tx.session.get(CustodyRow, (victim_id, custody.seq)) is not None:
        raise Park("custody-link-taken")
    link = CustodyRow(victim_id=victim_id, since=since, referral_id=referral_id, **dict(custody))
    tx.session.add(link)
    journey = _journey(tx, victim_id)
    if custody.seq > journey.custody_seq:
        journey.custody_agency, journey.custody_unit = custody.agency, custody.unit
        journey.custody_region, journey.custody_seq = custody.region, custody.seq


def _stage(tx: Transaction, victim_id: str, stage: Stage, unit: UnitRef, at: datetime) -> None:
    """Record a stage. The journey's stage is the one that occurred last."""
    row = StageRow(victim_id=victim_id, stage=stage, agency=unit.agency, unit=unit.unit, occurred_at=at)
    tx.session.add(row)
    journey = _journey(tx, victim_id)
    if journey.stage_at is None or at >= journey.stage_at:
        journey.stage, journey.stage_at = stage, at


def _alarm(tx: Transaction, event: e.ClockEvent) -> None:
    """Record a desk's event of a clock. The last escalation by time stands."""
    key = (event.about, event.clock, event.unit.agency, event.unit.unit)
    row = tx.session.get(AlarmRow, key)
    if row is None:
        told = event.model_dump(include={"about", "clock", "victim_id", "started_at", "due_at"})
        row = AlarmRow(**told, **dict(event.unit))
        tx.session.add(row)
    at = event.occurred_at
    match event:
        case e.ClockWarned():
            row.warned_at = at
        case e.ClockBreached():
            row.breached_at = at
        case e.ClockEscalated() if row.escalated_at is None or at >= row.escalated_at:
            row.escalated_at, row.escalated_to, row.escalated_level = at, event.to.unit, event.level
        case e.ClockStopped():
            row.stopped_at, row.in_time = at, event.in_time
    if event.victim_id is not None:
        _told(tx, event.victim_id)


def _receipt(tx: Transaction, envelope: Envelope, receipt: e.ReceiptRecorded) -> None:
    """Close a referral when its sender's receipt for the outcome arrives."""
    referral_id, event_type = ledger.referral_of(tx.session, receipt.event_id)
    if referral_id is None or not is_outcome(event_type):
        return
    row = referrals.load(tx.session, referral_id)
    if row is not None and row.sender_agency == envelope.sender and row.status in ENDED:
        row.closed = True
        _journey(tx, row.victim_id)


def _is_receipted(tx: Transaction, outcome: Envelope, row: ReferralRow) -> bool:
    """Whether the sender's receipt for an outcome arrived before the outcome was applied."""
    receipts = select(col(LedgerEntry.body)).where(
        col(LedgerEntry.victim_id) == row.victim_id,
        col(LedgerEntry.link) == f"{row.sender_agency}>{row.receiver_agency}",
        col(LedgerEntry.type) == e.ReceiptRecorded.type(),
    )
    return any(json.loads(body)["data"]["event_id"] == outcome.id for body in tx.session.scalars(receipts))
