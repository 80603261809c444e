"""Log lines about withdrawn consents (``shared.logs.security``)."""

from shared.logs.security import said_by
from shared.reference.acting import Acting


def withdrawn(acting: Acting, consent_id: str) -> None:
    """Log that a consent was withdrawn."""
    log = said_by(acting.caller)
    acting.tx.afterwards.append(lambda: log.info("consent.withdrawn", record=consent_id))
