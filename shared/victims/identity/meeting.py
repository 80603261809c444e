"""A proposal that arrives because another agency searched: the search stands in the access log of the person it met."""

from shared.contracts import events as e
from shared.contracts.envelope import Envelope
from shared.domain.matching import fields_of
from shared.reference.office import Office
from shared.storage.unit_of_work import Transaction
from shared.victims.identity.rights import Ground
from shared.victims.identity.tables import AccessRow
from shared.victims.matching.receive import on_proposal


def on_match_proposed(tx: Transaction, office: Office, envelope: Envelope, event: e.MatchProposed) -> None:
    """Store the state of a proposal, and log the search of the other side, if there was one. Raises Park."""
    on_proposal(tx, office, envelope, event)
    if event.met:
        row = AccessRow(
            victim_id=event.victim_id,
            agency=event.met_by,
            purpose="search",
            right=Ground.MATCH,
            fields=fields_of(event.kinds),
            at=event.occurred_at,
        )
        tx.session.add(row)
