"""Storage of proposals that a victim of ours and a victim of another desk are the same person.

Supervisors alone see and decide a proposal about a person in danger, or about a number of too many people. They and
auditors see a withdrawn one too, so that nobody searches and then removes the trace.
"""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, and_, delete, or_, select
from sqlmodel import Session, col

from shared.contracts.codes import IdentityField, MatchState, SamePerson
from shared.domain.access import Role, Sight
from shared.domain.matching import PROTECTED_WHILE, PROTECTION
from shared.storage.tables import ReferralRow
from shared.storage.unit_of_work import Transaction
from shared.victims.matching.tables import MatchRow
from shared.victims.register.tables import VictimRow
from shared.victims.register.visibility import in_custody
from shared.victims.sealed import blind_index
from shared.victims.sealed.tables import BlindIndexRow

OVERSEERS = frozenset({Role.SUPERVISOR, Role.AUDITOR})
"""The roles that see proposals about a person in danger, of a crowded number, and withdrawn ones."""

_CLOSED = or_(*(col(said) == SamePerson.DIFFERENT for said in (MatchRow.said, MatchRow.other_said)))
_LINKED = and_(*(col(said) == SamePerson.SAME for said in (MatchRow.said, MatchRow.other_said)))


def load(session: Session, match_id: str, victim_id: str) -> MatchRow | None:
    """The row of a proposal for one of its two victims, or None. Locked, where the database has row locks."""
    theirs = (col(MatchRow.match_id) == match_id) & (col(MatchRow.victim_id) == victim_id)
    return session.scalars(select(MatchRow).where(theirs).with_for_update()).first()


def sides(session: Session, sight: Sight, role: Role, match_id: str) -> Sequence[MatchRow]:
    """The sides of a standing proposal that exist for the caller: one, or both when both victims are ours."""
    these = (col(MatchRow.match_id) == match_id) & visible(sight, role) & col(MatchRow.withdrawn_at).is_(None)
    return session.scalars(select(MatchRow).where(these).order_by(col(MatchRow.number))).all()


def in_state(state: MatchState) -> ColumnElement[bool]:
    """The SQL condition for a state of a proposal. Follows the same rule as ``shared.domain.matching.state``."""
    # without a decision a comparison gives NULL, so ask IS TRUE
    if state is MatchState.WITHDRAWN:
        return col(MatchRow.withdrawn_at).is_not(None)
    closed, linked = _CLOSED.is_(True), _LINKED.is_(True)
    stands = {MatchState.CLOSED: closed, MatchState.LINKED: linked, MatchState.OPEN: ~closed & ~linked}[state]
    return stands & col(MatchRow.withdrawn_at).is_(None)


def same_person(session: Session, sight: Sight, role: Role, victim_id: str) -> list[str]:
    """The ids of the victims that both sides call the same person as this one.

    Empty for a caller who may not see the proposal.
    """
    linked = (col(MatchRow.victim_id) == victim_id) & visible(sight, role) & in_state(MatchState.LINKED)
    found = session.scalars(select(col(MatchRow.other_id)).where(linked).order_by(col(MatchRow.number)))
    return [other for other in found if other is not None]


def forget(tx: Transaction, victim_id: str) -> None:
    """Delete the proposals about an erased victim."""
    tx.session.execute(delete(MatchRow).where(col(MatchRow.victim_id) == victim_id))


def visible(sight: Sight, role: Role) -> ColumnElement[bool]:
    """Proposals about a victim that a desk in sight has in custody, as far as the role may see them."""
    ours = select(col(VictimRow.id)).where(col(VictimRow.id) == col(MatchRow.victim_id), in_custody(sight))
    # without a strength there is only the end of a proposal that nobody here has seen
    proposals = col(MatchRow.strength).is_not(None) & ours.exists()
    if role in OVERSEERS:
        return proposals
    ordinary = col(MatchRow.people).is_(None) & col(MatchRow.protected).is_(False) & ~_in_danger()
    return proposals & ordinary & col(MatchRow.withdrawn_at).is_(None)


def _in_danger() -> ColumnElement[bool]:
    """The victim of a proposal has a safe house, or is protected."""
    hidden = select(col(BlindIndexRow.victim_id)).where(
        col(BlindIndexRow.victim_id) == col(MatchRow.victim_id),
        col(BlindIndexRow.field) == IdentityField.SAFE_HOUSE,
        blind_index.COUNTS,
    )
    protected = select(col(ReferralRow.id)).where(
        col(ReferralRow.victim_id) == col(MatchRow.victim_id),
        col(ReferralRow.service).in_(sorted(PROTECTION)),
        col(ReferralRow.status).in_(sorted(PROTECTED_WHILE)),
    )
    return or_(hidden.exists(), protected.exists())
