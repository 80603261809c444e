"""Proposals of the coordinator, received."""

from shared.contracts import events as e
from shared.contracts.envelope import Envelope
from shared.messaging.parked import Park
from shared.reference.office import Office
from shared.storage.notifier import Topic
from shared.storage.unit_of_work import Transaction
from shared.victims.matching import store
from shared.victims.matching.tables import MatchRow
from shared.victims.register.store import load_victim


def on_proposal(tx: Transaction, office: Office, envelope: Envelope, event: e.MatchProposed | e.MatchWithdrawn) -> None:
    """Store the state of a proposal as the coordinator reports it. Raises Park."""
    if envelope.sender != office.agency.coordinator or envelope.linkseq is None:
        raise Park("not-the-coordinator")
    if load_victim(tx.session, event.victim_id) is None:
        raise Park("unknown-victim")
    row = store.load(tx.session, event.match_id, event.victim_id)
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
    tx.changed |= {Topic.MATCHES, event.victim_id}


def _stand(row: MatchRow, event: e.MatchProposed) -> None:
    row.other_id, row.other_agency, row.other_unit = event.other_id, event.other_desk.agency, event.other_desk.unit
    row.kinds, row.strength, row.other_said = list(event.kinds), event.strength, event.other_said
    if event.said_at is not None and (row.said_at is None or event.said_at > row.said_at):
        # another agency decided it, which had custody before
        row.said, row.said_at, row.client, row.person = event.said, event.said_at, None, None


def _empty(row: MatchRow) -> None:
    row.other_id = row.other_agency = row.other_unit = row.strength = None
    row.kinds, row.said, row.said_at, row.client, row.person, row.other_said = [], None, None, None, None, None
