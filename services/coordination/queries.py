"""Read-only queries of the projection."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, bindparam, func, or_, select
from sqlmodel import Session, col

from services.coordination import read_models as m
from services.coordination.access import alarms_seen, handovers_seen, journeys_seen, journeys_whole, links_seen
from services.coordination.contradictions import contradicted, is_alarmed
from services.coordination.names import Names
from services.coordination.tables import AlarmRow, CustodyRow, JourneyRow, ProposalRow
from shared.contracts.codes import Level, Stage
from shared.contracts.types import Custody, UnitRef
from shared.domain.access import Sight
from shared.domain.anonymity import Part, day_of, full_hour
from shared.domain.referral import LIVE
from shared.service.referral_view import referral_view
from shared.storage.locked import locked_once
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
    alarmed: bool = False

    @property
    def of_now(self) -> bool:
        """Whether it asks for the present state of a journey, which exists for those alone who follow it whole."""
        return self.open is not None or any((self.region, self.stage, self.agency, self.alarmed))


def _conditions(sight: Sight, wanted: JourneyFilter, now: datetime) -> list[ColumnElement[bool]]:
    found = [journeys_whole(sight) if wanted.of_now else journeys_seen(sight)]
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
        found.append(is_overdue(sight, now))
    if wanted.escalated:
        found.append(is_escalated(sight))
    if wanted.alarmed:
        found.append(is_alarmed())
    return found


ESCALATED = col(AlarmRow.escalated_level).is_not(None), col(AlarmRow.stopped_at).is_(None)
"""SQL conditions: the clock was escalated and has not stopped."""


def is_overdue(sight: Sight, now: datetime) -> ColumnElement[bool]:
    """SQL condition: a hand-over of the journey is overdue, and the caller sees it."""
    return _has(sight, ReferralRow.victim_id, overdue(now), handovers_seen(sight))


def is_escalated(sight: Sight) -> ColumnElement[bool]:
    """SQL condition: a running clock of the journey was escalated, and the caller sees it."""
    return _has(sight, AlarmRow.victim_id, ESCALATED, alarms_seen(sight))


def _has(
    sight: Sight, victim: Any, conditions: Sequence[ColumnElement[bool]], own: ColumnElement[bool]
) -> ColumnElement[bool]:
    """Whether one of these rows is of the journey. Who does not follow the whole journey sees only its own rows."""
    journey = col(JourneyRow.victim_id)
    among = journey.in_(select(col(victim)).where(*conditions))
    if sight.regions is None:
        return among
    return or_(journeys_whole(sight) & among, journey.in_(select(col(victim)).where(*conditions, own)))


def journeys(session: Session, names: Names, sight: Sight, wanted: JourneyFilter, page: Page) -> m.JourneyPage:
    """One page of journeys, newest first. Raises Refused("unknown-cursor")."""
    conditions = _conditions(sight, wanted, names.now)
    shown, more = newest_first(session, names.office.vault, JourneyRow, conditions, page)
    whole = followed(session, sight, shown)
    live = _count_by_victim(session, sight, shown, whole, (col(ReferralRow.status).in_(LIVE),))
    late = _count_by_victim(session, sight, shown, whole, overdue(names.now))
    told = escalation_levels(session, sight, shown, whole)
    held = last_links(session, sight, shown)
    disputed, items = contradicted(session, whole), []
    for row in shown:
        victim = row.victim_id
        part = Part.WHOLE if victim in whole else Part.UNTIL if victim in held else Part.HANDOVERS
        numbers = live.get(victim, 0), late.get(victim, 0)
        items.append(
            m.JourneySummary(**summary(row, names, part, numbers, told.get(victim)), contradicted=victim in disputed)
        )
    return m.JourneyPage(items=items, next=more)


def followed(session: Session, sight: Sight, rows: Sequence[JourneyRow]) -> set[str]:
    """The victims among these whose whole journey the caller follows."""
    victims = [row.victim_id for row in rows]
    if sight.regions is None:
        return set(victims)
    victim = col(JourneyRow.victim_id)
    return set(session.scalars(select(victim).where(victim.in_(victims), journeys_whole(sight))))


def last_links(session: Session, sight: Sight, rows: Sequence[JourneyRow]) -> dict[str, int]:
    """Victim → the number of the last custody link of a desk in the caller's regions."""
    victim = col(CustodyRow.victim_id)
    statement = select(victim, func.max(col(CustodyRow.seq))).where(
        victim.in_([row.victim_id for row in rows]), links_seen(sight)
    )
    return {victim_id: seq for victim_id, seq in session.execute(statement.group_by(victim))}


