"""A custody link cannot begin before the link that it continues (cases/TRUST.md 10, decision 0036)."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlmodel import col

from services.coordination.tables import CustodyRow
from shared.contracts import events as e
from shared.contracts.codes import JourneyOutcome
from shared.contracts.envelope import Draft, write
from shared.contracts.types import Custody, UnitRef
from shared.domain.access import Role
from shared.messaging.broker import Incoming
from shared.reference.office import new_id
from tests.support.by_hand import said
from tests.support.claims import DINSOS, PPA, a_transfer, an_offer, arrive, say
from tests.support.network import Client, Network, asking, problem, refer
from tests.support.wire import key_of, subject_of, until_parked

OTHER = UnitRef(agency="kemenpppa", unit="uptd-ppa-73.71", region="73.71")
MINUTE = timedelta(minutes=1)


async def taken_over(network: Network, child: str) -> datetime:
    """KemenPPPA takes the child over from the police. Answers a moment right before that."""
    true = await a_transfer(network["police"], child, network["kemenpppa"])
    before = network.clock()
    await network["kemenpppa"].must(true, "accept")
    centre = network["coordination"]
    await centre.until(f"/v1/journeys/{child}", lambda seen: seen["custody"]["agency"] == "kemenpppa")
    await network.stop("kemenpppa")
    return before


async def hands_over_in_house(network: Network, child: str, at: datetime) -> None:
    """KemenPPPA, which means ill, hands her from one of its desks to another, and tells an earlier moment."""
    offer = an_offer(child, OTHER, 3, sender=PPA, occurred_at=at, due_at=at + timedelta(days=7))
    named = {"referral_id": offer.referral_id, "victim_id": child, "occurred_at": at}
    accepted = e.Accepted.model_validate({**named, "custody": Custody(**dict(OTHER), seq=3)})
    said = (offer, e.Received.model_validate(named), accepted)
    for version, one in enumerate(said, 1):
        await say(network, one, "kemenpppa", 70 + version, version, by="kemenpppa")


async def responsible(network: Network, child: str, at: datetime) -> str:
    found = await network["coordination"].get(f"/v1/journeys/{child}/custody", at=at.isoformat())
    return str(found["custody"]["agency"])


async def test_no_holder_takes_over_the_past_of_the_holder_before(
    network: Network, police: Client, kemenpppa: Client, child: str
) -> None:
    first = datetime.now(UTC)
    network.clock.advance(timedelta(days=3))
    for member in ("police", "kemenpppa"):
        network.clients[member] = await network.calling(member, Role.OFFICER)
    network.clients["coordination"] = await network.calling("coordination", Role.COORDINATOR)
    await taken_over(network, child)
    assert await responsible(network, child, first) == "police"
    await hands_over_in_house(network, child, first)
    await until_parked(network, "coordination", "occurred-before-its-cause")
    assert await responsible(network, child, first) == "police"


async def test_what_two_clocks_may_differ_takes_over_no_past_either(
    network: Network, police: Client, kemenpppa: Client, child: str
) -> None:
    """Link by link it would add up to days."""
    before = await taken_over(network, child)
    await hands_over_in_house(network, child, before - 4 * MINUTE)
    centre = network["coordination"]
    await centre.until(f"/v1/journeys/{child}", lambda seen: seen["custody"]["unit"] == OTHER.unit)
    database = network.apps["coordination"].state.database
    begun = select(col(CustodyRow.since)).where(col(CustodyRow.victim_id) == child).order_by(col(CustodyRow.seq))
    links = database.read(lambda session: list(session.scalars(begun)))
    assert len(links) == 3 and links == sorted(links)


async def test_a_desk_tells_no_transfer_from_before_its_own_custody(
    network: Network, police: Client, kemenpppa: Client, child: str
) -> None:
    """Coordination would park it for good."""
    asked = await a_transfer(police, child, kemenpppa)
    before = network.clock()
    network.clock.advance(10 * MINUTE)
    await kemenpppa.must(asked, "accept")
    told = {"kind": "transfer", "occurred_at": before.isoformat()}
    refused = await kemenpppa.post("/v1/referrals", asking(child, "kemensos", "shelter-and-rehabilitation", **told))
    assert problem(refused) == "occurred-too-early"


def tells(network: Network, to: str, data: Any, linkseq: int, at: datetime, version: int | None = None) -> None:
    """KemenPPPA, which means ill, writes an event at a moment of its choice. The receiver and coordination read it."""
    body = write(Draft(new_id(), data, to, PPA.unit, PPA.region, data.victim_id, version), "kemenpppa", linkseq, at)
    signature = key_of(network, "kemenpppa").sign(body)
    letter = Incoming(subject_of("kemenpppa", to, data), body, signature, None)  # type: ignore[arg-type]
    for reader in {to, "coordination"}:
        arrive(network, reader, letter)


def accepts(network: Network, to: str, about: dict[str, Any], seq: int, linkseq: int, written: datetime) -> None:
    """KemenPPPA receives and accepts a transfer of the child. ``about``: the fields of both events."""
    taken = {**about, "custody": Custody(**dict(PPA), seq=seq)}
    for number, one in enumerate((e.Received.model_validate(about), e.Accepted.model_validate(taken))):
        tells(network, to, one, linkseq + number, written, 2 + number)


async def known_to_coordination(network: Network, child: str, referral: str) -> None:
    def has(seen: dict[str, Any]) -> bool:
        return referral in [one["id"] for one in seen["handovers"]]

    await network["coordination"].until(f"/v1/journeys/{child}", has)


async def held_by_kemensos(network: Network, child: str) -> Client:
    """KemenPPPA accepts link 2, dated ahead as far as is allowed. It hands her on, and Kemensos accepts link 3 now."""
    police, kemensos, centre = network["police"], await network.start("kemensos"), network["coordination"]
    first = await refer(police, child, "kemenpppa", "case-management", kind="transfer")
    await known_to_coordination(network, child, first)
    ahead = datetime.now(UTC) + timedelta(minutes=4, seconds=58)
    accepts(network, "police", {"referral_id": first, "victim_id": child, "occurred_at": ahead}, 2, 1, ahead)
    offer = an_offer(child, DINSOS, 3, sender=PPA, service="shelter-and-rehabilitation")
    tells(network, "kemensos", offer, 1, datetime.now(UTC), 1)
    await kemensos.must(offer.referral_id, "accept")
    await centre.until(f"/v1/journeys/{child}", lambda seen: seen["custody"]["agency"] == "kemensos")
    return kemensos


async def test_the_giver_and_coordination_see_one_holder_whatever_moments_a_third_tells(
    network: Network, police: Client, coordination: Client, child: str
) -> None:
    """Kemensos hands her back. KemenPPPA tells that it accepted five minutes before it was asked."""
    kemensos = await held_by_kemensos(network, child)
    back = await refer(kemensos, child, "kemenpppa", "case-management", kind="transfer")
    await known_to_coordination(network, child, back)
    asked = datetime.fromisoformat((await kemensos.get(f"/v1/referrals/{back}"))["requested_at"])
    early = {"referral_id": back, "victim_id": child, "occurred_at": asked - timedelta(minutes=4, seconds=59)}
    accepts(network, "kemensos", early, 4, 2, datetime.now(UTC))
    there = await kemensos.get(f"/v1/victims/{child}")
    here = await coordination.get(f"/v1/journeys/{child}")
    assert (there["custody"]["agency"], here["custody"]["agency"]) == ("kemenpppa", "kemenpppa")
    assert (await (await network.operator("coordination")).get("/v1/parked"))["items"] == []


async def test_an_end_stands_at_coordination_that_its_own_agency_takes(
    network: Network, police: Client, coordination: Client, child: str
) -> None:
    """Kemensos ends the journey in those minutes: the moment that KemenPPPA told before reopens nothing."""
    await held_by_kemensos(network, child)
    lost, now = JourneyOutcome.LOST_CONTACT, datetime.now(UTC)
    end = e.JourneyClosed(victim_id=child, outcome=lost, unit=DINSOS, occurred_at=now)
    said(network, "kemensos", "coordination", end)
    seen = await coordination.until(f"/v1/journeys/{child}", lambda seen: seen["closed_at"] or seen["reopened_at"])
    assert (seen["outcome"], seen["reopened_at"]) == ("lost-contact", None)
