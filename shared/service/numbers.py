"""The numbers that a victim is searched by: kept as keyed hashes beside what is sealed, and nowhere as themselves.

Each has one form, whoever wrote it down, and stands beside the source it came from: it goes when that does.
"""

from collections.abc import Callable, Collection, Mapping

from sqlalchemy import delete, insert
from sqlmodel import col

from shared.contracts.codes import IdentityField
from shared.domain.spelling import normalise_nik, normalise_passport, normalise_phone
from shared.security.vault import Vault
from shared.storage.database import Transaction
from shared.storage.privacy_tables import BlindIndexRow

NORMAL: Mapping[IdentityField, Callable[[str], str]] = {
    IdentityField.NIK: normalise_nik,
    IdentityField.PASSPORT: normalise_passport,
    IdentityField.PHONE: normalise_phone,
}
"""What can be searched for, and the one form of each number."""

_KEEPING = insert(BlindIndexRow.__table__)  # type: ignore[attr-defined]


def blinded(vault: Vault, field: IdentityField, value: str) -> str | None:
    """The keyed hash of a number, or None where it is no such number."""
    try:
        return vault.blind(NORMAL[field](value), field)
    except ValueError:
        return None


def keep(tx: Transaction, vault: Vault, victim_id: str, source: str, what: Mapping[str, str]) -> None:
    """Let a victim be found by the numbers in what a source says, of which nothing is kept yet."""
    rows = [
        {"victim_id": victim_id, "source": source, "field": field, "digest": digest}
        for field in NORMAL
        if field in what and (digest := blinded(vault, field, what[field])) is not None
    ]
    if rows:
        tx.session.connection().execute(_KEEPING, rows)


def drop(tx: Transaction, victim_id: str, sources: Collection[str] | None = None) -> None:
    """Let a victim be found no more by what these sources said; None: by nothing at all."""
    theirs = col(BlindIndexRow.victim_id) == victim_id
    if sources is not None:
        theirs &= col(BlindIndexRow.source).in_(sources)
    tx.session.execute(delete(BlindIndexRow).where(theirs))
