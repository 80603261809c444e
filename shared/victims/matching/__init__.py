"""The same person at two agencies: what is told to find it, and what people decide."""

from shared.contracts import events as e
from shared.service.slice import Slice
from shared.victims.matching import match_tokens, routes, store
from shared.victims.matching.receive import on_proposal
from shared.victims.matching.refusals import REFUSALS

SLICE = Slice(
    routers=(routes.router,),
    receives={e.MatchProposed: on_proposal, e.MatchWithdrawn: on_proposal},
    timers=(match_tokens.deadline,),
    on_start=match_tokens.begin,
    refusals=REFUSALS,
    forgets=store.forget,
)
