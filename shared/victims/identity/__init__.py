"""The identity of a victim: recorded, shown, searched; each look is logged."""

from shared.service.slice import Slice
from shared.victims.identity import routes
from shared.victims.identity.refusals import REFUSALS

SLICE = Slice(
    routers=(routes.router,),
    refusals=REFUSALS,
    forgets="The access log stays: it says who looked, not what they saw.",
)
