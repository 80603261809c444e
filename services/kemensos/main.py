"""The service of Kemensos. Start it with ``python -m shared.http.serve services.kemensos.main``."""

from pathlib import Path

from services.kemensos.agency import AGENCY
from services.kemensos.beds import EFFECTS
from services.kemensos.refusals import REFUSALS
from services.kemensos.routes import router
from shared.agency.member import agency_member
from shared.domain.access import EVERYONE, AccessRule, Target
from shared.service.app import create_app
from shared.service.slice import Slice

BEDS = Slice(
    routers=(router,),
    refusals=REFUSALS,
    forgets="A bed names who lies in it by pseudonym.",
)
MEMBER = agency_member(
    AGENCY,
    EFFECTS,
    slices=(BEDS,),
    rules={"list_shelters": AccessRule(EVERYONE, Target.NOTHING)},
    lineages=(Path(__file__).with_name("migrations"),),
)
app = create_app(MEMBER)
