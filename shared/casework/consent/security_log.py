"""Log lines about withdrawn consents (``shared.logs.security``)."""

from shared.domain.access import Caller
from shared.logs.security import said_by
from shared.storage.unit_of_work import Transaction


def withdrawn(tx: Transaction, caller: Caller, consent_id: str) -> None:
    """Log that a consent was withdrawn."""
    log = said_by(caller)
    tx.afterwards.append(lambda: log.info("consent.withdrawn", record=consent_id))
