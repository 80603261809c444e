"""The service of KemenPPPA. Start it with ``python -m shared.service.serve services.kemenpppa.main``."""

from services.kemenpppa.agency import AGENCY
from shared.service.app import agency_member, create_app

MEMBER = agency_member(AGENCY)
app = create_app(MEMBER)
