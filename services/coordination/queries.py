"""Read-only queries of the projection."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, bindparam, func, or_, select
from sqlmodel import Session, col

from services.coordination import read_models as m
from services.coordination.access import handovers_seen, journeys_seen
from services.coordination.tables import AlarmRow, CaseFactsRow, CustodyRow, JourneyRow, ProposalRow, StageRow
from shared.contracts.codes import Level, MatchState, Stage
from shared.contracts.envelope import Envelope
from shared.contracts.events import ReceiptRecorded
from shared.contracts.types import UnitRef
from shared.domain import matching
from shared.domain.access import Sight
from shared.domain.referral import LIVE
from shared.domain.refusal import Refused
from shared.domain.text import Text
from shared.service.office import Office
from shared.service.read_models import referral_view
from shared.storage.pages import newest_first
from shared.storage.referrals import EVERY, overdue, within
from shared.storage.tables import LedgerEntry, ParkedEvent, ReferralRow


@dataclass(frozen=True, slots=True)
class Wanted:
    """The filters of a list of journeys. ``region`` is the custody holder's; a province includes its regencies."""

    region: str | None = None
    stage: Stage | None = None
    agency: str | None = None
    open: bool | None = None
    overdue: bool = False
    escalated: bool = False


@dataclass(frozen=True, slots=True)
class Names:
    """The names of desks, clocks and services, as valid on the day of ``now`` (UTC)."""

    office: Office
    now: datetime

    def unit(self, agency: str | None, unit: str | None) -> str:
        """A desk's Indonesian name, or its id where the reference data lacks it."""
        try:
            return self.office.units.get(agency or "", unit or "", self.now.date()).name.id
        except Refused:
            return unit or "-"

    def clock(self, code: str) -> Text:
        """A clock's name, or its code where the clock table lacks it."""
        clock = self.office.clocks.by_code.get(code)
        return clock.label if clock else Text(code, code)

    def service(self, agency: str, service: str) -> Text:
        """A service's name, or its code where the directory lacks it."""
        try:
            return self.office.directory.service(agency, service).label
        except Refused:
            return Text(service, service)


def _conditions(sight: Sight, wanted: Wanted, now: datetime) -> list[ColumnElement[bool]]:
    found = [journeys_seen(sight)]
    if wanted.region:
        found.append(within(col(JourneyRow.custody_region), wanted.region))
    if wanted.stage:
        found.append(col(JourneyRow.stage) == wanted.stage)
    if wanted.agency:
        found.append(col(JourneyRow.custody_agency) == wanted.agency)
    if wanted.open is not None:
        closed = col(JourneyRow.closed_at)
        found.append(closed.is_(None) if wanted.open else closed.is_not(None))
    if wanted.overdue:
        found.append(col(JourneyRow.victim_id).in_(select(col(ReferralRow.victim_id)).where(*overdue(now))))
    if wanted.escalated:
        found.append(col(JourneyRow.victim_id).in_(select(col(AlarmRow.victim_id)).where(*ESCALATED)))
    return found


ESCALATED = col(AlarmRow.escalated_level).is_not(None), col(AlarmRow.stopped_at).is_(None)
"""SQL conditions: the clock was escalated and has not stopped."""


def journeys(
    session: Session, names: Names, sight: Sight, wanted: Wanted, cursor: str | None, limit: int
) -> m.JourneyPage:
    """One page of journeys, newest first. Raises Refused("unknown-cursor")."""
    shown, more = newest_first(
        session, names.office.vault, JourneyRow, _conditions(sight, wanted, names.now), cursor, limit
    )
    live = _count_by_victim(session, shown, (col(ReferralRow.status).in_(LIVE),))
    late = _count_by_victim(session, shown, overdue(names.now))
    told = _escalated(session, shown)
    items = [
        m.JourneySummary(
            **_summary(row, names, live.get(row.victim_id, 0), late.get(row.victim_id, 0), told.get(row.victim_id))
        )
        for row in shown
    ]
    return m.JourneyPage(items=items, next=more)


def _count_by_victim(
    session: Session, rows: Sequence[JourneyRow], conditions: Sequence[ColumnElement[bool]]
) -> dict[str, int]:
    statement = select(col(ReferralRow.victim_id), func.count()).where(
        col(ReferralRow.victim_id).in_([row.victim_id for row in rows]), *conditions
    )
    counted = session.execute(statement.group_by(col(ReferralRow.victim_id)))
    return {victim_id: count for victim_id, count in counted}


def _escalated(session: Session, rows: Sequence[JourneyRow]) -> dict[str, Level]:
    """Victim → the highest level that a running clock of this victim was escalated to."""
    statement = select(col(AlarmRow.victim_id), col(AlarmRow.escalated_level)).where(
        col(AlarmRow.victim_id).in_([row.victim_id for row in rows]), *ESCALATED
    )
    told: dict[str, Level] = {}
    for victim_id, level in session.execute(statement):
        told[victim_id] = max(told.get(victim_id, Level.REGENCY), Level(level), key=list(Level).index)
    return told


