"""A member that makes many events wait costs its reader an attempt for each of them, not for each pair."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event as sql

from shared.contracts import events as e
from shared.contracts.codes import HoldReason
from shared.contracts.envelope import Envelope
from shared.contracts.types import Custody
from shared.messaging.broker import Incoming
from shared.messaging.parked import settle
from shared.reference.office import new_id
from tests.support.by_hand import parked, posted
from tests.support.claims import POLRES, PPA, RS, an_offer, arrive, letter
from tests.support.network import Network, a_victim, refer

MANY = 40
AGAIN = 2
"""The most attempts at an event that waits: one after the first change, and one after the last."""


@dataclass
class Work:
    """What a member did in a while."""

    statements: int = 0
    parsed: int = 0
    """Envelopes that were parsed."""
    tried: int = 0
    """Attempts at events that had waited."""


@contextmanager
def counted(network: Network, code: str, patch: pytest.MonkeyPatch) -> Iterator[Work]:
    work = Work()
    read = Envelope.read

    def statement(*_: Any) -> None:
        work.statements += 1

    def reads(body: bytes) -> Envelope:
        work.parsed += 1
        return read(body)

    def settles(*told: Any) -> None:
        work.tried += 1
        settle(*told)

    engine = network.apps[code].state.database.engine
    sql.listen(engine, "before_cursor_execute", statement)
    with patch.context() as patched:
        patched.setattr(Envelope, "read", reads)
        patched.setattr("shared.messaging.reception.settle", settles)
        yield work
    sql.remove(engine, "before_cursor_execute", statement)


def reminders(network: Network, offer: e.Requested, first: int, many: int) -> list[Incoming]:
    ask = e.Reminder(referral_id=offer.referral_id, victim_id=offer.victim_id, occurred_at=offer.occurred_at)
    return [letter(network, "kemensos", "kemenkes", ask, n, 1) for n in range(first, first + many)]


async def test_twice_as_many_reminders_that_wait_for_a_request_are_twice_the_work(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    await network.start("kemenkes", online=False)
    costs = []
    for first, many in ((1, MANY), (1000, 2 * MANY)):
        offer = an_offer(new_id(), RS, None, service="examination-and-treatment")
        arrive(network, "kemenkes", *reminders(network, offer, first, many))
        request = letter(network, "kemensos", "kemenkes", offer, first + many, 1)
        with counted(network, "kemenkes", monkeypatch) as work:
            arrive(network, "kemenkes", request)
        assert (work.parsed, work.tried) == (1 + many, many)
        costs.append(work.statements)
    assert parked(network) == [("unknown-referral", True, False)] * 3 * MANY
    assert costs[1] < 2 * costs[0]


async def a_request_at_coordination(network: Network) -> dict[str, Any]:
    """The police ask Kemensos for a shelter, and coordination knows it. Answers what an answer names."""
    police, _ = await network.start("police", online=False), await network.start("coordination", online=False)
    victim = await a_victim(police)
    referral = await refer(police, victim, "kemensos", "shelter-and-rehabilitation")
    arrive(network, "coordination", *posted(network, "police", "coordination"), *posted(network, "police", "kemensos"))
    return {"referral_id": referral, "victim_id": victim, "occurred_at": network.clock()}


def work_on(named: dict[str, Any]) -> list[e.ReferralEvent]:
    """So many versions of a referral: Kemensos takes it on, and pauses again and again."""
    pause = [e.Held(**named, reason=HoldReason.AWAITING_INFORMATION), e.Resumed(**named)]
    return [e.Received(**named), e.Accepted(**named), e.Started(**named), *pause * (MANY // 2)]


async def test_versions_that_apply_do_not_each_try_what_they_cannot_help(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kemensos also "requests" with the same id, about people that coordination does not know."""
    named = await a_request_at_coordination(network)
    said = work_on(named)
    first, *versions = [letter(network, "kemensos", "police", one, v, v) for v, one in enumerate(said, 2)]
    claims = [an_offer(new_id(), RS, None, referral_id=named["referral_id"]) for _ in range(MANY)]
    letters = [letter(network, "kemensos", "kemenkes", one, n, 1) for n, one in enumerate(claims, 1)]
    arrive(network, "coordination", *versions, *letters)
    with counted(network, "coordination", monkeypatch) as work:
        arrive(network, "coordination", first)
    applied = [("version-gap", True, False)] * len(versions)
    assert sorted(parked(network, "coordination")) == [*[("not-theirs-to-say", False, False)] * MANY, *applied]
    assert work.tried <= len(versions) + AGAIN * MANY
    assert work.parsed == 1 + len(versions) + MANY


