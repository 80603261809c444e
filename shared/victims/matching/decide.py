"""Proposals that two victims of two agencies are one person: the coordinator sends them, people decide.

Each agency decides for the victim it has custody of, and may change its decision: the last one counts. The coordinator
tells the other agency, because only the coordinator knows who has custody there now. Nothing is ever merged.
"""

from shared.contracts import events as e
from shared.domain.access import Caller, Sight
from shared.domain.matching import DecideMatch
from shared.domain.refusal import Refused
from shared.reference.office import Office, draft
from shared.storage.notifier import Topic
from shared.storage.unit_of_work import Transaction
from shared.victims.matching import store
from shared.victims.matching.tables import MatchRow
from shared.victims.register.store import holder_of, lock_victim


def decide(
    tx: Transaction, office: Office, caller: Caller, sight: Sight, match_id: str, command: DecideMatch
) -> list[MatchRow]:
    """Record whether it is the same person, and tell the coordinator. Answers the sides of the proposal that are ours.

    Raises Refused("unknown-match").
    """
    rows = list(store.sides(tx.session, sight, match_id))
    if not rows:
        raise Refused("unknown-match")
    for row in rows:
        desk = holder_of(lock_victim(tx.session, sight, row.victim_id))
        if desk is None or not sight.covers(desk):
            raise Refused("unknown-match")  # the custody has just moved
        row.said, row.said_at = command.decision, tx.now
        row.client, row.person = caller.client, caller.person
        decided = e.MatchDecided(
            match_id=match_id, victim_id=row.victim_id, decision=command.decision, unit=desk, occurred_at=tx.now
        )
        if office.agency.coordinator is not None:
            tx.emit(draft(decided, office.agency.coordinator, desk, victim_id=row.victim_id))
        tx.changed |= {Topic.MATCHES, row.victim_id}
    return rows
