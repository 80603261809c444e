"""One journey as a whole: hand-overs, custody through time, stages, alarms, events."""

from collections import Counter
from datetime import datetime

from sqlalchemy import ColumnElement, select
from sqlmodel import Session, col

from services.coordination import read_models as m
from services.coordination.access import journeys_seen
from services.coordination.names import Names
from services.coordination.queries import escalation_levels, handover, journey_row, proposals_of, summary
from services.coordination.tables import AlarmRow, CaseFactsRow, CustodyRow, StageRow
from shared.contracts.codes import Level, MatchState
from shared.contracts.envelope import Envelope
from shared.contracts.events import ReceiptRecorded
from shared.domain import matching
from shared.domain.access import Sight
from shared.domain.referral import LIVE
from shared.storage.tables import LedgerEntry, ParkedEvent, ReferralRow


def journey(session: Session, names: Names, sight: Sight, victim_id: str) -> tuple[str, m.JourneyView] | None:
    """The ETag of a journey's view, and the view; None where the journey does not exist for the caller."""
    row = journey_row(session, victim_id, journeys_seen(sight))
    if row is None:
        return None
    case = row.case_id and session.get(CaseFactsRow, row.case_id)
    handovers = _handovers(session, names, col(ReferralRow.victim_id) == victim_id)
    live = sum(1 for handover in handovers if handover.status in LIVE)
    late, told = sum(handover.overdue for handover in handovers), escalation_levels(session, [row])
    view = m.JourneyView(
        **summary(row, names, live, late, told.get(victim_id)),
        exploitation=case.exploitation if case else None,
        destination=case.destination if case else None,
        custody_chain=custody_chain(session, names, victim_id),
        stages=_stages(session, names, victim_id),
        handovers=handovers,
        alarms=_alarms(session, names, victim_id),
        same_person=_same_person(session, victim_id),
        events=_events(session, victim_id),
    )
    return f'"{row.events}"', view


def _handovers(session: Session, names: Names, condition: ColumnElement[bool]) -> list[m.HandoverView]:
    rows = session.scalars(
        select(ReferralRow).where(condition).order_by(col(ReferralRow.requested_at), col(ReferralRow.id))
    )
    return [handover(row, names) for row in rows]


def custody_chain(session: Session, names: Names, victim_id: str) -> list[m.CustodyView]:
    """The custody chain from the registration on. Each link ends when the next begins."""
    statement = select(CustodyRow).where(col(CustodyRow.victim_id) == victim_id)
    rows = session.scalars(statement.order_by(col(CustodyRow.seq))).all()
    ends = [*(row.since for row in rows[1:]), None]
    return [
        m.CustodyView(
            agency=row.agency,
            unit=row.unit,
            region=row.region,
            seq=row.seq,
            unit_name=names.unit(row.agency, row.unit),
            since=row.since,
            until=until,
            referral_id=row.referral_id,
        )
        for row, until in zip(rows, ends, strict=False)  # a journey without its registration has no link yet
    ]


def holder_at(session: Session, names: Names, victim_id: str, at: datetime) -> m.Holder:
    """The custody holder at a moment (UTC); None in it before the registration."""
    links = [link for link in custody_chain(session, names, victim_id) if link.since <= at]
    return m.Holder(at=at, custody=links[-1] if links else None)


def _stages(session: Session, names: Names, victim_id: str) -> list[m.StageView]:
    statement = select(StageRow).where(col(StageRow.victim_id) == victim_id)
    return [
        m.StageView(
            stage=row.stage,
            agency=row.agency,
            unit=row.unit,
            unit_name=names.unit(row.agency, row.unit),
            occurred_at=row.occurred_at,
        )
        for row in session.scalars(statement.order_by(col(StageRow.occurred_at), col(StageRow.number)))
    ]


def _alarms(session: Session, names: Names, victim_id: str) -> list[m.AlarmView]:
    rows = session.scalars(select(AlarmRow).where(col(AlarmRow.victim_id) == victim_id))
    return [_alarm(row, names) for row in sorted(rows, key=lambda row: (row.due_at, row.clock, row.agency))]


def _alarm(row: AlarmRow, names: Names) -> m.AlarmView:
    clock = names.office.clocks.by_code.get(row.clock)
    return m.AlarmView(
        about=row.about,
        clock=row.clock,
        label=names.clock(row.clock).id,
        basis=clock.basis if clock else None,
        agency=row.agency,
        unit=row.unit,
        unit_name=names.unit(row.agency, row.unit),
        due_at=row.due_at,
        warned_at=row.warned_at,
        breached_at=row.breached_at,
        escalated_at=row.escalated_at,
        escalated_to=row.escalated_to,
        escalated_to_name=names.unit(row.agency, row.escalated_to) if row.escalated_to else None,
        escalated_level=Level(row.escalated_level) if row.escalated_level else None,
        stopped_at=row.stopped_at,
        in_time=row.in_time,
    )


def _same_person(session: Session, victim_id: str) -> dict[MatchState, int]:
    rows = proposals_of(session, victim_id)
    counts = Counter(matching.state(row.first_said, row.second_said) for row in rows)
    return {state: counts[state] for state in MatchState}


def _events(session: Session, victim_id: str) -> list[m.EventView]:
    # a parked event is recorded but not applied; the list of parked events shows it
    parked = select(col(ParkedEvent.event_id)).where(
        col(ParkedEvent.event_id) == col(LedgerEntry.event_id), col(ParkedEvent.resolved_at).is_(None)
    )
    statement = select(LedgerEntry).where(
        col(LedgerEntry.victim_id) == victim_id,
        col(LedgerEntry.type) != ReceiptRecorded.type(),
        ~parked.exists(),
    )
    envelopes = sorted((Envelope.read(row.body) for row in session.scalars(statement)), key=lambda e: (e.time, e.id))
    return [
        m.EventView(
            event_id=event.id,
            type=event.type,
            sender=event.sender,
            receiver=event.receiver,
            time=event.time,
            referral_id=event.referral_id,
            version=event.version,
        )
        for event in envelopes
    ]
