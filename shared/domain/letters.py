"""What is printed for desks that work on paper: its short code, how long it is the last word, and what a slip answers.

A code is twelve characters of Crockford's Base32, in groups of four: a letter, ten characters of chance, and one that
checks the others (Luhn modulo 32, after ISO/IEC 7812-1 annex B): any one wrong character is found, and nearly every
pair that was swapped. It begins with a letter, so that no NIK and no telephone number has the form of a code.
"""

from enum import StrEnum

from shared.contracts.codes import RejectReason, Status
from shared.domain import commands as c
from shared.domain.referral import Referral
from shared.domain.refusal import Refused

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LETTERS = ALPHABET[10:]
_LENGTH = 12
CODES = len(LETTERS) * len(ALPHABET) ** (_LENGTH - 2)
"""How many codes there are: some 54 bits of chance."""
_ALIKE = str.maketrans("OIL", "011")


class Standing(StrEnum):
    """Whether what a paper tells is still the last word."""

    CURRENT = "current"
    SUPERSEDED = "superseded"


def code_of(number: int) -> str:
    """The code of a number below ``CODES``, which is to be drawn by chance."""
    written = []
    for _ in range(_LENGTH - 2):
        number, rest = divmod(number, len(ALPHABET))
        written.append(ALPHABET[rest])
    body = LETTERS[number] + "".join(written)
    return body + ALPHABET[-_sum(body + ALPHABET[0]) % len(ALPHABET)]


def read_code(written: str, field: str) -> str:
    """The code that somebody has copied from paper: small letters, O for 0, I or L for 1 and missing dashes are meant.

    Raises Refused("letter-code-mistyped"): one character at least is wrong.
    """
    code = written.upper().replace("-", "").translate(_ALIKE)
    right = len(code) == _LENGTH and code[0] in LETTERS and not set(code) - set(ALPHABET)
    if not right or _sum(code) % len(ALPHABET):
        raise Refused("letter-code-mistyped", field=field)
    return code


def grouped(code: str) -> str:
    """The code as it is printed: ``K3M9-QXD7-R2TF``."""
    return "-".join(code[at : at + 4] for at in range(0, _LENGTH, 4))


def _sum(code: str) -> int:
    """Every second value from the right is doubled, and the digits of that in the base of the alphabet are added."""
    total = 0
    for place, character in enumerate(reversed(code)):
        value = ALPHABET.index(character) * (1 + place % 2)
        total += value // len(ALPHABET) + value % len(ALPHABET)
    return total


UNANSWERED = frozenset({Status.REQUESTED, Status.RECEIVED})


def standing(told: int, referral: Referral) -> Standing:
    """Whether a paper that tells of version ``told`` is the last word on a referral. That the receiver's service has
    taken note, which no person did, changes nothing of it."""
    if referral.version <= told or referral.status in UNANSWERED:
        return Standing.CURRENT
    return Standing.SUPERSEDED


def answer_of(slip: c.PaperAnswer, referral: Referral) -> c.Accept | c.Reject:
    """The move that a slip brings, at the moment when it was signed. Who signed stands in its note. Raises Refused."""
    if slip.occurred_at < referral.requested_at:
        raise Refused("answer-before-request", field="occurred_at")
    if slip.reason is RejectReason.OTHER and not slip.note:
        raise Refused("note-required", field="note")  # the note of the move is never empty: here the name is in it
    signed = f"Jawaban kertas {grouped(read_code(slip.letter, 'letter'))}, ditandatangani: {slip.signed_by}"
    note = "\n".join(filter(None, (signed, slip.note)))
    if slip.answer == "accepted":
        if slip.reason is not None:
            raise Refused("reason-with-acceptance", field="reason")
        return c.Accept(occurred_at=slip.occurred_at, note=note)
    if slip.reason is None:
        raise Refused("reason-required", field="reason")
    return c.Reject(occurred_at=slip.occurred_at, reason=slip.reason, note=note)
