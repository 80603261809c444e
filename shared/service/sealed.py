"""Sealed data of victims at an agency, and the keys that open it: own identity fields, notes, records, and disclosures.

No row holds any of it in clear. Our own text is sealed under the victim's data key here. Text from another agency stays
as it came, with the key that came beside it. Without the keys nobody can read either.
"""

import base64
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

import structlog
from pydantic import ValidationError
from sqlalchemy import ColumnElement, Select, bindparam, delete, insert, select, update
from sqlmodel import Session, col

from shared.contracts.codes import IdentityField, KeptBecause
from shared.domain.access import NOT_TAKEN_ON
from shared.domain.commands import Identity
from shared.security.public_keys import Untrusted
from shared.security.sealing import (
    DataKey,
    Unopenable,
    key_id_of,
    open_at_rest,
    open_sealed,
    seal,
    seal_at_rest,
    wrap_key,
)
from shared.security.vault import Vault
from shared.service import numbers
from shared.service.office import Office
from shared.storage import privacy
from shared.storage.database import Database, Transaction
from shared.storage.privacy_tables import DataKeyRow, DisclosureRow, SealedRow
from shared.storage.tables import LedgerEntry, OutboxEntry, ParkedEvent, ReferralRow

log = structlog.get_logger()

IDENTITY, NOTE, RECORD = "identity", "note", "record"
"""The kinds of sealed text."""
HELD: Mapping[str, str] = {IDENTITY: "held-identity", NOTE: "held-note", RECORD: "held-record"}
"""Kind → the kind of the same text when only a legal hold keeps it."""
OWN = "own"
"""The ``key_id`` of text that we sealed ourselves."""


_KEEPING = insert(DataKeyRow.__table__)  # type: ignore[attr-defined]


def own_source(victim_id: str) -> str:
    """The source, and the id of the data key, of text that this agency wrote itself."""
    return f"{OWN}:{victim_id}"


def put(tx: Transaction, office: Office, about: str, source: str, kind: str, what: Mapping[str, str]) -> None:
    """Seal ``what`` under the data key of a victim (or case), and replace the earlier text of this source."""
    row = find(tx.session, about, source)
    if row is None:
        row = SealedRow(victim_id=about, source=source, kind=kind, key_id="", sealed="", recorded_at=tx.now)
        tx.session.add(row)
    row.kind, row.recorded_at = kind, tx.now
    _seal(tx, office, row, what)


def put_first(tx: Transaction, office: Office, about: str, source: str, kind: str, what: Mapping[str, str]) -> None:
    """As ``put``, skipping the lookup; only for a new victim, and makes its data key."""
    key = DataKey.generate()
    _keep_key(tx, office, own_source(about), about, key)
    row = SealedRow(victim_id=about, source=source, kind=kind, key_id="", sealed="", recorded_at=tx.now)
    tx.session.add(row)
    _seal_with(key, row, what)


def _seal(tx: Transaction, office: Office, row: SealedRow, what: Mapping[str, str]) -> None:
    _seal_with(_data_key(tx, office, row.victim_id), row, what)


def _seal_with(key: DataKey, row: SealedRow, what: Mapping[str, str]) -> None:
    at_rest = seal_at_rest(json.dumps(dict(what)).encode(), key, row.source)
    row.key_id, row.sealed = OWN, base64.b64encode(at_rest).decode()


def find(session: Session, about: str, source: str) -> SealedRow | None:
    """The sealed row of a source about a victim or case."""
    statement = select(SealedRow).where(col(SealedRow.victim_id) == about, col(SealedRow.source) == source)
    return session.scalars(statement).first()


def _data_key(tx: Transaction, office: Office, about: str, row: DataKeyRow | None = None) -> DataKey:
    """The data key of a victim (or case) here; made when first needed. ``row``: its row, if already read."""
    row = row or tx.session.get(DataKeyRow, own_source(about))
    if row is not None:
        return DataKey(office.vault.unwrap_at_rest(row.wrapped, about))
    key = DataKey.generate()
    _keep_key(tx, office, own_source(about), about, key)
    return key


