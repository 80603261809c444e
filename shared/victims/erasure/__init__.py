"""Erasure at every controller, legal holds, and the end of the time for which data is kept."""

from shared.contracts import events as e
from shared.service.slice import Slice
from shared.victims.erasure import retention
from shared.victims.erasure import routes as erasure_routes
from shared.victims.erasure.controllers import on_controller_answered
from shared.victims.erasure.holdings import on_told
from shared.victims.erasure.refusals import REFUSALS

SLICE = Slice(
    routers=(erasure_routes.router,),
    receives={e.ErasureRequested: on_told, e.DisclosureEnded: on_controller_answered},
    timers=(retention.ended_retention,),
    refusals=REFUSALS,
    forgets="What was told and answered stays: it proves the erasure.",
)
