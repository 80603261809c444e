"""Count the urgent requests that a person forces on a desk. The count is in the database, so a restart forgets none."""

from datetime import datetime

from sqlalchemy import select
from sqlmodel import col

from shared.casework.referrals.tables import ForcedRow
from shared.contracts.types import UnitRef
from shared.domain.urgency import MOST_FORCED, check_forced, recently_forced
from shared.reference.acting import Acting


def count_forced(acting: Acting, desk: UnitRef) -> None:
    """Count an urgent request that the caller forces on a desk. Raises Refused("forcing-needs-supervisor").

    Two first requests at once both add the row. The second then fails as a conflict, and its unit of work runs again.
    """
    session, now = acting.tx.session, acting.tx.now
    theirs = (
        (col(ForcedRow.requested_by) == acting.caller.counts_as)
        & (col(ForcedRow.agency) == desk.agency)
        & (col(ForcedRow.unit) == desk.unit)
    )
    row = session.scalars(select(ForcedRow).where(theirs).with_for_update()).first()
    recent = recently_forced([datetime.fromisoformat(at) for at in row.times] if row is not None else [], now)
    check_forced(acting.caller.role, recent)
    if row is None:
        row = ForcedRow(requested_by=acting.caller.counts_as, agency=desk.agency, unit=desk.unit, times=[])
        session.add(row)
    row.times = [at.isoformat() for at in [*recent, now][-MOST_FORCED:]]
