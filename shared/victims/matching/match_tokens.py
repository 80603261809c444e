"""Tell the coordinator a victim's match tokens, from which it finds the same person at two agencies; and nothing more.

The match tokens come only from identity fields that we wrote ourselves and may be searched by. Erased text, and text
set aside for a court, gives none. They travel sealed, with their key beside the event. So once the key is destroyed,
nobody can open the copies in our ledger and the coordinator's. Without a shared matching key in our vault nothing is
told.
"""

from collections.abc import Mapping
from datetime import timedelta

import structlog
from sqlalchemy import select
from sqlmodel import col

from shared.contracts import events as e
from shared.contracts.codes import LegalBasis
from shared.domain.ids import IdKind, id_in, keyed
from shared.domain.matching import KEY_PURPOSE, match_token, normalised
from shared.reference.office import Office, draft
from shared.security.vault import Vault
from shared.storage.notifier import Topic
from shared.storage.timers import Timer
from shared.storage.unit_of_work import Transaction
from shared.victims.matching.tables import ToldMatchTokensRow
from shared.victims.register.store import load_victim
from shared.victims.sealed import giving
from shared.victims.sealed import identity as sealed_identity
from shared.victims.sealed import store as sealed
from shared.victims.sealed.tables import SealedRow

log = structlog.get_logger()
AT_ONCE = 5
"""Victims whose match tokens one transaction tells: few, so that other writers wait no longer."""
QUIET = timedelta(minutes=1)
"""Time during which a new identity is left alone. A long list of people is written first, without delay."""


def made(vault: Vault, key: int, known: Mapping[str, str]) -> dict[str, str]:
    """Kind → match token, from the identity fields of a victim."""
    return {kind: match_token(key, kind, vault.match(key, value, kind)) for kind, value in normalised(known).items()}


def tell(tx: Transaction, office: Office, victim_id: str, known: Mapping[str, str] | None = None) -> bool:
    """Tell the coordinator the match tokens of a victim, unless they are the ones told last.

    ``known``: the identity fields that we wrote ourselves, if just read. Answers False where it must be tried again.
    """
    key = office.vault.matching_key()
    row = tx.session.get(ToldMatchTokensRow, victim_id)
    if office.agency.coordinator is None or (key is None and row is None):
        return True
    known = sealed_identity.own_identity(tx.session, office, victim_id) if known is None else known
    if key is None and known:
        return True  # matching is off here now: the match tokens told before stand until the victim is erased
    tokens = made(office.vault, key, known) if key is not None else {}
    digest, none = (_digest(office.vault, these) for these in (tokens, {}))
    if digest != (row.digest if row else none) and not _emit(tx, office, office.agency.coordinator, victim_id, tokens):
        return False
    if not known:
        if row is not None:
            tx.session.delete(row)
    elif row is None:
        tx.session.add(ToldMatchTokensRow(victim_id=victim_id, key=key or 0, digest=digest))
    else:
        row.key, row.digest = key or 0, digest
    return True


def _digest(vault: Vault, tokens: Mapping[str, str]) -> str:
    return vault.blind("\n".join(sorted(tokens.values())), "tokens told")


def _emit(tx: Transaction, office: Office, coordinator: str, victim_id: str, tokens: Mapping[str, str]) -> bool:
    """Publish the match tokens; False where the coordinator has no key to seal for, and it must be tried again."""
    given = giving.seal_for(tx, office, victim_id, coordinator, KEY_PURPOSE, tokens) if tokens else None
    if tokens and given is None:
        return False
    told = e.TokensTold(victim_id=victim_id, sealed=given.sealed if given else None, occurred_at=tx.now)
    unit, key = office.speaker(tx.now.date()), given.key if given else None
    tx.emit(draft(told, coordinator, unit, victim_id=victim_id, basis=LegalBasis.PUBLIC_TASK, key=key))
    return True


def warn_if_off(tx: Transaction, office: Office) -> None:
    """Log once, when a service starts, that it tells no match tokens."""
    if office.agency.coordinator is not None and office.vault.matching_key() is None:
        tx.afterwards.append(lambda: log.warning("matching.off", member=office.code))


def untold_victims(office: Office) -> Timer:
    """The timer that tells match tokens of a long list, or of identities older than the shared key."""
    return Timer(Topic.MATCH_TOKENS, lambda _: None, lambda tx: tell_some(tx, office))


def tell_some(tx: Transaction, office: Office) -> int:
    """Tell the match tokens of some victims that were not told yet with the newest key; answers of how many."""
    key = office.vault.matching_key()
    if key is None or office.agency.coordinator is None:
        return 0
    told = select(col(ToldMatchTokensRow.victim_id)).where(
        keyed(IdKind.VICTIM, "") + col(ToldMatchTokensRow.victim_id) == col(SealedRow.subject_id),
        col(ToldMatchTokensRow.key) == key,
    )
    ours = (col(SealedRow.kind) == sealed.IDENTITY) & (col(SealedRow.key_id) == sealed.OWN)
    before = col(SealedRow.recorded_at) <= tx.now - QUIET
    untold = select(col(SealedRow.subject_id)).where(ours, before, ~told.exists()).order_by(col(SealedRow.subject_id))
    done = 0
    for victim_id in map(id_in, tx.session.scalars(untold.limit(AT_ONCE)).all()):
        load_victim(tx.session, victim_id)  # locks the victim: its rows are written under that lock
        if not tell(tx, office, victim_id):
            continue
        done += 1
        tx.session.flush()
        if tx.session.get(ToldMatchTokensRow, victim_id) is None:  # nothing to tell: mark the victim as done
            nothing = _digest(office.vault, {})
            tx.session.add(ToldMatchTokensRow(victim_id=victim_id, key=key, digest=nothing))
    if done:
        tx.changed.add(Topic.MATCH_TOKENS)  # there may be more
    return done
