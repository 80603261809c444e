"""Urgent requests that are counted anew take the place of their earlier count, and of no other."""

from datetime import UTC, datetime, timedelta

from shared.domain.urgency import counted_anew

FIRST = datetime(2026, 11, 29, 8, tzinfo=UTC)
SECOND = FIRST + timedelta(minutes=5)


def test_only_so_many_of_that_moment_give_way() -> None:
    times = [FIRST, FIRST, SECOND]
    assert counted_anew(times, 1, FIRST) == [FIRST, SECOND]
    assert counted_anew(times, 5, FIRST) == [SECOND]
    assert counted_anew(times, 5, FIRST - timedelta(hours=1)) == counted_anew(times, 5, None) == times
