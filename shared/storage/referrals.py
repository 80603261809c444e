"""Storage of referrals."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, bindparam, or_, select, true
from sqlmodel import Session, col

from shared.contracts.codes import FailReason, HoldReason, Kind, NormGap, Outcome, Priority, RejectReason, Status
from shared.contracts.types import DeskRef, UnitRef
from shared.domain.access import NOT_TAKEN_ON, TURNED_AWAY
from shared.domain.objection import Sides
from shared.domain.referral import AWAITING_START, LIVE, Referral
from shared.storage.locked import locked_once
from shared.storage.tables import ReferralRow

EVERY = true()
# built once, for every hand-over runs these statements
_LOADED = select(ReferralRow).where(col(ReferralRow.id) == bindparam("referral_id")).with_for_update()
_LIVE = (
    select(ReferralRow)
    .where(col(ReferralRow.victim_id) == bindparam("victim_id"), col(ReferralRow.status).in_(sorted(LIVE)))
    .order_by(col(ReferralRow.number))
)
_RELATIONS = select(
    col(ReferralRow.sender_agency),
    col(ReferralRow.receiver_agency),
    col(ReferralRow.status),
    col(ReferralRow.custody_seq),
).where(
    col(ReferralRow.victim_id) == bindparam("victim_id"),
    or_(col(ReferralRow.sender_agency) == bindparam("agency"), col(ReferralRow.receiver_agency) == bindparam("agency")),
)


def load(session: Session, referral_id: str, condition: ColumnElement[bool] = EVERY) -> ReferralRow | None:
    """The row of a referral that satisfies the condition, or None.

    Locked until the transaction ends, where the database has row locks.
    """
    if condition is not EVERY:
        return session.scalars(_LOADED.where(condition), {"referral_id": referral_id}).first()
    return locked_once(session, ReferralRow, referral_id, _LOADED, {"referral_id": referral_id})


def sides(session: Session, referral_id: str) -> Sides | None:
    """The two sides of a referral, or None. Locks its row as ``load`` does, for the event that follows."""
    row = load(session, referral_id)
    if row is None:
        return None
    taken_on, transfer = row.status not in NOT_TAKEN_ON, row.custody_seq is not None
    return Sides(row.sender_agency, row.receiver_agency, row.victim_id, row.requested_at, taken_on, transfer)


@dataclass(frozen=True, slots=True)
class Relation:
    """A referral of a victim between two agencies, as far as it shows a part in the victim."""

    sender: str
    receiver: str
    status: Status
    custody_seq: int | None


def relations(session: Session, victim_id: str, agency: str) -> list[Relation]:
    """The referrals of a victim that an agency sent or received, as far as known here."""
    rows = session.execute(_RELATIONS, {"victim_id": victim_id, "agency": agency})
    return [Relation(sender, receiver, Status(status), seq) for sender, receiver, status, seq in rows]


def look(session: Session, referral_id: str) -> Referral | None:
    """A referral without locking its row, or None. Only for reading."""
    row = session.scalars(select(ReferralRow).where(col(ReferralRow.id) == referral_id)).first()
    return to_referral(row) if row is not None else None


def to_referral(row: ReferralRow) -> Referral:
    """Convert a row to the referral that the rules work with."""
    better = row.better_agency and DeskRef(agency=row.better_agency, unit=row.better_unit or "")
    return Referral(
        id=row.id,
        case_id=row.case_id,
        victim_id=row.victim_id,
        kind=Kind(row.kind),
        service=row.service,
        priority=Priority(row.priority),
        sender=UnitRef(agency=row.sender_agency, unit=row.sender_unit, region=row.sender_region),
        receiver=UnitRef(agency=row.receiver_agency, unit=row.receiver_unit, region=row.receiver_region),
        requested_at=row.requested_at,
        due_at=row.due_at,
        custody_seq=row.custody_seq,
        replaces=row.replaces,
        forced=row.forced,
        status=Status(row.status),
        version=row.version,
        hold_reason=HoldReason(row.hold_reason) if row.hold_reason else None,
        moved_at=row.moved_at,
        ask_id=row.ask_id,
        asks=row.asks,
        reject_reason=RejectReason(row.reject_reason) if row.reject_reason else None,
        better_desk=better or None,
        outcome=Outcome(row.outcome) if row.outcome else None,
        fail_reason=FailReason(row.fail_reason) if row.fail_reason else None,
        norm_gap=NormGap(row.norm_gap) if row.norm_gap else None,
    )


def add(session: Session, referral: Referral, basis: str | None, now: datetime) -> ReferralRow:
    """Add and return the row of a new referral. ``basis``: the legal basis. ``now``: UTC."""
    row = ReferralRow(
        id=referral.id,
        case_id=referral.case_id,
        victim_id=referral.victim_id,
        kind=referral.kind,
        service=referral.service,
        priority=referral.priority,
        sender_agency=referral.sender.agency,
        sender_unit=referral.sender.unit,
        sender_region=referral.sender.region,
        receiver_agency=referral.receiver.agency,
        receiver_unit=referral.receiver.unit,
        receiver_region=referral.receiver.region,
        requested_at=referral.requested_at,
        due_at=referral.due_at,
        custody_seq=referral.custody_seq,
        replaces=referral.replaces,
        forced=referral.forced,
        status=referral.status,
        version=referral.version,
        basis=basis,
        updated_at=now,
    )
    session.add(row)
    return row


def save(row: ReferralRow, referral: Referral, now: datetime) -> None:
    """Write the fields that events can change into the row. ``now``: UTC."""
    row.status = referral.status
    row.version = referral.version
    row.hold_reason = referral.hold_reason
    row.moved_at = referral.moved_at
    row.ask_id = referral.ask_id
    row.asks = referral.asks
    row.reject_reason = referral.reject_reason
    row.better_agency = referral.better_desk.agency if referral.better_desk else None
    row.better_unit = referral.better_desk.unit if referral.better_desk else None
    row.outcome = referral.outcome
    row.fail_reason = referral.fail_reason
    row.norm_gap = referral.norm_gap
    row.updated_at = now


def live_of_victim(session: Session, victim_id: str) -> Sequence[ReferralRow]:
    """The referrals of a victim that have not ended, oldest first."""
    return session.scalars(_LIVE, {"victim_id": victim_id}).all()


def senders_of_victim(session: Session, victim_id: str) -> set[str]:
    """The codes of the agencies that sent a referral of a victim, as far as known here."""
    return set(session.scalars(select(col(ReferralRow.sender_agency)).where(col(ReferralRow.victim_id) == victim_id)))


@dataclass(frozen=True, slots=True)
class Asked:
    """A referral of a victim that an agency received, as far as it shows the standing of its sender."""

    sender: str
    status: Status
    duplicate: bool
    """Rejected because the receiver works for the victim already, by the word of a person."""
    denied: bool
    """Rejected because the sender has no custody, before the acceptance or after it."""
    case_id: str


def asked_about(session: Session, victim_id: str, receiver: str) -> list[Asked]:
    """The referrals of a victim that ``receiver`` got from other agencies, in the order in which they came.

    A duplicate of a request that waited when it came says no more than the answer to that request.
    """
    received = (col(ReferralRow.receiver_agency) == receiver) & (col(ReferralRow.sender_agency) != receiver)
    theirs = select(ReferralRow).where(col(ReferralRow.victim_id) == victim_id, received)
    return [
        Asked(
            sender=row.sender_agency,
            status=Status(row.status),
            duplicate=row.reject_reason == RejectReason.DUPLICATE and not row.repeats,
            denied=row.reject_reason == RejectReason.SENDER_WITHOUT_CUSTODY,
            case_id=row.case_id,
        )
        for row in session.scalars(theirs.order_by(col(ReferralRow.number)))
    ]


def count_at_answers(rows: Iterable[ReferralRow], receiver: str) -> None:
    """Agencies state facts of one victim: each answer to these requests decides again whose word counts."""
    for row in rows:
        row.facts_meet = row.receiver_agency == receiver


def asked_by(session: Session, victim_id: str, sender: str) -> set[str]:
    """The codes of the other agencies that ``sender`` asked about a victim, but for those that turned it away."""
    sent = (col(ReferralRow.sender_agency) == sender) & (col(ReferralRow.receiver_agency) != sender)
    stands = sent & col(ReferralRow.status).not_in(sorted(TURNED_AWAY))
    return set(
        session.scalars(select(col(ReferralRow.receiver_agency)).where(col(ReferralRow.victim_id) == victim_id, stands))
    )


def senders_taken_on(session: Session, victim_id: str, receiver: str) -> set[str]:
    """The codes of the agencies that sent a referral of a victim which ``receiver`` has taken on."""
    taken_on = (col(ReferralRow.receiver_agency) == receiver) & col(ReferralRow.status).not_in(NOT_TAKEN_ON)
    theirs = (col(ReferralRow.victim_id) == victim_id) & taken_on
    return set(session.scalars(select(col(ReferralRow.sender_agency)).where(theirs)))


def receivers_of_victim(session: Session, victim_id: str) -> set[str]:
    """The codes of the agencies that received a referral of a victim, as far as known here."""
    return set(session.scalars(select(col(ReferralRow.receiver_agency)).where(col(ReferralRow.victim_id) == victim_id)))


def working_for(session: Session, victim_id: str) -> set[str]:
    """The codes of the agencies on both sides of the victim's referrals, but for those refused or taken back."""
    theirs = (col(ReferralRow.victim_id) == victim_id) & col(ReferralRow.status).not_in(sorted(TURNED_AWAY))
    rows = session.execute(select(col(ReferralRow.sender_agency), col(ReferralRow.receiver_agency)).where(theirs))
    return {agency for row in rows for agency in row}


