"""Slows down guessing: after MOST refusals within WINDOW_SECONDS, an address must wait."""

from collections import deque

from deploy.issuer.tokens import Now

MOST = 20
WINDOW_SECONDS = 60.0
REMEMBERED = 10_000
"""Refusals kept in memory, of all addresses together, at most."""


class Failures:
    """The refusals of the last WINDOW_SECONDS, by address."""

    def __init__(self, now: Now) -> None:
        self._now = now
        self._refused: deque[tuple[float, str]] = deque(maxlen=REMEMBERED)

    def record(self, address: str) -> None:
        """Record that a request from this address was refused."""
        self._refused.append((self._now().timestamp(), address))

    def wait(self, address: str) -> int:
        """Seconds until requests of this address are answered again; 0: now."""
        now = self._now().timestamp()
        while self._refused and self._refused[0][0] <= now - WINDOW_SECONDS:
            self._refused.popleft()
        own = [moment for moment, of in self._refused if of == address]
        return int(own[-MOST] + WINDOW_SECONDS - now) + 1 if len(own) >= MOST else 0