def _keep_key(tx: Transaction, office: Office, name: str, about: str, key: DataKey) -> None:
    wrapped = office.vault.wrap_at_rest(key.secret, about)
    row = {"id": name, "victim_id": about, "wrapped": wrapped, "made_at": tx.now}
    tx.session.connection().execute(_KEEPING, row)


def opened(session: Session, office: Office, row: SealedRow) -> dict[str, str]:
    """The text sealed in a row; empty where its key has been destroyed."""
    return _opened(session, office.vault, office.code, row)


def _opened(session: Session, vault: Vault, member: str, row: SealedRow) -> dict[str, str]:
    ours = row.key_id == OWN
    name = own_source(row.victim_id) if ours else row.key_id
    kept = session.get(DataKeyRow, name)
    if kept is None:
        return {}
    try:
        key = DataKey(vault.unwrap_at_rest(kept.wrapped, row.victim_id))
        if ours:
            return dict(json.loads(open_at_rest(base64.b64decode(row.sealed), key, row.source)))
        return open_sealed(row.sealed, key, row.victim_id, member, purpose(_origin(row.source)))
    except Unopenable as error:
        log.error("sealed.unopenable", reason=error.reason)
        return {}


def _origin(source: str) -> str:
    """The original source of a row that was set aside."""
    return source.split(":", 2)[2] if source.startswith("held:") else source


def purpose(source: str) -> str:
    """The purpose that a recipient's key is bound to: one referral or one delivered record.

    Each has its own key, so that erasing the text of one leaves the text of another readable.
    """
    return f"referral:{source}"


_IDENTITIES = (
    select(SealedRow)
    .where(col(SealedRow.victim_id) == bindparam("victim_id"), col(SealedRow.kind).in_((IDENTITY, HELD[IDENTITY])))
    .order_by(col(SealedRow.recorded_at), col(SealedRow.number))
)


def _ours_or_given(*but: KeptBecause) -> Select[Any]:
    """Our own identity text, and the text that came with a referral that was taken on.

    A disclosure that has ended counts only where it is kept for one of the reasons in ``but``.
    """
    given = (
        select(col(DisclosureRow.referral_id))
        .join(ReferralRow, col(ReferralRow.id) == col(DisclosureRow.referral_id))
        .where(
            col(DisclosureRow.victim_id) == bindparam("victim_id"),
            col(DisclosureRow.given).is_(False),
            col(DisclosureRow.end).is_(None) | col(DisclosureRow.kept_because).in_(but),
            col(ReferralRow.status).not_in(NOT_TAKEN_ON),
        )
    )
    ours = (col(SealedRow.key_id) == OWN) & (col(SealedRow.kind) == IDENTITY)
    return _IDENTITIES.where(ours | col(SealedRow.source).in_(given))


class Reach(Enum):
    """Which part of the stored identity a query reads."""

    GIVE = _ours_or_given()
    """Text for disclosure to another agency: nothing of a disclosure that has ended, whatever keeps it here."""
    SHOW = _ours_or_given(KeptBecause.CUSTODY)
    """Text to show: as GIVE, and text that is kept because this agency has custody of the victim."""
    ALL = _IDENTITIES
    """For a break-glass: also text under a legal hold alone, and text of a request that nobody has accepted."""
    HELD_FIRST = _IDENTITIES.order_by(None).order_by(
        col(SealedRow.kind) == HELD[IDENTITY], col(SealedRow.recorded_at), col(SealedRow.number)
    )
    """For a court: as ALL, but text under a legal hold wins over anything written later."""


def known(session: Session, office: Office, victim_id: str, reach: Reach = Reach.SHOW) -> dict[str, str]:
    """All identity fields that this agency may read, by field; the latest text of each field counts."""
    found: dict[str, str] = {}
    for row in session.scalars(reach.value, {"victim_id": victim_id}):
        found |= opened(session, office, row)
    return found


def keep_note(tx: Transaction, office: Office, about: str, event_id: str, text: str) -> None:
    """Store an officer's free text, sealed, beside an event. ``about``: the id of the victim or the case."""
    put(tx, office, about, event_id, NOTE, {"text": text})


