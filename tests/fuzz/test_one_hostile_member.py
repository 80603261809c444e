"""One member with valid keys says anything, as often as it likes, while the others do their honest work.

``make test`` runs it short, ``make fuzz`` long (``ESTAFET_FUZZ=long``).
"""

import os
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from deploy.local.embedded_nats import EmbeddedNats
from shared.domain.access import Role
from shared.reference.office import new_id
from tests.support.databases import Databases, SqliteDatabases
from tests.support.forms import file
from tests.support.hostile import HOSTILE, Hostile, Sort, Words, every_word, words
from tests.support.hostile_scene import HONEST, Scene, StillClock
from tests.support.identities import NOTE, WHO, consent
from tests.support.network import Network, a_victim, refer
from tests.support.whole_state import APPLIED, PostgresState, WholeState

LONG = os.environ.get("ESTAFET_FUZZ") == "long"
DECK = (*[None] * 6, *[Sort.SOUND] * 6, *[Sort.WILD] * 5, *[Sort.TAKEN_BACK] * 2, *Sort)
"""An example: six honest letters, and the sorts of hostile words. They arrive in any order."""
SAID: Mapping[Sort | None, st.SearchStrategy[Words | None]] = {None: st.none(), **{sort: words(sort) for sort in Sort}}
PARTS = ("stranger", "refused", "at-work", "former-holder")
"""The part of the hostile member in the child: none, a refusal, work, or custody that it had once."""


@pytest.fixture
async def network(tmp_path: Path, secrets: Path, database_url: Databases) -> AsyncIterator[Network]:
    """All members, with no broker between them. Their databases can be set back."""
    nats = EmbeddedNats(tmp_path / "nats", secrets)
    network = Network(tmp_path, secrets, nats, database_url, clock=StillClock())
    for code in (*HONEST, HOSTILE):
        await network.start(code, online=False)
    yield network
    await network.stop_all()


def whole_state(network: Network) -> WholeState:
    """The state of all members, on the kind of database that they have."""
    members = (*HONEST, HOSTILE)
    if isinstance(network.database_url, SqliteDatabases):
        return WholeState(network.folder, members)
    plain = {
        member: network.database_url(member).replace("postgresql+psycopg://", "postgresql://") for member in members
    }
    return PostgresState(network.folder, members, urls=plain)


async def a_scene(network: Network, part: str) -> tuple[Scene, Hostile]:
    """KemenPPPA holds a child that the police found, Kemenkes treats her; six honest letters are on their way."""
    police, kemenpppa, kemenkes = (network[code] for code in ("police", "kemenpppa", "kemenkes"))
    scene = Scene(network, whole_state(network))
    scene.child = child = await a_victim(police, age_class="child", identity=WHO)
    case = (await police.get(f"/v1/victims/{child}"))["case_id"]
    screening = await file(police, f"victims/{child}", "screening", decision="not-found", remarks="Rekaan.")
    given = await consent(police, child, guardian="agreed")
    work = await refer(police, child, "kemenkes", "examination-and-treatment", note=NOTE)
    scene.post()
    await kemenkes.must(work, "accept")
    own = await has_a_part(scene, part)
    transfer = await refer(police, child, "kemenpppa", "case-management", kind="transfer")
    scene.post()
    await kemenpppa.must(transfer, "accept")
    scene.post()
    if part == "former-holder":
        own = await had_custody(scene, transfer)
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
        referrals=[work, transfer, second, *own, new[1], child, case],
        things=[*things, work, transfer, second, child, *new],
        read=[*scene.read, *(message for step in scene.steps for _, message in step)],
        on_their_way=[*scene.unanswered, *(message for step in scene.steps for _, message in step)],
        own=own,
        other_side="kemenpppa" if part == "former-holder" else "police",
        first=100,
    )
    return scene, hostile


async def has_a_part(scene: Scene, part: str) -> list[str]:
    """The police ask the hostile member for a shelter; it takes the child on, or refuses. Answers the referral.

    Nobody asks a stranger, or the former holder at this time.
    """
    if part not in ("refused", "at-work"):
        return []
    hostile = scene.network[HOSTILE]
    own = await refer(scene.network["police"], scene.child, HOSTILE, "shelter-and-rehabilitation")
    scene.post()
    if part == "at-work":
        await hostile.must(own, "accept")
    else:
        await hostile.must(own, "reject", reason="no-capacity")
    scene.post()
    return [own]


async def had_custody(scene: Scene, transfer: str) -> list[str]:
    """KemenPPPA hands the child over to the hostile member, and takes her back. Answers both transfers."""
    hostile, kemenpppa = scene.network[HOSTILE], scene.network["kemenpppa"]
    scene.former = True
    for action, more in (("start", {}), ("complete", {"outcome": "service-provided"})):
        await kemenpppa.must(transfer, action, **more)  # the same is not asked twice while it goes on
    there = await refer(kemenpppa, scene.child, HOSTILE, "shelter-and-rehabilitation", kind="transfer")
    scene.post()
    await hostile.must(there, "accept")
    scene.post()
    back = await refer(hostile, scene.child, "kemenpppa", "case-management", kind="transfer")
    scene.post()
    await kemenpppa.must(back, "accept")
    scene.post()
    return [there, back]


