"""Capacity and descriptions of other agencies' desks, received."""

from shared.casework.capacity.announcing import keep, keep_description
from shared.contracts import events as e
from shared.contracts.envelope import Envelope
from shared.reference.office import Office
from shared.storage.unit_of_work import Transaction


def on_capacity_announced(tx: Transaction, office: Office, envelope: Envelope, event: e.CapacityAnnounced) -> None:
    """Store how much room a desk has."""
    keep(tx, event)


def on_desk_described(tx: Transaction, office: Office, envelope: Envelope, event: e.DeskDescribed) -> None:
    """Store what a desk can do."""
    keep_description(tx, event)
