"""A victim's identity: stored sealed, shown within the caller's right, searched by number.

Each reading writes a row of the access log in the same transaction.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlmodel import col

from shared.contracts.codes import BreakGlassReason, IdentityField
from shared.domain import commands as c
from shared.domain.access import Caller, Sight, Work, fields_shown
from shared.domain.refusal import Refused
from shared.service import numbers, sealed, tokens
from shared.service.office import Office
from shared.storage import privacy, referrals, seen
from shared.storage.agency_tables import AccessRow, VictimRow
from shared.storage.database import Transaction
from shared.storage.privacy_tables import BlindIndexRow, BreakGlassRow
from shared.storage.tables import ReferralRow
from shared.storage.victims import holder_of, lock_victim


@dataclass(frozen=True, slots=True)
class Right:
    """The fields that a caller may read, and the ground: ``custody``, ``work``, ``break-glass`` or ``author``."""

    fields: frozenset[IdentityField]
    name: str
    glass: BreakGlassRow | None = None


# --- written down -----------------------------------------------------------------------------------------------------


def record(
    tx: Transaction, office: Office, caller: Caller, sight: Sight, victim_id: str, identity: c.Identity
) -> VictimRow:
    """Store a victim's identity for the unit with custody, or for a unit at work that needs the fields. Raises
    Refused."""
    victim = lock_victim(tx.session, sight, victim_id)
    right = ordinary_right(office, sight, victim, referrals.live_of_victim(tx.session, victim_id))
    for name in sorted(identity.model_fields_set):
        if name not in right.fields:
            raise Refused("not-responsible", field=name)
    check(identity, tx.now)
    write(tx, office, victim_id, identity, keep_before=bool(privacy.holds_of(tx.session, victim_id)))
    log(tx, caller, victim_id, "record", right, sorted(identity.model_fields_set))
    return victim


def check(identity: c.Identity, now: datetime, within: str = "") -> None:
    """Raises Refused("no-such-day") for a date of birth that does not exist or is in the future.

    ``within``: the path of the identity inside the request, for the field that the refusal names.
    """
    if identity.born_on is not None and not c.is_past_day(identity.born_on, now):
        raise Refused("no-such-day", field=f"{within}born_on")


def write(
    tx: Transaction,
    office: Office,
    victim_id: str,
    identity: c.Identity,
    keep_before: bool = False,
) -> None:
    """Store a victim's identity, sealed. A sent field replaces the old one; a field that was not sent stays.

    ``identity`` has been checked. ``keep_before``: a legal hold applies, so the old fields are set aside and not lost.
    """
    changes, source = identity.model_dump(exclude_unset=True), sealed.own_source(victim_id)
    known = {n: v for n, v in {**sealed.own(tx.session, office, victim_id), **changes}.items() if v is not None}
    if keep_before:
        sealed.set_aside(tx, office, victim_id, [source])
    sealed.put(tx, office, victim_id, source, sealed.IDENTITY, known)
    numbers.drop(tx, victim_id, [source])
    numbers.keep(tx, office.vault, victim_id, source, known)
    tokens.tell(tx, office, victim_id, known)


def write_first(
    tx: Transaction, office: Office, victim_id: str, identity: c.Identity, known_again_later: bool = False
) -> None:
    """As ``write``, skipping the lookup; only for a victim who is registered now under an id of ours.

    ``known_again_later``: the coordinator gets the match tokens later, from a timer, so that a long list is not held
    up.
    """
    known = identity.model_dump(exclude_none=True)
    source = sealed.own_source(victim_id)
    sealed.put_first(tx, office, victim_id, source, sealed.IDENTITY, known)
    numbers.keep(tx, office.vault, victim_id, source, known)
    if not known_again_later:
        tokens.tell(tx, office, victim_id, known)


# --- shown ------------------------------------------------------------------------------------------------------------


def read(tx: Transaction, office: Office, caller: Caller, sight: Sight, victim_id: str, purpose: str) -> c.Identity:
    """The identity fields that the caller may read; writes a row of the access log. Raises Refused."""
    victim, right = right_of(tx, office, caller, sight, victim_id)
    known = sealed.known(tx.session, office, victim.id, _reach(right))
    shown = {name: value for name, value in known.items() if name in right.fields}
    if not shown:
        raise Refused("no-identity")
    log(tx, caller, victim.id, purpose, right, sorted(shown))
    count_look(right)
    return c.Identity.model_validate(shown)


def _reach(right: Right) -> sealed.Reach:
    if right.glass is None:
        return sealed.Reach.SHOW
    return sealed.Reach.HELD_FIRST if right.glass.reason == BreakGlassReason.COURT_ORDER else sealed.Reach.ALL


def count_look(right: Right) -> None:
    """Count a reading through a break-glass. The event that ends the break-glass reports the number."""
    if right.glass is not None:
        right.glass.looks += 1


def log(tx: Transaction, caller: Caller, victim_id: str, purpose: str, right: Right, fields: Sequence[str]) -> None:
    """Write a row of the access log, in the transaction of the reading or change that it describes."""
    row = AccessRow(
        victim_id=victim_id,
        client=caller.client,
        person=caller.person,
        role=caller.role,
        unit=caller.unit,
        purpose=purpose,
        right=right.name,
        through=right.glass.id if right.glass else None,
        fields=list(fields),
        at=tx.now,
    )
    tx.session.add(row)


def right_of(tx: Transaction, office: Office, caller: Caller, sight: Sight, victim_id: str) -> tuple[VictimRow, Right]:
    """A victim that exists for the caller, and the caller's right to read. An open break-glass comes before the
    desk."""
    glass = _open_glass(tx, office.code, caller, victim_id)
    # an open break-glass counts also where the caller's desk has a smaller right
    victim = lock_victim(tx.session, sight if glass is None else None, victim_id)
    if glass is not None:
        return victim, Right(frozenset(IdentityField), "break-glass", glass)
    return victim, ordinary_right(office, sight, victim, referrals.live_of_victim(tx.session, victim_id))


def _open_glass(tx: Transaction, agency: str, caller: Caller, victim_id: str) -> BreakGlassRow | None:
    statement = select(BreakGlassRow).where(
        col(BreakGlassRow.victim_id) == victim_id,
        col(BreakGlassRow.agency) == agency,
        col(BreakGlassRow.client) == caller.client,
        col(BreakGlassRow.person) == caller.person,
        col(BreakGlassRow.ended_at).is_(None),
        col(BreakGlassRow.until) > tx.now,
    )
    return tx.session.scalars(statement).first()


def ordinary_right(office: Office, sight: Sight, victim: VictimRow, live: Sequence[ReferralRow]) -> Right:
    """The right that follows from custody and from services at work. ``live``: the victim's live referrals."""
    needs = {service.code: service.needs for service in office.agency.services}
    works = [
        Work(referral.receiver, referral.status, needs.get(referral.service, frozenset()))
        for referral in map(referrals.to_referral, live)
        if referral.receiver.agency == office.code
    ]
    holder = holder_of(victim)
    return Right(fields_shown(sight, holder, works), "custody" if sight.covers(holder) else "work")


def search(
    tx: Transaction, office: Office, caller: Caller, sight: Sight, field: IdentityField, value: str
) -> list[VictimRow]:
    """The victims with this number whose number the caller may read. The search compares hashes and opens nothing.

    A caller without the right to read a number must not test it by searching. Each hit counts as a reading in the
    access log: the caller learns whose number it is. Raises Refused.
    """
    digest = numbers.blinded(office.vault, field, value)
    if digest is None:
        raise Refused("not-such-a-number", field="value")
    same = (col(BlindIndexRow.field) == field) & (col(BlindIndexRow.digest) == digest)
    here = select(col(BlindIndexRow.victim_id)).where(same)
    statement = select(VictimRow).where(col(VictimRow.id).in_(here), seen.victims(sight))
    found = []
    for victim in tx.session.scalars(statement.order_by(col(VictimRow.number))).all():
        right = ordinary_right(office, sight, victim, referrals.live_of_victim(tx.session, victim.id))
        if field in right.fields:
            log(tx, caller, victim.id, "search", right, [field])
            found.append(victim)
    return found
