"""Free-text notes of officers beside their decisions. They stay sealed with their own agency, and may name anybody.

The desk that wrote a note may read it. So may units with custody or at work, and an open break-glass. Each reading
writes a row of the access log in the same transaction.
"""

from shared.contracts.envelope import Envelope
from shared.contracts.types import DeskRef
from shared.domain.refusal import Refused
from shared.reference.acting import Acting
from shared.storage import ledger, referrals, visibility
from shared.victims.identity import access_log, rights
from shared.victims.identity.access_log import NOTED
from shared.victims.identity.rights import AUTHOR
from shared.victims.sealed import notes as sealed_notes


def read(acting: Acting, referral_id: str, purpose: str) -> dict[str, str]:
    """Event id → note, for those events of a referral whose notes the caller may read. Raises Refused."""
    row = referrals.load(acting.tx.session, referral_id, visibility.referrals(acting.sight))
    if row is None:
        raise Refused("unknown-referral")
    victim, right = rights.right_of(acting, row.victim_id)
    ours = [Envelope.read(entry.body) for entry in ledger.of_referral(acting.tx.session, referral_id) if entry.sent]
    readable = [event.id for event in ours if right.fields or acting.sight.covers(_desk(event))]
    found = sealed_notes.notes(
        acting.tx.session, acting.office, victim.id, readable, legal_hold=right.glass is not None
    )
    if found:
        access_log.log(acting, victim.id, purpose, right if right.fields else AUTHOR, [NOTED])
        access_log.count_look(right)
    return found


def _desk(event: Envelope) -> DeskRef:
    return DeskRef(agency=event.sender, unit=event.source.rpartition("/")[2])
