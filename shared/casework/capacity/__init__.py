"""The free places of a desk, and the services that the desk can give."""

from shared.casework.capacity import routes
from shared.casework.capacity.receive import on_capacity_announced, on_desk_described
from shared.casework.capacity.refusals import REFUSALS
from shared.contracts import events as e
from shared.service.slice import Slice

SLICE = Slice(
    routers=(routes.router,),
    receives={e.CapacityAnnounced: on_capacity_announced, e.DeskDescribed: on_desk_described},
    refusals=REFUSALS,
    forgets="Capacity is of desks, not of victims.",
)
