"""Break-glass: a person without the right looks. The look is told at once, ends by itself, and gets judged."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from shared.contracts.codes import BreakGlassReason
from shared.contracts.events import BreakGlassOpened
from shared.contracts.types import UnitRef
from shared.domain.access import Role
from shared.reference.office import draft, new_id
from shared.storage.notifier import Topic
from shared.victims.identity.tables import AccessRow
from tests.support.network import Client, Network, a_victim, problem, refer, sent_by

KOLAKA, ABOVE_KOLAKA, STRANGER = "polres-74.01", "polda-sultra", "polres-11.01"
NAME = "Anggrek Contoh Rekaan"
URGENT = {"reason": "life-in-danger", "minutes": 30, "note": "Catatan rekaan: tersangka mendekat."}
TOLD_SECONDS = 5


async def look(client: Client, victim: str) -> str:
    """The name somebody is shown, or the code of the refusal."""
    answer = await client.http.get(f"/v1/victims/{victim}/identity", params={"purpose": "emergency"})
    return str(answer.json()["name"]) if answer.status_code == 200 else problem(answer)


async def listed(client: Client, fits: Any = bool, seconds: float = TOLD_SECONDS) -> list[dict[str, Any]]:
    """The list of break-glasses, long-polled until it fits."""
    seen = await client.until("/v1/break-glass", lambda page: fits(page["items"]), seconds)
    return list(seen["items"])


async def test_a_stranger_in_an_emergency_looks_and_the_desk_responsible_sees_it(network: Network) -> None:
    await network.start("police", online=False)
    owner = await network.calling("police", Role.OFFICER, KOLAKA)
    stranger = await network.calling("police", Role.OFFICER, STRANGER)
    victim = await a_victim(owner, identity={"name": NAME})
    assert await look(stranger, victim) == "unknown-victim"

    watching = asyncio.create_task(listed(owner))
    opened = await stranger.post(f"/v1/victims/{victim}/break-glass", URGENT)
    assert opened.status_code == 201, opened.text
    [seen] = await watching  # told within 5 s, holding a GET open
    assert (seen["unit"], seen["reason"], seen["verdict"]) == (STRANGER, "life-in-danger", None)
    assert await look(stranger, victim) == NAME
    # nobody else looks through the same glass, and nothing else of the case exists for who does
    other = await network.calling("police", Role.OFFICER, "polres-11.02")
    assert await look(other, victim) == "unknown-victim"
    assert problem(await stranger.http.get(f"/v1/victims/{victim}")) == "unknown-victim"

    report = await owner.get(f"/v1/victims/{victim}/access-report")
    [row] = report["looks"]
    assert (row["right"], row["through"], row["unit"]) == ("break-glass", opened.json()["id"], STRANGER)
    ended = await stranger.post(f"/v1/break-glass/{opened.json()['id']}/end")
    assert (ended.json()["end"], ended.json()["looks"]) == ("closed", 1)
    assert await look(stranger, victim) == "unknown-victim"


async def test_a_glass_is_of_the_person_who_broke_it(network: Network) -> None:
    """Two officers share a client: what one has broken, the other neither looks through nor ends."""
    await network.start("police", online=False)
    ani, budi = [await network.calling("police", Role.OFFICER, STRANGER, person) for person in ("ani", "budi")]
    victim = await a_victim(network["police"], identity={"name": NAME})
    opened = await ani.post(f"/v1/victims/{victim}/break-glass", URGENT)
    assert await look(ani, victim) == NAME
    assert await look(budi, victim) == "unknown-victim"
    assert problem(await budi.post(f"/v1/break-glass/{opened.json()['id']}/end")) == "unknown-break-glass"
    assert problem(
        await ani.post(f"/v1/victims/{victim}/break-glass", {**URGENT, "occurred_at": "2026-01-01T00:00:00Z"})
    ) == ("invalid-request")  # a look is now: nobody can say that it was long ago


async def test_who_is_at_work_sees_through_a_glass_what_their_work_does_not_need(network: Network) -> None:
    police, kemenkes = await network.start("police"), await network.start("kemenkes")
    victim = await a_victim(police, identity={"name": NAME, "nik": "7401010101010008"})
    referral = await refer(police, victim, "kemenkes", "first-aid")
    await kemenkes.until_status(referral, "received")
    await kemenkes.must(referral, "accept")
    opened = await kemenkes.post(f"/v1/victims/{victim}/break-glass", URGENT)
    assert await look(kemenkes, victim) == NAME
    ended = await kemenkes.post(f"/v1/break-glass/{opened.json()['id']}/end")
    assert ended.json()["looks"] == 1  # it was by the glass, and is told so
    [*_, seen] = (await kemenkes.get(f"/v1/victims/{victim}/access-report"))["looks"]
    assert seen["right"] == "break-glass"


async def test_who_asked_a_hospital_is_told_when_it_looks_before_it_has_accepted(network: Network) -> None:
    """A hospital does not know the holder of custody: it tells the agency that asked for the service."""
    police, kemenkes = await network.start("police"), await network.start("kemenkes")
    victim = await a_victim(police, identity={"name": NAME})
    await kemenkes.until_status(await refer(police, victim, "kemenkes", "first-aid"), "received")
    watching = asyncio.create_task(listed(police))
    assert (await kemenkes.post(f"/v1/victims/{victim}/break-glass", URGENT)).status_code == 201
    assert await look(kemenkes, victim) == NAME
    [told] = await watching
    assert (told["agency"], told["victim_id"]) == ("kemenkes", victim)


async def test_who_has_become_responsible_since_is_told_by_coordination(network: Network) -> None:
    """Police → KemenPPPA → Kemensos: the police know of the first step alone, and look."""
    police, kemenpppa, kemensos = [await network.start(code) for code in ("police", "kemenpppa", "kemensos")]
    coordination = await network.start("coordination")
    victim = await a_victim(police, identity={"name": NAME})
    steps = (police, kemenpppa, "case-management"), (kemenpppa, kemensos, "shelter-and-rehabilitation")
    for giver, taker, service in steps:
        transfer = await refer(giver, victim, taker.code, service, kind="transfer")
        await taker.until_status(transfer, "received")
        await taker.must(transfer, "accept")
        await giver.until_status(transfer, "accepted")
    await coordination.until(
        f"/v1/journeys/{victim}", lambda seen: bool(seen["custody"]) and seen["custody"]["agency"] == "kemensos"
    )
    watching = asyncio.create_task(listed(kemensos))
    glass = (await police.post(f"/v1/victims/{victim}/break-glass", URGENT)).json()["id"]
    [told] = await watching
    assert (told["id"], told["agency"], told["unit"]) == (glass, "police", "bareskrim")
    await police.post(f"/v1/break-glass/{glass}/end")
    [over] = await listed(kemensos, lambda items: items[0]["end"])
    assert over["end"] == "closed"
    operator = await network.operator("kemensos")
    assert (await operator.get("/v1/parked"))["items"] == []


async def test_the_end_of_a_look_is_told_where_its_opening_was(network: Network) -> None:
    """While the police look, KemenPPPA hands responsibility over to Kemensos: which has heard of no look."""
    police, kemenpppa, kemensos = [await network.start(code) for code in ("police", "kemenpppa", "kemensos")]
    coordination = await network.start("coordination")
    victim = await a_victim(police, identity={"name": NAME})

    async def hand_over(giver: Client, taker: Client, service: str) -> None:
        transfer = await refer(giver, victim, taker.code, service, kind="transfer")
        await taker.until_status(transfer, "received")
        await taker.must(transfer, "accept")
        await coordination.until(
            f"/v1/journeys/{victim}", lambda seen: bool(seen["custody"]) and seen["custody"]["agency"] == taker.code
        )

    await hand_over(police, kemenpppa, "case-management")
    glass = (await police.post(f"/v1/victims/{victim}/break-glass", URGENT)).json()["id"]
    await listed(kemenpppa)
    await hand_over(kemenpppa, kemensos, "shelter-and-rehabilitation")
    await police.post(f"/v1/break-glass/{glass}/end")
    await listed(kemenpppa, lambda items: items[0]["end"])
    again = (await police.post(f"/v1/victims/{victim}/break-glass", URGENT)).json()["id"]
    [seen] = await listed(kemensos)
    assert seen["id"] == again
    operator = await network.operator("kemensos")
    assert (await operator.get("/v1/parked"))["items"] == []


async def test_a_desk_sees_the_looks_it_made_and_those_at_whom_it_is_responsible_for(network: Network) -> None:
    await network.start("police", online=False)
    stranger = await network.calling("police", Role.OFFICER, STRANGER)
    victim = await a_victim(network["police"], identity={"name": NAME})
    await stranger.post(f"/v1/victims/{victim}/break-glass", URGENT)
    seen = {
        unit: len((await (await network.calling("police", Role.OFFICER, unit)).get("/v1/break-glass"))["items"])
        for unit in (KOLAKA, ABOVE_KOLAKA, STRANGER, "polres-73.71", "polda-sulsel")
    }
    assert seen == {KOLAKA: 1, ABOVE_KOLAKA: 1, STRANGER: 1, "polres-73.71": 0, "polda-sulsel": 0}


async def test_nobody_says_of_another_agency_that_it_has_looked(network: Network) -> None:
    """Kemensos tells the police that Kemenkes has looked: it is not theirs to say."""
    police = await network.start("police")
    await network.start("kemensos")
    victim = await a_victim(police)
    app = network.apps["kemensos"]

    def slander(tx: Any) -> None:
        unit = UnitRef(agency="kemenkes", unit="rs-74.71", region="74.71")
        opened = BreakGlassOpened(
            break_glass_id=new_id(), victim_id=victim, unit=unit, reason=BreakGlassReason.COURT_ORDER,
            until=tx.now + timedelta(minutes=5), occurred_at=tx.now,
        )  # fmt: skip
        tx.emit(draft(opened, "police", app.state.office.speaker(tx.now.date()), victim_id=victim))

    operator = await network.operator("police")
    with network.apps["police"].state.notifier.watching(Topic.PARKED) as watch:
        app.state.database.write(slander)
        assert await watch.next(20)
    [parked] = (await operator.get("/v1/parked"))["items"]
    assert parked["reason"] == "not-the-sender"
    assert (await police.get("/v1/break-glass"))["items"] == []


async def test_a_persons_report_leaves_no_look_out(network: Network) -> None:
    police = await network.start("police", online=False)
    victim = await a_victim(police, identity={"name": NAME})
    assert await look(police, victim) == NAME

    def often(tx: Any) -> None:
        once = tx.session.scalars(select(AccessRow)).first().model_dump(exclude={"number"})
        tx.session.add_all([AccessRow(**once) for _ in range(1000)])

    network.apps["police"].state.database.write(often)
    assert len((await police.get(f"/v1/victims/{victim}/access-report"))["looks"]) == 1001


async def test_a_break_glass_ends_by_itself_on_time_also_after_a_restart(network: Network) -> None:
    await network.start("police", online=False)
    stranger = await network.calling("police", Role.OFFICER, STRANGER)
    victim = await a_victim(network["police"], identity={"name": NAME})
    opened = (await stranger.post(f"/v1/victims/{victim}/break-glass", {**URGENT, "minutes": 10})).json()
    began, until = (datetime.fromisoformat(opened[name]) for name in ("opened_at", "until"))
    assert until - began == timedelta(minutes=10)
    network.clock.advance(timedelta(minutes=9, seconds=30))
    assert await look(stranger, victim) == NAME
    assert problem(await stranger.post(f"/v1/victims/{victim}/break-glass", {**URGENT, "minutes": 61})) == (
        "invalid-request"
    )
    await network.stop("police")
    network.clock.advance(timedelta(seconds=30))

    await network.start("police", online=False)
    [over] = await listed(network["police"], lambda items: items and items[0]["end"])
    assert over["end"] == "expired"
    stranger = await network.calling("police", Role.OFFICER, STRANGER)
    assert await look(stranger, victim) == "unknown-victim"


async def test_nobody_looks_after_its_moment_though_it_was_not_ended_yet(network: Network) -> None:
    """The timer that ends the break-glass may be late, as on a machine that slept."""
    await network.start("police", online=False)
    stranger = await network.calling("police", Role.OFFICER, STRANGER)
    victim = await a_victim(network["police"], identity={"name": NAME})
    await stranger.post(f"/v1/victims/{victim}/break-glass", {**URGENT, "minutes": 10})
    network.clock.advance(timedelta(minutes=9, seconds=50))
    assert await look(stranger, victim) == NAME
    network.clock.advance(timedelta(seconds=10))
    assert await look(stranger, victim) == "unknown-victim"


async def test_the_custody_holder_is_told_that_a_break_glass_ended_by_itself(network: Network) -> None:
    police, kemenkes = await network.start("police"), await network.start("kemenkes")
    victim = await a_victim(police, identity={"name": NAME})
    await kemenkes.until_status(await refer(police, victim, "kemenkes", "first-aid"), "received")
    await kemenkes.post(f"/v1/victims/{victim}/break-glass", URGENT)
    await listed(police)
    network.clock.advance(timedelta(minutes=30))
    await network.stop("kemenkes")
    await network.start("kemenkes")
    [over] = await listed(police, lambda items: items[0]["end"])
    assert over["end"] == "expired"


async def test_nobody_opens_a_second_while_one_is_open_or_was_judged_by_nobody(network: Network) -> None:
    """An hour is an hour. A colleague may still look, and so may who opened it once it has been judged."""
    await network.start("police", online=False)
    stranger = await network.calling("police", Role.OFFICER, STRANGER)
    victim = await a_victim(network["police"], identity={"name": NAME})
    path = f"/v1/victims/{victim}/break-glass"
    glass = (await stranger.post(path, URGENT)).json()["id"]
    refused = await stranger.post(path, URGENT)
    assert problem(refused) == "already-open" and glass in refused.json()["detail"]
    network.clock.advance(timedelta(hours=1))
    assert (await stranger.post(path, URGENT)).status_code == 201
    network.clock.advance(timedelta(hours=23))
    refused = await stranger.post(path, URGENT)
    assert problem(refused) == "review-overdue" and glass in refused.json()["detail"]
    colleague = await network.calling("police", Role.OFFICER, "polres-11.02")
    assert (await colleague.post(path, URGENT)).status_code == 201
    above = await network.calling("police", Role.SUPERVISOR, ABOVE_KOLAKA)
    await above.post(f"/v1/break-glass/{glass}/review", {"verdict": "justified"})
    assert (await stranger.post(path, URGENT)).status_code == 201


async def test_a_break_glass_without_a_review_in_a_day_is_told_once(network: Network) -> None:
    """The hospital's own supervisors do nothing; who is responsible hears of it, and so does coordination."""
    police, kemenkes = await network.start("police"), await network.start("kemenkes")
    coordination = await network.start("coordination")
    victim = await a_victim(police, identity={"name": NAME})
    await kemenkes.until_status(await refer(police, victim, "kemenkes", "first-aid"), "received")
    officers = [await network.calling("kemenkes", Role.OFFICER, person=person) for person in ("ani", "budi")]
    judged, left = [
        (await officer.post(f"/v1/victims/{victim}/break-glass", {**URGENT, "minutes": 1})).json()["id"]
        for officer in officers
    ]
    supervisor = await network.calling("kemenkes", Role.SUPERVISOR, person="citra", client="lain")
    await supervisor.post(f"/v1/break-glass/{judged}/review", {"verdict": "justified"})
    await listed(police, lambda items: any(item["verdict"] for item in items))

    network.clock.advance(timedelta(hours=23, minutes=59))
    assert not any(item["review_overdue"] for item in (await police.get("/v1/break-glass"))["items"])
    await network.stop("kemenkes")
    network.clock.advance(timedelta(minutes=1))
    await network.start("kemenkes")
    late = await listed(police, lambda items: any(item["review_overdue"] for item in items))
    assert [item["id"] for item in late if item["review_overdue"]] == [left]
    await coordination.until(
        f"/v1/journeys/{victim}",
        lambda journey: any(event["type"].endswith("review-overdue.v1") for event in journey["events"]),
    )
    await network.stop("kemenkes")
    await network.start("kemenkes")  # it was told, and is not told again
    told = [one for one in sent_by(network, "kemenkes") if one.subject.split(".")[4] == "review-overdue"]
    assert sorted(one.subject.split(".")[2] for one in told) == ["coordination", "police"]


