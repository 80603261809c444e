"""Proposals that two victims of two agencies are one person: the coordinator sends them, people decide.

Each agency decides for the victim it has custody of, and may change its decision: the last one counts. The coordinator
tells the other agency, because only the coordinator knows who has custody there now. Nothing is ever merged.
"""

from shared.contracts import events as e
from shared.contracts.envelope import Envelope
from shared.domain import commands as c
from shared.domain.access import Caller, Sight
from shared.domain.refusal import Refused
from shared.service.office import Office, draft
from shared.service.reception import Park
from shared.storage import matches
from shared.storage.agency_tables import MatchRow
from shared.storage.database import Transaction
from shared.storage.victims import holder_of, load_victim, lock_victim

WATCHED = "matches"
"""The wake-up topic of a new, withdrawn or decided proposal."""


def decide(
    tx: Transaction, office: Office, caller: Caller, sight: Sight, match_id: str, command: c.DecideMatch
) -> list[MatchRow]:
    """Record whether it is the same person, and tell the coordinator. Answers the sides of the proposal that are ours.

    Raises Refused("unknown-match").
    """
    rows = list(matches.sides(tx.session, sight, match_id))
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
        tx.changed |= {WATCHED, row.victim_id}
    return rows


def heard(tx: Transaction, office: Office, envelope: Envelope, event: e.MatchProposed | e.MatchWithdrawn) -> None:
    """Store the state of a proposal as the coordinator reports it. Raises Park."""
    if envelope.sender != office.agency.coordinator or envelope.linkseq is None:
        raise Park("not-the-coordinator")
    if load_victim(tx.session, event.victim_id) is None:
        raise Park("unknown-victim")
    row = matches.load(tx.session, event.match_id, event.victim_id)
    if row is not None and row.linkseq >= envelope.linkseq:
        return  # a later event was applied before this one
    if row is None:
        row = MatchRow(
            match_id=event.match_id,
            victim_id=event.victim_id,
            linkseq=envelope.linkseq,
            kinds=[],
            proposed_at=event.occurred_at,
        )
        tx.session.add(row)
    row.linkseq = envelope.linkseq
    if isinstance(event, e.MatchProposed):
        _stand(row, event)
    else:
        _empty(row)
    tx.changed |= {WATCHED, event.victim_id}


def _stand(row: MatchRow, event: e.MatchProposed) -> None:
    row.other_id, row.other_agency, row.other_unit = event.other_id, event.other_desk.agency, event.other_desk.unit
    row.kinds, row.strength, row.other_said = list(event.kinds), event.strength, event.other_said
    if event.said_at is not None and (row.said_at is None or event.said_at > row.said_at):
        # another agency decided it, which had custody before
        row.said, row.said_at, row.client, row.person = event.said, event.said_at, None, None


def _empty(row: MatchRow) -> None:
    row.other_id = row.other_agency = row.other_unit = row.strength = None
    row.kinds, row.said, row.said_at, row.client, row.person, row.other_said = [], None, None, None, None, None