async def test_each_ask_that_waits_for_its_version_is_tried_once_right_after_it(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The police remind of every version of Kemensos; coordination reads each reminder before the version."""
    named = await a_request_at_coordination(network)
    said = list(enumerate(work_on(named), 2))
    versions = [letter(network, "kemensos", "police", one, v, v) for v, one in said]
    asks = [letter(network, "police", "kemensos", e.Reminder(**named), 100 + v, v) for v, _ in said]
    arrive(network, "coordination", *asks, *versions[1:])
    with counted(network, "coordination", monkeypatch) as work:
        arrive(network, "coordination", versions[0])
    assert set(parked(network, "coordination")) == {("version-gap", True, False)}
    assert work.tried == len(asks) + len(versions[1:])


async def test_requests_whose_time_comes_at_once_do_not_each_try_all_that_is_said_of_the_victim(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    await network.start("kemenkes", online=False)
    victim, now, ahead = new_id(), network.clock(), timedelta(minutes=10)
    heard = [
        e.VictimInterviewed(victim_id=victim, occurred_at=now, unit=PPA, interview_id=new_id()) for _ in range(MANY)
    ]
    arrive(network, "kemenkes", *(letter(network, "kemenpppa", "kemenkes", one, n) for n, one in enumerate(heard, 1)))
    network.clock.advance(-ahead)
    offers = [an_offer(victim, RS, None, service="examination-and-treatment") for _ in range(MANY)]
    arrive(
        network, "kemenkes", *(letter(network, "kemensos", "kemenkes", one, n, 1) for n, one in enumerate(offers, 1))
    )
    network.clock.advance(ahead)
    state = network.apps["kemenkes"].state
    with counted(network, "kemenkes", monkeypatch) as work:
        assert state.database.write(state.reception.try_ahead) == MANY
    applied = [("told-ahead-of-time", True, False)] * MANY
    assert sorted(parked(network)) == [*[("not-theirs-to-say", False, False)] * MANY, *applied]
    assert work.tried <= MANY + AGAIN * MANY
    assert work.parsed == 2 * MANY


def links_backwards(network: Network, victim: str, many: int, first: int) -> list[Incoming]:
    """In-house transfers of the police, the last link first, each with its answers."""
    said = []
    for seq in range(many + 1, 1, -1):
        offer = an_offer(victim, POLRES, seq, sender=POLRES)
        took = Custody(**POLRES.model_dump(), seq=seq)
        named: dict[str, Any] = {
            "referral_id": offer.referral_id,
            "victim_id": victim,
            "occurred_at": offer.occurred_at,
        }
        three = (offer, e.Received(**named), e.Accepted(**named, custody=took))
        number = first + 3 * (many + 1 - seq)
        said += [letter(network, "police", "police", one, number + v, v) for v, one in enumerate(three, 1)]
    return said


async def test_a_chain_that_is_told_backwards_is_tried_in_its_order(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    for code in ("police", "coordination"):
        await network.start(code, online=False)
    tried = []
    for many, first in ((MANY // 2, 100), (MANY, 400)):
        victim = await a_victim(network["police"])
        arrive(network, "coordination", *posted(network, "police", "coordination"))
        *waiting, request, received, accepted = links_backwards(network, victim, many, first)
        arrive(network, "coordination", *waiting, request, received)
        with counted(network, "coordination", monkeypatch) as work:
            arrive(network, "coordination", accepted)
        tried.append(work.tried)
        journey = await network["coordination"].get(f"/v1/journeys/{victim}")
        assert len(journey["custody_chain"]) == many + 1
    assert tried == [3 * (MANY // 2 - 1), 3 * (MANY - 1)]
