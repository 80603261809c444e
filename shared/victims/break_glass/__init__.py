"""Break-glass: emergency access without the ordinary right, which a second person reviews."""

from sqlmodel import col

from shared.contracts import events as e
from shared.domain.ids import IdKind
from shared.service.slice import Slice
from shared.storage.known_ids import AGENCY, IdColumn
from shared.victims.break_glass import routes, timers
from shared.victims.break_glass.receive import on_break_glass
from shared.victims.break_glass.refusals import REFUSALS
from shared.victims.identity.tables import BreakGlassRow

SLICE = Slice(
    routers=(routes.router,),
    receives=dict.fromkeys(
        (e.BreakGlassOpened, e.BreakGlassEnded, e.BreakGlassReviewed, e.BreakGlassReviewOverdue), on_break_glass
    ),
    timers=(timers.ended_break_glasses, timers.overdue_reviews),
    refusals=REFUSALS,
    ids=(IdColumn(IdKind.BREAK_GLASS, col(BreakGlassRow.id), ours=col(BreakGlassRow.agency) == AGENCY),),
    forgets="A break-glass and its review stay: they are evidence, and hold no field of an identity.",
)
