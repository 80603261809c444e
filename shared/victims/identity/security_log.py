"""Log lines about searches (``shared.logs.security``)."""

from shared.logs.security import said_by
from shared.reference.acting import Acting


def searched(acting: Acting, field: str) -> None:
    """Log that a caller searched for a victim by a number. ``field``: the kind of number."""
    log = said_by(acting.caller)
    acting.tx.afterwards.append(lambda: log.info("victim.searched", reason=field))
