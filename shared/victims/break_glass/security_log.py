"""Log lines about break-glasses (``shared.logs.security``)."""

import structlog

from shared.domain.access import Caller
from shared.logs.security import said_by
from shared.reference.acting import Acting
from shared.storage.unit_of_work import Transaction
from shared.victims.identity.tables import BreakGlassRow


def break_glass_opened(acting: Acting, row: BreakGlassRow) -> None:
    """Log that a caller opened a break-glass."""
    log = said_by(acting.caller)
    acting.tx.afterwards.append(lambda: log.warning("break-glass.opened", record=row.id, reason=row.reason))


def break_glass_ended(tx: Transaction, caller: Caller | None, row: BreakGlassRow) -> None:
    """Log that a break-glass ended: a caller ended it, or its time ran out (``caller`` is None)."""
    log = structlog.get_logger().bind(client=row.client, unit=row.unit) if caller is None else said_by(caller)
    tx.afterwards.append(lambda: log.info("break-glass.ended", record=row.id, reason=row.end))


def break_glass_reviewed(acting: Acting, row: BreakGlassRow) -> None:
    """Log that a second person reviewed a break-glass."""
    log = said_by(acting.caller)
    acting.tx.afterwards.append(lambda: log.warning("break-glass.reviewed", record=row.id, verdict=row.verdict))


def review_overdue(tx: Transaction, row: BreakGlassRow) -> None:
    """Log that no second person reviewed a break-glass in time."""
    log = structlog.get_logger().bind(client=row.client, unit=row.unit)
    tx.afterwards.append(lambda: log.warning("break-glass.review-overdue", record=row.id))
