"""What an agency holds sealed of a victim: what it wrote down itself, what others gave it, and the keys that open it.

Nothing of it is ever in clear in a row. What we write down is sealed under the victim's data key here; what another
agency gave us stays as it came, with the key that came beside it. Without their keys both are noise.
"""

import base64
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

import structlog
from pydantic import ValidationError
from sqlalchemy import Select, bindparam, delete, insert, select, update
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
from shared.storage.database import Database, Transaction
from shared.storage.privacy_tables import DataKeyRow, DisclosureRow, SealedRow
from shared.storage.tables import LedgerEntry, OutboxEntry, ParkedEvent, ReferralRow

log = structlog.get_logger()

IDENTITY, WITHHELD, NOTE = "identity", "withheld", "note"
"""The kinds of what is sealed; ``withheld`` is of an identity, and only a legal hold keeps it."""
OWN = "own"
"""The key of what we sealed ourselves."""


_KEEPING = insert(DataKeyRow.__table__)  # type: ignore[attr-defined]


def own_source(victim_id: str) -> str:
    """The source, and the id of the key, of what we wrote down ourselves."""
    return f"{OWN}:{victim_id}"


def put(tx: Transaction, office: Office, about: str, source: str, kind: str, what: Mapping[str, str]) -> None:
    """Keep ``what`` sealed under the data key of a victim (or case), in the place of what this source said before."""
    row = find(tx.session, about, source)
    if row is None:
        row = SealedRow(victim_id=about, source=source, kind=kind, key_id="", sealed="", recorded_at=tx.now)
        tx.session.add(row)
    row.kind = kind
    at_rest = seal_at_rest(json.dumps(dict(what)).encode(), _data_key(tx, office, about), source)
    row.key_id, row.sealed, row.recorded_at = OWN, base64.b64encode(at_rest).decode(), tx.now


def find(session: Session, about: str, source: str) -> SealedRow | None:
    """What came from a source about a victim or case."""
    statement = select(SealedRow).where(col(SealedRow.victim_id) == about, col(SealedRow.source) == source)
    return session.scalars(statement).first()


def _data_key(tx: Transaction, office: Office, about: str, row: DataKeyRow | None = None) -> DataKey:
    """The data key of a victim (or case) here, made at first need. ``row``: where it is, if that has been read."""
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
    """What is sealed in a row; nothing where its key has been destroyed."""
    ours = row.key_id == OWN
    name = own_source(row.victim_id) if ours else row.key_id
    kept = session.get(DataKeyRow, name)
    if kept is None:
        return {}
    try:
        key = DataKey(office.vault.unwrap_at_rest(kept.wrapped, row.victim_id))
        if ours:
            return dict(json.loads(open_at_rest(base64.b64decode(row.sealed), key, row.source)))
        return open_sealed(row.sealed, key, row.victim_id, office.code, purpose(row.source))
    except Unopenable as error:
        log.error("sealed.unopenable", reason=error.reason)
        return {}


def purpose(referral_id: str) -> str:
    """For what a key is given: one referral, so that what came with another stays when this one is erased."""
    return f"referral:{referral_id}"


_IDENTITIES = (
    select(SealedRow)
    .where(col(SealedRow.victim_id) == bindparam("victim_id"), col(SealedRow.kind).in_((IDENTITY, WITHHELD)))
    .order_by(col(SealedRow.recorded_at), col(SealedRow.number))
)


def _ours_or_given(*but: KeptBecause) -> Select[Any]:
    """What we wrote down, and what came with a referral that was taken on and stands; or was stopped, ``but`` kept for
    one of these reasons."""
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
    """How much of what is kept of an identity is read."""

    GIVE = _ours_or_given()
    """What may be given on: nothing that was stopped, whatever keeps it here."""
    SHOW = _ours_or_given(KeptBecause.CUSTODY)
    """What may be shown: who is responsible for a victim goes on knowing who they are."""
    ALL = _IDENTITIES
    """Also what only a legal hold or another basis keeps, and what came with a request that nobody has accepted: for a
    break-glass."""


def known(session: Session, office: Office, victim_id: str, reach: Reach = Reach.SHOW) -> dict[str, str]:
    """All that this agency may read of who a victim is; the latest word on each field counts."""
    found: dict[str, str] = {}
    for row in session.scalars(reach.value, {"victim_id": victim_id}):
        found |= opened(session, office, row)
    return found


def withhold_own(tx: Transaction, victim_id: str) -> None:
    """Keep what we wrote down ourselves, and show it to nobody at their work until somebody writes it down again."""
    ours = (col(SealedRow.victim_id) == victim_id) & (col(SealedRow.source) == own_source(victim_id))
    tx.session.execute(update(SealedRow).where(ours).values(kind=WITHHELD))
    numbers.drop(tx, victim_id, [own_source(victim_id)])


def keep_note(tx: Transaction, office: Office, about: str, event_id: str, text: str) -> None:
    """Keep free text of an officer, sealed, beside an event. ``about``: the victim, or the case."""
    put(tx, office, about, event_id, NOTE, {"text": text})


