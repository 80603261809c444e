"""The service of KemenPPPA. Start it with ``python -m shared.http.serve services.kemenpppa.main``."""

from services.kemenpppa.agency import AGENCY
from shared.agency.member import agency_member
from shared.service.app import create_app

MEMBER = agency_member(AGENCY)
app = create_app(MEMBER)
