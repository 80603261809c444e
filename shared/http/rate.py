"""Rate limiting: one bucket of credits for each caller, in a store of bounded size."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

MOST_KEPT = 10_000
"""Buckets in each store. The bucket that was idle longest is evicted first; its caller begins again with a full
bucket."""


@dataclass(frozen=True, slots=True)
class Rate:
    """Requests a second over time (``per_second``), and requests at once (``burst``)."""

    per_second: float
    burst: int


class Bucket(NamedTuple):
    """The credits left of a burst, at a moment of the store's monotonic time (seconds)."""

    credits: float
    at: float


def filled(bucket: Bucket, now: float, rate: float, burst: float) -> Bucket:
    """The bucket with the credits that were added since ``bucket.at``."""
    return Bucket(min(burst, bucket.credits + max(now - bucket.at, 0.0) * rate), max(now, bucket.at))


def take(bucket: Bucket, now: float, rate: float, burst: float, count: int = 1) -> tuple[Bucket, float]:
    """Take ``count`` credits, or none. Answers the bucket, and 0 or the seconds until there are so many credits."""
    credits, at = filled(bucket, now, rate, burst)
    if credits >= count:
        return Bucket(credits - count, at), 0.0
    return Bucket(credits, at), (count - credits) / rate


class Buckets:
    """The buckets of many callers, each under a key. Safe to use from threads."""

    def __init__(self, most: int = MOST_KEPT, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._monotonic = monotonic
        self._kept: OrderedDict[tuple[str, str], Bucket] = OrderedDict()
        self._turn = threading.Lock()

    def __len__(self) -> int:
        return len(self._kept)

    def take(self, who: str, what: str, rate: Rate, count: int = 1) -> float:
        """Take ``count`` credits of ``who`` for ``what``. Answers 0, or the seconds to wait for them."""
        now = self._monotonic()
        with self._turn:
            bucket = self._kept.get((who, what)) or Bucket(rate.burst, now)
            self._kept[who, what], wait = take(bucket, now, rate.per_second, rate.burst, count)
            self._kept.move_to_end((who, what))
            if len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return wait

    def wait(self, who: str, what: str, rate: Rate) -> float:
        """The seconds until ``who`` has a credit for ``what``, without taking it."""
        bucket = self._kept.get((who, what))
        return 0.0 if bucket is None else take(bucket, self._monotonic(), rate.per_second, rate.burst)[1]
