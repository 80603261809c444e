"""Break-glass: emergency access without the ordinary right, which a second person reviews."""

from shared.contracts import events as e
from shared.service.slice import Slice
from shared.victims.break_glass import routes, timers
from shared.victims.break_glass.receive import on_break_glass
from shared.victims.break_glass.refusals import REFUSALS

SLICE = Slice(
    routers=(routes.router,),
    receives=dict.fromkeys(
        (e.BreakGlassOpened, e.BreakGlassEnded, e.BreakGlassReviewed, e.BreakGlassReviewOverdue), on_break_glass
    ),
    timers=(timers.ended_break_glasses, timers.overdue_reviews),
    refusals=REFUSALS,
    forgets="A break-glass and its review stay: they are evidence, and hold no field of an identity.",
)
