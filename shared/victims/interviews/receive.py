"""Interviews at other agencies, received."""

from shared.contracts import events as e
from shared.contracts.envelope import Envelope
from shared.reference.office import Office
from shared.storage.unit_of_work import Transaction
from shared.victims.interviews.store import keep


def on_victim_interviewed(tx: Transaction, office: Office, envelope: Envelope, event: e.VictimInterviewed) -> None:
    """Remember an interview, so that the victim is not asked to tell it all again."""
    keep(tx, event.victim_id, [event.interview_id], event)
