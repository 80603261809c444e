"""Disclosure: sealing fields of an identity for another agency, on a legal basis, and only what the service needs."""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.contracts.codes import AgeClass, IdentityField, LegalBasis
from shared.domain import consent
from shared.domain.access import Sight
from shared.reference.office import Office
from shared.storage.tables import ReferralRow
from shared.storage.unit_of_work import Transaction
from shared.victims.disclosure import store
from shared.victims.identity.rights import ordinary_right
from shared.victims.register.tables import VictimRow
from shared.victims.sealed import giving, receiving
from shared.victims.sealed.tables import DisclosureRow


@dataclass(frozen=True, slots=True)
class Lawful:
    """The fields that may be disclosed. ``consent_id`` is the consent relied on; None for another legal basis."""

    fields: frozenset[IdentityField]
    consent_id: str | None


def lawful(
    tx: Transaction,
    office: Office,
    sight: Sight,
    victim: VictimRow,
    live: Sequence[ReferralRow],
    agency: str,
    service: str,
    basis: LegalBasis,
) -> Lawful:
    """The fields that may be disclosed to an agency for one of its services, on this legal basis.

    A field passes when the service needs it, the basis covers it, and the caller may see it. ``live``: the victim's
    referrals that have not ended. Raises Refused when the basis does not hold: ``no-consent`` or ``not-a-child``.
    """
    latest = None
    if basis is LegalBasis.CONSENT:
        latest = consent.current(map(store.to_consent, store.consents_of(tx.session, victim.id)))
    asked = office.directory.service(agency, service)
    age = AgeClass(victim.age_class)
    fields = consent.disclosed(basis, age, latest, agency, asked.stage, asked.needs, tx.now)
    return Lawful(fields & ordinary_right(office, sight, victim, live).fields, latest.id if latest else None)


def give(
    tx: Transaction,
    office: Office,
    victim_id: str,
    referral_id: str,
    agency: str,
    what: Lawful,
    basis: LegalBasis,
    first: bool,
) -> giving.Given | None:
    """Seal the fields for the agency and store the disclosure.

    ``first``: the referral is new, so no earlier disclosure can exist. Returns what was sealed; None when there is
    nothing to give, or when the agency is our own.
    """
    given = None if agency == office.code else giving.give(tx, office, victim_id, referral_id, agency, what.fields)
    if given is not None:
        note(tx, referral_id, victim_id, True, agency, given.fields, basis, what.consent_id, first)
    return given


def take(
    tx: Transaction,
    office: Office,
    event_id: str,
    victim_id: str,
    referral_id: str,
    agency: str,
    sealed_for_us: str,
    basis: str,
    consent_id: str | None,
    first: bool,
) -> None:
    """Receive what an agency sealed for us, and store the disclosure with its sender and legal basis.

    ``first``: the referral is new, so no earlier disclosure can exist.
    """
    fields = receiving.take(tx, office, event_id, victim_id, referral_id, sealed_for_us, first)
    if fields:
        note(tx, referral_id, victim_id, False, agency, fields, basis, consent_id, first)


def note(
    tx: Transaction,
    referral_id: str,
    victim_id: str,
    given: bool,
    agency: str,
    fields: tuple[str, ...],
    basis: str,
    consent_id: str | None,
    first: bool,
) -> None:
    """Store a disclosure, given or received, with a referral. A standing disclosure grows by the new fields.

    For a delivered record, ``referral_id`` is the record's id and ``fields`` is empty. ``first``: skip the lookup of
    a standing disclosure.
    """
    standing = None if first else store.disclosure_with(tx.session, referral_id)
    if standing is not None and consent_id not in (None, standing.consent_id):
        standing = None  # another consent makes another disclosure, with its own end
    row = standing or DisclosureRow(
        referral_id=referral_id,
        victim_id=victim_id,
        given=given,
        agency=agency,
        fields=[],
        basis=basis,
        consent_id=consent_id,
        at=tx.now,
    )
    row.fields = sorted({*row.fields, *fields})
    tx.session.add(row)
