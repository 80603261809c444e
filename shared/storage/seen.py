"""What exists for a caller, as SQL conditions.

One query serves a hidden row and a missing row, so neither the answer nor its time tells them apart.
A *sight* is the set of desks that the caller sees; ``units`` None means every desk.
"""

from typing import Any

from sqlalchemy import ColumnElement, or_, select, true
from sqlmodel import col

from shared.domain.access import NOT_TAKEN_ON, Sight
from shared.storage.agency_tables import (
    AccessRow,
    BatchRow,
    CaseRow,
    ClockRow,
    LetterRow,
    MatchRow,
    RecordRow,
    VictimRow,
)
from shared.storage.privacy_tables import BreakGlassRow, ErasureRow
from shared.storage.tables import ReferralRow


def cases(sight: Sight) -> ColumnElement[bool]:
    """Cases that a desk in sight opened."""
    return _unit(sight, CaseRow.unit)


def referrals(sight: Sight) -> ColumnElement[bool]:
    """Referrals that a desk in sight sent or received."""
    return or_(_sent(sight), received(sight))


def received(sight: Sight) -> ColumnElement[bool]:
    """Referrals that a desk in sight received."""
    return (col(ReferralRow.receiver_agency) == sight.agency) & _unit(sight, ReferralRow.receiver_unit)


def victims(sight: Sight) -> ColumnElement[bool]:
    """Victims that a desk in sight registered, has in custody, referred, or received a referral of."""
    if sight.units is None:
        return true()
    handed = select(col(ReferralRow.id)).where(col(ReferralRow.victim_id) == col(VictimRow.id), referrals(sight))
    return or_(_held(sight), _found(sight), handed.exists())


def concerned(sight: Sight) -> ColumnElement[bool]:
    """Victims in whom a desk in sight has or had a part.

    A received referral gives no part until the desk has taken that referral on (``NOT_TAKEN_ON``).
    """
    if sight.units is None:
        return true()
    asked = select(col(ReferralRow.id)).where(
        col(ReferralRow.victim_id) == col(VictimRow.id),
        or_(_sent(sight), received(sight) & col(ReferralRow.status).not_in(NOT_TAKEN_ON)),
    )
    return or_(_held(sight), _found(sight), asked.exists())


def looks(sight: Sight) -> ColumnElement[bool]:
    """Rows of the access log for reads by a desk in sight."""
    return _unit(sight, AccessRow.unit)


def erasures(sight: Sight) -> ColumnElement[bool]:
    """Erasures that a desk in sight requested, or of a victim that a desk in sight has in custody."""
    if sight.units is None:
        return true()
    held = select(col(VictimRow.id)).where(col(VictimRow.id) == col(ErasureRow.victim_id), _held(sight))
    return or_(_unit(sight, ErasureRow.unit), held.exists())


def clocks(sight: Sight) -> ColumnElement[bool]:
    """Clocks that a desk in sight keeps."""
    return _unit(sight, ClockRow.unit)


def records(sight: Sight) -> ColumnElement[bool]:
    """Records that a desk in sight filed, or of a victim in whom such a desk has had a part."""
    theirs = select(col(VictimRow.id)).where(col(VictimRow.id) == col(RecordRow.victim_id), concerned(sight))
    return or_(_unit(sight, RecordRow.unit), theirs.exists())


def letters(sight: Sight) -> ColumnElement[bool]:
    """Letters that a desk in sight printed, or about a referral or a record that exists for the caller."""
    handed = select(col(ReferralRow.id)).where(col(ReferralRow.id) == col(LetterRow.referral_id), referrals(sight))
    filed = select(col(RecordRow.id)).where(col(RecordRow.id) == col(LetterRow.record_id), records(sight))
    printed = (col(LetterRow.agency) == sight.agency) & _unit(sight, LetterRow.unit)
    return or_(printed, handed.exists(), filed.exists())


def matches(sight: Sight) -> ColumnElement[bool]:
    """Standing proposals about a victim that a desk in sight has in custody."""
    ours = select(col(VictimRow.id)).where(col(VictimRow.id) == col(MatchRow.victim_id), _held(sight))
    return col(MatchRow.other_id).is_not(None) & ours.exists()


def batches(sight: Sight) -> ColumnElement[bool]:
    """Batches of people of a case that a desk in sight opened."""
    return select(col(CaseRow.id)).where(col(CaseRow.id) == col(BatchRow.case_id), cases(sight)).exists()


def glasses(sight: Sight) -> ColumnElement[bool]:
    """Break-glasses that a desk in sight opened, or at a victim that a desk in sight is responsible for."""
    if sight.units is None:
        return true()
    looked = (col(BreakGlassRow.agency) == sight.agency) & _unit(sight, BreakGlassRow.unit)
    owned = (col(BreakGlassRow.owner_agency) == sight.agency) & _unit(sight, BreakGlassRow.owner_unit)
    return or_(looked, owned)


def _sent(sight: Sight) -> ColumnElement[bool]:
    return (col(ReferralRow.sender_agency) == sight.agency) & _unit(sight, ReferralRow.sender_unit)


def _held(sight: Sight) -> ColumnElement[bool]:
    return (col(VictimRow.custody_agency) == sight.agency) & _unit(sight, VictimRow.custody_unit)


def _found(sight: Sight) -> ColumnElement[bool]:
    return select(col(CaseRow.id)).where(col(CaseRow.id) == col(VictimRow.case_id), cases(sight)).exists()


def _unit(sight: Sight, column: Any) -> ColumnElement[bool]:
    return true() if sight.units is None else col(column).in_(sorted(sight.units))
