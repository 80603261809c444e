"""Referrals: requested, answered, cancelled, and what was noted beside them."""

from typing import get_args

from shared.casework.referrals import receive, routes
from shared.casework.referrals.refusals import REFUSALS
from shared.contracts import events as e
from shared.service.slice import Slice

SLICE = Slice(
    routers=(routes.router,),
    receives={
        e.Requested: receive.on_requested,
        **dict.fromkeys(get_args(e.SenderAsk), receive.on_sender_ask),
        **dict.fromkeys(get_args(e.ReceiverEvent), receive.on_next_version),
    },
    refusals=REFUSALS,
    forgets="A referral names the victim by pseudonym; its notes are sealed, and their key is destroyed.",
)
