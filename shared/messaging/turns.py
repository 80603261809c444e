"""When a parked event has its turn: at its time, and after what arrived before it about the same referral.

Every reader has one order of arrival. So all of them take the first of two answers, whenever they read.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from datetime import datetime
from heapq import heappop, heappush

from sqlalchemy import bindparam, select
from sqlmodel import Session, col

from shared.contracts.envelope import Envelope
from shared.contracts.events import CATALOGUE, EventData, SenderAsk
from shared.domain.trust import AHEAD, BEGINS_A_PART
from shared.messaging.parked import IN_TURN, Retry, reasons_tried
from shared.storage.tables import LedgerEntry, ParkedEvent

Waiting = tuple[Envelope, ParkedEvent]
"""A parked event that may apply now, and its row."""

_AFTER_VICTIM = reasons_tried(Retry.WHEN_VICTIM_CHANGES)
_AFTER_ANY = reasons_tried(Retry.WHEN_REFERRAL_CHANGES, Retry.WHEN_VICTIM_CHANGES)
_WAITING = (
    select(ParkedEvent)
    .where(col(ParkedEvent.resolved_at).is_(None), col(ParkedEvent.reason).in_([*_AFTER_ANY, *IN_TURN]))
    .order_by(col(ParkedEvent.number))
)
_OF_REFERRAL = col(ParkedEvent.referral_id) == bindparam("referral")
_OF_VICTIM = col(ParkedEvent.reason).in_(_AFTER_VICTIM) & col(ParkedEvent.event_id).in_(
    select(col(LedgerEntry.event_id)).where(col(LedgerEntry.victim_id) == bindparam("victim"))
)
_WAITING_OF_REFERRAL = _WAITING.where(_OF_REFERRAL)
_WAITING_OF_VICTIM = _WAITING.where(_OF_REFERRAL | _OF_VICTIM)


class WorkList:
    """The parked events that one unit of work tries, one after another. Each is loaded and parsed once.

    Right after an applied event comes what waits for it. What fails is tried again at the end of the list, once for all
    changes that may help it. So the work grows with the number of events that wait, and not with its square. It is a
    list and no recursion, since the stack would end before hundreds of events.
    """

    def __init__(self, first: Iterable[Waiting] = ()) -> None:
        self._line = deque(first)
        self._known: dict[int, Waiting] = {}
        """Number → a parked event that is or was in this list."""
        self._failed: dict[int, int] = {}
        """Number of an event that failed → how many events were applied before."""
        self._applied = 0
        self._changed: dict[tuple[str, str | None], int] = {}
        """Referral or victim that is read → how many events were applied when it changed last."""
        self._in_turn: dict[tuple[str | None, str], list[int]] = {}
        """Referral and link → a heap with the numbers of the events that hold back others."""
        for one in self._line:
            self._know(one)

    def _know(self, one: Waiting) -> None:
        envelope, row = one
        self._known[_number(row)] = one
        if row.reason in IN_TURN and row.referral_id is not None:
            heappush(self._in_turn.setdefault((row.referral_id, envelope.link), []), _number(row))

    def next(self) -> Waiting | None:
        """Take the next event to try, or None where no change can help what is left."""
        if not self._line:
            again = [number for number, since in self._failed.items() if self._is_helped(number, since)]
            self._line.extend(by_version(self._known[number] for number in sorted(again)))
            for number in again:
                del self._failed[number]
        return self._line.popleft() if self._line else None

    def read(self, session: Session, envelope: Envelope, event: EventData) -> list[Waiting]:
        """Read what waits for an event, in the order in which it may apply. One statement, or none if it is read.

        It is not tried before ``applied``.
        """
        new = [name for name in _changed_by(envelope, event) if name not in self._changed]
        if not new:
            return []
        self._changed |= dict.fromkeys(new, 0)
        named = {"referral": None, "victim": None, **dict(new)}
        rows = session.scalars(_WAITING_OF_REFERRAL if named["victim"] is None else _WAITING_OF_VICTIM, named).all()
        return by_version(one for row in rows if (one := self._read(row)) and row.reason not in IN_TURN)

    def _read(self, row: ParkedEvent) -> Waiting | None:
        """An event that waits, or None where it is in the line. Until ``applied`` it counts as failed."""
        number = _number(row)
        if number in self._known and number not in self._failed:
            return None
        one = self._known.get(number) or (Envelope.read(row.body), row)
        self.failed(one)
        return one

    def failed(self, one: Waiting) -> None:
        """Set an event aside that cannot be applied. A later change may help it."""
        self._know(one)
        self._failed[_number(one[1])] = self._applied

    def holds_back(self, envelope: Envelope, row: ParkedEvent | None) -> bool:
        """Whether another event of the referral arrived earlier on the same link, and still waits for its turn.

        ``row``: the event's own parked row, where it has one.
        """
        numbers = self._in_turn.get((envelope.referral_id, envelope.link), [])
        while numbers and not _waits_in_turn(self._known[numbers[0]][1]):
            heappop(numbers)  # it had its turn in this list; if it waits once more, ``failed`` adds it again
        return bool(numbers) and (row is None or numbers[0] < _number(row))

    def applied(self, envelope: Envelope, event: EventData, waiting: Sequence[Waiting]) -> None:
        """Note that an event is applied, and put first what waits for it (``read``)."""
        self._applied += 1
        self._changed |= dict.fromkeys(_changed_by(envelope, event), self._applied)
        for _, row in waiting:
            del self._failed[_number(row)]
        self._line.extendleft(reversed(waiting))

    def _is_helped(self, number: int, since: int) -> bool:
        """Whether the referral of an event, or a part in its victim, changed after ``since`` applied events."""
        envelope, row = self._known[number]
        names = [("referral", row.referral_id)] if row.reason in _AFTER_ANY else []
        names += [("victim", envelope.partitionkey)] if row.reason in _AFTER_VICTIM else []
        return any(self._changed.get(name, 0) > since for name in names)


def _changed_by(envelope: Envelope, event: EventData) -> list[tuple[str, str | None]]:
    """The referral that an event changes, and the victim in whom it begins a part: what other events wait for."""
    names = [("referral", envelope.referral_id), ("victim", envelope.partitionkey)]
    return [name for name in names[: 1 + isinstance(event, BEGINS_A_PART)] if name[1] is not None]


def _number(row: ParkedEvent) -> int:
    assert row.number is not None  # it is stored
    return row.number


def _waits_in_turn(row: ParkedEvent) -> bool:
    return row.resolved_at is None and row.reason in IN_TURN


def parked_for(session: Session, when: Retry) -> list[Waiting]:
    """The trusted parked events that wait for this kind of retry."""
    waiting = col(ParkedEvent.resolved_at).is_(None) & col(ParkedEvent.reason).in_(reasons_tried(when))
    rows = session.scalars(
        select(ParkedEvent).where(waiting, col(ParkedEvent.trusted)).order_by(col(ParkedEvent.number))
    )
    return [(Envelope.read(row.body), row) for row in rows]


def next_ahead(session: Session) -> datetime | None:
    """When the next event that waits for its time may be tried again (UTC); None if there is none."""
    return min((moment for moment, _, _ in _by_moment(session)), default=None)


def whose_time_has_come(session: Session, now: datetime) -> list[Waiting]:
    """The parked events that may be tried again at ``now`` (UTC), in the order of their arrival."""
    return [(envelope, row) for moment, envelope, row in _by_moment(session) if moment <= now]


def _by_moment(session: Session) -> list[tuple[datetime, Envelope, ParkedEvent]]:
    """The events that wait for their time, each with its moment: not before the moments of those it stands behind."""
    found, latest = [], dict[tuple[str | None, str], datetime]()
    for envelope, row in parked_for(session, Retry.WHEN_TIME_COMES):
        queue, moment = (row.referral_id, envelope.link), envelope.time - AHEAD
        if row.reason in IN_TURN and row.referral_id is not None:
            moment = latest[queue] = max(moment, latest.get(queue, moment))
        found.append((moment, envelope, row))
    return found


def by_version(waiting: Iterable[Waiting]) -> list[Waiting]:
    """Parked events in the order in which they may apply. Of one version, what arrived first.

    An ask names the version that its sender knew, so it comes after the event that makes this version. Offers come in
    the order of the custody chain, since each needs the link before it.
    """
    return sorted(waiting, key=lambda one: (one[0].version or 0, _is_ask(one[0]), _link_offered(one[0])))


def _link_offered(envelope: Envelope) -> int:
    """The custody link that a request offers, or 0."""
    seq = envelope.data.get("custody_seq")
    return seq if isinstance(seq, int) else 0


def _is_ask(envelope: Envelope) -> bool:
    return issubclass(CATALOGUE.get(envelope.type, EventData), SenderAsk)
