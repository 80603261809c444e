"""Store a victim's identity: sealed, indexed for search, and with its match tokens sent to the coordinator."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from shared.domain.commands import is_past_day
from shared.domain.identity import Identity
from shared.domain.refusal import Refused
from shared.reference.acting import Acting
from shared.reference.office import Office
from shared.storage import referrals
from shared.storage.unit_of_work import Transaction
from shared.victims.identity import access_log
from shared.victims.identity.rights import ordinary_right
from shared.victims.matching import match_tokens
from shared.victims.register.store import lock_victim
from shared.victims.register.tables import VictimRow
from shared.victims.sealed import blind_index, forgetting, holds
from shared.victims.sealed import identity as sealed_identity
from shared.victims.sealed import store as sealed


def record(acting: Acting, victim_id: str, identity: Identity) -> VictimRow:
    """Store a victim's identity for the unit with custody, or for a unit at work that needs the fields. Raises
    Refused."""
    tx = acting.tx
    victim = lock_victim(tx.session, acting.sight, victim_id)
    right = ordinary_right(acting.office, acting.sight, victim, referrals.live_of_victim(tx.session, victim_id))
    for name in sorted(identity.model_fields_set):
        if name not in right.fields:
            raise Refused("not-responsible", field=name)
    check(identity, tx.now)
    change = write(tx, acting.office, victim_id, identity, keep_before=bool(holds.holds_of(tx.session, victim_id)))
    access_log.log(acting, victim_id, "record", right, sorted(identity.model_fields_set))
    access_log.log_search(acting, victim_id, right, change.after, change.before)
    return victim


def check(identity: Identity, now: datetime, within: str = "") -> None:
    """Raises Refused("no-such-day") for a date of birth that does not exist or is in the future.

    ``within``: the path of the identity inside the request, for the field that the refusal names.
    """
    if identity.born_on is not None and not is_past_day(identity.born_on, now):
        raise Refused("no-such-day", field=f"{within}born_on")


@dataclass(frozen=True, slots=True)
class Change:
    """The identity that we wrote ourselves, before and after a change: field → text."""

    before: Mapping[str, str]
    after: Mapping[str, str]


def write(
    tx: Transaction,
    office: Office,
    victim_id: str,
    identity: Identity,
    keep_before: bool = False,
) -> Change:
    """Store a victim's identity, sealed. A sent field replaces the old one; a field that was not sent stays.

    ``identity`` has been checked. ``keep_before``: a legal hold applies, so the old fields are set aside and not lost.
    """
    subject = sealed.of_victim(victim_id)
    changes, source = identity.model_dump(exclude_unset=True), sealed.own_source(subject)
    before = sealed_identity.own_identity(tx.session, office, victim_id)
    known = {name: value for name, value in {**before, **changes}.items() if value is not None}
    if keep_before:
        forgetting.set_aside(tx, office, victim_id, [source])
    sealed.put(tx, office, subject, source, sealed.IDENTITY, known)
    blind_index.drop(tx, victim_id, [source])
    blind_index.keep(tx, office.vault, victim_id, source, known)
    match_tokens.tell(tx, office, victim_id, known)
    return Change(before, known)


def write_first(
    tx: Transaction, office: Office, victim_id: str, identity: Identity, known_again_later: bool = False
) -> None:
    """As ``write``, skipping the lookup; only for a victim who is registered now under an id of ours.

    ``known_again_later``: the coordinator gets the match tokens later, from a timer, so that a long list is not
    delayed.
    """
    known = identity.model_dump(exclude_none=True)
    subject = sealed.of_victim(victim_id)
    source = sealed.own_source(subject)
    sealed.put_first(tx, office, subject, source, sealed.IDENTITY, known)
    blind_index.keep(tx, office.vault, victim_id, source, known)
    if not known_again_later:
        match_tokens.tell(tx, office, victim_id, known)
