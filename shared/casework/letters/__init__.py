"""Letters on paper: issued, printed, checked, and answered later."""

from shared.casework.letters import routes
from shared.casework.letters.issuing import on_letter_issued
from shared.casework.letters.refusals import REFUSALS
from shared.contracts import events as e
from shared.service.slice import Slice

SLICE = Slice(
    routers=(routes.router, routes.pages),
    receives={e.LetterIssued: on_letter_issued},
    refusals=REFUSALS,
    forgets="A letter is a code; what was printed is made anew from rows that open no more.",
)
