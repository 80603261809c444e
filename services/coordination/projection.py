"""The journeys: what each event changes in them. Every order of arrival gives the same journeys."""

import json
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlmodel import col

from services.coordination.queries import known_journey
from services.coordination.tables import AlarmRow, CaseFactsRow, CustodyRow, JourneyRow, StageRow
from shared.contracts import events as e
from shared.contracts.codes import Stage
from shared.contracts.envelope import Envelope
from shared.contracts.types import Custody, UnitRef
from shared.domain.anonymity import province_of
from shared.domain.referral import ENDED
from shared.domain.trust import AHEAD
from shared.messaging.parked import Park
from shared.messaging.receipts import is_outcome
from shared.storage import ledger, referrals
from shared.storage.tables import LedgerEntry, ReferralRow
from shared.storage.unit_of_work import Transaction


def correct_facts(tx: Transaction, event: e.FactsCorrected) -> None:
    """Replace the facts of a journey."""
    journey = touch(tx, event.victim_id)
    journey.age_class, journey.sex = event.facts.age_class, event.facts.sex
    journey.home_region = province_of(event.facts.home_region)


def close_journey(tx: Transaction, event: e.JourneyClosed) -> None:
    """Close a journey, unless its newest custody link shows that somebody is responsible after the end."""
    journey = touch(tx, event.victim_id)
    newest = tx.session.get(CustodyRow, (event.victim_id, journey.custody_seq))
    if newest is None or _end_stands(newest, event.unit.agency, event.occurred_at):
        journey.closed_at, journey.outcome = event.occurred_at, event.outcome
    else:
        journey.reopened_at = tx.now


def _end_stands(newest: CustodyRow, closed_by: str, closed_at: datetime) -> bool:
    """Whether a journey is over: its newest link is of the agency that closed it, and began before the end.

    The end and the links may arrive in any order. A link between two desks of that agency may come last. The told
    beginning counts, as at that agency itself. It is no sooner than two clocks differ, or it would add up over links.
    """
    return newest.agency == closed_by and max(newest.told_since, newest.since - AHEAD) <= closed_at


def touch(tx: Transaction, victim_id: str) -> JourneyRow:
    """The row of a journey, made on first mention, and one more event in it. Registration may arrive later."""
    journey = known_journey(tx.session, victim_id)
    if journey is None:
        journey = JourneyRow(victim_id=victim_id, stage=Stage.DETECTION)
        tx.session.add(journey)
    journey.events += 1
    tx.changed.add(victim_id)
    return journey


def count_event(tx: Transaction, victim_id: str) -> None:
    """Count an event that a journey only shows in its list of events."""
    if known_journey(tx.session, victim_id) is not None:
        touch(tx, victim_id)