async def test_a_second_person_judges_it_within_a_day(network: Network) -> None:
    await network.start("police", online=False)
    stranger = await network.calling("police", Role.SUPERVISOR, STRANGER, "ani")
    victim = await a_victim(network["police"], identity={"name": NAME})
    glass = (await stranger.post(f"/v1/victims/{victim}/break-glass", URGENT)).json()["id"]
    judged = {"verdict": "not-justified"}

    assert problem(await stranger.post(f"/v1/break-glass/{glass}/review", judged)) == "second-person-needed"
    at_hand = await network.calling("police", Role.SUPERVISOR, STRANGER, "ani", "lain")  # her other computer
    assert problem(await at_hand.post(f"/v1/break-glass/{glass}/review", judged)) == "second-person-needed"
    elsewhere = await network.calling("police", Role.SUPERVISOR, "polres-32.75")
    assert problem(await elsewhere.post(f"/v1/break-glass/{glass}/review", judged)) == "unknown-break-glass"
    above = await network.calling("police", Role.SUPERVISOR, ABOVE_KOLAKA)
    network.clock.advance(timedelta(hours=23, minutes=59))
    [seen] = (await above.get("/v1/break-glass"))["items"]
    assert not seen["review_overdue"]
    watching = asyncio.create_task(listed(above, lambda items: items[0]["review_overdue"]))
    network.clock.advance(timedelta(minutes=1))
    # without the wake-up, the timer sees within half a minute that the clock was set
    network.apps["police"].state.notifier.wake(Topic.BREAK_GLASS)
    await watching
    note = f"/v1/break-glass/{glass}/note"
    assert (await above.get(note)) == {"text": URGENT["note"]}  # to judge it is to know why, in their words
    assert problem(await elsewhere.http.get(note)) == "unknown-break-glass"
    [read, *_] = (await above.get(f"/v1/victims/{victim}/access-report"))["looks"]
    assert (read["right"], read["through"], read["fields"], read["unit"]) == ("review", glass, ["note"], ABOVE_KOLAKA)
    reviewed = await above.post(f"/v1/break-glass/{glass}/review", judged)
    assert (reviewed.json()["verdict"], reviewed.json()["review_overdue"]) == ("not-justified", False)
    assert problem(await above.post(f"/v1/break-glass/{glass}/review", judged)) == "already-reviewed"


