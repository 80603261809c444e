"""Free-text notes of officers beside their decisions. They stay sealed with their own agency, and may name anybody.

The desk that wrote a note may read it; so may units with custody or at work, and an open break-glass. Each reading
writes a row of the access log in the same transaction.
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
"""The field name of a note in the access log."""


def read(
    tx: Transaction, office: Office, caller: Caller, sight: Sight, referral_id: str, purpose: str
) -> dict[str, str]:
    """Event id → note, for those events of a referral whose notes the caller may read. Raises Refused."""
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
"""The right of a desk without custody or work for the victim: it reads its own notes."""
