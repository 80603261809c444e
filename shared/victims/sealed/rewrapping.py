"""After a new storage key, wrap every data key again. After a new index key, rebuild the blind index."""

from sqlalchemy import select
from sqlmodel import col

from shared.domain.ids import id_in
from shared.security.vault import Vault
from shared.storage.unit_of_work import Database, Transaction
from shared.victims.sealed import blind_index
from shared.victims.sealed.store import IDENTITY, opened_with
from shared.victims.sealed.tables import DataKeyRow, SealedRow

AT_ONCE = 500
"""Rows that one transaction wraps or indexes again."""


def rewrap_all(database: Database, vault: Vault) -> int:
    """Wrap every data key again, under the newest storage key; answers how many.

    Safe to run again, and while the service works.
    """
    done, after = 0, ""

    def some(tx: Transaction) -> list[str]:
        statement = select(DataKeyRow).where(col(DataKeyRow.id) > after).order_by(col(DataKeyRow.id)).limit(AT_ONCE)
        rows = tx.session.scalars(statement.with_for_update()).all()
        for row in rows:
            row.wrapped = vault.wrap_at_rest(vault.unwrap_at_rest(row.wrapped, row.subject_id), row.subject_id)
        return [row.id for row in rows]

    while ids := database.write(some):
        done, after = done + len(ids), ids[-1]
    return done


def reindex_all(database: Database, vault: Vault, member: str) -> int:
    """Build the blind index again, under the current index key; answers of how many rows.

    Text that is set aside for a court is in no index. Safe to run again.
    """
    done, after = 0, 0

    def some(tx: Transaction) -> list[int]:
        here = (col(SealedRow.number) > after) & (col(SealedRow.kind) == IDENTITY)
        rows = tx.session.scalars(select(SealedRow).where(here).order_by(col(SealedRow.number)).limit(AT_ONCE)).all()
        for row in rows:
            victim_id = id_in(row.subject_id)
            blind_index.drop(tx, victim_id, [row.source])
            blind_index.keep(tx, vault, victim_id, row.source, opened_with(tx.session, vault, member, row))
        return [row.number for row in rows if row.number is not None]

    while found := database.write(some):
        done, after = done + len(found), found[-1]
    return done
