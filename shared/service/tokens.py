"""Telling the coordinator by what a victim may be known again at another agency, and by nothing more.

Told is what we wrote down ourselves, as far as we may be searched for it: what is erased, or set aside for a court, is
told no more. The tokens travel sealed, with their key beside the event, so that our ledger and the coordinator's hold
what nobody opens once the key is destroyed. Without a shared key in our vault nothing is told.
"""

from collections.abc import Mapping
from datetime import timedelta

import structlog
from sqlalchemy import select
from sqlmodel import col

from shared.contracts import events as e
from shared.contracts.codes import LegalBasis
from shared.contracts.envelope import Envelope
from shared.domain.matching import are_tokens, spelt, token
from shared.security.sealing import Unopenable
from shared.security.vault import Vault
from shared.service import sealed
from shared.service.deadlines import Deadline
from shared.service.office import Office, draft
from shared.storage.agency_tables import ToldTokensRow
from shared.storage.database import Transaction
from shared.storage.privacy_tables import SealedRow
from shared.storage.victims import load_victim

log = structlog.get_logger()

PURPOSE = "tokens"
"""What the key of the tokens is bound to, as another is to each referral."""
WATCHED = "tokens"
"""What wakes when some of many were told; else, what was not told yet is looked for at the start, and every half
minute."""
AT_ONCE = 5
"""Victims whose tokens are told in one transaction: whoever else writes waits for no more."""
QUIET = timedelta(minutes=1)
"""What was written down just now is left alone: those who come off a ship are written down one after the other, and
that is not held up."""


def made(vault: Vault, key: int, known: Mapping[str, str]) -> dict[str, str]:
    """Kind → token, of what is known of a victim."""
    return {kind: token(key, kind, vault.match(key, value, kind)) for kind, value in spelt(known).items()}


def tell(tx: Transaction, office: Office, victim_id: str, known: Mapping[str, str] | None = None) -> bool:
    """Tell the coordinator what is now true of a victim, unless that is what it was told last. ``known``: what we wrote
    down ourselves, if that has just been read. Answers False where it must be tried again."""
    key = office.vault.matching_key()
    row = tx.session.get(ToldTokensRow, victim_id)
    if office.agency.coordinator is None or (key is None and row is None):
        return True
    known = sealed.own(tx.session, office, victim_id) if known is None else known
    if key is None and known:
        return True  # it is off here now: what was told stands until the person is erased
    tokens = made(office.vault, key, known) if key is not None else {}
    digest, none = (_digest(office.vault, these) for these in (tokens, {}))
    if digest != (row.digest if row else none) and not _emit(tx, office, office.agency.coordinator, victim_id, tokens):
        return False
    if not known:
        if row is not None:
            tx.session.delete(row)
    elif row is None:
        tx.session.add(ToldTokensRow(victim_id=victim_id, key=key or 0, digest=digest))
    else:
        row.key, row.digest = key or 0, digest
    return True


def _digest(vault: Vault, tokens: Mapping[str, str]) -> str:
    return vault.blind("\n".join(sorted(tokens.values())), "tokens told")


def _emit(tx: Transaction, office: Office, coordinator: str, victim_id: str, tokens: Mapping[str, str]) -> bool:
    """Answers whether it was told: not where the coordinator has no key to seal for; then it is tried again."""
    given = sealed.seal_for(tx, office, victim_id, coordinator, PURPOSE, tokens) if tokens else None
    if tokens and given is None:
        return False
    told = e.TokensTold(victim_id=victim_id, sealed=given.sealed if given else None, occurred_at=tx.now)
    unit, key = office.speaker(tx.now.date()), given.key if given else None
    tx.emit(draft(told, coordinator, unit, victim_id=victim_id, basis=LegalBasis.PUBLIC_TASK, key=key))
    return True


def opened(tx: Transaction, office: Office, envelope: Envelope, told: e.TokensTold) -> list[str] | None:
    """At the coordinator: the tokens that an agency told; none, where it says so. None where they cannot be read: the
    person was erased meanwhile, or it is no such thing."""
    if told.sealed is None:
        return []
    try:
        _, tokens = sealed.came(tx, office, envelope.id, told.victim_id, told.sealed, PURPOSE)
    except Unopenable as error:
        log.warning("sealed.not-taken", error=type(error).__name__)
        return None
    return sorted(tokens.values()) if are_tokens(tokens) else None


# --- what was not told yet --------------------------------------------------------------------------------------------


def begin(tx: Transaction, office: Office) -> None:
    """Say once, when a service starts, that it tells nothing."""
    if office.agency.coordinator is not None and office.vault.matching_key() is None:
        tx.afterwards.append(lambda: log.warning("matching.off", member=office.code))


def deadline(office: Office) -> Deadline:
    """Tell what was written down in a list of many, or before there was this shared key, some at a time, with nobody
    logged in."""
    return Deadline(WATCHED, lambda _: None, lambda tx: tell_some(tx, office))


def tell_some(tx: Transaction, office: Office) -> int:
    """Tell the tokens of some victims of whom that has not been done with the newest key. Answers of how many."""
    key = office.vault.matching_key()
    if key is None or office.agency.coordinator is None:
        return 0
    told = select(col(ToldTokensRow.victim_id)).where(
        col(ToldTokensRow.victim_id) == col(SealedRow.victim_id), col(ToldTokensRow.key) == key
    )
    ours = (col(SealedRow.kind) == sealed.IDENTITY) & (col(SealedRow.key_id) == sealed.OWN)
    before = col(SealedRow.recorded_at) <= tx.now - QUIET
    untold = select(col(SealedRow.victim_id)).where(ours, before, ~told.exists()).order_by(col(SealedRow.victim_id))
    done = 0
    for victim_id in tx.session.scalars(untold.limit(AT_ONCE)).all():
        load_victim(tx.session, victim_id)  # what is kept of a victim is written under its lock
        if not tell(tx, office, victim_id):
            continue
        done += 1
        tx.session.flush()
        if tx.session.get(ToldTokensRow, victim_id) is None:  # there is nothing to tell of them: that is done too
            nothing = _digest(office.vault, {})
            tx.session.add(ToldTokensRow(victim_id=victim_id, key=key, digest=nothing))
    if done:
        tx.changed.add(WATCHED)  # there may be more
    return done
