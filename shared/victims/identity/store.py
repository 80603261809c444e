"""The rows of the access log that exist for a caller, as an SQL condition (``shared.storage.visibility``)."""

from sqlalchemy import ColumnElement

from shared.domain.access import Sight
from shared.storage.visibility import of_desk
from shared.victims.identity.tables import AccessRow


def visible(sight: Sight) -> ColumnElement[bool]:
    """Rows of the access log for reads by a desk in sight."""
    return of_desk(sight, AccessRow.unit)
