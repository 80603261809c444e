"""Capacity and descriptions of other agencies' desks, received."""

from shared.casework.capacity.announcing import keep, keep_description
from shared.contracts import events as e
from shared.contracts.envelope import Envelope
from shared.messaging.parked import require_own_desk
from shared.reference.office import Office
from shared.storage.unit_of_work import Transaction


def on_capacity_announced(tx: Transaction, office: Office, envelope: Envelope, event: e.CapacityAnnounced) -> None:
    """Store how much room a desk has. Raises Park: an agency speaks for its own desks alone."""
    require_own_desk(envelope, event.unit)
    keep(tx, event)


def on_desk_described(tx: Transaction, office: Office, envelope: Envelope, event: e.DeskDescribed) -> None:
    """Store what a desk can do. Raises Park: an agency speaks for its own desks alone."""
    require_own_desk(envelope, event.unit)
    keep_description(tx, event)
