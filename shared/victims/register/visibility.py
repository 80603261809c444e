"""The cases and victims that exist for a caller, as SQL conditions (``shared.storage.visibility``)."""

from sqlalchemy import ColumnElement, or_, select, true
from sqlmodel import col

from shared.domain.access import NOT_TAKEN_ON, Sight
from shared.storage.tables import ReferralRow
from shared.storage.visibility import of_desk, received, referrals, sent
from shared.victims.register.tables import CaseRow, VictimRow


def cases(sight: Sight) -> ColumnElement[bool]:
    """Cases that a desk in sight opened."""
    return of_desk(sight, CaseRow.unit)


def victims(sight: Sight) -> ColumnElement[bool]:
    """Victims that a desk in sight registered, has in custody, referred, or received a referral of."""
    if sight.units is None:
        return true()
    handed = select(col(ReferralRow.id)).where(col(ReferralRow.victim_id) == col(VictimRow.id), referrals(sight))
    return or_(in_custody(sight), found_by(sight), handed.exists())


def concerned(sight: Sight) -> ColumnElement[bool]:
    """Victims in whom a desk in sight has or had a part.

    A received referral gives no part until the desk has taken that referral on (``NOT_TAKEN_ON``).
    """
    if sight.units is None:
        return true()
    asked = select(col(ReferralRow.id)).where(
        col(ReferralRow.victim_id) == col(VictimRow.id),
        or_(sent(sight), received(sight) & col(ReferralRow.status).not_in(NOT_TAKEN_ON)),
    )
    return or_(in_custody(sight), found_by(sight), asked.exists())


def in_custody(sight: Sight) -> ColumnElement[bool]:
    """Victims whom a desk in sight has in custody."""
    return (col(VictimRow.custody_agency) == sight.agency) & of_desk(sight, VictimRow.custody_unit)


def found_by(sight: Sight) -> ColumnElement[bool]:
    """Victims that a desk in sight registered, in a case that it opened.

    The case of any other victim is another agency's word, and opens nothing here.
    """
    opened = select(col(CaseRow.id)).where(col(CaseRow.id) == col(VictimRow.case_id), cases(sight))
    return col(VictimRow.registered_here) & opened.exists()
