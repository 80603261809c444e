"""The victims that have the same match tokens: how many, at which desks, and which of them to propose."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from sqlalchemy import func, or_, select, true
from sqlmodel import Session, col

from services.coordination.tables import CustodyRow, MatchTokenRow
from shared.contracts.codes import MatchKind, MatchStrength
from shared.domain import matching
from shared.domain.matching import identifies, kind_of, strength, too_many

Desk = tuple[str, str]
"""Agency and unit of the desk that registered a victim."""
ENOUGH = matching.COMMON * 16
"""Victims proposed for one match token, at most. Each agency has a share, and in it each desk."""


@dataclass(slots=True)
class Met:
    """The victims that a victim's match tokens meet, and the numbers that too many people have."""

    victims: set[str] = field(default_factory=set)
    crowded: dict[str, int] = field(default_factory=dict)
    """Match token → the people who have it, where they are too many."""

    def people(self, match_tokens: Collection[str]) -> int | None:
        """The most people under one of these match tokens, where they are too many."""
        return max((self.crowded[one] for one in match_tokens if one in self.crowded), default=None)

    @property
    def alarm(self) -> tuple[MatchKind, int] | None:
        """The kind of the most crowded number, and its people."""
        if not self.crowded:
            return None
        most = max(self.crowded, key=lambda one: self.crowded[one])
        return kind_of(most), self.crowded[most]


def match_tokens_of(session: Session, victim_id: str) -> dict[str, set[str]]:
    """Match token → the agencies that sent it for a victim."""
    found: dict[str, set[str]] = {}
    for row in session.scalars(select(MatchTokenRow).where(col(MatchTokenRow.victim_id) == victim_id)):
        found.setdefault(row.token, set()).add(row.agency)
    return found


def met(session: Session, victim_id: str, mine: Mapping[str, set[str]]) -> Met:
    """The victims for whom another agency sent a match token of this victim, and that shows one person.

    Weak match tokens that many desks have show nobody alone. Who has two of them is proposed, and they are an alarm.
    """
    found = Met()
    if not _told_by_others(session, mine):
        return found  # one agency's long list: nobody is counted, however many people share a number in it
    own = _registered_by(session, victim_id)
    many: dict[str, int] = {}
    shared: dict[str, set[str]] = {}
    for match_token, agencies in mine.items():
        kind, desks = kind_of(match_token), _people_by_desk(session, match_token)
        people = many[match_token] = sum(desks.values())
        if too_many(kind, people):
            found.crowded[match_token] = people
        if people > 1:
            for other, desk in _others(session, victim_id, match_token, agencies):
                shared.setdefault(other, set()).add(match_token)
                if identifies(kind, desks, own, desk):
                    found.victims.add(other)
    for other in shared.keys() - found.victims:
        if strength([kind_of(one) for one in shared[other]]) is MatchStrength.STRONG:
            found.victims.add(other)
            found.crowded |= {one: many[one] for one in shared[other]}
    return found


def _told_by_others(session: Session, mine: Mapping[str, set[str]]) -> bool:
    """Whether an agency sent one of the match tokens that did not send it alone for this victim."""
    if any(len(agencies) > 1 for agencies in mine.values()):
        return True
    token, agency = col(MatchTokenRow.token), col(MatchTokenRow.agency)
    # ranges, and no "not": the index finds the others without a look at each row of this agency
    others = [
        (token == one) & ((agency < sole) | (agency > sole)) for one, agencies in mine.items() for sole in agencies
    ]
    return bool(others) and session.scalars(select(token).where(or_(*others)).limit(1)).first() is not None


def _registered_by(session: Session, victim_id: str) -> Desk | None:
    row = session.get(CustodyRow, (victim_id, 1))
    return (row.agency, row.unit) if row is not None else None


_REGISTRATION = (col(CustodyRow.victim_id) == col(MatchTokenRow.victim_id)) & (col(CustodyRow.seq) == 1)


def _people_by_desk(session: Session, match_token: str) -> dict[Desk, int]:
    people = func.count(func.distinct(col(MatchTokenRow.victim_id)))
    statement = (
        select(col(CustodyRow.agency), col(CustodyRow.unit), people)
        .select_from(MatchTokenRow)
        .join(CustodyRow, _REGISTRATION)
        .where(col(MatchTokenRow.token) == match_token)
        .group_by(col(CustodyRow.agency), col(CustodyRow.unit))
    )
    return {(agency, unit): int(count) for agency, unit, count in session.execute(statement)}


def _others(session: Session, victim_id: str, match_token: str, agencies: set[str]) -> list[tuple[str, Desk]]:
    """Other victims with the match token, told by an agency that did not tell it alone for this victim.

    A few of each desk. The agencies take turns, and within an agency its desks do. So the invented victims of one
    desk hide nobody of another. Those of many desks hide nobody of another agency.
    """
    elsewhere = true() if len(agencies) > 1 else col(MatchTokenRow.agency).not_in(sorted(agencies))
    desk = (col(CustodyRow.agency), col(CustodyRow.unit))
    place = func.row_number().over(partition_by=desk, order_by=col(MatchTokenRow.victim_id)).label("place")
    ranked = (
        select(col(MatchTokenRow.victim_id), col(CustodyRow.agency), col(CustodyRow.unit), place)
        .select_from(MatchTokenRow)
        .join(CustodyRow, _REGISTRATION)
        .where(col(MatchTokenRow.token) == match_token, col(MatchTokenRow.victim_id) != victim_id, elsewhere)
        .subquery()
    )
    one = ranked.columns
    turn = func.row_number().over(partition_by=one.agency, order_by=(one.place, one.victim_id))
    few = select(one.victim_id, one.agency, one.unit).where(one.place <= matching.COMMON)
    rows = session.execute(few.order_by(turn, one.victim_id).limit(ENOUGH))
    return [(other, (agency, unit)) for other, agency, unit in rows]