def _count_by_victim(
    session: Session,
    sight: Sight,
    rows: Sequence[JourneyRow],
    whole: Collection[str],
    conditions: Sequence[ColumnElement[bool]],
) -> dict[str, int]:
    victim = col(ReferralRow.victim_id)
    statement = select(victim, func.count()).where(
        victim.in_([row.victim_id for row in rows]), victim.in_(sorted(whole)) | handovers_seen(sight), *conditions
    )
    return {victim_id: count for victim_id, count in session.execute(statement.group_by(victim))}


def escalation_levels(
    session: Session, sight: Sight, rows: Sequence[JourneyRow], whole: Collection[str]
) -> dict[str, Level]:
    """Victim → the highest level that a running clock of this victim was escalated to, as far as the caller sees."""
    victim = col(AlarmRow.victim_id)
    statement = select(victim, col(AlarmRow.escalated_level)).where(
        victim.in_([row.victim_id for row in rows]), victim.in_(sorted(whole)) | alarms_seen(sight), *ESCALATED
    )
    return highest_levels(session.execute(statement))


def highest_levels(rows: Iterable[Any]) -> dict[str, Level]:
    """Victim → the highest level, from rows of a victim and a level."""
    told: dict[str, Level] = {}
    for victim_id, level in rows:
        told[victim_id] = max(told.get(victim_id, Level.REGENCY), Level(level), key=list(Level).index)
    return told


def summary(
    row: JourneyRow, names: Names, part: Part, numbers: tuple[int, int], escalated: Level | None
) -> dict[str, Any]:
    """The fields that a journey in a list and a whole journey share. ``numbers``: live and overdue hand-overs."""
    custody, now = None, part is Part.WHOLE
    if now and row.custody_agency is not None:
        custody = UnitRef(agency=row.custody_agency, unit=row.custody_unit or "", region=row.custody_region or "")
    return {
        "victim_id": row.victim_id,
        "part": part,
        "stage": row.stage if now else None,
        "custody": custody,
        "custody_name": custody and names.unit(custody.agency, custody.unit),
        "live_handovers": numbers[0],
        "overdue": numbers[1],
        "escalated": escalated,
        "registered_at": row.registered_at and day_of(row.registered_at) if now else None,
        "closed_at": row.closed_at and day_of(row.closed_at) if now else None,
        "outcome": row.outcome if now else None,
        "reopened_at": row.reopened_at and day_of(row.reopened_at) if now else None,
    }


_JOURNEY = select(JourneyRow).where(col(JourneyRow.victim_id) == bindparam("victim_id"))
"""Built once, because every event runs it."""


def journey_row(session: Session, victim_id: str, condition: ColumnElement[bool] = EVERY) -> JourneyRow | None:
    """The row of a journey if the condition holds for it, or None."""
    statement = _JOURNEY if condition is EVERY else _JOURNEY.where(condition)
    return session.scalars(statement, {"victim_id": victim_id}).first()


def known_journey(session: Session, victim_id: str) -> JourneyRow | None:
    """The row of a journey, or None. A unit of work finds it again without a statement."""
    return locked_once(session, JourneyRow, victim_id, _JOURNEY, {"victim_id": victim_id})


def newest_link_of(journey: JourneyRow | None) -> Custody | None:
    """The current custody link of a journey, or None."""
    if journey is None or journey.custody_agency is None:
        return None
    desk = {"agency": journey.custody_agency, "unit": journey.custody_unit, "region": journey.custody_region}
    return Custody.model_validate({**desk, "seq": journey.custody_seq})


def handover(row: ReferralRow, names: Names) -> m.HandoverView:
    """A hand-over's view, with the names of its desks and service."""
    seen = referral_view(row, names.now)
    coarse = {
        "requested_at": day_of(seen.requested_at),
        "due_at": full_hour(seen.due_at),
        "updated_at": day_of(seen.updated_at),
    }
    return m.HandoverView(
        **{**seen.model_dump(), **coarse},
        sender_name=names.unit(row.sender_agency, row.sender_unit),
        receiver_name=names.unit(row.receiver_agency, row.receiver_unit),
        service_label=names.service(row.receiver_agency, row.service).id,
    )


def proposals_of(session: Session, victim_id: str) -> Sequence[ProposalRow]:
    """The proposals that this victim and another are one person."""
    either = or_(col(ProposalRow.first_id) == victim_id, col(ProposalRow.second_id) == victim_id)
    return session.scalars(select(ProposalRow).where(either).order_by(col(ProposalRow.id))).all()


def norm_gaps(session: Session, names: Names, sight: Sight, page: Page) -> m.NormGapPage:
    """One page of hand-overs that failed for want of a rule, newest first. Raises Refused("unknown-cursor")."""
    conditions = [handovers_seen(sight), col(ReferralRow.norm_gap).is_not(None)]
    rows, more = newest_first(session, names.office.vault, ReferralRow, conditions, page)
    items = [m.NormGapView(norm_gap=row.norm_gap or "", handover=handover(row, names)) for row in rows]
    return m.NormGapPage(items=items, next=more)
