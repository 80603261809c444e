"""A stranger or another desk stands in nobody's way (cases/TRUST.md 3, 9)."""

from shared.contracts.types import UnitRef
from shared.domain.access import Role
from shared.reference.office import new_id
from tests.support.claims import PPA, RS, a_transfer, an_offer, say
from tests.support.network import Client, Network, a_victim, problem, refer

KOLAKA = "polres-74.01"
PPA_MAKASSAR = UnitRef(agency="kemenpppa", unit="uptd-ppa-73.71", region="73.71")


async def test_no_stranger_keeps_a_journey_open(network: Network, kemenpppa: Client, police: Client) -> None:
    """A request of a stranger to another desk of the holder, which the holder's desk can neither see nor answer."""
    victim = await a_victim(police)
    true = await a_transfer(police, victim, kemenpppa)
    await kemenpppa.must(true, "accept")
    await kemenpppa.must(true, "start")
    await kemenpppa.must(true, "complete", outcome="service-provided")
    stray = an_offer(victim, PPA_MAKASSAR, None)
    await say(network, stray, "kemenpppa", 1, 1)
    await kemenpppa.until_status(stray.referral_id, "received")
    officer = await network.calling("kemenpppa", Role.OFFICER, "uptd-ppa-74.01")
    closed = await officer.post(f"/v1/victims/{victim}/closure", {"outcome": "lost-contact", "note": "Rekaan."})
    assert closed.status_code in (201, 202), closed.text


async def test_a_request_of_a_stranger_has_no_true_request_rejected_as_its_duplicate(
    network: Network, police: Client, child: str
) -> None:
    kemenkes = await network.start("kemenkes")
    false = an_offer(child, RS, None, service="first-aid")
    await say(network, false, "kemenkes", 1, 1)
    await kemenkes.until_status(false.referral_id, "received")
    true = await refer(police, child, "kemenkes", "first-aid", priority="urgent",
                       receiver={"agency": "kemenkes", "unit": "rs-74.01"})  # fmt: skip
    seen = await kemenkes.until(f"/v1/referrals/{true}", lambda seen: seen["status"] != "requested")
    assert seen["status"] == "received", seen["reject_reason"]


async def test_a_repeated_key_shows_nothing_to_another_desk_of_the_same_client(
    network: Network, police: Client, kemenpppa: Client
) -> None:
    transfer = await a_transfer(police, await a_victim(police), kemenpppa)
    here = await network.calling("kemenpppa", Role.OFFICER, "uptd-ppa-74.01", client="sistem-besar", person="satu")
    there = await network.calling("kemenpppa", Role.OFFICER, "uptd-ppa-73.71", client="sistem-besar", person="dua")
    path, key = f"/v1/referrals/{transfer}/accept", new_id()
    assert (await here.post(path, {}, key=key, If_Match="*")).status_code == 200
    repeated = await there.post(path, {}, key=key, If_Match="*")
    assert problem(repeated) == "unknown-referral"


async def test_no_stranger_stops_the_clock_of_a_duty(network: Network, kemenpppa: Client) -> None:
    """A clock of the law watches the need: a request that the service rejects is no report to the police."""
    case = {"unit": PPA.unit, "channel": "outreach", "exploitation": "sexual", "destination": "KH"}
    opened = (await kemenpppa.post("/v1/cases", case)).json()["id"]
    facts = {"age_class": "child", "sex": "female"}
    victim = str((await kemenpppa.post(f"/v1/cases/{opened}/victims", facts)).json()["id"])

    async def duty() -> list[object]:
        kept = (await kemenpppa.get("/v1/clocks"))["items"]
        return [one["stopped_at"] for one in kept if (one["clock"], one["victim_id"]) == ("duty-to-report", victim)]

    assert await duty() == [None]
    offer = an_offer(victim, PPA, None, service="investigation")
    await say(network, offer, "kemenpppa", 1, 1)
    await kemenpppa.until_status(offer.referral_id, "rejected")
    assert await duty() == [None]
    await network.start("police")
    await refer(kemenpppa, victim, "police", "investigation")
    assert await duty() == []
