"""Proposals of the coordinator, received."""

from datetime import datetime

from shared.contracts import events as e
from shared.contracts.codes import MatchState
from shared.contracts.envelope import Envelope
from shared.domain import matching
from shared.messaging.parked import Park
from shared.reference.office import Office
from shared.storage.notifier import Topic
from shared.storage.unit_of_work import Transaction
from shared.victims.matching import security_log, store
from shared.victims.matching.tables import MatchRow
from shared.victims.register.store import load_victim


def on_proposal(tx: Transaction, office: Office, envelope: Envelope, event: e.MatchProposed | e.MatchWithdrawn) -> None:
    """Store the state of a proposal as the coordinator reports it. Raises Park ``unknown-victim``."""
    assert envelope.linkseq is not None  # reception parks a numbered event without a number
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
        security_log.proposed(tx, row, event)
    else:
        _withdraw(row, event.occurred_at)
    tx.changed |= {Topic.MATCHES, event.victim_id}


def _stand(row: MatchRow, event: e.MatchProposed) -> None:
    row.kinds, row.strength, row.other_said = list(event.kinds), event.strength, event.other_said
    row.turn, row.people, row.protected = event.turn, event.people, event.protected
    if event.said_at is not None and (row.said_at is None or event.said_at > row.said_at):
        # another agency decided it, which had custody before
        row.said, row.said_at, row.client, row.person = event.said, event.said_at, None, None
    name_other(row, event)


def name_other(row: MatchRow, event: e.MatchProposed | None = None) -> None:
    """Keep the name of the other victim only while both sides call it the same person, whatever the event says.

    ``event``: names the other victim; None: the name that is kept.
    """
    if matching.state(row.said, row.other_said) is not MatchState.LINKED:
        row.other_id = row.other_agency = row.other_unit = None
    elif event is not None and event.other_desk is not None:
        row.other_id, row.other_agency, row.other_unit = event.other_id, event.other_desk.agency, event.other_desk.unit


def _withdraw(row: MatchRow, at: datetime) -> None:
    row.other_id = row.other_agency = row.other_unit = row.turn = None
    row.withdrawn_at = at
