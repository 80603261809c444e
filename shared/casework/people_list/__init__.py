"""Batches, each many people at once: each person is registered and referred whole, or refused with a reason."""

from shared.casework.people_list import routes, store
from shared.casework.people_list.refusals import REFUSALS
from shared.service.slice import Slice

SLICE = Slice(
    routers=(routes.router,),
    refusals=REFUSALS,
    forgets=store.forget_role,
)
