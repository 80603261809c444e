"""Write the access log: one row for each reading or change, in the transaction of that reading or change."""

from collections.abc import Mapping, Sequence

from shared.domain.matching import searches
from shared.reference.acting import Acting
from shared.victims.identity.rights import Right
from shared.victims.identity.tables import AccessRow

NOTED = "note"
"""The field name of a note in the access log."""
TAKE_OVER = "take-over"
"""The purpose of a reading whose value became our own word."""


def count_look(right: Right) -> None:
    """Count a reading through a break-glass. The event that ends the break-glass reports the number."""
    if right.glass is not None:
        right.glass.looks += 1


def log_search(
    acting: Acting, victim_id: str, right: Right, known: Mapping[str, str], before: Mapping[str, str]
) -> None:
    """Write a row where new identifiers may meet a victim of another agency: writing them down is a search.

    ``known`` and ``before``: field → text, after and before the change.
    """
    if fields := searches(known, before):
        log(acting, victim_id, "search", right, fields)


def log(acting: Acting, victim_id: str, purpose: str, right: Right, fields: Sequence[str]) -> None:
    """Write a row of the access log, in the transaction of the reading or change that it describes."""
    row = AccessRow(
        victim_id=victim_id,
        client=acting.caller.client,
        person=acting.caller.person,
        role=acting.caller.role,
        unit=acting.caller.unit,
        purpose=purpose,
        right=right.ground,
        through=right.glass.id if right.glass else None,
        fields=list(fields),
        at=acting.tx.now,
    )
    acting.tx.session.add(row)
