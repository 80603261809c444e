"""Proposals that a victim may be somebody whom another desk has, in and out of their rows."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, and_, delete, or_, select
from sqlmodel import Session, col

from shared.contracts.codes import MatchState, SamePerson
from shared.domain.access import Sight
from shared.storage import seen
from shared.storage.agency_tables import MatchRow
from shared.storage.database import Transaction

_CLOSED = or_(*(col(said) == SamePerson.DIFFERENT for said in (MatchRow.said, MatchRow.other_said)))
_LINKED = and_(*(col(said) == SamePerson.SAME for said in (MatchRow.said, MatchRow.other_said)))


def load(session: Session, match_id: str, victim_id: str) -> MatchRow | None:
    """What is known of a proposal from the side of one victim, locked where the database has such locks."""
    theirs = (col(MatchRow.match_id) == match_id) & (col(MatchRow.victim_id) == victim_id)
    return session.scalars(select(MatchRow).where(theirs).with_for_update()).first()


def sides(session: Session, sight: Sight, match_id: str) -> Sequence[MatchRow]:
    """The sides of a standing proposal that exist for the caller: one, or both where we are responsible for both."""
    these = (col(MatchRow.match_id) == match_id) & seen.matches(sight)
    return session.scalars(select(MatchRow).where(these).order_by(col(MatchRow.number))).all()


def in_state(state: MatchState) -> ColumnElement[bool]:
    """The condition of a proposal being in a state: the same as ``shared.domain.matching.state``."""
    # where nothing was said SQL answers neither yes nor no
    closed, linked = _CLOSED.is_(True), _LINKED.is_(True)
    return {MatchState.CLOSED: closed, MatchState.LINKED: linked, MatchState.OPEN: ~closed & ~linked}[state]


def same_person(session: Session, sight: Sight, victim_id: str) -> list[str]:
    """Who is the same person as a victim, by the word of both sides; nobody for who is not responsible."""
    linked = (col(MatchRow.victim_id) == victim_id) & seen.matches(sight) & in_state(MatchState.LINKED)
    found = session.scalars(select(col(MatchRow.other_id)).where(linked).order_by(col(MatchRow.number)))
    return [other for other in found if other is not None]


def forget(tx: Transaction, victim_id: str) -> None:
    """Delete what was proposed of a victim who is erased."""
    tx.session.execute(delete(MatchRow).where(col(MatchRow.victim_id) == victim_id))
