"""The clocks that exist for a caller, as an SQL condition (``shared.storage.visibility``)."""

from sqlalchemy import ColumnElement

from shared.casework.clocks.tables import ClockRow
from shared.domain.access import Sight
from shared.storage.visibility import of_desk


def visible(sight: Sight) -> ColumnElement[bool]:
    """Clocks that a desk in sight keeps."""
    return of_desk(sight, ClockRow.unit)
