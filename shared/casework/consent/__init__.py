"""Consent: recorded, replaced, withdrawn, expired."""

from shared.casework.consent import expiring
from shared.casework.consent import routes as consent_routes
from shared.casework.consent.refusals import REFUSALS
from shared.casework.consent.withdrawing import on_consent_withdrawn
from shared.contracts import events as e
from shared.service.slice import Slice

SLICE = Slice(
    routers=(consent_routes.router,),
    receives={e.ConsentWithdrawn: on_consent_withdrawn},
    timers=(expiring.expiring_consents,),
    refusals=REFUSALS,
    forgets="A consent stays: it proves why something was given. It holds no field of an identity.",
)
