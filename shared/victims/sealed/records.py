"""Seal and read the fields of filed forms that are not kept in clear."""

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from shared.reference.office import Office
from shared.storage.unit_of_work import Transaction
from shared.victims.sealed import store
from shared.victims.sealed.store import LEGAL_HOLD, RECORD, origin
from shared.victims.sealed.tables import SealedRow


def keep_record(tx: Transaction, office: Office, subject_id: str, record_id: str, fields: Mapping[str, Any]) -> None:
    """Store the sealed fields of a filed form. ``subject_id``: the victim, the case, or the record itself."""
    store.put(tx, office, subject_id, record_id, RECORD, {"fields": json.dumps(dict(fields))})


def record_fields(
    session: Session, office: Office, subject_id: str, record_id: str, legal_hold: bool = False
) -> dict[str, Any]:
    """The sealed fields of a form that can still be read. ``legal_hold``: also those that only a legal hold keeps."""
    kinds = [RECORD, LEGAL_HOLD[RECORD]] if legal_hold else [RECORD]
    statement = select(SealedRow).where(col(SealedRow.subject_id) == subject_id, col(SealedRow.kind).in_(kinds))
    for row in session.scalars(statement):
        if origin(row.source) == record_id and (what := store.opened(session, office, row)):
            return dict(json.loads(what["fields"]))
    return {}
