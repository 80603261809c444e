"""The service of Polri. Start it with ``python -m shared.http.serve services.police.main``."""

from services.police.agency import AGENCY
from services.police.effects import held_by_a_trained_officer
from services.police.interviews import INTERVIEW
from services.police.refusals import REFUSALS
from shared.agency.member import agency_member
from shared.service.app import create_app
from shared.service.slice import Slice

FORMS = Slice(refusals=REFUSALS, forgets="Its forms are records: see ``shared.casework.records``.")
MEMBER = agency_member(AGENCY, effects={INTERVIEW.code: held_by_a_trained_officer}, slices=(FORMS,))
app = create_app(MEMBER)
