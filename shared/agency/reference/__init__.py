"""An agency's public description of itself, and the stored responses of its commands."""

from shared.agency.reference import routes
from shared.http.idempotency import forget_fingerprints, forget_responses, next_forgotten_response
from shared.reference.office import Office
from shared.service.slice import Slice
from shared.storage.notifier import Topic
from shared.storage.timers import Timer


def stored_responses(_: Office) -> Timer:
    """The timer that deletes responses kept for repeated requests."""
    return Timer(Topic.RETENTION, next_forgotten_response, forget_responses)


SLICE = Slice(
    routers=(routes.router,),
    timers=(stored_responses,),
    forgets=forget_fingerprints,
)
