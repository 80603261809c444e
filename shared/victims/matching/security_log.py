"""Log lines about proposals (``shared.logs.security``): a number of too many people, and a desk that searches."""

import structlog

from shared.contracts import events as e
from shared.storage.unit_of_work import Transaction
from shared.victims.matching.tables import MatchRow
from shared.victims.register.store import load_victim


def proposed(tx: Transaction, row: MatchRow, event: e.MatchProposed) -> None:
    """Log what the coordinator counted too often: people under one number, or meetings without a referral."""
    victim = load_victim(tx.session, row.victim_id)
    log = structlog.get_logger().bind(unit=victim.custody_unit if victim is not None else None)
    people, meetings = event.people, event.meetings
    if people is not None:
        tx.afterwards.append(lambda: log.warning("match.number-of-many", count=people))
    if meetings is not None:
        tx.afterwards.append(lambda: log.warning("match.meetings-without-referral", count=meetings))
