"""The rows of sealed text, and the data keys that open them.

Each row names its subject with the kind (``of_victim``): no id of a case opens or erases a victim. No row holds
anything in clear. Our own text is sealed under the victim's data key here. Text from another agency stays as it came,
with the key that came beside it. Without the keys nobody can read either.
"""

import base64
import json
from collections.abc import Mapping

import structlog
from sqlalchemy import insert, select
from sqlmodel import Session, col

from shared.domain.ids import IdKind, id_in, keyed
from shared.reference.office import Office
from shared.security.sealing import DataKey, Unopenable, open_at_rest, open_sealed, seal_at_rest
from shared.security.vault import Vault
from shared.storage.unit_of_work import Transaction
from shared.victims.sealed.tables import DataKeyRow, SealedRow

log = structlog.get_logger()

IDENTITY, NOTE, RECORD = "identity", "note", "record"
"""The kinds of sealed text."""
LEGAL_HOLD: Mapping[str, str] = {IDENTITY: "held-identity", NOTE: "held-note", RECORD: "held-record"}
"""Kind → the kind of the same text when only a legal hold keeps it."""
OWN = "own"
"""The ``key_id`` of text that we sealed ourselves."""


_KEEPING = insert(DataKeyRow.__table__)  # type: ignore[attr-defined]


def of_victim(victim_id: str) -> str:
    """The subject of text about a victim."""
    return keyed(IdKind.VICTIM, victim_id)


def of_case(case_id: str) -> str:
    """The subject of text about a case as a whole."""
    return keyed(IdKind.CASE, case_id)


def of_record(record_id: str) -> str:
    """The subject of a record that is about no victim and no case."""
    return keyed(IdKind.RECORD, record_id)


def own_source(subject_id: str) -> str:
    """The source, and the id of the data key, of text that this agency wrote itself."""
    return f"{OWN}:{subject_id}"


def put(tx: Transaction, office: Office, subject_id: str, source: str, kind: str, what: Mapping[str, str]) -> None:
    """Seal ``what`` under the data key of a subject, and replace the earlier text of this source."""
    row = find(tx.session, subject_id, source)
    if row is None:
        row = SealedRow(subject_id=subject_id, source=source, kind=kind, key_id="", sealed="", recorded_at=tx.now)
        tx.session.add(row)
    row.kind, row.recorded_at = kind, tx.now
    seal_row(tx, office, row, what)


def put_first(
    tx: Transaction, office: Office, subject_id: str, source: str, kind: str, what: Mapping[str, str]
) -> None:
    """As ``put``, skipping the lookup; only for a new subject, and makes its data key."""
    key = DataKey.generate()
    keep_key(tx, office, own_source(subject_id), subject_id, key)
    row = SealedRow(subject_id=subject_id, source=source, kind=kind, key_id="", sealed="", recorded_at=tx.now)
    tx.session.add(row)
    _seal_with(key, row, what)


def seal_row(tx: Transaction, office: Office, row: SealedRow, what: Mapping[str, str]) -> None:
    """Seal ``what`` (field → text) into a row, under the data key of its subject."""
    _seal_with(data_key_of(tx, office, row.subject_id), row, what)


def _seal_with(key: DataKey, row: SealedRow, what: Mapping[str, str]) -> None:
    at_rest = seal_at_rest(json.dumps(dict(what)).encode(), key, row.source)
    row.key_id, row.sealed = OWN, base64.b64encode(at_rest).decode()


def find(session: Session, subject_id: str, source: str) -> SealedRow | None:
    """The sealed row of a source about a subject."""
    statement = select(SealedRow).where(col(SealedRow.subject_id) == subject_id, col(SealedRow.source) == source)
    return session.scalars(statement).first()


def data_key_of(tx: Transaction, office: Office, subject_id: str, row: DataKeyRow | None = None) -> DataKey:
    """The data key of a subject here; made when first needed. ``row``: its row, if already read."""
    row = row or tx.session.get(DataKeyRow, own_source(subject_id))
    if row is not None:
        return DataKey(office.vault.unwrap_at_rest(row.wrapped, subject_id))
    key = DataKey.generate()
    keep_key(tx, office, own_source(subject_id), subject_id, key)
    return key


def keep_key(tx: Transaction, office: Office, name: str, subject_id: str, key: DataKey) -> None:
    """Store a data key, wrapped under the storage key. ``name``: the id of the key."""
    wrapped = office.vault.wrap_at_rest(key.secret, subject_id)
    row = {"id": name, "subject_id": subject_id, "wrapped": wrapped, "made_at": tx.now}
    tx.session.connection().execute(_KEEPING, row)


def opened(session: Session, office: Office, row: SealedRow) -> dict[str, str]:
    """The text sealed in a row; empty where its key has been destroyed."""
    return opened_with(session, office.vault, office.code, row)


def opened_with(session: Session, vault: Vault, member: str, row: SealedRow) -> dict[str, str]:
    """As ``opened``, for a vault and the code of its member; an unopenable row is logged and read as empty."""
    ours = row.key_id == OWN
    name = own_source(row.subject_id) if ours else row.key_id
    kept = session.get(DataKeyRow, name)
    if kept is None:
        return {}
    try:
        key = DataKey(vault.unwrap_at_rest(kept.wrapped, row.subject_id))
        if ours:
            return dict(json.loads(open_at_rest(base64.b64decode(row.sealed), key, row.source)))
        return open_sealed(row.sealed, key, id_in(row.subject_id), member, key_purpose(origin(row.source)))
    except Unopenable as error:
        log.error("sealed.unopenable", reason=error.reason)
        return {}


def origin(source: str) -> str:
    """The original source of a row that was set aside."""
    return source.split(":", 2)[2] if source.startswith("held:") else source


def key_purpose(source: str) -> str:
    """The key purpose that a recipient's key is bound to: one referral or one delivered record.

    Each has its own key, so that erasing the text of one leaves the text of another readable.
    """
    return f"referral:{source}"
