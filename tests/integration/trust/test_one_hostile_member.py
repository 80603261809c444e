"""One member with valid keys says anything, as often as it likes, while the others do their honest work."""

from collections import Counter
from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlmodel import Session

from deploy.local.embedded_nats import EmbeddedNats
from shared.domain.access import Role
from shared.messaging.broker import Incoming
from shared.reference.office import new_id
from shared.victims.sealed import store as sealed
from shared.victims.sealed.tables import SealedRow
from tests.support.by_hand import deliver
from tests.support.databases import SqliteDatabases
from tests.support.forms import file
from tests.support.hostile import HOSTILE, Hostile, Words, words
from tests.support.identities import NOTE, WHO, consent
from tests.support.network import Network, TestClock, a_victim, refer
from tests.support.whole_state import Row, WholeState

HONEST = ("police", "kemenpppa", "kemenkes", "coordination")
AGENCIES = HONEST[:3]
PARTS = ("stranger", "refused", "at-work")
"""The part of the hostile member in the child: none, it refused, or it is at work on another service."""
CAME_ALONG = ("sealed", "data_keys", "blind_index", "clocks")
"""Tables whose rows name the referral that brought them, and not its sender."""
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
    steps: list[list[Letter]] = field(default_factory=list)
    """Each honest step: the letters that arrive with it."""
    expected: list[dict[str, Counter[Row]]] = field(default_factory=list)
    """The state of each member after so many honest steps, without a hostile word."""
    _posted: dict[str, int] = field(default_factory=dict)

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
            letters = self.collects()

    def post(self) -> None:
        """Let everything arrive that anybody has written."""
        letters = self.collects(*HONEST, HOSTILE)
        while letters:
            self.read += [message for _, message in letters]
            for to, message in letters:
                deliver(self.network, message, to=to)
            letters = self.collects(*HONEST, HOSTILE)

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
        self._posted = dict(self._begun)

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
        """Nothing of the honest is missing or changed, and what was added is the hostile member's own."""
        for member, expected in self.expected[after].items():
            now = self.state.rows(member)
            added = now - expected
            assert not expected - now, (member, added)
            theirs = [str(dict(columns)["id"]) for table, columns in added if table == "referrals"]
            foreign = [row for row in added if not is_its_own(row, theirs, self.child)]
            assert not foreign, member


def is_its_own(row: Row, theirs: Collection[str], child: str) -> bool:
    """Whether a new row names the hostile member or its things, and is no custody or stage of the child."""
    table, columns = row
    values = dict(columns)
    if table in ("custody_links", "stages") and values["victim_id"] == child:
        return False
    return HOSTILE in values.values() or (table in CAME_ALONG and any(one in str(columns) for one in theirs))


@pytest.fixture
async def network(tmp_path: Path, secrets: Path) -> AsyncIterator[Network]:
    """All members, with no broker between them. The files of SQLite can be set back."""
    nats = EmbeddedNats(tmp_path / "nats", secrets)
    network = Network(tmp_path, secrets, nats, SqliteDatabases(tmp_path), clock=StillClock())
    for code in (*HONEST, HOSTILE):
        await network.start(code, online=False)
    yield network
    await network.stop_all()


async def a_scene(network: Network, part: str) -> tuple[Scene, Hostile]:
    """KemenPPPA holds a child that the police found, Kemenkes treats her; four honest letters are on their way."""
    police, kemenpppa, kemenkes = (network[code] for code in ("police", "kemenpppa", "kemenkes"))
    scene = Scene(network, WholeState(network.folder, (*HONEST, HOSTILE)))
    scene.child = child = await a_victim(police, age_class="child", identity=WHO)
    case = (await police.get(f"/v1/victims/{child}"))["case_id"]
    screening = await file(police, f"victims/{child}", "screening", decision="not-found", remarks="Rekaan.")
    given = await consent(police, child, guardian="agreed")
    work = await refer(police, child, "kemenkes", "examination-and-treatment", note=NOTE)
    scene.post()
    await kemenkes.must(work, "accept")
    await has_a_part(scene, part)
    transfer = await refer(police, child, "kemenpppa", "case-management", kind="transfer")
    scene.post()
    await kemenpppa.must(transfer, "accept")
    scene.post()
    things = [case, screening["id"], given["id"], *await protected(scene)]
    second = await refer(kemenpppa, child, "kemenkes", "first-aid")
    scene.post()
    await kemenkes.must(second, "accept")
    scene.post()
    await are_on_their_way(scene, work, second)
    scene.saved()
    new = [new_id() for _ in range(3)]
    hostile = Hostile(
        network,
        (*HONEST, HOSTILE),
        victims=[child, new[0], case, work],
        referrals=[work, transfer, second, new[1], child, case],
        things=[*things, work, transfer, second, child, *new],
        read=scene.read,
        first=100,
    )
    return scene, hostile