async def protected(scene: Scene) -> list[str]:
    """KemenPPPA writes her identity a consent and a legal hold; Kemenkes breaks the glass. Answers the new ids."""
    network, child = scene.network, scene.child
    kemenpppa = network["kemenpppa"]
    wrote = await kemenpppa.post(f"/v1/victims/{child}/identity", {"phone": "+628000000010", "statement": "Rekaan."})
    assert wrote.status_code == 200, wrote.text
    agreed = await consent(kemenpppa, child, guardian="agreed")
    head = await network.calling("kemenpppa", Role.SUPERVISOR)
    held = await head.post(f"/v1/victims/{child}/legal-holds", {"basis": "trial"})
    assert held.status_code == 201, held.text
    glass = await (await network.calling("kemenkes", Role.SUPERVISOR)).post(
        f"/v1/victims/{child}/break-glass", {"reason": "court-order", "minutes": 30}
    )
    assert glass.status_code == 201, glass.text
    return [agreed["id"], glass.json()["id"]]


async def are_on_their_way(scene: Scene, work: str, second: str) -> None:
    """Honest members write, and each of their letters waits for its turn. The first is a receipt for an outcome."""
    network, child = scene.network, scene.child
    refused = await refer(network["kemenpppa"], child, "police", "temporary-protection")
    scene.post()
    await network["police"].must(refused, "reject", reason="no-capacity")
    scene.passes_on()
    scene.withholds()
    assert isinstance(network.clock, StillClock)
    network.clock.stopped = network.clock()
    await network["police"].must(work, "remind")
    scene.withholds()
    staged = await network["kemenpppa"].post(f"/v1/victims/{child}/stages", {"stage": "after-care"})
    assert staged.status_code == 201, staged.text
    scene.withholds()
    for action, more in (("start", {}), ("hold", {"reason": "scheduled"})):
        await network["kemenkes"].must(second, action, **more)
        scene.withholds()
    scene.steps[-2:] = reversed(scene.steps[-2:])  # the second letter overtakes the first
    await refer(network["kemenpppa"], child, "kemenkes", "examination-and-treatment")
    scene.withholds()


SEEN = {
    Sort.OF_ANOTHER: "not-the-sender",
    Sort.NO_DESK: "unknown-desk",
    Sort.OUT_OF_BOUNDS: "out-of-bounds",
    Sort.ASTRAY: "not-for-this-receiver",
    Sort.TOO_EARLY: "occurred-before-its-cause",
    Sort.WILD: "occurred-after-it-was-told",
    Sort.RECEIPT: "receipt-of-unknown-event",
}
"""Sort → a reason that it must meet. A stranger and a member that refused have no part whose words could be early."""
MANY, SOME = 24, 1


def much_was_said(outcomes: Counter[tuple[Sort, str]], part: str) -> None:
    """Every sort of hostile word reached reception often, and what is not spoilt was also believed."""
    reached: Counter[Sort] = Counter()
    for (sort, _), many in outcomes.items():
        reached[sort] += many
    assert min(reached[sort] for sort in Sort) >= MANY, reached
    parked = {sort: reached[sort] - outcomes[sort, APPLIED] for sort in Sort}
    assert min(parked.values()) >= SOME, parked
    believed = {Sort.SOUND, Sort.AHEAD, Sort.RECEIPT} | (set() if part == "stranger" else {Sort.TAKEN_BACK})
    assert min(outcomes[sort, APPLIED] for sort in believed) >= SOME, outcomes
    early = {Sort.TOO_EARLY} if part in ("stranger", "refused") else set()
    assert min(outcomes[sort, reason] for sort, reason in SEEN.items() if sort not in early) >= SOME, outcomes


def plays(scene: Scene, hostile: Hostile, said: Sequence[Words | None]) -> None:
    """One example: hostile words, and honest letters in between. Nothing honest is ever missing or changed."""
    scene.begin()
    hostile.begin()
    done = 0
    for one in said:
        if one is not None:
            scene.hears(hostile, one)
        elif done < len(scene.steps):
            scene.delivers(scene.steps[done])
            done += 1
        scene.unharmed(done)
    scene.time_passes()
    scene.unharmed(done)
    scene.counts()


@pytest.mark.timeout(0 if LONG else 900)  # it plays hundreds of events to five members, and the machine may be busy
@pytest.mark.parametrize("part", PARTS)
async def test_whatever_one_member_says_the_others_keep_what_they_have(network: Network, part: str) -> None:
    scene, hostile = await a_scene(network, part)
    scene.begin()
    texts = scene.texts()
    assert len(texts) >= 6
    on_sqlite = isinstance(network.database_url, SqliteDatabases)

    @settings(
        max_examples=300 if LONG else 24 if on_sqlite else 4,
        suppress_health_check=list(HealthCheck),
        derandomize=True,
        database=None,
        phases=(Phase.generate,),
    )
    @given(st.permutations(DECK).flatmap(lambda deck: st.tuples(*(SAID[sort] for sort in deck))))
    def holds(said: Sequence[Words | None]) -> None:
        plays(scene, hostile, said)
        assert not texts - scene.texts()

    plays(scene, hostile, list(every_word(len(hostile.on_their_way), len(hostile.members))))
    holds()
    if on_sqlite:
        much_was_said(scene.outcomes, part)
    scene.state.close()
