"""Disclosure of an identity to another agency, and its legal basis."""

from shared.service.slice import Slice
from shared.victims.disclosure import routes
from shared.victims.disclosure.refusals import REFUSALS

SLICE = Slice(
    routers=(routes.router,),
    refusals=REFUSALS,
    forgets="What was given, to whom and on which basis stays: the victim may ask for it.",
)
