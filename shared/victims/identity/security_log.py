"""Log lines about searches (``shared.logs.security``)."""

from shared.domain.access import Caller
from shared.logs.security import said_by
from shared.storage.unit_of_work import Transaction


def searched(tx: Transaction, caller: Caller, field: str) -> None:
    """Log that a caller searched for a victim by a number. ``field``: the kind of number."""
    log = said_by(caller)
    tx.afterwards.append(lambda: log.info("victim.searched", reason=field))