async def has_a_part(scene: Scene, part: str) -> None:
    """The police ask the hostile member for a shelter; it takes the child on, or refuses. A stranger is not asked."""
    if part == "stranger":
        return
    hostile = scene.network[HOSTILE]
    own = await refer(scene.network["police"], scene.child, HOSTILE, "shelter-and-rehabilitation")
    scene.post()
    if part == "at-work":
        await hostile.must(own, "accept")
    else:
        await hostile.must(own, "reject", reason="no-capacity")
    scene.post()


async def protected(scene: Scene) -> list[str]:
    """KemenPPPA writes her identity and a consent, two agencies hold, Kemenkes breaks the glass; the new ids."""
    network, child = scene.network, scene.child
    kemenpppa = network["kemenpppa"]
    wrote = await kemenpppa.post(f"/v1/victims/{child}/identity", {"phone": "+628000000010", "statement": "Rekaan."})
    assert wrote.status_code == 200, wrote.text
    agreed = await consent(kemenpppa, child, guardian="agreed")
    for code in ("police", "kemenpppa"):
        head = await network.calling(code, Role.SUPERVISOR)
        held = await head.post(f"/v1/victims/{child}/legal-holds", {"basis": "trial"})
        assert held.status_code == 201, held.text
    glass = await (await network.calling("kemenkes", Role.SUPERVISOR)).post(
        f"/v1/victims/{child}/break-glass", {"reason": "court-order", "minutes": 30}
    )
    assert glass.status_code == 201, glass.text
    return [agreed["id"], glass.json()["id"]]


async def are_on_their_way(scene: Scene, work: str, second: str) -> None:
    """Four honest members write, and each of their letters waits for its turn."""
    network, child = scene.network, scene.child
    assert isinstance(network.clock, StillClock)
    network.clock.stopped = network.clock()
    await network["police"].must(work, "remind")
    scene.withholds()
    staged = await network["kemenpppa"].post(f"/v1/victims/{child}/stages", {"stage": "after-care"})
    assert staged.status_code == 201, staged.text
    scene.withholds()
    await network["kemenkes"].must(second, "start")
    scene.withholds()
    await refer(network["kemenpppa"], child, "kemenkes", "examination-and-treatment")
    scene.withholds()


@pytest.mark.parametrize("part", PARTS)
async def test_whatever_one_member_says_the_others_keep_what_they_have(network: Network, part: str) -> None:
    scene, hostile = await a_scene(network, part)
    scene.begin()
    texts = scene.texts()
    assert len(texts) >= 6

    @settings(
        max_examples=45,
        suppress_health_check=list(HealthCheck),
        derandomize=True,
        database=None,
        phases=(Phase.generate,),
    )
    @given(st.lists(words() | st.none(), min_size=10, max_size=30))
    def holds(said: list[Words | None]) -> None:
        scene.begin()
        hostile.begin()
        done = 0
        for one in said:
            if one is None:
                if done < len(scene.steps):
                    scene.delivers(scene.steps[done])
                    done += 1
            else:
                to, message = hostile.says(one)
                scene.delivers(
                    [(reader, message) for reader in dict.fromkeys((to, "coordination")) if reader != HOSTILE]
                )
            scene.unharmed(done)
        assert not texts - scene.texts()

    holds()
    scene.state.close()
