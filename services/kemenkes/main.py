"""The service of Kemenkes. Start it with ``python -m shared.service.serve services.kemenkes.main``."""

from services.kemenkes.agency import AGENCY
from shared.service.app import agency_member, create_app

MEMBER = agency_member(AGENCY)
app = create_app(MEMBER)
