"""Free-text notes of officers beside their decisions. They stay sealed with their own agency, and may name anybody.

The desk that wrote a note may read it. So may units with custody or at work, and an open break-glass. Each reading
writes a row of the access log in the same transaction.
"""

from shared.contracts.envelope import Envelope
from shared.contracts.types import DeskRef
from shared.domain.refusal import Refused
from shared.reference.acting import Acting
from shared.storage import ledger, referrals, visibility
from shared.victims.identity import rights
from shared.victims.identity.reading_notes import read_beside


def read(acting: Acting, referral_id: str, purpose: str) -> dict[str, str]:
    """Event id → note, for those events of a referral whose notes the caller may read. Raises Refused."""
    row = referrals.load(acting.tx.session, referral_id, visibility.referrals(acting.sight))
    if row is None:
        raise Refused("unknown-referral")
    victim, right = rights.right_of(acting, row.victim_id)
    ours = [Envelope.read(entry.body) for entry in ledger.of_referral(acting.tx.session, referral_id) if entry.sent]
    readable = [event.id for event in ours if right.fields or acting.sight.covers(_desk(event))]
    return read_beside(acting, victim.id, right, readable, purpose)


def _desk(event: Envelope) -> DeskRef:
    return DeskRef(agency=event.sender, unit=event.source.rpartition("/")[2])