@dataclass(frozen=True, slots=True)
class ReferralFilter:
    """Which referrals a list shows. None: this field does not filter.

    ``role``: "incoming" or "outgoing". ``overdue``: only overdue referrals. ``region`` covers the regions inside too.
    """

    role: str | None = None
    status: Status | None = None
    unit: str | None = None
    region: str | None = None
    victim_id: str | None = None
    overdue: bool = False


def conditions(wanted: ReferralFilter, agency: str, now: datetime) -> list[ColumnElement[bool]]:
    """The filter as SQL conditions, as seen from ``agency`` at the moment ``now`` (UTC)."""
    ours = {"incoming": ReferralRow.receiver_agency, "outgoing": ReferralRow.sender_agency}
    units = {"incoming": [ReferralRow.receiver_unit], "outgoing": [ReferralRow.sender_unit]}
    regions = {"incoming": [ReferralRow.receiver_region], "outgoing": [ReferralRow.sender_region]}
    role = wanted.role or ""
    found: list[ColumnElement[bool]] = []
    if wanted.role:
        found.append(col(ours[wanted.role]) == agency)
    if wanted.status:
        found.append(col(ReferralRow.status) == wanted.status)
    if wanted.victim_id:
        found.append(col(ReferralRow.victim_id) == wanted.victim_id)
    if wanted.unit:
        columns = units.get(role, [ReferralRow.sender_unit, ReferralRow.receiver_unit])
        found.append(_any(*(col(c) == wanted.unit for c in columns)))
    if wanted.region:
        columns = regions.get(role, [ReferralRow.sender_region, ReferralRow.receiver_region])
        found.append(_any(*(within(col(c), wanted.region) for c in columns)))
    if wanted.overdue:
        found += overdue(now)
    return found


def overdue(now: datetime) -> tuple[ColumnElement[bool], ...]:
    """SQL conditions for referrals whose work should have begun by ``now`` (UTC): the same rule as ``is_overdue``."""
    return col(ReferralRow.status).in_(AWAITING_START), col(ReferralRow.due_at) < now


def within(column: Any, region: str) -> ColumnElement[bool]:
    """The SQL condition that a region column is ``region`` or lies inside: a province contains its regencies."""
    inside: ColumnElement[bool] = (column == region) | column.startswith(f"{region}.")
    return inside


def _any(first: ColumnElement[bool], *more: ColumnElement[bool]) -> ColumnElement[bool]:
    for condition in more:
        first = first | condition
    return first
