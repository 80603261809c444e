"""Referrals: requested, answered, cancelled, and what was noted beside them."""

from shared.casework.referrals import receive, routes
from shared.casework.referrals.refusals import REFUSALS
from shared.contracts import events as e
from shared.service.slice import Slice

ASKS = (e.CancellationRequested, e.InformationProvided, e.Reminder)
"""Asks of the sender of a referral."""
VERSIONS = (
    *(e.Received, e.Accepted, e.Rejected, e.Started, e.Held, e.Resumed),
    *(e.Completed, e.Failed, e.Cancelled, e.CancellationRefused),
)
"""Events of the receiver of a referral: each is the next version."""

SLICE = Slice(
    routers=(routes.router,),
    receives={
        e.Requested: receive.on_requested,
        **dict.fromkeys(ASKS, receive.on_sender_ask),
        **dict.fromkeys(VERSIONS, receive.on_next_version),
    },
    refusals=REFUSALS,
    forgets="A referral names the victim by pseudonym; its notes are sealed, and their key is destroyed.",
)
