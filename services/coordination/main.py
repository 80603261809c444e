"""The service of coordination. Start it with ``python -m shared.http.serve services.coordination.main``."""

from pathlib import Path

from services.coordination import sign_in
from services.coordination.access import RULES
from services.coordination.agency import AGENCY
from services.coordination.console import STATIC, on_no_such_page
from services.coordination.console import router as console
from services.coordination.custody_checks import Contested
from services.coordination.match_alarm_routes import router as match_alarms
from services.coordination.parts import Objections
from services.coordination.receive import Inbound
from services.coordination.refusals import REFUSALS
from services.coordination.routes import router
from services.coordination.witness import Witness
from shared.service import operations
from shared.service.app import create_app
from shared.service.member import Member
from shared.service.slice import Slice
from shared.storage.migrate import EXCHANGE

JOURNEYS = Slice(
    routers=(router, match_alarms, console, sign_in.router),
    refusals=REFUSALS,
    forgets="Coordination has no identity of a victim.",
)
MEMBER = Member(
    agency=AGENCY,
    slices=(JOURNEYS, operations.SLICE),
    rules=RULES,
    lineages=(EXCHANGE, Path(__file__).with_name("migrations")),
    apply=Inbound,
    objects=Objections,
    tell_parked=Contested,
    follower=True,
    receive=Witness,
    no_such_address=on_no_such_page,
)
app = create_app(MEMBER)
app.router.routes.append(STATIC)
