"""Read the sealed identity of a victim with its sources: our own text, and text that came with a referral."""

from enum import Enum

from sqlalchemy import Select, bindparam, literal, select
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from shared.contracts.codes import KeptBecause
from shared.domain import words
from shared.domain.access import NOT_TAKEN_ON
from shared.domain.words import Said, Source, Speakers, Words
from shared.reference.office import Office
from shared.storage.tables import ReferralRow
from shared.victims.sealed import store
from shared.victims.sealed.store import IDENTITY, LEGAL_HOLD, OWN, origin, own_source
from shared.victims.sealed.tables import DisclosureRow, SealedRow

_Sent = aliased(ReferralRow)
_IDENTITIES = (
    select(SealedRow, col(_Sent.sender_agency))
    .outerjoin(_Sent, col(_Sent.id) == col(SealedRow.source))
    .where(
        col(SealedRow.subject_id) == bindparam("subject_id"), col(SealedRow.kind).in_((IDENTITY, LEGAL_HOLD[IDENTITY]))
    )
    .order_by(col(SealedRow.recorded_at), col(SealedRow.number))
)


def _ours_or_given(*but: KeptBecause) -> Select[SealedRow, str]:
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
    # its sender has replaced it since; we took it over with the custody, so it still counts
    replaced = given.where(col(SealedRow.source).like(literal("held:%:") + col(DisclosureRow.given_with)))
    return _IDENTITIES.where(ours | col(SealedRow.source).in_(given) | (col(SealedRow.handed_over) & replaced.exists()))


class Reach(Enum):
    """Which part of the stored identity a query reads."""

    GIVE = (_ours_or_given(), False)
    """Text for disclosure to another agency: nothing of a disclosure that has ended, whatever keeps it here."""
    SHOW = (_ours_or_given(KeptBecause.CUSTODY), False)
    """Text to show: as GIVE, and text that is kept because this agency has custody of the victim."""
    ALL = (_IDENTITIES, False)
    """For a break-glass: also text under a legal hold alone, and text of a request that nobody has accepted."""
    LEGAL_HOLD_FIRST = (_IDENTITIES, True)
    """For a court: as ALL, but text under a legal hold wins over anything written later."""


def words_of(session: Session, office: Office, speakers: Speakers, reach: Reach = Reach.SHOW) -> Words:
    """What each agency says of each identity field, as far as this agency may read it. The first value counts."""
    found = []
    statement, court = reach.value
    named = {"victim_id": speakers.victim_id, "subject_id": store.of_victim(speakers.victim_id)}
    for row, sender in session.execute(statement, named):
        found.append(
            Source(
                agency=office.code if row.key_id == OWN else sender or _sender(session, row),
                at=row.recorded_at,
                fields=store.opened(session, office, row),
                handed_over=row.handed_over,
                for_court=court and row.kind == LEGAL_HOLD[IDENTITY],
                source=origin(row.source),
            )
        )
    return words.words(found, speakers)


def identity_to_give(session: Session, office: Office, speakers: Speakers) -> dict[str, str]:
    """The identity fields that this agency may pass on to another, by field."""
    return {name: one.value for name, one in words_to_give(session, office, speakers).items()}


def words_to_give(session: Session, office: Office, speakers: Speakers) -> dict[str, Said]:
    """As ``identity_to_give``, each field with the agency and the source that its text came from."""
    return words.to_give_on(words_of(session, office, speakers, Reach.GIVE), speakers)


def _sender(session: Session, row: SealedRow) -> str:
    """The agency that stated a text which was set aside: its source names the referral within."""
    return str(session.scalar(select(col(ReferralRow.sender_agency)).where(col(ReferralRow.id) == origin(row.source))))


def own_identity(session: Session, office: Office, victim_id: str) -> dict[str, str]:
    """The identity fields that this agency wrote itself."""
    subject = store.of_victim(victim_id)
    row = store.find(session, subject, own_source(subject))
    return store.opened(session, office, row) if row is not None else {}
