"""Lines of the log that say who did what may harm a person or hide something: by client and id, never about whom.

Each is written when its transaction has committed. Whose data it is about stands in the database, for who may see it.
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
    """Somebody looks who normally may not."""
    log = _by(caller)
    tx.afterwards.append(lambda: log.warning("break-glass.opened", record=row.id, reason=row.reason))


def break_glass_ended(tx: Transaction, caller: Caller | None, row: BreakGlassRow) -> None:
    """They look no more; without a caller, because its time was over."""
    log = structlog.get_logger().bind(client=row.client, unit=row.unit) if caller is None else _by(caller)
    tx.afterwards.append(lambda: log.info("break-glass.ended", record=row.id, reason=row.end))


def break_glass_reviewed(tx: Transaction, caller: Caller, row: BreakGlassRow) -> None:
    """A second person has judged it."""
    log = _by(caller)
    tx.afterwards.append(lambda: log.warning("break-glass.reviewed", record=row.id, verdict=row.verdict))


def review_overdue(tx: Transaction, row: BreakGlassRow) -> None:
    """No second person has judged it in time."""
    log = structlog.get_logger().bind(client=row.client, unit=row.unit)
    tx.afterwards.append(lambda: log.warning("break-glass.review-overdue", record=row.id))


def searched(tx: Transaction, caller: Caller, field: str) -> None:
    """Somebody looked for a person by a number of this kind."""
    log = _by(caller)
    tx.afterwards.append(lambda: log.info("victim.searched", reason=field))


def erasure_asked(tx: Transaction, caller: Caller, row: ErasureRow) -> None:
    """Somebody asked that a person be erased."""
    log = _by(caller)
    tx.afterwards.append(lambda: log.warning("erasure.asked", record=row.id))


def erasure_decided(tx: Transaction, caller: Caller, row: ErasureRow) -> None:
    """A second person had them erased, here and at every holder, or refused it."""
    log = _by(caller)
    tx.afterwards.append(lambda: log.warning("erasure.decided", record=row.id, approved=row.approved))


def retention_ended(tx: Transaction, erasure_id: str) -> None:
    """A person is erased, here and at every holder, because the time for which their data may be kept is over."""
    log = structlog.get_logger()
    tx.afterwards.append(lambda: log.warning("erasure.retention-ended", record=erasure_id))


def withdrawn(tx: Transaction, caller: Caller, consent_id: str) -> None:
    """A consent was taken back."""
    log = _by(caller)
    tx.afterwards.append(lambda: log.info("consent.withdrawn", record=consent_id))


def hold_placed(tx: Transaction, caller: Caller, row: HoldRow) -> None:
    """Erasure is forbidden."""
    log = _by(caller)
    tx.afterwards.append(lambda: log.info("hold.placed", hold=row.number, reason=row.basis))


def hold_lifted(tx: Transaction, caller: Caller, row: HoldRow) -> None:
    """Erasure is allowed again."""
    log = _by(caller)
    tx.afterwards.append(lambda: log.warning("hold.lifted", hold=row.number, reason=row.basis))
