"""The desk in whose name a caller may refer a victim."""

from collections.abc import Sequence

from shared.contracts.codes import Status
from shared.contracts.types import UnitRef
from shared.domain.access import Sight
from shared.domain.refusal import Refused
from shared.storage import referrals
from shared.storage.tables import ReferralRow
from shared.victims.register.store import holder_of
from shared.victims.register.tables import VictimRow


def speaking_unit(sight: Sight, victim: VictimRow, live: Sequence[ReferralRow]) -> UnitRef:
    """The unit in whose name the caller may refer this victim: the custody holder, or a unit serving the victim.

    ``live``: the victim's referrals that have not ended. Raises Refused("not-responsible").
    """
    holder = holder_of(victim)
    if holder is not None and sight.covers(holder):
        return holder
    for row in live:
        receiver = referrals.to_referral(row).receiver
        if sight.covers(receiver) and row.status not in (Status.REQUESTED, Status.RECEIVED):
            return receiver
    raise Refused("not-responsible", field="victim_id")
