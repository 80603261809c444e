"""One journey, or its reader's part of it: hand-overs, custody through time, stages, alarms, events."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, select
from sqlmodel import Session, col

from services.coordination import read_models as m
from services.coordination.access import alarms_seen, handovers_seen, journeys_seen
from services.coordination.contradictions import contradictions_of
from services.coordination.names import Names
from services.coordination.queries import (
    escalation_levels,
    followed,
    handover,
    journey_row,
    last_links,
    proposals_of,
    summary,
)
from services.coordination.tables import AlarmRow, CaseFactsRow, CustodyRow, JourneyRow, StageRow
from shared.contracts.codes import Level, MatchState
from shared.contracts.envelope import Envelope
from shared.contracts.events import ReceiptRecorded
from shared.domain import matching
from shared.domain.access import Role, Sight
from shared.domain.anonymity import Part, day_of, full_hour, province_of, shows_facts
from shared.domain.referral import LIVE
from shared.http.long_polling import tag_of
from shared.storage.tables import LedgerEntry, ParkedEvent, ReferralRow


@dataclass(frozen=True, slots=True)
class Reader:
    """The reader of a journey: the role, and the regions and units that the role is for."""

    role: Role
    sight: Sight


@dataclass(frozen=True, slots=True)
class Seen:
    """The part of one journey that exists for its reader."""

    victim_id: str
    part: Part
    sight: Sight
    links: int | None = None
    """The last custody link of the part; None: every link."""
    until: datetime | None = None
    """The end of the part (UTC); None: the present, or nothing but hand-overs."""

    @property
    def handovers(self) -> list[ColumnElement[bool]]:
        """SQL conditions: the hand-overs of the part."""
        of_victim = col(ReferralRow.victim_id) == self.victim_id
        return [of_victim] if self.part is Part.WHOLE else [of_victim, handovers_seen(self.sight)]

    @property
    def alarms(self) -> list[ColumnElement[bool]]:
        """SQL conditions: the clocks of the part."""
        of_victim = col(AlarmRow.victim_id) == self.victim_id
        return [of_victim] if self.part is Part.WHOLE else [of_victim, alarms_seen(self.sight)]

    def covers(self, moment: datetime) -> bool:
        """Whether what happened at a moment to the person, at any desk, lies in the part."""
        return self.part is Part.WHOLE or (self.until is not None and moment <= self.until)


def seen(session: Session, sight: Sight, row: JourneyRow) -> Seen:
    """The part of a journey that exists for a reader who sees it at all."""
    victim_id = row.victim_id
    if followed(session, sight, [row]):
        return Seen(victim_id, Part.WHOLE, sight)
    last = last_links(session, sight, [row]).get(victim_id)
    if last is None:
        return Seen(victim_id, Part.HANDOVERS, sight, links=0)
    later = (col(CustodyRow.victim_id) == victim_id) & (col(CustodyRow.seq) > last)
    until = session.scalars(select(col(CustodyRow.since)).where(later).order_by(col(CustodyRow.seq))).first()
    return Seen(victim_id, Part.UNTIL, sight, last, until)


def journey(session: Session, names: Names, reader: Reader, victim_id: str) -> tuple[str, m.JourneyView] | None:
    """The ETag of a journey's view, and the view; None where the journey does not exist for the reader."""
    row = journey_row(session, victim_id, journeys_seen(reader.sight))
    if row is None:
        return None
    part = seen(session, reader.sight, row)
    whole = {victim_id} if part.part is Part.WHOLE else frozenset[str]()
    handovers = _handovers(session, names, part.handovers)
    numbers = sum(handover.status in LIVE for handover in handovers), sum(handover.overdue for handover in handovers)
    told = escalation_levels(session, reader.sight, [row], whole).get(victim_id)
    disputes = contradictions_of(session, victim_id) if whole else []
    view = m.JourneyView(
        **summary(row, names, part.part, numbers, told),
        case_id=row.case_id if part.part is not Part.HANDOVERS else None,
        facts=_facts(session, reader, row, told) if whole else None,
        custody_chain=custody_chain(session, names, part),
        stages=_stages(session, names, part),
        handovers=handovers,
        alarms=_alarms(session, names, part),
        contradicted=bool(disputes),
        contradictions=disputes,
        same_person=_same_person(session, victim_id) if whole else {},
        events=_events(session, part, {handover.id for handover in handovers}),
    )
    return _tag(row, view), view


def _tag(row: JourneyRow, view: m.JourneyView) -> str:
    """The ETag of a view. A contradiction is no event of the journey, so a whole view counts it beside them."""
    if view.part is not Part.WHOLE:
        # an event outside the part must not show in its tag, nor wake its reader
        return tag_of(view.model_dump_json())
    disputes = "".join(dispute.model_dump_json() for dispute in view.contradictions)
    return tag_of(f"{row.events} {disputes}") if disputes else f'"{row.events}"'


