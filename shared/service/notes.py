"""What officers noted beside their decisions: free text that stays with their agency, sealed, and may name anybody.

It is read by the desk that wrote it, by whoever is responsible or at work for the victim, and through a break-glass;
each look is in the access log, in the transaction of the look.
"""

from shared.contracts.envelope import Envelope
from shared.contracts.types import DeskRef
from shared.domain.access import Caller, Sight
from shared.domain.refusal import Refused
from shared.service import identities, sealed
from shared.service.office import Office
from shared.storage import ledger, referrals, seen
from shared.storage.database import Transaction

NOTED = "note"
"""What the access log says was seen."""


def read(
    tx: Transaction, office: Office, caller: Caller, sight: Sight, referral_id: str, purpose: str
) -> dict[str, str]:
    """Event id → the note beside it, of those events of a referral whose notes the caller may read. Raises Refused."""
    row = referrals.load(tx.session, referral_id, seen.referrals(sight))
    if row is None:
        raise Refused("unknown-referral")
    victim, right = identities.right_of(tx, office, caller, sight, row.victim_id)
    ours = [Envelope.read(entry.body) for entry in ledger.of_referral(tx.session, referral_id) if entry.sent]
    readable = [event.id for event in ours if right.fields or sight.covers(_desk(event))]
    found = sealed.notes(tx.session, office, victim.id, readable, held=right.glass is not None)
    if found:
        identities.log(tx, caller, victim.id, purpose, right if right.fields else AUTHOR, [NOTED])
        identities.count_look(right)
    return found


def _desk(event: Envelope) -> DeskRef:
    return DeskRef(agency=event.sender, unit=event.source.rpartition("/")[2])


AUTHOR = identities.Right(frozenset(), "author")
"""Who is no longer, or not yet, at work for the victim reads what their own desk wrote."""