def _summary(row: JourneyRow, names: Names, live: int, overdue: int, escalated: Level | None) -> dict[str, Any]:
    custody = None
    if row.custody_agency is not None:
        custody = UnitRef(agency=row.custody_agency, unit=row.custody_unit or "", region=row.custody_region or "")
    return {
        "victim_id": row.victim_id,
        "case_id": row.case_id,
        "age_class": row.age_class,
        "sex": row.sex,
        "home_region": row.home_region,
        "stage": row.stage,
        "custody": custody,
        "custody_name": custody and names.unit(custody.agency, custody.unit),
        "live_handovers": live,
        "overdue": overdue,
        "escalated": escalated,
        "registered_at": row.registered_at,
        "closed_at": row.closed_at,
        "outcome": row.outcome,
    }


_JOURNEY = select(JourneyRow).where(col(JourneyRow.victim_id) == bindparam("victim_id"))
"""Built once, because every event runs it."""


def journey_row(session: Session, victim_id: str, seen: ColumnElement[bool] = EVERY) -> JourneyRow | None:
    """The row of a journey if the condition ``seen`` holds for it, or None."""
    statement = _JOURNEY if seen is EVERY else _JOURNEY.where(seen)
    return session.scalars(statement, {"victim_id": victim_id}).first()


def journey(session: Session, names: Names, sight: Sight, victim_id: str) -> tuple[str, m.JourneyView] | None:
    """The ETag of a journey's view, and the view; None where the journey does not exist for the caller."""
    row = journey_row(session, victim_id, journeys_seen(sight))
    if row is None:
        return None
    case = row.case_id and session.get(CaseFactsRow, row.case_id)
    handovers = _handovers(session, names, col(ReferralRow.victim_id) == victim_id)
    live = sum(1 for handover in handovers if handover.status in LIVE)
    late, told = sum(handover.overdue for handover in handovers), _escalated(session, [row])
    view = m.JourneyView(
        **_summary(row, names, live, late, told.get(victim_id)),
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


def handover(row: ReferralRow, names: Names) -> m.HandoverView:
    """A hand-over's view, with the names of its desks and service."""
    return m.HandoverView(
        **referral_view(row, names.now).model_dump(),
        sender_name=names.unit(row.sender_agency, row.sender_unit),
        receiver_name=names.unit(row.receiver_agency, row.receiver_unit),
        service_label=names.service(row.receiver_agency, row.service).id,
    )


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


def proposals_of(session: Session, victim_id: str) -> Sequence[ProposalRow]:
    """The proposals that this victim and another are one person."""
    either = or_(col(ProposalRow.first_id) == victim_id, col(ProposalRow.second_id) == victim_id)
    return session.scalars(select(ProposalRow).where(either).order_by(col(ProposalRow.id))).all()


def _same_person(session: Session, victim_id: str) -> dict[MatchState, int]:
    rows = proposals_of(session, victim_id)
    counts = Counter(matching.state(row.first_said, row.second_said) for row in rows)
    return {state: counts[state] for state in MatchState}


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


def counts(session: Session, sight: Sight, now: datetime) -> m.Counts:
    """Numbers of the journeys, hand-overs and clocks that exist for the caller."""
    journeys, handovers = journeys_seen(sight), handovers_seen(sight)

    def tally(column: object, *conditions: ColumnElement[bool]) -> dict[str, int]:
        statement = select(column, func.count()).where(*conditions).group_by(column)  # type: ignore[call-overload]
        return {str(key): int(count) for key, count in session.execute(statement) if key is not None}

    closed = col(JourneyRow.closed_at)
    is_open, is_closed = journeys & closed.is_(None), journeys & closed.is_not(None)
    provinces: Counter[str] = Counter()
    for region, count in tally(JourneyRow.custody_region, is_open).items():
        provinces[region if region.startswith("00.") else region[:2]] += count

    def number(table: type[object], *conditions: ColumnElement[bool]) -> int:
        return int(session.execute(select(func.count()).select_from(table).where(*conditions)).scalar_one())

    of_seen = col(AlarmRow.victim_id).in_(select(col(JourneyRow.victim_id)).where(is_open))
    escalated = tally(AlarmRow.escalated_level, *ESCALATED, of_seen)
    return m.Counts(
        journeys_open=number(JourneyRow, is_open),
        journeys_closed=number(JourneyRow, is_closed),
        overdue=number(ReferralRow, handovers, *overdue(now)),
        escalated={Level(level): count for level, count in escalated.items()},
        norm_gaps=number(ReferralRow, handovers, col(ReferralRow.norm_gap).is_not(None)),
        by_stage=tally(JourneyRow.stage, is_open),
        by_agency=tally(JourneyRow.custody_agency, is_open),
        by_province=dict(sorted(provinces.items())),
        handovers_by_status=tally(ReferralRow.status, handovers),
    )


def norm_gaps(session: Session, names: Names, sight: Sight, cursor: str | None, limit: int) -> m.NormGapPage:
    """One page of hand-overs that failed for want of a rule, newest first. Raises Refused("unknown-cursor")."""
    conditions = [handovers_seen(sight), col(ReferralRow.norm_gap).is_not(None)]
    rows, more = newest_first(session, names.office.vault, ReferralRow, conditions, cursor, limit)
    items = [m.NormGapView(norm_gap=row.norm_gap or "", handover=handover(row, names)) for row in rows]
    return m.NormGapPage(items=items, next=more)
