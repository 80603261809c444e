"""A custody link cannot begin before the link that it continues (cases/TRUST.md 10, decision 0036)."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import select
from sqlmodel import col

from services.coordination.tables import CustodyRow
from shared.contracts import events as e
from shared.contracts.types import Custody, UnitRef
from shared.domain.access import Role
from tests.support.claims import PPA, a_transfer, an_offer, say
from tests.support.network import Client, Network, asking, problem
from tests.support.wire import until_parked

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
