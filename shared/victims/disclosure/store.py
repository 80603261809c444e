"""Read consents and disclosures."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlmodel import Session, col

from shared.contracts.codes import ConsentManner, ConsentPurpose, GuardianPart, IdentityField
from shared.domain.consent import Consent
from shared.victims.disclosure.tables import ConsentRow
from shared.victims.sealed.tables import DisclosureRow


def consents_of(session: Session, victim_id: str) -> Sequence[ConsentRow]:
    """The consents of a victim, oldest first."""
    statement = select(ConsentRow).where(col(ConsentRow.victim_id) == victim_id)
    return session.scalars(statement.order_by(col(ConsentRow.version))).all()


def load_consent(session: Session, consent_id: str) -> ConsentRow | None:
    """The consent recorded here under this id, of any victim, or None."""
    return session.scalars(select(ConsentRow).where(col(ConsentRow.id) == consent_id)).first()


def to_consent(row: ConsentRow) -> Consent:
    """Convert a row to the consent that the rules work with."""
    return Consent(
        id=row.id,
        version=row.version,
        notice=row.notice,
        purposes=frozenset(map(ConsentPurpose, row.purposes)),
        fields=frozenset(map(IdentityField, row.fields)),
        recipients=frozenset(row.recipients),
        valid_until=row.valid_until,
        manner=ConsentManner(row.manner),
        guardian=GuardianPart(row.guardian),
        recorded_at=row.recorded_at,
        ended_at=row.ended_at,
    )


def disclosures_of(session: Session, victim_id: str) -> Sequence[DisclosureRow]:
    """Every disclosure of a victim's identity, given or received, oldest first."""
    statement = select(DisclosureRow).where(col(DisclosureRow.victim_id) == victim_id)
    return session.scalars(statement.order_by(col(DisclosureRow.number))).all()


def disclosure_with(session: Session, given_with: str) -> DisclosureRow | None:
    """The disclosure made with a referral or a delivered record that has not ended, or None. Locked, where possible."""
    statement = select(DisclosureRow).where(
        col(DisclosureRow.given_with) == given_with, col(DisclosureRow.end).is_(None)
    )
    return session.scalars(statement.with_for_update()).first()
