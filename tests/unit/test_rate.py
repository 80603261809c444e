"""The bucket of credits: never more than was promised, never less, whatever the moments; and memory that is bounded."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.http.rate import Bucket, Buckets, Rate, take

RATES = st.floats(0.01, 1000.0)
BURSTS = st.integers(1, 500)
PAUSES = st.lists(st.floats(0.0, 20.0), min_size=1, max_size=60)


@given(RATES, BURSTS, PAUSES)
def test_in_no_time_are_there_more_than_the_burst_and_what_ran_in(rate: float, burst: int, pauses: list[float]) -> None:
    bucket, now, granted = Bucket(burst, 0.0), 0.0, []
    for pause in pauses:
        now += pause
        bucket, wait = take(bucket, now, rate, burst)
        assert 0.0 <= bucket.credits <= burst and wait >= 0.0
        if wait == 0.0:
            granted.append(now)
    for first in range(len(granted)):
        for last in range(first, len(granted)):
            assert last - first + 1 <= burst + rate * (granted[last] - granted[first]) + 1e-6


@given(RATES, BURSTS, PAUSES)
def test_who_waits_as_long_as_told_gets_one_and_not_sooner(rate: float, burst: int, pauses: list[float]) -> None:
    bucket, now = Bucket(burst, 0.0), 0.0
    for pause in pauses:
        now += pause
        bucket, wait = take(bucket, now, rate, burst)
        if wait > 1e-6:
            assert take(bucket, now + wait * 0.99 - 1e-9, rate, burst)[1] > 0.0
            assert take(bucket, now + wait + 1e-6, rate, burst)[1] == 0.0


@given(RATES, BURSTS)
def test_a_full_burst_at_once_and_then_nothing(rate: float, burst: int) -> None:
    bucket = Bucket(burst, 0.0)
    for _ in range(burst):
        bucket, wait = take(bucket, 0.0, rate, burst)
        assert wait == 0.0
    assert take(bucket, 0.0, rate, burst)[1] == pytest.approx(1 / rate)


def test_a_clock_that_goes_back_gives_nothing_away() -> None:
    bucket, _ = take(Bucket(1, 100.0), 100.0, 1.0, 1)
    assert take(bucket, 50.0, 1.0, 1) == (Bucket(0.0, 100.0), 1.0)


class Clock:
    """A clock that stands until it is moved."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_each_has_a_bucket_of_their_own_for_each_thing() -> None:
    clock, rate = Clock(), Rate(0.1, 1)
    buckets = Buckets(monotonic=clock)
    assert buckets.take("a", "x", rate) == 0.0
    assert math.isclose(buckets.take("a", "x", rate), 10.0)
    assert buckets.take("b", "x", rate) == buckets.take("a", "y", rate) == 0.0
    clock.now = 10.0
    assert buckets.wait("a", "x", rate) == 0.0 == buckets.wait("nobody", "x", rate)
    assert buckets.take("a", "x", rate) == 0.0


def test_memory_is_bounded_and_who_asks_often_is_not_forgotten() -> None:
    rate = Rate(0.001, 2)
    buckets = Buckets(most=100, monotonic=Clock())
    for stranger in range(10_000):
        known = buckets.take("known", "x", rate)
        buckets.take(f"stranger {stranger}", "x", rate)
    assert len(buckets) == 100
    assert known > 0.0  # its bucket is still the empty one
