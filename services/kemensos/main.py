"""The service: ``python -m shared.service.serve services.kemensos.main``."""

from services.kemensos.agency import AGENCY
from shared.service.app import agency_member, create_app

MEMBER = agency_member(AGENCY)
app = create_app(MEMBER)
