"""Read the sealed identity of a victim: our own text, and text that came with a referral."""

from enum import Enum
from typing import Any

from sqlalchemy import Select, bindparam, select
from sqlmodel import Session, col

from shared.contracts.codes import KeptBecause
from shared.domain.access import NOT_TAKEN_ON
from shared.reference.office import Office
from shared.storage.tables import ReferralRow
from shared.victims.sealed import store
from shared.victims.sealed.store import IDENTITY, LEGAL_HOLD, OWN, own_source
from shared.victims.sealed.tables import DisclosureRow, SealedRow

_IDENTITIES = (
    select(SealedRow)
    .where(
        col(SealedRow.subject_id) == bindparam("subject_id"), col(SealedRow.kind).in_((IDENTITY, LEGAL_HOLD[IDENTITY]))
    )
    .order_by(col(SealedRow.recorded_at), col(SealedRow.number))
)


def _ours_or_given(*but: KeptBecause) -> Select[Any]:
    """Our own identity text, and the text that came with a referral that was taken on.

    A disclosure that has ended counts only where it is kept for one of the reasons in ``but``.
    """
    given = (
        select(col(DisclosureRow.given_with))
        .join(ReferralRow, col(ReferralRow.id) == col(DisclosureRow.given_with))
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
    LEGAL_HOLD_FIRST = _IDENTITIES.order_by(None).order_by(
        col(SealedRow.kind) == LEGAL_HOLD[IDENTITY], col(SealedRow.recorded_at), col(SealedRow.number)
    )
    """For a court: as ALL, but text under a legal hold wins over anything written later."""


def readable_identity(session: Session, office: Office, victim_id: str, reach: Reach = Reach.SHOW) -> dict[str, str]:
    """All identity fields that this agency may read, by field; the latest text of each field counts."""
    return {name: value for name, (value, _) in with_sources(session, office, victim_id, reach).items()}


def with_sources(session: Session, office: Office, victim_id: str, reach: Reach) -> dict[str, tuple[str, str]]:
    """As ``readable_identity``, each field with the source that its text came from."""
    found: dict[str, tuple[str, str]] = {}
    for row in session.scalars(reach.value, {"victim_id": victim_id, "subject_id": store.of_victim(victim_id)}):
        found |= {name: (value, row.source) for name, value in store.opened(session, office, row).items()}
    return found


def own_identity(session: Session, office: Office, victim_id: str) -> dict[str, str]:
    """The identity fields that this agency wrote itself."""
    subject = store.of_victim(victim_id)
    row = store.find(session, subject, own_source(subject))
    return store.opened(session, office, row) if row is not None else {}
