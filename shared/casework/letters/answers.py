"""Enter the answer of a reply slip: it took effect when it was signed, and is recorded now."""

from shared.casework.letters import store
from shared.casework.referrals import custody_check, execution, giving_back
from shared.contracts.codes import LetterKind
from shared.domain.letters import PaperAnswer, answer_of, read_code
from shared.domain.referral import gives_back
from shared.domain.referral_commands import Accept
from shared.domain.refusal import Refused
from shared.reference.acting import Acting
from shared.storage import referrals, visibility
from shared.storage.tables import ReferralRow


def answer(acting: Acting, referral_id: str, slip: PaperAnswer) -> ReferralRow:
    """Answer a referral by its reply slip, printed here or by its sender, with the time of the signature.

    The answer's cause is the event that printed the slip. Raises Refused.
    """
    row = referrals.load(acting.tx.session, referral_id, visibility.referrals(acting.sight))
    if row is None:
        raise Refused("unknown-referral")
    referral = referrals.to_referral(row)
    if not acting.sight.covers(referral.receiver):
        raise Refused("not-your-move", command="PaperAnswer")
    printed = store.load(acting.tx.session, read_code(slip.letter, "letter"))
    if printed is None or printed.kind != LetterKind.REPLY_SLIP or printed.referral_id != row.id:
        raise Refused("unknown-letter", field="letter")
    command = answer_of(slip, referral)
    # asked with the note on the slip, because the note of the command is never empty
    if isinstance(command, Accept):
        custody_check.require(acting, row, slip.note)
    elif gives_back(referral, command):
        giving_back.require(acting, row, slip.note)
    return execution.execute_for(acting, row.id, command, None, printed.event_id)
