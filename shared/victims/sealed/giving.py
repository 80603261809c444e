"""Seal text about a victim for another member, with a wrapped key that opens this text alone."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import structlog

from shared.contracts.codes import IdentityField
from shared.domain.words import Speakers
from shared.reference.office import Office
from shared.security.public_keys import Untrusted
from shared.security.sealing import seal, wrap_key
from shared.storage.unit_of_work import Transaction
from shared.victims.sealed import identity
from shared.victims.sealed.store import data_key_of, key_purpose, of_victim, own_source
from shared.victims.sealed.tables import DataKeyRow

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Given:
    """A part of an identity for one event: sealed for one recipient, with the wrapped key that opens it."""

    sealed: str
    key: str
    fields: tuple[str, ...]
    came_with: tuple[str, ...] = ()
    """The sources of the text: our own, or the referrals with which other agencies gave it to us."""
    against_withdrawal: bool = False
    """The person had withdrawn consent, and had not agreed anew to the recipient."""


def seal_for_agency(
    tx: Transaction,
    office: Office,
    speakers: Speakers,
    referral_id: str,
    recipient: str,
    fields: frozenset[IdentityField],
) -> Given | None:
    """The text of these fields that we may disclose, sealed for the recipient of one referral.

    None where there is no such text, or the directory has no key of the recipient.
    """
    # opens our own text, and derives the recipient's key
    ours = tx.session.get(DataKeyRow, own_source(of_victim(speakers.victim_id)))
    known = identity.words_to_give(tx.session, office, speakers)
    what = {name: one.value for name, one in known.items() if name in fields}
    if not what:
        return None
    given = seal_for(tx, office, speakers.victim_id, recipient, key_purpose(referral_id), what, ours)
    return given and replace(given, came_with=tuple(sorted({known[name].source for name in what})))


def seal_record(
    tx: Transaction, office: Office, victim_id: str, record_id: str, recipient: str, fields: Mapping[str, Any]
) -> Given | None:
    """All fields of a filed form, sealed for one recipient; None where the directory has no key of the recipient.

    Raises ValueError where the fields are too long for an event.
    """
    what = {"fields": json.dumps(dict(fields), ensure_ascii=False)}
    return seal_for(tx, office, victim_id, recipient, key_purpose(record_id), what)


def seal_for(
    tx: Transaction,
    office: Office,
    victim_id: str,
    recipient: str,
    key_purpose: str,
    what: Mapping[str, str],
    ours: DataKeyRow | None = None,
) -> Given | None:
    """Seal text about a victim for another member; None where the directory has no key of the recipient.

    The recipient opens it with the key that goes beside the event. ``key_purpose``: what the key may be used for.
    ``ours``: the row of our own data key, if already read.
    """
    try:
        theirs = office.keys.current().to_seal_for(recipient, tx.now)
    except Untrusted as error:
        log.error("sealed.no-recipient-key", reason=error.reason, member=recipient)
        return None
    key = data_key_of(tx, office, of_victim(victim_id), ours).for_recipient(victim_id, recipient, key_purpose)
    return Given(seal(what, key, victim_id, recipient, key_purpose), wrap_key(key, theirs), tuple(sorted(what)))
