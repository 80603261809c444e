"""Referrals: requested, answered, cancelled, and what was noted beside them."""

from typing import get_args

from sqlmodel import col

from shared.casework.referrals import custody_check, receive, routes
from shared.casework.referrals.refusals import REFUSALS
from shared.contracts import events as e
from shared.domain.ids import IdKind
from shared.service.slice import Slice
from shared.storage.known_ids import AGENCY, IdColumn
from shared.storage.tables import ReferralRow

SLICE = Slice(
    routers=(routes.router,),
    receives={
        e.Requested: receive.on_requested,
        e.CustodyChecked: custody_check.on_custody_checked,
        **dict.fromkeys(get_args(e.SenderAsk), receive.on_sender_ask),
        **dict.fromkeys(get_args(e.ReceiverEvent), receive.on_next_version),
    },
    refusals=REFUSALS,
    ids=(IdColumn(IdKind.REFERRAL, col(ReferralRow.id), ours=col(ReferralRow.sender_agency) == AGENCY),),
    forgets="A referral names the victim by pseudonym; its notes are sealed, and their key is destroyed.",
)
