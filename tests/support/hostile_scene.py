"""A scene of honest members at work, with one hostile member that says anything in between."""

import itertools
import json
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlmodel import Session

from shared.domain.trust import Since
from shared.messaging.broker import Incoming
from shared.victims.sealed import store as sealed
from shared.victims.sealed.tables import SealedRow
from tests.support.by_hand import deliver
from tests.support.hostile import HOSTILE, SPOILT, Hostile, Sort, Words
from tests.support.network import Network, TestClock
from tests.support.trust import SINCE
from tests.support.whole_state import APPLIED, Row, WholeState

HONEST = ("police", "kemenpppa", "kemenkes", "coordination")
AGENCIES = HONEST[:3]
CAME_ALONG = ("sealed", "data_keys", "blind_index", "clocks")
"""Tables whose rows name the referral that brought them, and not its sender."""
DISPUTED = {
    "victims": frozenset({"facts_differ", "sex_disputed", "home_disputed"}),
    "referrals": frozenset({"facts_meet"}),
}
"""Table → the columns that show only that two agencies state facts of a victim."""
HALF_AN_HOUR = timedelta(minutes=31)
"""After this time no event is dated ahead any more."""
Letter = tuple[str, Incoming]
"""A member, and a message that it receives."""


@dataclass
class StillClock(TestClock):
    """A clock that can be stopped, so that two runs of one story have the same moments."""

    stopped: datetime | None = None

    def __call__(self) -> datetime:
        """Now, or the moment at which the clock stopped."""
        return self.stopped + self.ahead if self.stopped else super().__call__()


@dataclass
class Scene:
    """Honest members at work for a child, and their letters, of which some have not arrived."""

    network: Network
    state: WholeState
    child: str = ""
    read: list[Incoming] = field(default_factory=list)
    """Every letter that has arrived somewhere."""
    unanswered: list[Incoming] = field(default_factory=list)
    """Those of them whose answers are still on their way."""
    steps: list[list[Letter]] = field(default_factory=list)
    """Each honest step: the letters that arrive with it."""
    expected: list[dict[str, Counter[Row]]] = field(default_factory=list)
    """The state of each member after so many honest steps, without a hostile word."""
    former: bool = False
    """Whether the hostile member had custody of the child."""
    outcomes: Counter[tuple[Sort, str]] = field(default_factory=Counter)
    """Of the hostile words: how often what became of which sort."""
    _posted: dict[str, int] = field(default_factory=dict)
    _touched: set[str] = field(default_factory=set)
    """The members that received a letter since the last look at their state."""
    _spoken: list[tuple[str, str, Words]] = field(default_factory=list)
    """A reader, the id of an event, and its words."""

    def collects(self, *members: str) -> list[Letter]:
        """The letters that members have written since, each with its reader. Coordination reads all of them."""
        letters = []
        for by in members or HONEST:
            for place, to, message in self.state.written(by, self._posted.get(by, 0)):
                letters += [(reader, message) for reader in dict.fromkeys((to, "coordination")) if reader != by]
                self._posted[by] = place
        return letters

    def delivers(self, letters: Sequence[Letter]) -> None:
        """Let letters arrive, with all the answers to them."""
        while letters:
            for to, message in letters:
                deliver(self.network, message, to=to)
                self._touched.add(to)
            letters = self.collects()

    def post(self) -> None:
        """Let everything arrive that anybody has written."""
        letters = self.collects(*HONEST, HOSTILE)
        while letters:
            self.read += [message for _, message in letters]
            for to, message in letters:
                deliver(self.network, message, to=to)
            letters = self.collects(*HONEST, HOSTILE)

    def passes_on(self) -> None:
        """Let what anybody has written arrive, and no answer to it."""
        for to, message in self.collects():
            self.read.append(message)
            self.unanswered.append(message)
            deliver(self.network, message, to=to)

    def withholds(self) -> None:
        """What was written since the last post arrives later, as one honest step."""
        self.steps.append(self.collects())

    def saved(self) -> None:
        """From here on every example begins. Play the honest steps alone, and remember the state after each."""
        self.state.save()
        self._begun = dict(self._posted)
        self.expected = [self.seen()]
        for letters in self.steps:
            self.delivers(letters)
            self.expected.append(self.seen())

    def begin(self) -> None:
        """Set everybody back to the saved state."""
        self.state.restore()
        self._posted, self._spoken = dict(self._begun), []

    def seen(self) -> dict[str, Counter[Row]]:
        """The state of each honest member."""
        return {member: self.state.rows(member) for member in HONEST}

    def texts(self) -> Counter[Any]:
        """Every text that an honest agency can open, with its origin."""
        found: Counter[Any] = Counter()
        for member in AGENCIES:
            state = self.network.apps[member].state

            def look(session: Session, at: Any = state, by: str = member) -> None:
                for row in session.scalars(select(SealedRow)):
                    what = sealed.opened(session, at.office, row)
                    found.update([(by, sealed.origin(row.source), tuple(sorted(what.items())))] if what else [])

            state.database.read(look)
        return found

    def unharmed(self, after: int) -> None:
        """Nothing of the honest is missing or changed, and every new row is the hostile member's own."""
        for member in self._touched & {*HONEST}:
            now, expected = self.state.rows(member), self.expected[after][member]
            added, gone = now - expected, expected - now
            for row, changed in itertools.product([*gone], [*added]):
                if is_disputed(row, changed):
                    del added[changed], gone[row]
            missing = [row for row in gone if not is_its_gift(row)]
            assert not missing, (member, missing, added)
            theirs = [str(dict(columns)["id"]) for table, columns in added if table == "referrals"]
            foreign = [row for row in added if not is_its_own(row, theirs, self.child, self.former)]
            assert not foreign, member
        self._touched.clear()

    def hears(self, hostile: Hostile, said: Words) -> None:
        """A hostile word arrives, and coordination reads it too. The members answer."""
        to, message = hostile.says(said)
        readers = [reader for reader in dict.fromkeys((to, "coordination")) if reader != HOSTILE]
        self.delivers([(reader, message) for reader in readers])
        event_id = json.loads(message.body)["id"]
        self._spoken += [(reader, event_id, said) for reader in readers]

    def time_passes(self) -> None:
        """No event is dated ahead any more, and every honest member tries its parked events again."""
        for reader, event_id, said in self._spoken:
            assert said.sort is not Sort.AHEAD or self.state.outcome(reader, event_id) != APPLIED, (reader, said)
        self.network.clock.advance(HALF_AN_HOUR)
        for member in HONEST:
            state = self.network.apps[member].state
            state.database.write(state.reception.try_ahead)
            self._touched.add(member)
        self.delivers(self.collects())
        self.network.clock.advance(-HALF_AN_HOUR)

    def counts(self) -> None:
        """Count what became of every hostile word. A spoilt word is believed nowhere."""
        for reader, event_id, said in self._spoken:
            outcome = self.state.outcome(reader, event_id)
            self.outcomes[said.sort, outcome] += 1
            assert outcome != APPLIED or not is_spoilt(said, reader), (reader, said)