def _facts(session: Session, reader: Reader, row: JourneyRow, told: Level | None) -> m.JourneyFacts | None:
    if not shows_facts(reader.role, reader.sight.regions, row.custody_region, told):
        return None
    case = row.case_id and session.get(CaseFactsRow, row.case_id)
    return m.JourneyFacts(
        age_class=row.age_class,
        sex=row.sex,
        home=province_of(row.home_region),
        exploitation=case.exploitation if case else None,
        destination=case.destination if case else None,
    )


def _handovers(session: Session, names: Names, conditions: list[ColumnElement[bool]]) -> list[m.HandoverView]:
    rows = session.scalars(
        select(ReferralRow).where(*conditions).order_by(col(ReferralRow.requested_at), col(ReferralRow.id))
    )
    return [handover(row, names) for row in rows]


def custody_chain(session: Session, names: Names, part: Seen) -> list[m.CustodyView]:
    """The custody chain from the registration on. Each link ends when the next begins."""
    statement = select(CustodyRow).where(col(CustodyRow.victim_id) == part.victim_id)
    rows = session.scalars(statement.order_by(col(CustodyRow.seq))).all()
    ends = [*(day_of(row.since) for row in rows[1:]), None]
    return [
        m.CustodyView(
            agency=row.agency,
            unit=row.unit,
            region=row.region,
            seq=row.seq,
            unit_name=names.unit(row.agency, row.unit),
            since=day_of(row.since),
            until=until,
            referral_id=row.referral_id,
        )
        for row, until in zip(rows, ends, strict=False)  # a journey without its registration has no link yet
        if part.links is None or row.seq <= part.links
    ]


def holder_at(session: Session, names: Names, part: Seen, day: date) -> m.Holder:
    """The custody holder at the end of a day, or now. None in it before the registration, and outside the part."""
    links = [link for link in custody_chain(session, names, part) if link.since <= day]
    last = links[-1] if links else None
    over = last is not None and part.part is not Part.WHOLE and last.until is not None and last.until <= day
    return m.Holder(at=day, custody=None if over else last)


def _stages(session: Session, names: Names, part: Seen) -> list[m.StageView]:
    statement = select(StageRow).where(col(StageRow.victim_id) == part.victim_id)
    return [
        m.StageView(
            stage=row.stage,
            agency=row.agency,
            unit=row.unit,
            unit_name=names.unit(row.agency, row.unit),
            occurred_at=day_of(row.occurred_at),
        )
        for row in session.scalars(statement.order_by(col(StageRow.occurred_at), col(StageRow.number)))
        if part.covers(row.occurred_at)
    ]


def _alarms(session: Session, names: Names, part: Seen) -> list[m.AlarmView]:
    rows = session.scalars(select(AlarmRow).where(*part.alarms))
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
        due_at=full_hour(row.due_at),
        warned_at=_day(row.warned_at),
        breached_at=_day(row.breached_at),
        escalated_at=_day(row.escalated_at),
        escalated_to=row.escalated_to,
        escalated_to_name=names.unit(row.agency, row.escalated_to) if row.escalated_to else None,
        escalated_level=Level(row.escalated_level) if row.escalated_level else None,
        stopped_at=_day(row.stopped_at),
        in_time=row.in_time,
    )


def _day(moment: datetime | None) -> date | None:
    return day_of(moment) if moment else None


def _same_person(session: Session, victim_id: str) -> dict[MatchState, int]:
    rows = proposals_of(session, victim_id)
    counts = Counter(matching.state(row.first_said, row.second_said) for row in rows)
    return {state: counts[state] for state in MatchState if state is not MatchState.WITHDRAWN}


def _events(session: Session, part: Seen, handovers: Collection[str]) -> list[m.EventView]:
    # a parked event is recorded but not applied; the list of parked events shows it
    parked = select(col(ParkedEvent.event_id)).where(
        col(ParkedEvent.event_id) == col(LedgerEntry.event_id), col(ParkedEvent.resolved_at).is_(None)
    )
    statement = select(LedgerEntry).where(
        col(LedgerEntry.victim_id) == part.victim_id,
        col(LedgerEntry.type) != ReceiptRecorded.type(),
        ~parked.exists(),
    )
    envelopes = sorted((Envelope.read(row.body) for row in session.scalars(statement)), key=lambda e: (e.time, e.id))
    return [
        m.EventView(
            type=event.type,
            sender=event.sender,
            receiver=event.receiver,
            time=day_of(event.time),
            referral_id=event.referral_id,
            version=event.version,
        )
        for event in envelopes
        if part.covers(event.time) or event.referral_id in handovers
    ]
