"""The timers of break-glass: its end, and its overdue review."""

from shared.reference.office import Office
from shared.storage.notifier import Topic
from shared.storage.timers import Timer
from shared.victims.break_glass.opening import end_due, next_end
from shared.victims.break_glass.reviewing import next_overdue, tell_overdue


def ended_break_glasses(office: Office) -> Timer:
    """The timer that ends each break-glass at its moment."""
    return Timer(Topic.BREAK_GLASS, lambda session: next_end(session, office.code), lambda tx: end_due(tx, office))


def overdue_reviews(office: Office) -> Timer:
    """The timer that publishes that a review is overdue."""
    return Timer(
        Topic.BREAK_GLASS, lambda session: next_overdue(session, office.code), lambda tx: tell_overdue(tx, office)
    )