def is_spoilt(said: Words, reader: str) -> bool:
    """Whether a reader can see that an event is spoilt. Coordination alone knows when a victim was registered."""
    unseen = said.sort is Sort.TOO_EARLY and Since.REGISTRATION in SINCE[said.kind] and reader != "coordination"
    return said.sort in SPOILT and not unseen


def is_its_gift(row: Row) -> bool:
    """Whether a row says what an honest member received from the hostile one, which may take that back."""
    table, columns = row
    values = dict(columns)
    return table == "disclosures" and values["agency"] == HOSTILE and values["given"] in (0, "False")


def is_disputed(row: Row, changed: Row) -> bool:
    """Whether a changed row shows only that the hostile member states facts of the victim too.

    Facts that it gave itself, with the custody, are the new holder's own then.
    """
    (table, columns), (name, now) = row, changed
    if table == name == "referrals" and dict(columns)["id"] == dict(now)["id"] and HOSTILE in dict(columns).values():
        return True  # it is a side of this one, and may ask or answer; the custody stands in rows of its own
    shown = DISPUTED.get(table, frozenset())
    if table == "victims" and ("facts_from", HOSTILE) in columns:
        shown |= {"facts_from"}
    return table == name and {column for column, _ in {*columns} - {*now}} <= shown


def is_its_own(row: Row, theirs: Collection[str], child: str, former: bool) -> bool:
    """Whether a new row names the hostile member or its things, and is no custody of the child.

    A stage of the child is its own where it had custody once.
    """
    table, columns = row
    values = dict(columns)
    if values.get("victim_id") == child and (table == "custody_links" or (table == "stages" and not former)):
        return False
    if table == "interviews" and values["agency"] in (None, "None"):
        return True  # a request brings the ids of earlier interviews, and no row tells which agency named them
    return HOSTILE in values.values() or (table in CAME_ALONG and any(one in str(columns) for one in theirs))
