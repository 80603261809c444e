"""A receiver that gives two answers of one version is believed once, and by every reader the same.

The first answer is dated ahead. Coordination was down meanwhile, and reads both when both are of the past.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from shared.contracts import events as e
from shared.contracts.codes import JourneyOutcome, Outcome, RejectReason
from shared.contracts.envelope import Draft, write
from shared.contracts.types import Custody, UnitRef
from shared.domain.access import Role
from shared.reference.office import new_id
from tests.support.by_hand import parked
from tests.support.claims import PPA, a_transfer, parked_reasons
from tests.support.network import Client, Network, refer
from tests.support.wire import key_of, publish, subject_of, until_parked

AHEAD = timedelta(minutes=6)
FIRST_THEN_SECOND, OUT_OF_ORDER = (50, 51), (51, 50)


async def tell(
    network: Network, data: e.ReferralEvent | e.JourneyClosed, linkseq: int, at: datetime, version: int | None = None
) -> None:
    """KemenPPPA, which means ill, says something dated ``at``: to the police, or to coordination."""
    to = "police" if version else "coordination"
    body = write(Draft(new_id(), data, to, PPA.unit, PPA.region, data.victim_id, version), "kemenpppa", linkseq, at)
    await publish(
        network, "kemenpppa", subject_of("kemenpppa", to, data), body, key_of(network, "kemenpppa").sign(body)
    )


@dataclass(frozen=True)
class Answers:
    """The answers that KemenPPPA may give to a transfer."""

    transfer: str
    child: str
    at: datetime
    receiver: UnitRef

    @property
    def accepted(self) -> e.Accepted:
        custody = Custody(**dict(self.receiver), seq=2)
        return e.Accepted(referral_id=self.transfer, victim_id=self.child, occurred_at=self.at, custody=custody)

    @property
    def rejected(self) -> e.Rejected:
        reason = RejectReason.NO_CAPACITY
        return e.Rejected(referral_id=self.transfer, victim_id=self.child, occurred_at=self.at, reason=reason)

    def called(self, name: str) -> e.ReferralEvent:
        return self.accepted if name == "accepted" else self.rejected


async def asked(network: Network, police: Client, kemenpppa: Client, child: str) -> Answers:
    """The police have asked. Then coordination is down, and KemenPPPA speaks without its service."""
    transfer = await a_transfer(police, child, kemenpppa)
    seen = await police.until_status(transfer, "received")
    await network["coordination"].until(
        f"/v1/journeys/{child}", lambda j: any(one["type"] == e.Received.type() for one in j["events"])
    )
    await network.stop("coordination")
    await network.stop("kemenpppa")
    return Answers(transfer, child, network.clock(), UnitRef.model_validate(seen["receiver"]))


async def the_time_comes(network: Network, *members: str) -> None:
    network.clock.advance(2 * AHEAD)
    for member in members:
        network.apps[member].state.notifier.wake("parked")
        # tokens of before are over
        network.clients[member] = await network.calling(member, Role.OFFICER)


async def two_answers(
    network: Network, police: Client, kemenpppa: Client, child: str, first: str, numbers: tuple[int, int]
) -> Answers:
    """KemenPPPA gives two answers, the first dated ahead. Coordination reads both late."""
    answers = await asked(network, police, kemenpppa, child)
    second = "rejected" if first == "accepted" else "accepted"
    await tell(network, answers.called(first), numbers[0], network.clock() + AHEAD, 3)
    await until_parked(network, "police", "told-ahead-of-time")
    await tell(network, answers.called(second), numbers[1], network.clock(), 3)
    await until_parked(network, "police", "behind-one-ahead")
    assert (await police.get(f"/v1/referrals/{answers.transfer}"))["status"] == "received"
    await the_time_comes(network, "police")
    await network["police"].until_status(answers.transfer, first)
    await network.start("coordination")
    for member in ("police", "coordination"):
        assert (await until_parked(network, member, "version-conflict"))["trusted"]
    return answers


@pytest.mark.parametrize("numbers", [FIRST_THEN_SECOND, OUT_OF_ORDER], ids=str)
@pytest.mark.parametrize("first", ["accepted", "rejected"])
async def test_the_sender_and_coordination_agree_who_is_responsible(
    network: Network, police: Client, kemenpppa: Client, child: str, first: str, numbers: tuple[int, int]
) -> None:
    await two_answers(network, police, kemenpppa, child, first, numbers)
    here = (await network["police"].get(f"/v1/victims/{child}"))["custody"]["agency"]
    journey = await network["coordination"].get(f"/v1/journeys/{child}")
    assert journey["custody"]["agency"] == here == ("kemenpppa" if first == "accepted" else "police")
    assert [(one["reason"], one["sender"]) for one in journey["contradictions"]] == [("version-conflict", "kemenpppa")]


async def test_who_is_left_responsible_transfers_her_elsewhere(
    network: Network, police: Client, kemenpppa: Client, child: str
) -> None:
    await two_answers(network, police, kemenpppa, child, "rejected", FIRST_THEN_SECOND)
    kemensos = await network.start("kemensos")
    true = await refer(network["police"], child, "kemensos", "shelter-and-rehabilitation", kind="transfer")
    await kemensos.until_status(true, "received")
    await kemensos.post(f"/v1/referrals/{true}/custody-check")
    await kemensos.until(f"/v1/referrals/{true}", lambda one: one["sender_custody"] == "confirmed")


async def test_her_journey_is_not_ended_by_whom_she_was_not_left_to(
    network: Network, police: Client, kemenpppa: Client, child: str
) -> None:
    await two_answers(network, police, kemenpppa, child, "rejected", FIRST_THEN_SECOND)
    end = e.JourneyClosed(victim_id=child, outcome=JourneyOutcome.LOST_CONTACT, unit=PPA, occurred_at=network.clock())
    await tell(network, end, 50, network.clock())
    await until_parked(network, "coordination", "not-in-custody")
    assert (await network["coordination"].get(f"/v1/journeys/{child}"))["closed_at"] is None


async def test_an_honest_clock_that_was_put_right_loses_nothing(
    network: Network, police: Client, kemenpppa: Client, child: str
) -> None:
    """It accepted with a clock six minutes ahead. Then the clock is right again, and the work goes on."""
    answers = await asked(network, police, kemenpppa, child)
    about = {"referral_id": answers.transfer, "victim_id": child}
    await tell(network, answers.accepted, 50, network.clock() + AHEAD, 3)
    await tell(network, e.Started(**about, occurred_at=network.clock()), 51, network.clock(), 4)
    done = e.Completed(**about, occurred_at=network.clock(), outcome=Outcome.SERVICE_PROVIDED)
    await tell(network, done, 52, network.clock(), 5)
    assert await parked_reasons(network, "police", 3) == ["told-ahead-of-time", "version-gap", "version-gap"]
    await the_time_comes(network, "police")
    await network["police"].until_status(answers.transfer, "completed")
    assert all(resolved for _, resolved, _ in parked(network, "police"))
    await network.start("coordination")
    journey = await network["coordination"].until(
        f"/v1/journeys/{child}", lambda seen: [one["status"] for one in seen["handovers"]] == ["completed"]
    )
    assert journey["contradictions"] == [] and journey["custody"]["agency"] == "kemenpppa"


async def test_who_says_the_same_twice_is_no_alarm(
    network: Network, police: Client, kemenpppa: Client, child: str
) -> None:
    answers = await asked(network, police, kemenpppa, child)
    for linkseq in (50, 51):
        await tell(network, answers.accepted, linkseq, network.clock(), 3)
    await until_parked(network, "police", "version-repeated")
    await tell(network, answers.accepted.model_copy(update={"occurred_at": network.clock()}), 52, network.clock(), 3)
    await until_parked(network, "police", "version-conflict")


@pytest.mark.parametrize("how", ["the clock", "an operator"])
async def test_what_came_first_goes_first_whoever_tries_it_again(
    network: Network, police: Client, kemenpppa: Client, child: str, how: str
) -> None:
    """Both answers are dated ahead, and the second comes of age first."""
    answers = await asked(network, police, kemenpppa, child)
    await tell(network, answers.accepted, 50, network.clock() + 2 * AHEAD, 3)
    await tell(network, answers.rejected, 51, network.clock() + AHEAD, 3)
    assert await parked_reasons(network, "police", 2) == ["told-ahead-of-time"] * 2
    network.clock.advance(AHEAD)
    if how == "an operator":
        operator = await network.operator("police")
        items = (await operator.get("/v1/parked"))["items"]
        replayed = await operator.post(f"/v1/parked/{max(item['number'] for item in items)}/replay")
        assert "behind-one-ahead" in replayed.json()["detail"]
    await the_time_comes(network, "police")
    await network["police"].until_status(answers.transfer, "accepted")
    await until_parked(network, "police", "version-conflict")
