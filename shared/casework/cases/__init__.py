"""Cases and journeys: opened, registered, recorded and closed."""

from shared.casework.cases import facts, routes
from shared.casework.cases.refusals import REFUSALS
from shared.contracts import events as e
from shared.service.slice import Slice

SLICE = Slice(
    routers=(routes.router,),
    receives={e.FactsCorrected: facts.on_facts_corrected},
    refusals=REFUSALS,
    forgets="Its rows are those of the register; a closure says how a pseudonym's journey ended. Its note is sealed.",
)
