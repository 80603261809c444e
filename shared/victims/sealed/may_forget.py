"""Whose word may destroy the keys of a victim or a case here. The functions that destroy keys ask it themselves."""

from collections.abc import Collection
from collections.abc import Set as AbstractSet

from sqlalchemy import select
from sqlmodel import col

from shared.domain.erasure import stand_together
from shared.reference.office import Office
from shared.storage import referrals
from shared.storage.unit_of_work import Transaction
from shared.victims.register.store import load_case, load_victim
from shared.victims.register.tables import VictimRow
from shared.victims.sealed.holds import holds_of
from shared.victims.sealed.tables import DisclosureRow, HoldRow


class NotToForget(Exception):
    """These keys must stay. ``reason`` is a code without any content."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def require_right(
    tx: Transaction, office: Office, victim_id: str, by: AbstractSet[str], only: Collection[str] | None
) -> None:
    """Raise NotToForget unless this word may destroy the text of these sources (None: everything) of a victim.

    ``by``: the agencies whose word it is; our own code for a word that was given here.
    """
    if holds_of(tx.session, victim_id):
        raise NotToForget("legal-hold")
    if by == {office.code}:
        return
    victim = load_victim(tx.session, victim_id)
    if victim is None or victim.custody_agency == office.code:
        raise NotToForget("our-custody")
    if victim.custody_agency in by:
        return
    if only is None and not stand_for_holder(tx, office, victim, by):
        raise NotToForget("not-theirs")
    if only is not None and not set(only) <= given_by(tx, victim_id, by):
        raise NotToForget("not-theirs")


def stand_for_holder(tx: Transaction, office: Office, victim: VictimRow, by: AbstractSet[str]) -> bool:
    """Whether these agencies together stand for a custody holder whom nobody has told us of.

    They are all who ever asked us anything for the victim, and we did not register the victim. Otherwise one peer
    could erase what we know from our own work or from other agencies.
    """
    if victim.registered_here or victim.custody_agency is not None:
        return False
    asked = referrals.asked_about(tx.session, victim.id, office.code)
    return stand_together({one.sender for one in asked}, {one.sender for one in asked if one.denied}, by)


def given_by(tx: Transaction, victim_id: str, by: AbstractSet[str]) -> set[str]:
    """The referrals and records with which these agencies gave us text about a victim."""
    theirs = (col(DisclosureRow.victim_id) == victim_id) & col(DisclosureRow.given).is_(False)
    statement = select(col(DisclosureRow.given_with)).where(theirs, col(DisclosureRow.agency).in_(sorted(by)))
    return set(tx.session.scalars(statement))


def case_may_be_forgotten(tx: Transaction, case_id: str) -> bool:
    """Whether the keys of a case may be destroyed: a case of ours, with no victim under a hold."""
    held = select(col(HoldRow.number)).join(VictimRow, col(VictimRow.id) == col(HoldRow.victim_id))
    standing = held.where(col(VictimRow.case_id) == case_id, col(HoldRow.lifted_at).is_(None))
    return load_case(tx.session, case_id) is not None and tx.session.scalars(standing.limit(1)).first() is None
