"""How often somebody may ask: a token bucket for each, in a store that cannot grow without bound."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

MOST_KEPT = 10_000
"""Buckets of each store. Who has not asked for longest is forgotten first, and begins anew with a full bucket."""


@dataclass(frozen=True, slots=True)
class Rate:
    """So many requests a second over time, and so many at once."""

    per_second: float
    burst: int


class Bucket(NamedTuple):
    """What is left of a burst, as of a moment of the store's clock."""

    tokens: float
    at: float


def filled(bucket: Bucket, now: float, rate: float, burst: float) -> Bucket:
    """The bucket with what has run in since."""
    return Bucket(min(burst, bucket.tokens + max(now - bucket.at, 0.0) * rate), max(now, bucket.at))


def take(bucket: Bucket, now: float, rate: float, burst: float) -> tuple[Bucket, float]:
    """Take one token. Answers the bucket after it and 0, or the bucket as it is and the seconds until there is one."""
    tokens, at = filled(bucket, now, rate, burst)
    if tokens >= 1.0:
        return Bucket(tokens - 1.0, at), 0.0
    return Bucket(tokens, at), (1.0 - tokens) / rate


class Buckets:
    """The buckets of many, each under a key. Safe to use from threads."""

    def __init__(self, most: int = MOST_KEPT, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._clock = clock
        self._kept: OrderedDict[tuple[str, str], Bucket] = OrderedDict()
        self._turn = threading.Lock()

    def __len__(self) -> int:
        return len(self._kept)

    def take(self, who: str, what: str, rate: Rate) -> float:
        """Take a token of ``who`` for ``what``; answers 0, or the seconds to wait for one."""
        now = self._clock()
        with self._turn:
            bucket = self._kept.get((who, what)) or Bucket(rate.burst, now)
            self._kept[who, what], wait = take(bucket, now, rate.per_second, rate.burst)
            self._kept.move_to_end((who, what))
            if len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return wait

    def wait(self, who: str, what: str, rate: Rate) -> float:
        """The seconds until there is a token of ``who`` for ``what``, without taking it."""
        bucket = self._kept.get((who, what))
        return 0.0 if bucket is None else take(bucket, self._clock(), rate.per_second, rate.burst)[1]