def keep_record(tx: Transaction, office: Office, about: str, record_id: str, fields: Mapping[str, Any]) -> None:
    """Store the sealed fields of a filed form. ``about``: the id of the victim, the case, or the record itself."""
    put(tx, office, about, record_id, RECORD, {"fields": json.dumps(dict(fields))})


def record(session: Session, office: Office, about: str, record_id: str, held: bool = False) -> dict[str, Any]:
    """The sealed fields of a filed form that can still be read. ``held``: also those that only a legal hold keeps."""
    kinds = [RECORD, HELD[RECORD]] if held else [RECORD]
    statement = select(SealedRow).where(col(SealedRow.victim_id) == about, col(SealedRow.kind).in_(kinds))
    for row in session.scalars(statement):
        if _origin(row.source) == record_id and (what := opened(session, office, row)):
            return dict(json.loads(what["fields"]))
    return {}


def notes(
    session: Session, office: Office, about: str, event_ids: Collection[str], held: bool = False
) -> dict[str, str]:
    """Event id → note, for the notes about a victim that can still be read. ``held``: also those under a legal hold
    alone."""
    kinds = [NOTE, HELD[NOTE]] if held else [NOTE]
    statement = select(SealedRow).where(col(SealedRow.victim_id) == about, col(SealedRow.kind).in_(kinds))
    rows = [row for row in session.scalars(statement) if _origin(row.source) in event_ids]
    found = {_origin(row.source): opened(session, office, row) for row in rows}
    return {event_id: what["text"] for event_id, what in found.items() if "text" in what}


# --- given, taken, forgotten ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Given:
    """A part of an identity for one event: sealed for one recipient, with the wrapped key that opens it."""

    sealed: str
    key: str
    fields: tuple[str, ...]


def give(
    tx: Transaction, office: Office, victim_id: str, referral_id: str, recipient: str, fields: frozenset[IdentityField]
) -> Given | None:
    """The text of these fields that we may disclose, sealed for the recipient of one referral.

    None where there is no such text, or the directory has no key of the recipient.
    """
    ours = tx.session.get(DataKeyRow, own_source(victim_id))  # opens our own text, and derives the recipient's key
    what = {name: value for name, value in known(tx.session, office, victim_id, Reach.GIVE).items() if name in fields}
    if not what:
        return None
    return seal_for(tx, office, victim_id, recipient, purpose(referral_id), what, ours)


def give_record(
    tx: Transaction, office: Office, victim_id: str, record_id: str, recipient: str, fields: Mapping[str, Any]
) -> Given | None:
    """All fields of a filed form, sealed for one recipient; None where the directory has no key of the recipient.

    Raises ValueError where the fields are too long for an event.
    """
    what = {"fields": json.dumps(dict(fields), ensure_ascii=False)}
    return seal_for(tx, office, victim_id, recipient, purpose(record_id), what)


def seal_for(
    tx: Transaction,
    office: Office,
    victim_id: str,
    recipient: str,
    said_for: str,
    what: Mapping[str, str],
    ours: DataKeyRow | None = None,
) -> Given | None:
    """Seal text about a victim for another member; None where the directory has no key of the recipient.

    The recipient opens it with the key that goes beside the event. ``said_for``: the purpose that the key is bound to.
    ``ours``: the row of our own data key, if already read.
    """
    try:
        theirs = office.keys.current().to_seal_for(recipient, tx.now)
    except Untrusted as error:
        log.error("sealed.no-recipient-key", reason=error.reason, member=recipient)
        return None
    key = _data_key(tx, office, victim_id, ours).for_recipient(victim_id, recipient, said_for)
    return Given(seal(what, key, victim_id, recipient, said_for), wrap_key(key, theirs), tuple(sorted(what)))


