"""The same person at two agencies: the match tokens to find the person, and the decisions of people."""

from shared.contracts import events as e
from shared.service.slice import Slice
from shared.victims.matching import match_tokens
from shared.victims.matching import routes as matching_routes
from shared.victims.matching import store as matching
from shared.victims.matching.receive import on_proposal
from shared.victims.matching.refusals import REFUSALS

SLICE = Slice(
    routers=(matching_routes.router,),
    receives={e.MatchWithdrawn: on_proposal},  # a proposal may be a look at a person: ``identity`` receives it
    timers=(match_tokens.untold_victims,),
    on_start=match_tokens.warn_if_off,
    refusals=REFUSALS,
    forgets=matching.forget,
)
