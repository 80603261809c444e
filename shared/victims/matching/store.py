"""Storage of proposals that a victim of ours and a victim of another desk are the same person."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, and_, delete, or_, select
from sqlmodel import Session, col

from shared.contracts.codes import MatchState, SamePerson
from shared.domain.access import Sight
from shared.storage.unit_of_work import Transaction
from shared.victims.matching.tables import MatchRow
from shared.victims.register.tables import VictimRow
from shared.victims.register.visibility import in_custody

_CLOSED = or_(*(col(said) == SamePerson.DIFFERENT for said in (MatchRow.said, MatchRow.other_said)))
_LINKED = and_(*(col(said) == SamePerson.SAME for said in (MatchRow.said, MatchRow.other_said)))


def load(session: Session, match_id: str, victim_id: str) -> MatchRow | None:
    """The row of a proposal for one of its two victims, or None. Locked, where the database has row locks."""
    theirs = (col(MatchRow.match_id) == match_id) & (col(MatchRow.victim_id) == victim_id)
    return session.scalars(select(MatchRow).where(theirs).with_for_update()).first()


def sides(session: Session, sight: Sight, match_id: str) -> Sequence[MatchRow]:
    """The sides of a standing proposal that exist for the caller: one, or both when both victims are ours."""
    these = (col(MatchRow.match_id) == match_id) & visible(sight)
    return session.scalars(select(MatchRow).where(these).order_by(col(MatchRow.number))).all()


def in_state(state: MatchState) -> ColumnElement[bool]:
    """The SQL condition for a state of a proposal. Follows the same rule as ``shared.domain.matching.state``."""
    # without a decision a comparison gives NULL, so ask IS TRUE
    closed, linked = _CLOSED.is_(True), _LINKED.is_(True)
    return {MatchState.CLOSED: closed, MatchState.LINKED: linked, MatchState.OPEN: ~closed & ~linked}[state]


def same_person(session: Session, sight: Sight, victim_id: str) -> list[str]:
    """The ids of the victims that both sides call the same person as this one.

    Empty for a caller whose desks are not responsible for the victim.
    """
    linked = (col(MatchRow.victim_id) == victim_id) & visible(sight) & in_state(MatchState.LINKED)
    found = session.scalars(select(col(MatchRow.other_id)).where(linked).order_by(col(MatchRow.number)))
    return [other for other in found if other is not None]


def forget(tx: Transaction, victim_id: str) -> None:
    """Delete the proposals about an erased victim."""
    tx.session.execute(delete(MatchRow).where(col(MatchRow.victim_id) == victim_id))


def visible(sight: Sight) -> ColumnElement[bool]:
    """Standing proposals about a victim that a desk in sight has in custody."""
    ours = select(col(VictimRow.id)).where(col(VictimRow.id) == col(MatchRow.victim_id), in_custody(sight))
    return col(MatchRow.other_id).is_not(None) & ours.exists()
