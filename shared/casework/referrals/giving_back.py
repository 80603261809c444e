"""Give back custody that was taken from a sender without custody: custody becomes what it was before.

The true holder's transfer, which the false link kept out, is then tried again. No event moves custody back to the
sender: nobody is made responsible by the word of another (decision 0040).
"""

from shared.contracts.codes import SenderCustody
from shared.domain.referral import UNANSWERED
from shared.domain.refusal import Refused
from shared.domain.sender_custody import check_giving_back
from shared.messaging.parked import try_kept_out
from shared.reference.acting import Acting
from shared.reference.office import Office
from shared.storage import referrals
from shared.storage.tables import ReferralRow
from shared.storage.unit_of_work import Transaction
from shared.victims.erasure.holdings import custody_left
from shared.victims.register.custody_chain import restore_link_before
from shared.victims.register.facts import facts_go_back, facts_to_give
from shared.victims.register.store import custody_of, load_victim
from shared.victims.sealed import receiving


def require(acting: Acting, row: ReferralRow, note: str | None) -> None:
    """Raise Refused unless the caller may give back the custody that this transfer brought.

    Codes: ``custody-not-contested``, ``supervisor-gives-back``, ``note-required``, ``custody-passed-on`` or
    ``transfer-already-open``.
    """
    assert row.sender_custody is not None and row.custody_seq is not None  # a transfer of another agency
    session, ours = acting.tx.session, acting.office.code
    check_giving_back(_known(acting.office, row), acting.caller.role, note)
    victim = load_victim(session, row.victim_id)
    newest = custody_of(victim) if victim is not None else None
    if newest is None or (newest.agency, newest.seq) != (ours, row.custody_seq):
        raise Refused("custody-passed-on", field="reason")
    for other in referrals.live_of_victim(session, row.victim_id):
        if other.sender_agency == ours and other.custody_seq is not None and other.status in UNANSWERED:
            raise Refused("transfer-already-open", field="reason", referral=other.id)


def give_back(tx: Transaction, office: Office, row: ReferralRow) -> None:
    """Restore the custody from before the acceptance of this transfer, and try again what its link kept out."""
    victim = load_victim(tx.session, row.victim_id)
    assert victim is not None and row.custody_seq is not None  # ``require`` has seen both
    facts = facts_to_give(victim, office.code)
    restore_link_before(tx.session, victim, row.custody_seq, office.code)
    receiving.leave_with_custody(tx, victim.id, row.id)
    if victim.custody_agency != office.code:
        custody_left(tx, office, victim)
    facts_go_back(tx, office, victim, row, facts)
    try_kept_out(tx, victim.id)
    tx.changed.add(victim.id)


def _known(office: Office, row: ReferralRow) -> SenderCustody:
    """What is known of the sender's custody. Where there is no coordinator, no word can ever confirm it."""
    known = SenderCustody(row.sender_custody or SenderCustody.UNKNOWN)
    silent = known is SenderCustody.UNKNOWN and office.agency.coordinator is None
    return SenderCustody.UNCONFIRMED if silent else known
