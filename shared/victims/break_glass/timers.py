"""What falls due for break-glass looks with nobody logged in."""

from collections.abc import Sequence

from shared.reference.office import Office
from shared.storage.notifier import Topic
from shared.storage.timers import Deadline
from shared.victims.break_glass.looks import end_due, next_end
from shared.victims.break_glass.reviewing import next_overdue, tell_overdue


def deadlines(office: Office) -> Sequence[Deadline]:
    """The timers of break-glass: the end at its moment, and the overdue review."""
    return (
        Deadline(Topic.BREAK_GLASS, lambda s: next_end(s, office.code), lambda tx: end_due(tx, office)),
        Deadline(Topic.BREAK_GLASS, lambda s: next_overdue(s, office.code), lambda tx: tell_overdue(tx, office)),
    )