async def test_the_agency_responsible_is_told_of_a_look_at_another(network: Network) -> None:
    """KemenPPPA is responsible; somebody of the police looks at what the police still have of her."""
    police, kemenpppa = await network.start("police"), await network.start("kemenpppa")
    await network.start("coordination")
    victim = await a_victim(police, identity={"name": NAME})
    transfer = await refer(police, victim, "kemenpppa", "case-management", kind="transfer")
    await kemenpppa.until_status(transfer, "received")
    await kemenpppa.must(transfer, "accept")
    await police.until_status(transfer, "accepted")
    assert await look(police, victim) == "no-identity"

    uptd = await network.calling("kemenpppa", Role.OFFICER, "uptd-ppa-74.01")
    watching = asyncio.create_task(listed(uptd))
    glass = (await police.post(f"/v1/victims/{victim}/break-glass", URGENT)).json()["id"]
    [told] = await watching
    assert (told["id"], told["agency"], told["unit"], told["client"]) == (glass, "police", "bareskrim", None)
    assert await look(police, victim) == NAME
    await police.post(f"/v1/break-glass/{glass}/end")
    [over] = await listed(uptd, lambda items: items[0]["end"])
    assert (over["end"], over["looks"]) == ("closed", 1)
    # what was written beside it stays sealed with who wrote it
    for code in ("police", "kemenpppa", "coordination"):
        engine = network.apps[code].state.database.engine
        assert "tersangka mendekat" not in dump(engine)


def dump(engine: Any) -> str:
    """A whole database as text."""
    from sqlalchemy import MetaData

    tables = MetaData()
    tables.reflect(engine)
    with engine.connect() as connection:
        return "\n".join(repr(row) for table in tables.tables.values() for row in connection.execute(table.select()))
