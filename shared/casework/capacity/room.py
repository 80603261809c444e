"""Refuse a request to a desk that announced that it has no room, unless the caller insists."""

from shared.casework.capacity.announcing import INSTEAD
from shared.casework.capacity.store import nearest, valid_announcements
from shared.contracts.codes import Capacity
from shared.domain.refusal import Refused
from shared.domain.routing import Unit
from shared.reference.office import Office
from shared.storage.unit_of_work import Transaction


def require_room(tx: Transaction, office: Office, desk: Unit, service: str, forced: bool, field: str) -> None:
    """Raises Refused("desk-is-full") when the desk announced that it has no room. The refusal names desks with room.

    A forced request and an urgent service pass. ``field``: the field of the request that named the desk.
    """
    if forced or office.directory.service(desk.agency, service).urgent:
        return
    announcements = valid_announcements(tx.session, desk.agency, service, tx.now)
    announced = announcements.get(desk.id)
    if announced is None or announced.capacity != Capacity.NO_CAPACITY:
        return
    others = [
        unit.id
        for unit in nearest(office, announcements, desk.agency, desk.region, tx.now)
        if unit.id in announcements and announcements[unit.id].capacity != Capacity.NO_CAPACITY
    ]
    raise Refused("desk-is-full", field=field, desk=desk.id, instead=", ".join(others[:INSTEAD]) or "–")
