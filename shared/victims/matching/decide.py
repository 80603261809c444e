"""Proposals that two victims of two agencies are one person: the coordinator sends them, people decide.

Each agency decides for the victim it has custody of, and may change its decision: the last one counts. It decides
without knowing the other desk. The side that registered the identifier first decides first. Where the
searching side has its person in protection or a shelter, that side does. Nothing is ever merged.
"""

from shared.contracts import events as e
from shared.contracts.codes import MatchTurn
from shared.domain.matching import DecideMatch
from shared.domain.refusal import Refused
from shared.reference.acting import Acting
from shared.reference.office import tell_coordinator
from shared.storage.notifier import Topic
from shared.victims.matching import store
from shared.victims.matching.receive import name_other
from shared.victims.matching.tables import MatchRow
from shared.victims.register.store import holder_of, lock_victim


def decide(acting: Acting, match_id: str, command: DecideMatch) -> list[MatchRow]:
    """Record whether it is the same person, and tell the coordinator. Answers the sides of the proposal that are ours.

    Raises Refused: ``unknown-match`` or ``other-side-first``.
    """
    tx = acting.tx
    rows = list(store.sides(tx.session, acting.sight, acting.caller.role, match_id))
    if not rows:
        raise Refused("unknown-match")
    if all(row.said is None and row.turn == MatchTurn.OTHER_SIDE for row in rows):
        raise Refused("other-side-first")
    for row in rows:
        desk = holder_of(lock_victim(tx.session, acting.sight, row.victim_id))
        if desk is None or not acting.sight.covers(desk):
            raise Refused("unknown-match")  # the custody has just moved
        row.said, row.said_at = command.decision, tx.now
        row.client, row.person = acting.caller.client, acting.caller.person
        row.turn = None  # the coordinator tells whose turn it is then
        name_other(row)
        decided = e.MatchDecided(
            match_id=match_id, victim_id=row.victim_id, decision=command.decision, unit=desk, occurred_at=tx.now
        )
        tell_coordinator(tx, acting.office, decided, desk, row.victim_id)
        tx.changed |= {Topic.MATCHES, row.victim_id}
    return rows