def take(
    tx: Transaction, office: Office, event_id: str, victim_id: str, referral_id: str, sealed: str, first: bool
) -> tuple[str, ...]:
    """Store the identity text that another agency sent with an event of a referral, with its key wrapped for us.

    ``first``: the referral is new, so nothing is stored for it yet. Answers the names of the fields. Without a key
    (erased meanwhile, or another member's) nothing is readable, and the answer is empty.
    """
    try:
        key, fields = came(tx, office, event_id, victim_id, sealed, purpose(referral_id))
        given = Identity.model_validate(fields).model_dump(exclude_none=True)
    except (Unopenable, ValidationError) as error:
        log.warning("sealed.not-taken", error=type(error).__name__)
        return ()
    if first or tx.session.get(DataKeyRow, key.kid) is None:
        _keep_key(tx, office, key.kid, victim_id, key)
    if not first:
        _replace(tx, office, victim_id, referral_id, key.kid)
    _keep_as_it_came(tx, victim_id, referral_id, IDENTITY, key, sealed)
    numbers.keep(tx, office.vault, victim_id, referral_id, given)
    return tuple(sorted(given))


def take_record(tx: Transaction, office: Office, event_id: str, victim_id: str, record_id: str, sealed: str) -> bool:
    """Store a filed form that another agency delivered, with its key. Answers whether it can be read.

    Without a key (erased meanwhile, or another member's) it cannot.
    """
    try:
        key, _ = came(tx, office, event_id, victim_id, sealed, purpose(record_id))
    except Unopenable as error:
        log.warning("sealed.not-taken", error=type(error).__name__)
        return False
    _keep_key(tx, office, key.kid, victim_id, key)
    _keep_as_it_came(tx, victim_id, record_id, RECORD, key, sealed)
    return True


def came(
    tx: Transaction, office: Office, event_id: str, victim_id: str, sealed: str, said_for: str
) -> tuple[DataKey, dict[str, str]]:
    """The key beside an event, and the text that it opens, which the sender sealed with ``seal_for``. Raises
    Unopenable."""
    key = DataKey.committed(office.vault.open_key(tx.keys.get(event_id, "")), key_id_of(sealed))
    return key, open_sealed(sealed, key, victim_id, office.code, said_for)


def _keep_as_it_came(tx: Transaction, victim_id: str, source: str, kind: str, key: DataKey, sealed: str) -> None:
    row = SealedRow(victim_id=victim_id, source=source, kind=kind, key_id=key.kid, sealed=sealed, recorded_at=tx.now)
    tx.session.add(row)


def _replace(tx: Transaction, office: Office, victim_id: str, referral_id: str, by_key: str) -> None:
    """Make room for new text of an agency with a referral. Its earlier text is deleted, or set aside under a legal
    hold."""
    before = find(tx.session, victim_id, referral_id)
    if before is None:
        return
    if privacy.holds_of(tx.session, victim_id):
        set_aside(tx, office, victim_id, [referral_id])
        return
    numbers.drop(tx, victim_id, [referral_id])
    tx.session.delete(before)
    tx.session.flush()
    if before.key_id != by_key:
        tx.erased = True
        tx.session.execute(delete(DataKeyRow).where(col(DataKeyRow.id) == before.key_id))


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
            row.wrapped = vault.wrap_at_rest(vault.unwrap_at_rest(row.wrapped, row.victim_id), row.victim_id)
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
            numbers.drop(tx, row.victim_id, [row.source])
            numbers.keep(tx, vault, row.victim_id, row.source, _opened(tx.session, vault, member, row))
        return [row.number for row in rows if row.number is not None]

    while found := database.write(some):
        done, after = done + len(found), found[-1]
    return done


def own(session: Session, office: Office, victim_id: str) -> dict[str, str]:
    """The identity fields that this agency wrote itself."""
    row = find(session, victim_id, own_source(victim_id))
    return opened(session, office, row) if row is not None else {}


def withhold(tx: Transaction, referral_ids: Collection[str]) -> None:
    """Remove the keys of these referrals from the outbox: a repeated event goes without its key, so it stays
    unreadable."""
    events = select(col(LedgerEntry.event_id)).where(col(LedgerEntry.referral_id).in_(referral_ids))
    tx.session.execute(update(OutboxEntry).where(col(OutboxEntry.event_id).in_(events)).values(key=None))


def withhold_all(tx: Transaction, victim_id: str) -> None:
    """Remove the keys of a victim from the outbox and from parked events."""
    events = select(col(LedgerEntry.event_id)).where(col(LedgerEntry.victim_id) == victim_id)
    for table in (OutboxEntry, ParkedEvent):
        tx.session.execute(update(table).where(col(table.event_id).in_(events)).values(key=None))


