"""Numbers of journeys, so rounded that no small group can be computed from them (decision 0039)."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlmodel import Session, col

from services.coordination import read_models as m
from services.coordination.access import handovers_seen, journeys_whole
from services.coordination.names import Names
from services.coordination.queries import ESCALATED, highest_levels, is_overdue
from services.coordination.tables import AlarmRow, JourneyRow
from shared.contracts.codes import JourneyOutcome, Level, Stage, Status
from shared.domain.access import Sight
from shared.domain.anonymity import ABROAD, at_least, counted
from shared.storage.tables import ReferralRow

MISTAKEN = col(JourneyRow.outcome) == JourneyOutcome.REGISTERED_BY_MISTAKE
"""SQL condition: there was no such victim."""
COUNTED = col(JourneyRow.outcome).is_(None) | ~MISTAKEN
HANDOVERS_COUNTED = col(ReferralRow.victim_id).not_in(select(col(JourneyRow.victim_id)).where(MISTAKEN))
"""SQL conditions: the journeys and the hand-overs that are counted."""


def counts(session: Session, names: Names, sight: Sight) -> m.Counts:
    """Numbers of the journeys that the caller follows. Hand-overs and clocks count once for each person.

    Mistaken registrations do not count.
    """
    whole, closed = journeys_whole(sight) & COUNTED, col(JourneyRow.closed_at)
    is_open, is_closed = whole & closed.is_(None), whole & closed.is_not(None)
    stages = _cells(_tally(session, JourneyRow.stage, is_open), Stage)
    agencies = _cells(_tally(session, JourneyRow.custody_agency, is_open), names.office.directory.agencies)
    total, parts = counted(
        _number(session, is_open),
        stages,
        agencies,
        _by_province(_tally(session, JourneyRow.custody_region, is_open), names),
    )
    by_stage, by_agency, by_province = map(_views, parts)
    levels = _levels(session, sight, is_open)
    told, [by_level] = counted(sum(levels.values()), _cells(levels, Level))
    gaps = handovers_seen(sight) & HANDOVERS_COUNTED & col(ReferralRow.norm_gap).is_not(None)
    return m.Counts(
        journeys_open=count_view(total),
        journeys_closed=count_view(at_least(_number(session, is_closed))),
        overdue=count_view(at_least(_number(session, is_overdue(sight, names.now) & COUNTED))),
        norm_gaps=count_view(at_least(session.execute(select(_people()).where(gaps)).scalar_one())),
        escalated=count_view(told),
        escalated_by_level={Level(level): count_view(number) for level, number in by_level.items()},
        by_stage=by_stage,
        by_agency=by_agency,
        by_province=by_province,
        handovers_by_status=_views(_by_status(session, sight)),
    )


def _tally(session: Session, column: Any, *conditions: ColumnElement[bool]) -> dict[str, int]:
    statement = select(col(column), func.count()).where(col(column).is_not(None), *conditions).group_by(col(column))
    return {str(key): int(count) for key, count in session.execute(statement)}


def _number(session: Session, condition: ColumnElement[bool]) -> int:
    return int(session.execute(select(func.count()).select_from(JourneyRow).where(condition)).scalar_one())


def _people() -> Any:
    return func.count(col(ReferralRow.victim_id).distinct())


def _cells(tally: Mapping[str, int], codes: Iterable[str]) -> dict[str, int]:
    """A number for every code. A cell that only exists for somebody would tell of them."""
    return {code: tally.get(code, 0) for code in sorted(codes)}


def _by_province(regions: Mapping[str, int], names: Names) -> dict[str, int]:
    provinces: Counter[str] = Counter()
    for region, count in regions.items():
        provinces[region.partition(".")[0]] += count
    known = (code for code in names.office.units.regions if "." not in code)
    return _cells(provinces, {*known, ABROAD})


def _levels(session: Session, sight: Sight, is_open: ColumnElement[bool]) -> dict[str, int]:
    """Level → the open journeys whose clocks were escalated to this level and not to a higher one."""
    victim = col(AlarmRow.victim_id)
    followed = victim.in_(select(col(JourneyRow.victim_id)).where(is_open))
    statement = select(victim, col(AlarmRow.escalated_level)).where(followed, *ESCALATED)
    return Counter(highest_levels(session.execute(statement)).values())


def _by_status(session: Session, sight: Sight) -> dict[str, int]:
    status = col(ReferralRow.status)
    statement = select(status, _people()).where(handovers_seen(sight), HANDOVERS_COUNTED).group_by(status)
    tally = {str(key): int(count) for key, count in session.execute(statement)}
    return {code: at_least(number) for code, number in _cells(tally, Status).items()}


def _views(cells: Mapping[str, int]) -> dict[str, m.CountView]:
    return {code: count_view(number) for code, number in cells.items()}


def count_view(number: int) -> m.CountView:
    """A rounded number (``at_least``, ``counted``) as a reader sees it."""
    return m.CountView(at_least=number, suppressed=number == 0)
