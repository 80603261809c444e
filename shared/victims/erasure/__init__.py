"""Erasure at every controller, legal holds, and the end of the time for which data is kept."""

from sqlmodel import col

from shared.contracts import events as e
from shared.domain.ids import IdKind
from shared.service.slice import Slice
from shared.storage.known_ids import IdColumn
from shared.victims.erasure import holds, retention
from shared.victims.erasure import routes as erasure_routes
from shared.victims.erasure.controllers import on_controller_answered
from shared.victims.erasure.holdings import on_told
from shared.victims.erasure.refusals import REFUSALS
from shared.victims.erasure.tables import ErasureRow

SLICE = Slice(
    routers=(erasure_routes.router,),
    receives={e.ErasureRequested: on_told, e.DisclosureEnded: on_controller_answered},
    timers=(retention.ended_retention, holds.lapsing_holds),
    refusals=REFUSALS,
    ids=(IdColumn(IdKind.ERASURE, col(ErasureRow.id), ours=col(ErasureRow.said_by).is_(None)),),
    forgets="What was told and answered stays: it proves the erasure.",
)