def notes(session: Session, office: Office, event_ids: Collection[str]) -> dict[str, str]:
    """Event id → the note beside it, of those that can still be read."""
    statement = select(SealedRow).where(col(SealedRow.source).in_(event_ids), col(SealedRow.kind) == NOTE)
    found = {row.source: opened(session, office, row) for row in session.scalars(statement)}
    return {event_id: what["text"] for event_id, what in found.items() if "text" in what}


# --- given, taken, forgotten ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Given:
    """What is given of an identity with an event: sealed for its recipient, and the wrapped key that opens it."""

    sealed: str
    key: str
    fields: tuple[str, ...]


def give(
    tx: Transaction, office: Office, victim_id: str, referral_id: str, recipient: str, fields: frozenset[IdentityField]
) -> Given | None:
    """What we know of these fields, sealed for one referral's recipient; None where we know nothing, or not its key."""
    ours = tx.session.get(DataKeyRow, own_source(victim_id))  # opens what we know, and makes the recipient's key
    what = {name: value for name, value in known(tx.session, office, victim_id, Reach.GIVE).items() if name in fields}
    if not what:
        return None
    try:
        theirs = office.keys.current().to_seal_for(recipient, tx.now)
    except Untrusted as error:
        log.error("sealed.no-recipient-key", reason=error.reason, member=recipient)
        return None
    key = _data_key(tx, office, victim_id, ours).for_recipient(victim_id, recipient, purpose(referral_id))
    sealed = seal(what, key, victim_id, recipient, purpose(referral_id))
    return Given(sealed, wrap_key(key, theirs), tuple(sorted(what)))


def take(
    tx: Transaction, office: Office, event_id: str, victim_id: str, referral_id: str, sealed: str, first: bool
) -> tuple[str, ...]:
    """Keep what another agency gave us with an event of a referral, and the key that came beside it, locked for us.

    ``first``: with a new referral, of which there is nothing here yet. Answers the fields that came. Without a key (it
    was erased meanwhile, or is another's) nothing is readable.
    """
    try:
        key = DataKey.committed(office.vault.open_key(tx.keys.get(event_id, "")), key_id_of(sealed))
        fields = open_sealed(sealed, key, victim_id, office.code, purpose(referral_id))
        given = Identity.model_validate(fields).model_dump(exclude_none=True)
    except (Unopenable, ValidationError) as error:
        log.warning("sealed.not-taken", error=type(error).__name__)
        return ()
    if first or tx.session.get(DataKeyRow, key.kid) is None:
        _keep_key(tx, office, key.kid, victim_id, key)
    row = None if first else find(tx.session, victim_id, referral_id)
    if row is not None:
        numbers.drop(tx, victim_id, [referral_id])
    else:
        row = SealedRow(
            victim_id=victim_id, source=referral_id, kind=IDENTITY, key_id="", sealed="", recorded_at=tx.now
        )
        tx.session.add(row)
    row.key_id, row.sealed, row.recorded_at = key.kid, sealed, tx.now
    numbers.keep(tx, office, victim_id, referral_id, given)
    return tuple(sorted(given))


AT_ONCE = 500
"""Data keys that are wrapped anew in one transaction."""


def rewrap_all(database: Database, vault: Vault) -> int:
    """Wrap every data key anew, under the newest storage key; answers how many. Safe to run again, and meanwhile."""
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


def own(session: Session, office: Office, victim_id: str) -> dict[str, str]:
    """What we wrote down ourselves of who a victim is."""
    row = find(session, victim_id, own_source(victim_id))
    return opened(session, office, row) if row is not None else {}


def withhold(tx: Transaction, referral_ids: Collection[str]) -> None:
    """Send no key of these referrals any more: what is sealed goes without it, unreadable."""
    events = select(col(LedgerEntry.event_id)).where(col(LedgerEntry.referral_id).in_(referral_ids))
    tx.session.execute(update(OutboxEntry).where(col(OutboxEntry.event_id).in_(events)).values(key=None))


def forget(tx: Transaction, victim_id: str, only_from: Collection[str] | None = None) -> None:
    """Destroy the keys of a victim here, so that nothing sealed opens any more, and nothing is sent again with a key.

    ``only_from``: only what came with these referrals.
    """
    tx.erased = True
    numbers.drop(tx, victim_id, only_from)
    here = col(SealedRow.victim_id) == victim_id
    if only_from is None:
        tx.session.execute(delete(DataKeyRow).where(col(DataKeyRow.victim_id) == victim_id))
        events = select(col(LedgerEntry.event_id)).where(col(LedgerEntry.victim_id) == victim_id)
        tx.session.execute(update(OutboxEntry).where(col(OutboxEntry.event_id).in_(events)).values(key=None))
        tx.session.execute(update(ParkedEvent).where(col(ParkedEvent.event_id).in_(events)).values(key=None))
    else:
        withhold(tx, only_from)
        here &= col(SealedRow.source).in_(only_from)
        keys = set(tx.session.scalars(select(col(SealedRow.key_id)).where(here)))
        tx.session.execute(delete(DataKeyRow).where(col(DataKeyRow.id).in_(keys)))
    tx.session.execute(delete(SealedRow).where(here))
