"""Forms of an agency's own work: filed, sealed, delivered and read."""

from collections.abc import Mapping

from sqlmodel import col

from shared.casework.records import routes
from shared.casework.records.delivery import on_record_delivered
from shared.casework.records.filing import Effect
from shared.casework.records.refusals import REFUSALS
from shared.casework.records.tables import RecordRow
from shared.contracts import events as e
from shared.domain.agency import Agency
from shared.domain.ids import IdKind
from shared.service.slice import Slice
from shared.storage.known_ids import IdColumn


def slice_of(agency: Agency, effects: Mapping[str, Effect]) -> Slice:
    """The records of an agency: each of its forms has a route. ``effects``: form → what else its filing does."""
    return Slice(
        routers=(routes.router_of(agency, effects), routes.router),
        receives={e.RecordDelivered: on_record_delivered},
        refusals=REFUSALS,
        ids=(IdColumn(IdKind.RECORD, col(RecordRow.id), ours=col(RecordRow.delivered_by).is_(None)),),
        forgets="A record keeps its codes and moments; its other fields are sealed, and their key is destroyed.",
    )
