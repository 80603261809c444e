"""Forms of an agency's own work: filed, sealed, delivered and read."""

from collections.abc import Mapping

from shared.casework.records import routes
from shared.casework.records.delivery import on_record_delivered
from shared.casework.records.filing import Effect
from shared.casework.records.refusals import REFUSALS
from shared.contracts import events as e
from shared.domain.agency import Agency
from shared.service.slice import Slice


def slice_of(agency: Agency, effects: Mapping[str, Effect]) -> Slice:
    """The records of an agency: each of its forms has a route. ``effects``: form → what else its filing does."""
    return Slice(
        routers=(routes.router_of(agency, effects), routes.router),
        receives={e.RecordDelivered: on_record_delivered},
        refusals=REFUSALS,
        forgets="A record keeps its codes and moments; its other fields are sealed, and their key is destroyed.",
    )
