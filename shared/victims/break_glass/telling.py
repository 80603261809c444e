"""Publish events of a break-glass to the responsible agency and to the coordinator."""

from shared.contracts import events as e
from shared.contracts.types import UnitRef
from shared.domain.access import Sight
from shared.reference.office import Office, tell_agencies
from shared.storage import referrals
from shared.storage.notifier import Topic
from shared.storage.unit_of_work import Transaction
from shared.victims.identity.tables import BreakGlassRow


def is_concerned(sight: Sight, row: BreakGlassRow) -> bool:
    """Whether a desk in sight opened this break-glass, or was responsible for the victim."""
    opener, owner = (row.agency, row.unit), (row.owner_agency, row.owner_unit)
    ours = [unit for agency, unit in (opener, owner) if agency == sight.agency]
    return sight.units is None or any(unit in sight.units for unit in ours)


def tell_other_side(tx: Transaction, office: Office, row: BreakGlassRow, event: e.BreakGlassEvent) -> None:
    """Tell the responsible agency, if it is another one, and the coordinator.

    The coordinator passes the event on to the agency that has become responsible since. An agency that only serves
    a victim may not know the responsible agency. It then tells the agencies that sent it a referral of the victim.
    """
    tx.changed |= {Topic.BREAK_GLASS, row.id}
    unit = UnitRef(agency=row.agency, unit=row.unit, region=row.region)
    owners = {row.owner_agency} if row.owner_agency else referrals.senders_of_victim(tx.session, row.victim_id)
    tell_agencies(tx, office, event, unit, owners, row.victim_id)
