"""Check a letter: its code is known, the ledger proves it, and its content is still current."""

from dataclasses import dataclass
from enum import StrEnum

from sqlmodel import Session

from shared.casework.letters import store
from shared.casework.letters.tables import LetterRow
from shared.casework.records import store as records
from shared.domain.access import Sight
from shared.domain.letters import Standing, standing
from shared.domain.refusal import Refused
from shared.messaging.ledger_check import wrong
from shared.reference.office import Office
from shared.storage import ledger, referrals


class Proof(StrEnum):
    """The ledger's proof of an event."""

    PROVEN = "proven"
    """The event is in the ledger; its bytes, hash and signature agree."""
    NOT_HERE = "not-here"
    """The event is not in the ledger, or not yet."""
    UNPROVEN = "unproven"
    """The event is in the ledger, but its bytes, hash or signature do not agree."""


@dataclass(frozen=True, slots=True)
class Checked:
    """The result of a check. ``in_sight``: whether the letter's subject exists for the caller."""

    row: LetterRow
    issued: Proof
    told: Proof
    standing: Standing
    in_sight: bool


def check(session: Session, office: Office, sight: Sight | None, code: str) -> Checked:
    """Check a letter by its code. Anybody who holds the paper may ask. Raises Refused("unknown-letter").

    ``sight``: decides whether the letter's subject exists for the caller; None for an anonymous caller.
    """
    row = store.load(session, code)
    if row is None:
        raise Refused("unknown-letter")
    in_sight = sight is not None and store.load(session, code, store.visible(sight)) is not None
    return Checked(row, _proof(session, office, row.event_id), _proof(session, office, row.tells),
                   standing_of(session, row), in_sight)  # fmt: skip


def standing_of(session: Session, row: LetterRow) -> Standing:
    """Whether the content of a letter is still current."""
    if row.record_id is not None:
        record = records.load(session, row.record_id)
        return Standing.CURRENT if record is not None and record.corrected_by is None else Standing.SUPERSEDED
    referral = referrals.look(session, row.referral_id or "")
    return standing(row.version or 1, referral) if referral is not None else Standing.SUPERSEDED


def _proof(session: Session, office: Office, event_id: str | None) -> Proof:
    entry = ledger.entry_of(session, event_id) if event_id is not None else None
    if entry is None:
        return Proof.NOT_HERE
    return Proof.PROVEN if wrong(entry, office.keys.current()) is None else Proof.UNPROVEN
