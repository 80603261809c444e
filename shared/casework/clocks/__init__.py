"""The time limits of the law and of local standards that our desks keep."""

from shared.casework.clocks import due
from shared.casework.clocks import routes as clocks_routes
from shared.casework.clocks.running import adopt
from shared.contracts import events as e
from shared.service.slice import Slice, ignore

SLICE = Slice(
    routers=(clocks_routes.router,),
    # only a network without a coordinator sends these to an agency, which keeps a clock of its own
    receives=dict.fromkeys((e.ClockWarned, e.ClockBreached, e.ClockEscalated, e.ClockStopped), ignore),
    timers=(due.due_steps,),
    on_start=adopt,
    forgets="A clock names a desk, a limit and moments; the victim by pseudonym alone.",
)
