"""Disclosure: sealing fields of an identity for another agency, on a legal basis, and only what the service needs."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from shared.contracts.codes import AgeClass, DisclosureEnd, IdentityField, LegalBasis
from shared.domain import consent
from shared.reference.acting import Acting
from shared.reference.office import Office
from shared.storage.tables import ReferralRow
from shared.storage.unit_of_work import Transaction
from shared.victims.disclosure import store
from shared.victims.identity.rights import ordinary_right
from shared.victims.register.store import speakers_of
from shared.victims.register.tables import VictimRow
from shared.victims.sealed import giving, receiving
from shared.victims.sealed.tables import DisclosureRow


@dataclass(frozen=True, slots=True)
class Lawful:
    """The fields that may be disclosed. ``consent_id`` is the consent relied on; None for another legal basis."""

    fields: frozenset[IdentityField]
    consent_id: str | None


@dataclass(frozen=True, slots=True)
class ForService:
    """For what fields would be disclosed: a service of another agency, on a legal basis."""

    agency: str
    service: str
    basis: LegalBasis


@dataclass(frozen=True, slots=True)
class Disclosure:
    """A disclosure between us and ``agency``, about a victim, on a legal basis; on consent, with its ``consent_id``.

    ``given_with`` is the id of the referral, or of the delivered record, with which the fields go.
    ``against_withdrawal``: the person had withdrawn consent, and had not agreed anew to this agency.
    """

    given_with: str
    victim_id: str
    agency: str
    basis: str
    consent_id: str | None = None
    against_withdrawal: bool = False


def lawful(acting: Acting, victim: VictimRow, live: Sequence[ReferralRow], asked: ForService) -> Lawful:
    """The fields that may be disclosed to an agency for one of its services, on this legal basis.

    A field passes when the service needs it, the basis covers it, and the caller may see it. ``live``: the victim's
    referrals that have not ended. Raises Refused when the basis does not hold: ``no-consent``, ``not-a-child`` or
    ``guardian-part-missing``.
    """
    latest = _latest_consent(acting, victim) if asked.basis is LegalBasis.CONSENT else None
    service = acting.office.directory.service(asked.agency, asked.service)
    age = AgeClass(victim.rule_age)
    fields = consent.disclosed(asked.basis, age, latest, asked.agency, service.stage, service.needs, acting.tx.now)
    shown = ordinary_right(acting.office, acting.sight, victim, live).fields
    return Lawful(fields & shown, latest.id if latest else None)


def check_basis(acting: Acting, victim: VictimRow, asked: ForService, note: str | None) -> bool:
    """Whether the disclosure is against a withdrawal, on another basis than consent.

    The consents are read after a withdrawal alone, so the usual hand-over runs no statement more. Raises Refused:
    ``basis-not-for-service``, ``against-withdrawal`` or ``note-required``.
    """
    service = acting.office.directory.service(asked.agency, asked.service)
    consent.check_basis(asked.basis, service.stage, service.urgent)
    against = is_against_withdrawal(acting, victim, asked)
    if against:
        consent.check_against_withdrawal(acting.caller.role, note)
    return against


def is_against_withdrawal(acting: Acting, victim: VictimRow, asked: ForService) -> bool:
    """Whether a disclosure would be against a withdrawal, on another basis than consent."""
    withdrawn_at = victim.consent_withdrawn_at
    if withdrawn_at is None or asked.basis is LegalBasis.CONSENT or asked.agency == acting.office.code:
        return False
    latest, age = _latest_consent(acting, victim), AgeClass(victim.rule_age)
    return consent.is_withdrawn_for(asked.agency, withdrawn_at, latest, acting.tx.now, age)


def _latest_consent(acting: Acting, victim: VictimRow) -> consent.Consent | None:
    return consent.current(map(store.to_consent, store.consents_of(acting.tx.session, victim.id)))


def give(
    tx: Transaction,
    office: Office,
    victim: VictimRow,
    disclosure: Disclosure,
    fields: frozenset[IdentityField],
    first: bool,
) -> giving.Given | None:
    """Seal the fields for the agency and store the disclosure.

    ``first``: the referral is new, so no earlier disclosure can exist. Returns what was sealed; None when there is
    nothing to give, or when the agency is our own.
    """
    if disclosure.agency == office.code:
        return None
    given = giving.seal_for_agency(
        tx,
        office,
        speakers_of(victim, office.code),
        disclosure.given_with,
        recipient=disclosure.agency,
        fields=fields,
    )
    if given is None:
        return None
    record_disclosure(tx, disclosure, True, given.fields, first, given.came_with)
    return replace(given, against_withdrawal=disclosure.against_withdrawal)


def receive(
    tx: Transaction, office: Office, event_id: str, disclosure: Disclosure, sealed_for_us: str, first: bool
) -> None:
    """Receive what an agency sealed for us, and store the disclosure with its sender and legal basis.

    ``first``: the referral is new, so no earlier disclosure can exist.
    """
    fields = receiving.receive_identity(
        tx, office, event_id, disclosure.victim_id, disclosure.given_with, sealed_for_us, first
    )
    if fields or first:
        row = record_disclosure(tx, disclosure, False, fields, first)
        if not fields:  # its giver has taken it back on the way; it may still say so
            row.end, row.ended_at = DisclosureEnd.NOTHING_HELD, tx.now


def record_disclosure(
    tx: Transaction,
    disclosure: Disclosure,
    given: bool,
    fields: tuple[str, ...],
    first: bool,
    came_with: tuple[str, ...] = (),
) -> DisclosureRow:
    """Store and return a disclosure: ``given`` by us, or received. A standing disclosure grows by the new fields.

    For a delivered record, ``fields`` is empty. ``first``: skip the lookup of a standing disclosure.
    ``came_with``: the sources of what we gave.
    """
    standing = None if first else store.disclosure_with(tx.session, disclosure.given_with)
    if standing is not None and disclosure.consent_id not in (None, standing.consent_id):
        standing = None  # another consent makes another disclosure, with its own end
    row = standing or DisclosureRow(
        given_with=disclosure.given_with,
        victim_id=disclosure.victim_id,
        given=given,
        agency=disclosure.agency,
        fields=[],
        basis=disclosure.basis,
        consent_id=disclosure.consent_id,
        against_withdrawal=disclosure.against_withdrawal,
        at=tx.now,
    )
    row.fields = sorted({*row.fields, *fields})
    row.came_with = sorted({*row.came_with, *came_with})
    row.against_withdrawal = row.against_withdrawal or disclosure.against_withdrawal
    tx.session.add(row)
    return row
