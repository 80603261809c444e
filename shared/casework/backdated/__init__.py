"""Facts that desks told more than a day late, for their supervisors and auditors."""

from shared.casework.backdated import routes
from shared.casework.backdated.refusals import REFUSALS
from shared.service.slice import Slice

SLICE = Slice(
    routers=(routes.router,),
    refusals=REFUSALS,
    forgets="A row names the victim by pseudonym. The note beside it is sealed, and its key is destroyed.",
)
