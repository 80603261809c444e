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
from services.coordination.names import Names
from services.coordination.tables import AlarmRow, JourneyRow, ProposalRow
from shared.contracts.codes import JourneyOutcome, Level, Stage
from shared.contracts.types import UnitRef
from shared.domain.access import Sight
from shared.domain.referral import LIVE
from shared.service.referral_view import referral_view
from shared.storage.pages import Page, newest_first
from shared.storage.referrals import EVERY, overdue, within
from shared.storage.tables import ReferralRow


@dataclass(frozen=True, slots=True)
class JourneyFilter:
    """The filters of a list of journeys. ``region`` is the custody holder's; a province includes its regencies."""

    region: str | None = None
    stage: Stage | None = None
    agency: str | None = None
    open: bool | None = None
    overdue: bool = False
    escalated: bool = False


def _conditions(sight: Sight, wanted: JourneyFilter, now: datetime) -> list[ColumnElement[bool]]:
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


def journeys(session: Session, names: Names, sight: Sight, wanted: JourneyFilter, page: Page) -> m.JourneyPage:
    """One page of journeys, newest first. Raises Refused("unknown-cursor")."""
    conditions = _conditions(sight, wanted, names.now)
    shown, more = newest_first(session, names.office.vault, JourneyRow, conditions, page)
    live = _count_by_victim(session, shown, (col(ReferralRow.status).in_(LIVE),))
    late = _count_by_victim(session, shown, overdue(names.now))
    told = escalation_levels(session, shown)
    items = [
        m.JourneySummary(
            **summary(row, names, live.get(row.victim_id, 0), late.get(row.victim_id, 0), told.get(row.victim_id))
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


def escalation_levels(session: Session, rows: Sequence[JourneyRow]) -> dict[str, Level]:
    """Victim → the highest level that a running clock of this victim was escalated to."""
    statement = select(col(AlarmRow.victim_id), col(AlarmRow.escalated_level)).where(
        col(AlarmRow.victim_id).in_([row.victim_id for row in rows]), *ESCALATED
    )
    told: dict[str, Level] = {}
    for victim_id, level in session.execute(statement):
        told[victim_id] = max(told.get(victim_id, Level.REGENCY), Level(level), key=list(Level).index)
    return told


def summary(row: JourneyRow, names: Names, live: int, overdue: int, escalated: Level | None) -> dict[str, Any]:
    """The fields that a journey in a list and a whole journey share."""
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


def journey_row(session: Session, victim_id: str, condition: ColumnElement[bool] = EVERY) -> JourneyRow | None:
    """The row of a journey if the condition holds for it, or None."""
    statement = _JOURNEY if condition is EVERY else _JOURNEY.where(condition)
    return session.scalars(statement, {"victim_id": victim_id}).first()


def handover(row: ReferralRow, names: Names) -> m.HandoverView:
    """A hand-over's view, with the names of its desks and service."""
    return m.HandoverView(
        **referral_view(row, names.now).model_dump(),
        sender_name=names.unit(row.sender_agency, row.sender_unit),
        receiver_name=names.unit(row.receiver_agency, row.receiver_unit),
        service_label=names.service(row.receiver_agency, row.service).id,
    )


def proposals_of(session: Session, victim_id: str) -> Sequence[ProposalRow]:
    """The proposals that this victim and another are one person."""
    either = or_(col(ProposalRow.first_id) == victim_id, col(ProposalRow.second_id) == victim_id)
    return session.scalars(select(ProposalRow).where(either).order_by(col(ProposalRow.id))).all()


MISTAKEN = col(JourneyRow.outcome) == JourneyOutcome.REGISTERED_BY_MISTAKE
"""SQL condition: there was no such victim."""
COUNTED = col(JourneyRow.outcome).is_(None) | ~MISTAKEN
HANDOVERS_COUNTED = col(ReferralRow.victim_id).not_in(select(col(JourneyRow.victim_id)).where(MISTAKEN))
"""SQL conditions: the journeys and the hand-overs that are counted."""


def counts(session: Session, sight: Sight, now: datetime) -> m.Counts:
    """Numbers of the journeys, hand-overs and clocks that exist for the caller; none of mistaken registrations."""
    journeys, handovers = journeys_seen(sight) & COUNTED, handovers_seen(sight) & HANDOVERS_COUNTED

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


def norm_gaps(session: Session, names: Names, sight: Sight, page: Page) -> m.NormGapPage:
    """One page of hand-overs that failed for want of a rule, newest first. Raises Refused("unknown-cursor")."""
    conditions = [handovers_seen(sight), col(ReferralRow.norm_gap).is_not(None)]
    rows, more = newest_first(session, names.office.vault, ReferralRow, conditions, page)
    items = [m.NormGapView(norm_gap=row.norm_gap or "", handover=handover(row, names)) for row in rows]
    return m.NormGapPage(items=items, next=more)
