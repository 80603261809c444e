"""The blind index of a victim's identifiers (NIK, passport, phone): keyed hashes, never the identifiers themselves.

Each identifier is normalised first, so that every spelling has one hash. A hash belongs to the source that stated
the identifier, and is deleted with that source.
"""

from collections.abc import Callable, Collection, Mapping

from sqlalchemy import delete, insert, select
from sqlmodel import col

from shared.contracts.codes import IdentityField
from shared.domain.access import NOT_TAKEN_ON
from shared.domain.normalise import normalise_nik, normalise_passport, normalise_phone
from shared.security.vault import Vault
from shared.storage.tables import ReferralRow
from shared.storage.unit_of_work import Transaction
from shared.victims.sealed.tables import BlindIndexRow

NORMAL: Mapping[IdentityField, Callable[[str], str]] = {
    IdentityField.NIK: normalise_nik,
    IdentityField.PASSPORT: normalise_passport,
    IdentityField.PHONE: normalise_phone,
}
"""The searchable fields, each with the function that normalises its identifier."""

MARKED = IdentityField.SAFE_HOUSE
"""Indexed without its text. The row only says that the source states a safe house: then supervisors alone match."""

COUNTS = col(BlindIndexRow.source).not_in(
    select(col(ReferralRow.id)).where(
        col(ReferralRow.victim_id) == col(BlindIndexRow.victim_id), col(ReferralRow.status).in_(sorted(NOT_TAKEN_ON))
    )
)
"""SQL condition: the index row did not come with a request that nobody here has taken on. A stranger may send one."""

_KEEPING = insert(BlindIndexRow.__table__)  # type: ignore[attr-defined]


def blinded(vault: Vault, field: IdentityField, value: str) -> str | None:
    """The keyed hash of an identifier; None for a malformed one."""
    try:
        return vault.blind(NORMAL[field](value), field)
    except ValueError:
        return None


def keep(tx: Transaction, vault: Vault, victim_id: str, source: str, what: Mapping[str, str]) -> None:
    """Index the identifiers that a source states. The source must have no index rows yet."""
    rows = [
        {"victim_id": victim_id, "source": source, "field": field, "digest": digest}
        for field in NORMAL
        if field in what and (digest := blinded(vault, field, what[field])) is not None
    ]
    if MARKED in what:
        digest = vault.blind(f"{victim_id}\n{source}", MARKED)
        rows.append({"victim_id": victim_id, "source": source, "field": MARKED, "digest": digest})
    if rows:
        tx.session.connection().execute(_KEEPING, rows)


def drop(tx: Transaction, victim_id: str, sources: Collection[str] | None = None) -> None:
    """Delete the index rows of these sources; None: of all sources of the victim."""
    theirs = col(BlindIndexRow.victim_id) == victim_id
    if sources is not None:
        theirs &= col(BlindIndexRow.source).in_(sources)
    tx.session.execute(delete(BlindIndexRow).where(theirs))
