"""Log lines for actions that may harm a person or hide something: client and record id, never the victim.

A line is written after its transaction commits. The database says whose data it is about, to callers who may see that.
"""

from typing import Any

import structlog

from shared.domain.access import Caller
from shared.service import trace
from shared.storage.database import Transaction
from shared.storage.privacy_tables import BreakGlassRow, ErasureRow, HoldRow


def _by(caller: Caller) -> Any:
    return structlog.get_logger().bind(
        client=caller.client, role=str(caller.role), unit=caller.unit, trace=trace.current()
    )


def break_glass_opened(tx: Transaction, caller: Caller, row: BreakGlassRow) -> None:
    """Log that a caller opened a break-glass."""
    log = _by(caller)
    tx.afterwards.append(lambda: log.warning("break-glass.opened", record=row.id, reason=row.reason))


def break_glass_ended(tx: Transaction, caller: Caller | None, row: BreakGlassRow) -> None:
    """Log that a break-glass ended: a caller ended it, or its time ran out (``caller`` is None)."""
    log = structlog.get_logger().bind(client=row.client, unit=row.unit) if caller is None else _by(caller)
    tx.afterwards.append(lambda: log.info("break-glass.ended", record=row.id, reason=row.end))


def break_glass_reviewed(tx: Transaction, caller: Caller, row: BreakGlassRow) -> None:
    """Log that a second person reviewed a break-glass."""
    log = _by(caller)
    tx.afterwards.append(lambda: log.warning("break-glass.reviewed", record=row.id, verdict=row.verdict))


def review_overdue(tx: Transaction, row: BreakGlassRow) -> None:
    """Log that no second person reviewed a break-glass in time."""
    log = structlog.get_logger().bind(client=row.client, unit=row.unit)
    tx.afterwards.append(lambda: log.warning("break-glass.review-overdue", record=row.id))


def searched(tx: Transaction, caller: Caller, field: str) -> None:
    """Log that a caller searched for a victim by a number. ``field``: the kind of number."""
    log = _by(caller)
    tx.afterwards.append(lambda: log.info("victim.searched", reason=field))


def erasure_asked(tx: Transaction, caller: Caller, row: ErasureRow) -> None:
    """Log that a caller asked for the erasure of a victim."""
    log = _by(caller)
    tx.afterwards.append(lambda: log.warning("erasure.asked", record=row.id))


def erasure_decided(tx: Transaction, caller: Caller, row: ErasureRow) -> None:
    """Log that a second person approved the erasure, here and at every holder, or refused it."""
    log = _by(caller)
    tx.afterwards.append(lambda: log.warning("erasure.decided", record=row.id, approved=row.approved))


def retention_ended(tx: Transaction, erasure_id: str) -> None:
    """Log that a victim is erased, here and at every holder, because the retention has ended."""
    log = structlog.get_logger()
    tx.afterwards.append(lambda: log.warning("erasure.retention-ended", record=erasure_id))


def withdrawn(tx: Transaction, caller: Caller, consent_id: str) -> None:
    """Log that a consent was withdrawn."""
    log = _by(caller)
    tx.afterwards.append(lambda: log.info("consent.withdrawn", record=consent_id))


def hold_placed(tx: Transaction, caller: Caller, row: HoldRow) -> None:
    """Log that a legal hold was placed: erasure is forbidden."""
    log = _by(caller)
    tx.afterwards.append(lambda: log.info("hold.placed", hold=row.number, reason=row.basis))


def hold_lifted(tx: Transaction, caller: Caller, row: HoldRow) -> None:
    """Log that a legal hold was lifted."""
    log = _by(caller)
    tx.afterwards.append(lambda: log.warning("hold.lifted", hold=row.number, reason=row.basis))
