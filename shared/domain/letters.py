"""Letters for desks that work on paper: the short code, whether a letter counts, and the answer on a slip.

A code has twelve characters of Crockford's Base32, in groups of four. They are a letter, ten random characters and a
check character. The check character is Luhn modulo 32, after ISO/IEC 7812-1 annex B. The check finds any single wrong
character, and nearly every swapped pair. A code begins with a letter, unlike every NIK and telephone number.
"""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from shared.contracts.codes import LetterKind, RejectReason, Status
from shared.contracts.pattern import Pattern
from shared.contracts.types import SEVERAL_LINES, AskedMoment
from shared.domain.commands import Asked, Command, Text, example
from shared.domain.noting import OTHER_REASON, require_note
from shared.domain.referral import Referral
from shared.domain.referral_commands import Accept, Reject
from shared.domain.refusal import Refused

LETTER_CODE_WRITTEN = Pattern(
    r"^[A-Za-z][0-9A-Za-z]{3}-?[0-9A-Za-z]{4}-?[0-9A-Za-z]{4}$",
    "kode surat, huruf lalu 11 huruf atau angka, seperti K3M9-QXD7-R2TF",
    "the code of a letter: a letter and 11 letters or digits, such as K3M9-QXD7-R2TF",
)
LetterCodeWritten = Annotated[str, Field(pattern=LETTER_CODE_WRITTEN)]
"""The code of a letter as a person copies it from paper. ``letters.read_code`` validates it.

It begins with a letter of the alphabet, so that no NIK and no telephone number has its form."""


class IssueLetter(Asked):
    """Print a referral for desks that work on paper: the referral letter, or the slip for the answer."""

    model_config = example(kind="reply-slip")

    kind: Literal[LetterKind.REFERRAL_LETTER, LetterKind.REPLY_SLIP]


class PrintRecord(Asked):
    """Print a record for signing by hand."""

    model_config = example()


class PaperAnswer(Command):
    """Enter the answer on a reply slip that has come back, with its signer and the moment of signing.

    ``note`` is the text written on the slip. The reason ``other`` needs a note.
    """

    model_config = example(
        letter="K3M9-QXD7-R2TF", answer="rejected", reason="no-capacity", signed_by="Petugas Rekaan, kepala ruang",
        occurred_at="2026-11-24T09:30:00+08:00",
    )  # fmt: skip

    letter: LetterCodeWritten
    answer: Literal["accepted", "rejected"]
    reason: RejectReason | None = None
    note: (
        Annotated[str, Field(max_length=3000, pattern=SEVERAL_LINES, description="Stored only at the agency.")] | None
    ) = None
    signed_by: Annotated[Text, Field(description="Who signed; stored, like a note, only at the agency that wrote it.")]
    occurred_at: AskedMoment = Field(description="When the slip was signed (RFC 3339).")


ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LETTERS = ALPHABET[10:]
_LENGTH = 12
CODES = len(LETTERS) * len(ALPHABET) ** (_LENGTH - 2)
"""The number of possible codes: about 54 random bits."""
_ALIKE = str.maketrans("OIL", "011")


class Standing(StrEnum):
    """Whether the content of a paper is still current."""

    CURRENT = "current"
    SUPERSEDED = "superseded"


def code_of(number: int) -> str:
    """The code of a number below ``CODES``. The caller must draw the number at random."""
    written = []
    for _ in range(_LENGTH - 2):
        number, rest = divmod(number, len(ALPHABET))
        written.append(ALPHABET[rest])
    body = LETTERS[number] + "".join(written)
    return body + ALPHABET[-_sum(body + ALPHABET[0]) % len(ALPHABET)]


def read_code(written: str, field: str) -> str:
    """The stored form of a code that a person copied from paper.

    Small letters, O for 0, I or L for 1, and missing dashes are accepted. Raises Refused("letter-code-mistyped") if
    at least one character is wrong.
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
    """The Luhn sum: double every second value from the right, and add the digits in the base of the alphabet."""
    total = 0
    for place, character in enumerate(reversed(code)):
        value = ALPHABET.index(character) * (1 + place % 2)
        total += value // len(ALPHABET) + value % len(ALPHABET)
    return total


UNANSWERED = frozenset({Status.REQUESTED, Status.RECEIVED})


def standing(told: int, referral: Referral) -> Standing:
    """Whether a paper about version ``told`` of a referral is current.

    The paper stays current until a person answers: the service alone writes the version ``received``.
    """
    if referral.version <= told or referral.status in UNANSWERED:
        return Standing.CURRENT
    return Standing.SUPERSEDED


def answer_of(slip: PaperAnswer, referral: Referral) -> Accept | Reject:
    """The command that a reply slip brings, at the moment of signing. Its note names the signer.

    Raises Refused: ``answer-before-request``, ``note-required``, ``letter-code-mistyped``, ``reason-with-acceptance``
    or ``reason-required``.
    """
    if slip.occurred_at < referral.requested_at:
        raise Refused("answer-before-request", field="occurred_at")
    if slip.reason is RejectReason.OTHER:
        require_note(slip.note, OTHER_REASON)  # the note of the command is never empty: it names the signer
    signed = f"Jawaban kertas {grouped(read_code(slip.letter, 'letter'))}, ditandatangani: {slip.signed_by}"
    note = "\n".join(filter(None, (signed, slip.note)))
    if slip.answer == "accepted":
        if slip.reason is not None:
            raise Refused("reason-with-acceptance", field="reason")
        return Accept(occurred_at=slip.occurred_at, note=note)
    if slip.reason is None:
        raise Refused("reason-required", field="reason")
    return Reject(occurred_at=slip.occurred_at, reason=slip.reason, note=note)
