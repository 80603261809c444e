"""The service of Polri. Start it with ``python -m shared.http.serve services.police.main``."""

from services.police.agency import AGENCY
from services.police.effects import held_by_a_trained_officer
from services.police.interviews import INTERVIEW
from shared.agency.member import agency_member
from shared.service.app import create_app

MEMBER = agency_member(AGENCY, effects={INTERVIEW.code: held_by_a_trained_officer})
app = create_app(MEMBER)
