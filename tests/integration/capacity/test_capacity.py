"""Before somebody is sent, one knows whether there is room: desks say it, and everybody is told."""

from datetime import timedelta
from typing import Any

from shared.contracts.events import DeskDescribed
from shared.contracts.types import UnitRef
from shared.domain.access import Role
from shared.reference.office import draft, new_id
from shared.storage.unit_of_work import Database, Transaction
from tests.support.network import Client, Network, a_victim, asking, problem, refer
from tests.support.wire import until_parked

KOLAKA = "74.01"
CARE, AID = "examination-and-treatment", "first-aid"


async def shown(agency: Client, service: str = CARE, region: str = KOLAKA) -> dict[str, str | None]:
    """Desk → its word, nearest first."""
    page = await agency.get("/v1/capacity", agency="kemenkes", service=service, region=region)
    return {desk["unit"]: desk["capacity"] for desk in page["items"]}


async def announce(kemenkes: Client, desk: str, capacity: str, service: str = CARE, **more: Any) -> dict[str, Any]:
    said = await kemenkes.post(f"/v1/desks/{desk}/capacity", {"service": service, "capacity": capacity, **more})
    assert said.status_code == 201, said.text
    return dict(said.json())


async def until_shown(agency: Client, desk: str, capacity: str | None, service: str = CARE) -> None:
    """Wait until an agency has heard of it: by a long poll of the links."""
    await agency.until(
        f"/v1/capacity?agency=kemenkes&service={service}&region={KOLAKA}",
        lambda page: any((d["unit"], d["capacity"]) == (desk, capacity) for d in page["items"]),
    )


async def test_a_full_hospital_is_asked_by_nobody_and_the_refusal_names_another(network: Network) -> None:
    police, kemenkes = await network.start("police"), await network.start("kemenkes")
    nearest, *_, last = (await shown(police)).keys()
    assert set((await shown(police)).values()) == {None}
    makassar = (await kemenkes.get("/v1/units", agency="kemenkes", serving="73.71"))["items"][0]["unit"]
    await announce(kemenkes, makassar, "waitlist")
    await announce(kemenkes, nearest, "no-capacity")
    await until_shown(police, nearest, "no-capacity")
    desks = list(await shown(police))
    assert (desks[0], desks[-1]) == (nearest, makassar)

    victim = await a_victim(police)
    wanted = asking(victim, "kemenkes", CARE)
    refused = await police.post("/v1/referrals", wanted)
    assert problem(refused) == "desk-is-full"
    assert makassar in refused.json()["detail"] and refused.json()["errors"][0]["field"] == "/receiver"
    assert (await police.get("/v1/referrals"))["items"] == []
    await refer(police, victim, "kemenkes", CARE, receiver={"agency": "kemenkes", "unit": makassar})
    await refer(police, victim, "kemenkes", CARE, force=True)
    assert last  # the nation's desk stands behind all of them


async def test_nobody_waits_for_first_aid_because_a_hospital_is_full(network: Network) -> None:
    police, kemenkes = await network.start("police"), await network.start("kemenkes")
    nearest = next(iter(await shown(police, AID)))
    await announce(kemenkes, nearest, "no-capacity", AID)
    await until_shown(police, nearest, "no-capacity", AID)
    await refer(police, await a_victim(police), "kemenkes", AID, priority="stat")


async def test_a_word_holds_for_as_long_as_it_was_given_for(network: Network) -> None:
    police, kemenkes = await network.start("police"), await network.start("kemenkes")
    nearest = next(iter(await shown(police)))
    await announce(kemenkes, nearest, "no-capacity", hours=2)
    await until_shown(police, nearest, "no-capacity")
    network.clock.advance(timedelta(hours=2))
    assert (await shown(police))[nearest] is None
    await refer(police, await a_victim(police), "kemenkes", CARE)


async def test_the_latest_word_counts_in_whatever_order_it_is_entered(network: Network) -> None:
    kemenkes = await network.start("kemenkes", online=False)
    nearest, now = next(iter(await shown(kemenkes))), network.clock()
    await announce(kemenkes, nearest, "capacity", occurred_at=(now - timedelta(hours=1)).isoformat())
    await announce(kemenkes, nearest, "no-capacity", occurred_at=(now - timedelta(hours=3)).isoformat())
    assert (await shown(kemenkes))[nearest] == "capacity"
    await announce(kemenkes, nearest, "no-capacity")
    assert (await shown(kemenkes))[nearest] == "no-capacity"


async def test_a_list_of_people_is_not_begun_for_a_full_shelter(network: Network) -> None:
    police, kemensos = await network.start("police"), await network.start("kemensos")
    service = "shelter-and-rehabilitation"
    desk = (await police.get("/v1/units", agency="kemensos", serving="65.03"))["items"][0]["unit"]
    said = await kemensos.post(f"/v1/desks/{desk}/capacity", {"service": service, "capacity": "no-capacity"})
    assert said.status_code == 201
    path = f"/v1/capacity?agency=kemensos&service={service}&region=65.03"
    await police.until(path, lambda page: page["items"][0]["capacity"] == "no-capacity")
    opened = {"unit": "polres-65.03", "channel": "immigration", "exploitation": "forced-labour"}
    case = (await police.post("/v1/cases", opened)).json()["id"]
    ask = {"service": service, "receiver": {"agency": "kemensos"}, "basis": "public-task"}
    people = [{"age_class": "adult", "sex": "male"}]
    refused = await police.post(f"/v1/cases/{case}/batches", {"refer": [ask], "people": people})
    assert problem(refused) == "desk-is-full" and refused.json()["errors"][0]["field"] == "/refer/0/receiver"
    assert (await police.get(f"/v1/cases/{case}"))["victims"] == []
    forced = await police.post(f"/v1/cases/{case}/batches", {"refer": [{**ask, "force": True}], "people": people})
    assert problem(forced) == "force-not-in-lists"


