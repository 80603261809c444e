"""The service: ``uvicorn services.police.main:app``."""

from services.police.agency import AGENCY
from shared.service.app import agency_member, create_app

MEMBER = agency_member(AGENCY)
app = create_app(MEMBER)