def record_case(tx: Transaction, event: e.CaseOpened) -> None:
    """Store the facts of a case, once. Raises Park ``case-taken``."""
    if tx.session.get(CaseFactsRow, event.case_id) is not None:
        raise Park("case-taken")
    tx.session.add(
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


def register(tx: Transaction, event: e.VictimRegistered) -> None:
    """Begin a journey, its custody chain and its stages. Raises Park ``registered-twice``."""
    journey = touch(tx, event.victim_id)
    if journey.registered_at is not None:
        raise Park("registered-twice")
    journey.case_id = event.case_id
    journey.age_class, journey.sex = event.facts.age_class, event.facts.sex
    journey.home_region = province_of(event.facts.home_region)
    journey.registered_at = event.occurred_at
    add_custody_link(tx, event.victim_id, event.custody, event.occurred_at, None)
    record_stage(tx, event.victim_id, Stage.DETECTION, event.custody, event.occurred_at)


def add_custody_link(
    tx: Transaction, victim_id: str, custody: Custody, told_since: datetime, referral_id: str | None
) -> None:
    """Add a link to the custody chain. The link with the highest number is the current holder. Raises Park.

    A closed journey with a new link is open again: somebody is responsible once more. A link begins no sooner than the
    link before it. So the difference that two clocks may have does not add up over many links. The told moment is kept.
    """
    near = select(CustodyRow).where(
        col(CustodyRow.victim_id) == victim_id, col(CustodyRow.seq).in_((custody.seq - 1, custody.seq))
    )
    with tx.session.no_autoflush:  # nothing is written yet, so that one flush writes all rows
        known = {row.seq: row for row in tx.session.scalars(near)}
    if custody.seq in known:
        raise Park("custody-link-taken")
    since = max([told_since, *(row.since for row in known.values())])
    link = CustodyRow(victim_id=victim_id, since=since, told_since=told_since, referral_id=referral_id, **dict(custody))
    tx.session.add(link)
    journey = touch(tx, victim_id)
    if custody.seq > journey.custody_seq:
        closed_by = journey.custody_agency or ""  # only the holder closes a journey
        journey.custody_agency, journey.custody_unit = custody.agency, custody.unit
        journey.custody_region, journey.custody_seq = custody.region, custody.seq
        if journey.closed_at is not None and not _end_stands(link, closed_by, journey.closed_at):
            journey.closed_at, journey.outcome, journey.reopened_at = None, None, tx.now
        if journey.stage_at is not None and journey.stage_at > since:
            tx.session.flush()
            _count_stages_again(tx, journey)


def record_stage(
    tx: Transaction, victim_id: str, stage: Stage, unit: UnitRef, at: datetime, by_holder: bool = False
) -> None:
    """Record a stage. The journey's stage is the one that occurred last.

    ``by_holder``: a holder said it. Then it counts only for the time of the agency's own custody.
    """
    row = StageRow(
        victim_id=victim_id, stage=stage, agency=unit.agency, unit=unit.unit, occurred_at=at, by_holder=by_holder
    )
    tx.session.add(row)
    journey = touch(tx, victim_id)
    if by_holder and journey.custody_agency != unit.agency and not _held_then(_chain(tx, victim_id), row):
        return
    if journey.stage_at is None or at >= journey.stage_at:
        journey.stage, journey.stage_at = stage, at


def _chain(tx: Transaction, victim_id: str) -> list[CustodyRow]:
    chain = select(CustodyRow).where(col(CustodyRow.victim_id) == victim_id).order_by(col(CustodyRow.seq))
    return list(tx.session.scalars(chain))


def _held_then(chain: Sequence[CustodyRow], row: StageRow) -> bool:
    """Whether the agency of a stage had custody when the stage occurred, by the links known now."""
    ends = [link.since for link in chain[1:]]
    return any(
        link.agency == row.agency and (end is None or row.occurred_at <= end)
        for link, end in zip(chain, [*ends, None], strict=True)
    )


def _count_stages_again(tx: Transaction, journey: JourneyRow) -> None:
    """Find the journey's stage anew, after a link that began before the last stage."""
    chain = _chain(tx, journey.victim_id)
    rows = tx.session.scalars(select(StageRow).where(col(StageRow.victim_id) == journey.victim_id))
    counted = [row for row in rows if not row.by_holder or _held_then(chain, row)]
    last = max(counted, key=lambda row: (row.occurred_at, row.number or 0), default=None)
    if last is not None:
        journey.stage, journey.stage_at = last.stage, last.occurred_at


def record_step(tx: Transaction, event: e.ClockEvent) -> None:
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
        count_event(tx, event.victim_id)


def close_receipted(tx: Transaction, envelope: Envelope, receipt: e.ReceiptRecorded) -> None:
    """Close a referral when its sender's receipt for the outcome arrives."""
    referral_id, event_type = ledger.referral_of(tx.session, receipt.event_id)
    if referral_id is None or not is_outcome(event_type):
        return
    row = referrals.load(tx.session, referral_id)
    if row is not None and row.sender_agency == envelope.sender and row.status in ENDED:
        row.closed = True
        touch(tx, row.victim_id)


def is_receipted(tx: Transaction, outcome: Envelope, row: ReferralRow) -> bool:
    """Whether the sender's receipt for an outcome arrived before the outcome was applied."""
    receipts = select(col(LedgerEntry.body)).where(
        col(LedgerEntry.victim_id) == row.victim_id,
        col(LedgerEntry.link) == f"{row.sender_agency}>{row.receiver_agency}",
        col(LedgerEntry.type) == e.ReceiptRecorded.type(),
    )
    return any(json.loads(body)["data"]["event_id"] == outcome.id for body in tx.session.scalars(receipts))
