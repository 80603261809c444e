"""Enter the answer of a reply slip: it took effect when it was signed, and is recorded now."""

from shared.casework.letters import store
from shared.casework.referrals import execution as handlers
from shared.contracts.codes import LetterKind
from shared.domain.access import Sight
from shared.domain.letters import PaperAnswer, answer_of, read_code
from shared.domain.refusal import Refused
from shared.reference.office import Office
from shared.storage import referrals
from shared.storage import visibility as seen
from shared.storage.tables import ReferralRow
from shared.storage.unit_of_work import Transaction


def answer(tx: Transaction, office: Office, sight: Sight, referral_id: str, slip: PaperAnswer) -> ReferralRow:
    """Answer a referral by its reply slip, printed here or by its sender, with the time of the signature.

    The answer's cause is the event that printed the slip. Raises Refused.
    """
    row = referrals.load(tx.session, referral_id, seen.referrals(sight))
    if row is None:
        raise Refused("unknown-referral")
    referral = referrals.to_referral(row)
    if not sight.covers(referral.receiver):
        raise Refused("not-your-move", command="PaperAnswer")
    printed = store.load(tx.session, read_code(slip.letter, "letter"))
    if printed is None or printed.kind != LetterKind.REPLY_SLIP or printed.referral_id != row.id:
        raise Refused("unknown-letter", field="letter")
    return handlers.execute_for(tx, office, sight, row.id, answer_of(slip, referral), None, printed.event_id)
