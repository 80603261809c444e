"""The service of Kemenkes. Start it with ``python -m shared.http.serve services.kemenkes.main``."""

from services.kemenkes.agency import AGENCY
from shared.agency.member import agency_member
from shared.service.app import create_app

MEMBER = agency_member(AGENCY)
app = create_app(MEMBER)
