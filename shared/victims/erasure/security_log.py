"""Log lines about erasures and legal holds (``shared.logs.security``)."""

import structlog

from shared.logs.security import said_by
from shared.reference.acting import Acting
from shared.storage.unit_of_work import Transaction
from shared.victims.erasure.tables import ErasureRow
from shared.victims.sealed.tables import HoldRow


def erasure_asked(acting: Acting, row: ErasureRow) -> None:
    """Log that a caller asked for the erasure of a victim."""
    log = said_by(acting.caller)
    acting.tx.afterwards.append(lambda: log.warning("erasure.asked", record=row.id))


def erasure_decided(acting: Acting, row: ErasureRow) -> None:
    """Log that a second person approved the erasure, here and at every controller, or refused it."""
    log = said_by(acting.caller)
    acting.tx.afterwards.append(lambda: log.warning("erasure.decided", record=row.id, approved=row.approved))


def carried_out_for(tx: Transaction, row: ErasureRow) -> None:
    """Log that data of a victim ended here because another agency said so, perhaps passed on by a second one."""
    log = structlog.get_logger()
    told_by = row.passed_on_by or row.said_by
    tx.afterwards.append(
        lambda: log.warning("erasure.told", record=row.id, reason=row.cause, said_by=row.said_by, told_by=told_by)
    )


def retention_ended(tx: Transaction, erasure_id: str) -> None:
    """Log that a victim is erased, here and at every controller, because the retention has ended."""
    log = structlog.get_logger()
    tx.afterwards.append(lambda: log.warning("erasure.retention-ended", record=erasure_id))


def hold_placed(acting: Acting, row: HoldRow) -> None:
    """Log that a legal hold was placed: erasure is forbidden."""
    log = said_by(acting.caller)
    acting.tx.afterwards.append(lambda: log.info("hold.placed", hold=row.number, reason=row.basis))


def hold_confirmed(acting: Acting, row: HoldRow) -> None:
    """Log that a second person confirmed a legal hold."""
    log = said_by(acting.caller)
    acting.tx.afterwards.append(lambda: log.info("hold.confirmed", hold=row.number, reason=row.basis))


def hold_lapsed(tx: Transaction, row: HoldRow) -> None:
    """Log that a legal hold ended by itself. The reason tells why: no second person, or the end of its term."""
    log = structlog.get_logger()
    tx.afterwards.append(lambda: log.warning("hold.lapsed", hold=row.number, reason=row.end))


def hold_lifted(acting: Acting, row: HoldRow) -> None:
    """Log that a legal hold was lifted."""
    log = said_by(acting.caller)
    acting.tx.afterwards.append(lambda: log.warning("hold.lifted", hold=row.number, reason=row.basis))