async def test_only_a_desk_speaks_for_itself(network: Network) -> None:
    kemenkes = await network.start("kemenkes", online=False)
    nearest = next(iter(await shown(kemenkes)))
    for body, code, field in (
        ({"service": "no-such", "capacity": "capacity"}, "unknown-service", "/service"),
        ({"service": CARE, "capacity": "perhaps"}, "invalid-request", "/capacity"),
        ({"service": CARE, "capacity": "capacity", "hours": 169}, "invalid-request", "/hours"),
        ({"service": CARE, "capacity": "capacity", "occurred_at": "2999-01-01T00:00:00Z"},
         "occurred-in-the-future", "/occurred_at"),
    ):  # fmt: skip
        refused = await kemenkes.post(f"/v1/desks/{nearest}/capacity", body)
        assert (problem(refused), refused.json()["errors"][0]["field"]) == (code, field)
    elsewhere = (await kemenkes.get("/v1/units", agency="kemenkes", serving="73.71"))["items"][0]["unit"]
    other = await network.calling("kemenkes", Role.OFFICER, elsewhere)
    body = {"service": CARE, "capacity": "capacity"}
    assert problem(await other.post(f"/v1/desks/{nearest}/capacity", body)) == "not-your-unit"
    assert problem(await other.post("/v1/desks/polres-74.01/capacity", body)) == "unknown-unit"
    for query, code in (
        ({"service": "no-such"}, "unknown-service"),
        ({"region": "99.99"}, "unknown-region"),
    ):
        asked = {"agency": "kemenkes", "service": CARE, "region": KOLAKA, **query}
        assert problem(await kemenkes.http.get("/v1/capacity", params=asked)) == code
    assert set((await shown(kemenkes)).values()) == {None}


async def until_described(
    agency: Client, desk: str, wanted: dict[str, Any], of: str = "kemenkes", service: str = CARE
) -> None:
    """Wait until an agency knows what a desk says of itself."""
    await agency.until(
        f"/v1/capacity?agency={of}&service={service}&region={KOLAKA}",
        lambda page: any((d["unit"], d["described"]) == (desk, wanted) for d in page["items"]),
    )


async def test_a_referring_desk_knows_the_abilities_of_hospitals(network: Network) -> None:
    police, kemenkes = await network.start("police"), await network.start("kemenkes")
    desk = next(iter(await shown(police)))
    path = f"/v1/desks/{desk}/forms/facility"
    able = {"kind": "ppt-hospital", "abilities": ["emergency", "forensic"]}
    filed = await kemenkes.post(path, able)
    assert filed.status_code == 201, filed.text
    for agency in (police, kemenkes):
        await until_described(agency, desk, {"facility": able})

    # what was so before is not so now; what was written wrongly never was
    last_year = (network.clock() - timedelta(days=365)).isoformat()
    before = {**able, "kind": "puskesmas", "occurred_at": last_year, "note": "Rekaan: dari arsip."}
    assert (await kemenkes.post(path, before)).status_code == 201
    right = {"kind": "hospital", "abilities": ["emergency"]}
    told = {**right, "corrects": filed.json()["id"], "occurred_at": filed.json()["occurred_at"]}
    assert (await kemenkes.post(path, told)).status_code == 201
    for agency in (police, kemenkes):
        await until_described(agency, desk, {"facility": right})


async def test_a_referring_desk_knows_the_free_beds_of_shelters(network: Network) -> None:
    police, kemensos = await network.start("police"), await network.start("kemensos")
    service = "shelter-and-rehabilitation"
    page = await police.get("/v1/capacity", agency="kemensos", service=service, region=KOLAKA)
    desk = page["items"][0]["unit"]
    beds = {"female_adult": 4, "male_adult": 0, "female_child": 2, "male_child": 0, "separate": 1}
    assert (await kemensos.post(f"/v1/desks/{desk}/forms/shelter-beds", beds)).status_code == 201
    await until_described(police, desk, {"shelter-beds": beds}, "kemensos", service)


async def test_nobody_describes_the_desk_of_another(network: Network) -> None:
    _, police = await network.start("kemenkes"), await network.start("police")
    database: Database = network.apps["kemenkes"].state.database
    [theirs] = (await police.get("/v1/units", agency="police", serving=KOLAKA))["items"][:1]
    desk = UnitRef(agency="police", unit=theirs["unit"], region=theirs["region"])

    def lie(tx: Transaction) -> None:
        facts = {"kind": "hospital"}
        said = DeskDescribed(record_id=new_id(), unit=desk, form="facility", facts=facts, occurred_at=tx.now)
        tx.emit(draft(said, "police", desk))

    database.write(lie)
    await until_parked(network, "police", "not-the-sender")
    page = await police.get("/v1/capacity", agency="police", service="investigation", region=KOLAKA)
    assert {desk["unit"]: desk["described"] for desk in page["items"]}[theirs["unit"]] == {}