def sources(session: Session, victim_id: str) -> list[str]:
    """The sources of our own text about a victim that may be shown: identity, notes and records."""
    ours = (col(SealedRow.victim_id) == victim_id) & (col(SealedRow.key_id) == OWN)
    return list(session.scalars(select(col(SealedRow.source)).where(ours, col(SealedRow.kind).in_(list(HELD)))))


def keeps_anything(session: Session, victim_id: str) -> bool:
    """Whether any data key of a victim is here. A key counts even where it seals notes alone, or only derived
    recipients' keys."""
    return session.scalars(select(col(DataKeyRow.id)).where(col(DataKeyRow.victim_id) == victim_id)).first() is not None


def renew_own_key(tx: Transaction, office: Office, victim_id: str) -> None:
    """Seal our own text about a victim under a new data key.

    The old key must go: from it come the keys of everything we gave. It would open the sealed text in our ledger. And a
    recipient that gets data again would receive the key that it has destroyed.
    """
    tx.session.flush()
    old = tx.session.get(DataKeyRow, own_source(victim_id))
    if old is None:
        return
    ours = (col(SealedRow.victim_id) == victim_id) & (col(SealedRow.key_id) == OWN)
    kept = [(row, opened(tx.session, office, row)) for row in tx.session.scalars(select(SealedRow).where(ours))]
    tx.session.delete(old)
    tx.session.flush()
    tx.erased = True
    for row, what in kept:
        _seal(tx, office, row, what)


def set_aside(tx: Transaction, office: Office, victim_id: str, only: Collection[str] | None = None) -> None:
    """Keep the text of these sources (None: all) where only a break-glass finds it, because of a legal hold.

    A legal hold forbids erasing or replacing the text. Later text stands beside it and is independent of its end.
    """
    tx.session.flush()
    here = (col(SealedRow.victim_id) == victim_id) & col(SealedRow.kind).in_(list(HELD))
    if only is None:
        withhold_all(tx, victim_id)
    else:
        here &= col(SealedRow.source).in_(only)
    for row in tx.session.scalars(select(SealedRow).where(here)).all():
        what = opened(tx.session, office, row)
        row.source, row.kind = f"held:{row.number}:{row.source}", HELD[row.kind]
        if row.key_id == OWN:  # the sealing is bound to the source
            _seal(tx, office, row, what)
    tx.session.flush()
    numbers.drop(tx, victim_id, only)


def forget(tx: Transaction, office: Office, victim_id: str, only: Collection[str] | None = None) -> None:
    """Destroy the keys of a victim here. Nothing sealed opens any more, and no event is sent again with a key.

    ``only``: the text of these sources and nothing else.
    """
    tx.erased = True
    numbers.drop(tx, victim_id, only)
    if only is None:
        tx.session.execute(delete(DataKeyRow).where(col(DataKeyRow.victim_id) == victim_id))
        withhold_all(tx, victim_id)
        tx.session.execute(delete(SealedRow).where(col(SealedRow.victim_id) == victim_id))
    else:
        withhold(tx, only)
        _delete(tx, office, victim_id, col(SealedRow.source).in_(only))


def forget_held(tx: Transaction, office: Office, victim_id: str) -> None:
    """Destroy the text that only a legal hold has kept, after the hold is lifted."""
    tx.erased = True
    _delete(tx, office, victim_id, col(SealedRow.kind).in_(list(HELD.values())))


def _delete(tx: Transaction, office: Office, victim_id: str, these: ColumnElement[bool]) -> None:
    here = col(SealedRow.victim_id) == victim_id
    keys = set(tx.session.scalars(select(col(SealedRow.key_id)).where(here, these)))
    tx.session.execute(delete(SealedRow).where(here, these))
    keys -= set(tx.session.scalars(select(col(SealedRow.key_id)).where(here)))
    tx.session.execute(delete(DataKeyRow).where(col(DataKeyRow.id).in_(keys)))
    renew_own_key(tx, office, victim_id)
