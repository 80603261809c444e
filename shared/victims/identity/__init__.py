"""The identity of a victim: recorded, shown, searched; each look is logged."""

from shared.contracts import events as e
from shared.service.slice import Slice
from shared.victims.identity import routes
from shared.victims.identity.meeting import on_match_proposed
from shared.victims.identity.refusals import REFUSALS

SLICE = Slice(
    routers=(routes.router,),
    receives={e.MatchProposed: on_match_proposed},
    refusals=REFUSALS,
    forgets="The access log stays: it says who looked, not what they saw.",
)
