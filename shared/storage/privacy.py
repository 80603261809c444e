"""Storage of consents, disclosures, erasures and legal holds."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlmodel import Session, col

from shared.contracts.codes import ConsentManner, ConsentPurpose, GuardianPart, IdentityField, KeptBecause
from shared.domain.consent import Consent
from shared.storage.privacy_tables import ConsentRow, DisclosureRow, ErasureRow, HoldRow, ObeyedRow


def consents_of(session: Session, victim_id: str) -> Sequence[ConsentRow]:
    """The consents of a victim, oldest first."""
    statement = select(ConsentRow).where(col(ConsentRow.victim_id) == victim_id)
    return session.scalars(statement.order_by(col(ConsentRow.version))).all()


def load_consent(session: Session, consent_id: str) -> ConsentRow | None:
    """The consent recorded here under this id, of any victim, or None."""
    return session.scalars(select(ConsentRow).where(col(ConsentRow.id) == consent_id)).first()


def load_erasure(session: Session, erasure_id: str) -> ErasureRow | None:
    """The erasure requested here under this id, of any victim, or None."""
    return session.scalars(select(ErasureRow).where(col(ErasureRow.id) == erasure_id)).first()


def waiting_erasure(session: Session, victim_id: str) -> ErasureRow | None:
    """The erasure of a victim that waits for the decision of a second person, or None."""
    waiting = (col(ErasureRow.victim_id) == victim_id) & col(ErasureRow.approved).is_(None)
    return session.scalars(select(ErasureRow).where(waiting)).first()


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


def disclosure_with(session: Session, referral_id: str) -> DisclosureRow | None:
    """The disclosure made with a referral that has not ended, or None. Locked, where the database has row locks."""
    statement = select(DisclosureRow).where(
        col(DisclosureRow.referral_id) == referral_id, col(DisclosureRow.end).is_(None)
    )
    return session.scalars(statement.with_for_update()).first()


def obeyed(session: Session, cause_id: str) -> Sequence[ObeyedRow]:
    """Every notice of one withdrawal or erasure (``cause_id``), with our answer, in the order of time."""
    return session.scalars(
        select(ObeyedRow).where(col(ObeyedRow.cause_id) == cause_id).order_by(col(ObeyedRow.at))
    ).all()


def held_back(session: Session, victim_id: str, because: KeptBecause) -> Sequence[ObeyedRow]:
    """The notices about a victim that did not erase everything, for the reason ``because``, in the order of time."""
    here = (col(ObeyedRow.victim_id) == victim_id) & (col(ObeyedRow.kept_because) == because)
    return session.scalars(select(ObeyedRow).where(here).order_by(col(ObeyedRow.at))).all()


def holds_of(session: Session, victim_id: str) -> Sequence[HoldRow]:
    """The legal holds of a victim that are not lifted, oldest first."""
    standing = (col(HoldRow.victim_id) == victim_id) & col(HoldRow.lifted_at).is_(None)
    return session.scalars(select(HoldRow).where(standing).order_by(col(HoldRow.number))).all()
