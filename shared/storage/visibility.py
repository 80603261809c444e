"""The referrals that exist for a caller, as SQL conditions. Each slice has a ``visible`` of its own like these.

One query serves a hidden row and a missing row, so neither the answer nor its time tells them apart.
A *sight* is the set of desks that the caller sees; ``units`` None means every desk.
"""

from typing import Any

from sqlalchemy import ColumnElement, or_, true
from sqlmodel import col

from shared.domain.access import Sight
from shared.storage.tables import ReferralRow


def referrals(sight: Sight) -> ColumnElement[bool]:
    """Referrals that a desk in sight sent or received."""
    return or_(sent(sight), received(sight))


def received(sight: Sight) -> ColumnElement[bool]:
    """Referrals that a desk in sight received."""
    return (col(ReferralRow.receiver_agency) == sight.agency) & of_desk(sight, ReferralRow.receiver_unit)


def sent(sight: Sight) -> ColumnElement[bool]:
    """Referrals that a desk in sight sent."""
    return (col(ReferralRow.sender_agency) == sight.agency) & of_desk(sight, ReferralRow.sender_unit)


def of_desk(sight: Sight, column: Any) -> ColumnElement[bool]:
    """Whether a column with the id of a desk names a desk in sight."""
    return true() if sight.units is None else col(column).in_(sorted(sight.units))
