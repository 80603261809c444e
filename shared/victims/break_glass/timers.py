"""The timers of break-glass: its end, and its overdue review."""

from collections.abc import Sequence

from shared.reference.office import Office
from shared.storage.timers import Deadline
from shared.victims.break_glass.looks import end_due, next_end
from shared.victims.break_glass.reviewing import next_overdue, tell_overdue
from shared.victims.break_glass.store import WATCHED


def deadlines(office: Office) -> Sequence[Deadline]:
    """The timers of break-glass: the end at its moment, and the overdue review."""
    return (
        Deadline(WATCHED, lambda session: next_end(session, office.code), lambda tx: end_due(tx, office)),
        Deadline(WATCHED, lambda session: next_overdue(session, office.code), lambda tx: tell_overdue(tx, office)),
    )
