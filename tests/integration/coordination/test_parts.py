"""A province sees the part of a journey in which its own desks stood, and nothing outside of it."""

import json
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from shared.contracts.events import VictimRegistered
from shared.domain.access import Role
from shared.domain.anonymity import day_of
from tests.support.console_pages import page_of
from tests.support.network import Client, Network, a_victim, refer, sent_by

KOLAKA, BANDA_ACEH, MAKASSAR = "74.01", "11.71", "73.71"
NOTHING_OF_HER = {"stage": None, "custody": None, "custody_name": None, "registered_at": None, "closed_at": None,
                  "outcome": None, "reopened_at": None, "facts": None}  # fmt: skip


async def at_province(network: Network, code: str, role: Role = Role.COORDINATOR) -> Client:
    """The task force of a province."""
    return await network.calling("coordination", role, f"gugus-tugas-{code}")


async def seen_by(client: Client, victim: str) -> dict[str, Any]:
    """The journey as this client sees it."""
    return dict(await client.get(f"/v1/journeys/{victim}"))


async def everything(client: Client, victim: str) -> list[Any]:
    """Every answer about the victim that a client gets, with the tag of its view."""
    view = await client.http.get(f"/v1/journeys/{victim}")
    held = [await client.get(f"/v1/journeys/{victim}/custody", at=at) for at in ("2020-01-01T00:00:00Z", LATER)]
    rows = [item for item in (await client.get("/v1/journeys"))["items"] if item["victim_id"] == victim]
    listed = [(await client.get("/v1/journeys", **asked))["items"] for asked in ASKED]
    return [view.text, view.headers["etag"], held, rows, listed, await client.get("/v1/counts")]


LATER = "2100-01-01T00:00:00Z"
ASKED = ({"open": "true"}, {"open": "false"}, {"stage": "protection"}, {"agency": "kemenpppa"}, {"region": "11"},
         {"overdue": "true"}, {"escalated": "true"}, {"alarmed": "true"})  # fmt: skip


async def refused_and_handed_over(network: Network) -> tuple[str, str]:
    """Police of Kolaka ask a hospital in Makassar, which refuses, and transfer the victim to Banda Aceh."""
    police, kemenkes, kemenpppa = [network[code] for code in ("police", "kemenkes", "kemenpppa")]
    victim = await a_victim(police, f"polres-{KOLAKA}", home_region="74.02")
    hospital = {"agency": "kemenkes", "unit": f"rs-{MAKASSAR}"}
    asked = await refer(police, victim, "kemenkes", "first-aid", receiver=hospital)
    await kemenkes.until_status(asked, "received")
    await kemenkes.must(asked, "reject", reason="no-capacity")
    await police.until_status(asked, "rejected")
    network.clock.advance(timedelta(days=1))
    desk = {"agency": "kemenpppa", "unit": f"uptd-ppa-{BANDA_ACEH}"}
    transfer = await refer(police, victim, "kemenpppa", "case-management", kind="transfer", receiver=desk)
    await kemenpppa.until_status(transfer, "received")
    for action in ("accept", "start"):
        await kemenpppa.must(transfer, action)
    return victim, transfer


def stands_at(status: str, seen: dict[str, Any]) -> bool:
    """Whether the first hand-over of a journey has this status."""
    return bool(seen["handovers"][0]["status"] == status)


async def test_each_province_sees_its_own_part(network: Network) -> None:
    for code in ("police", "kemenkes", "kemenpppa", "coordination"):
        await network.start(code)
    registered = network.clock()
    victim, transfer = await refused_and_handed_over(network)
    centre = network["coordination"]
    await centre.until(f"/v1/journeys/{victim}", lambda seen: seen["stage"] == "protection")

    asked = await at_province(network, "73")  # its hospital was asked once, and refused
    seen = await seen_by(asked, victim)
    assert seen["part"] == "handovers" and {name: seen[name] for name in NOTHING_OF_HER} == NOTHING_OF_HER
    assert (seen["case_id"], seen["custody_chain"], seen["stages"], seen["alarms"]) == (None, [], [], [])
    [handover] = seen["handovers"]
    assert (handover["receiver"]["unit"], handover["status"]) == (f"rs-{MAKASSAR}", "rejected")
    assert {event["type"].split(".")[2] for event in seen["events"]} == {"referral"} and len(seen["events"]) == 3

    before = await at_province(network, "74")  # its police found her
    seen = await seen_by(before, victim)
    assert seen["part"] == "until" and {name: seen[name] for name in NOTHING_OF_HER} == NOTHING_OF_HER
    [link] = seen["custody_chain"]
    assert (link["unit"], link["since"]) == (f"polres-{KOLAKA}", str(day_of(registered)))
    assert link["until"] == str(day_of(registered + timedelta(days=1)))
    assert [stage["stage"] for stage in seen["stages"]] == ["detection"]
    assert [one["id"] for one in seen["handovers"]][-1] == transfer  # where she went: its own desk sent her there

    now = await at_province(network, "11")  # holds her
    seen = await seen_by(now, victim)
    assert (seen["part"], seen["stage"]) == ("whole", "protection") and len(seen["custody_chain"]) == 2
    assert seen["facts"] == {"age_class": "adult", "sex": "female", "home": "74", "exploitation": "online-scam",
                             "destination": "KH"}  # fmt: skip
    for other in (centre, await at_province(network, "11", Role.AUDITOR)):
        whole = await seen_by(other, victim)
        assert whole["facts"] is None and {**whole, "facts": seen["facts"]} == seen
    stranger = await at_province(network, "53")
    assert (await stranger.http.get(f"/v1/journeys/{victim}")).status_code == 404
    for client in (asked, before):
        assert (await client.get(f"/v1/journeys/{victim}/custody", at=LATER))["custody"] is None


async def test_what_happens_elsewhere_changes_nothing_for_who_has_no_part_in_it(network: Network) -> None:
    """Neither an answer nor its tag: who waits with it is told of nothing."""
    for code in ("police", "kemenkes", "kemenpppa", "coordination"):
        await network.start(code)
    victim, transfer = await refused_and_handed_over(network)
    kemenpppa, centre = network["kemenpppa"], network["coordination"]
    await centre.until(f"/v1/journeys/{victim}", lambda seen: seen["stage"] == "protection")
    provinces = [await at_province(network, code) for code in ("73", "74")]
    known = [await everything(client, victim) for client in provinces]

    done = await kemenpppa.post(f"/v1/victims/{victim}/stages", {"stage": "reintegration"})
    assert done.status_code == 201, done.text
    desk = {"agency": "police", "unit": f"polres-{BANDA_ACEH}"}
    further = await refer(kemenpppa, victim, "police", "investigation", receiver=desk)
    await centre.until(f"/v1/journeys/{victim}", lambda seen: further in [one["id"] for one in seen["handovers"]])
    await network["police"].until_status(further, "received")
    await centre.until(f"/v1/journeys/{victim}", lambda seen: seen["handovers"][-1]["status"] == "received")
    assert (await seen_by(centre, victim))["stage"] == "reintegration"
    assert [await everything(client, victim) for client in provinces] == known
    for client, answers in zip(provinces, known, strict=True):
        waited = await client.http.get(f"/v1/journeys/{victim}", headers={"If-None-Match": answers[1]})
        assert waited.status_code == 304
    # what does happen in its part is told to it at once
    await kemenpppa.must(transfer, "complete", outcome="service-provided")
    await provinces[1].until(f"/v1/journeys/{victim}", lambda seen: seen["handovers"][-1]["status"] == "completed")


async def test_a_province_at_work_sees_the_journey_while_it_works(network: Network) -> None:
    """A hospital in Makassar treats a victim of Kolaka: her province follows her, and then no more."""
    police, kemenkes = await network.start("police"), await network.start("kemenkes")
    centre = await network.start("coordination")
    victim = await a_victim(police, f"polres-{KOLAKA}")
    hospital = {"agency": "kemenkes", "unit": f"rs-{MAKASSAR}"}
    asked = await refer(police, victim, "kemenkes", "first-aid", receiver=hospital)
    await kemenkes.until_status(asked, "received")
    sulsel = None
    for action, body, status, part in (
        ("accept", {}, "accepted", "whole"),
        ("start", {}, "in-progress", "whole"),
        ("hold", {"reason": "scheduled"}, "on-hold", "whole"),
        ("resume", {}, "in-progress", "whole"),
        ("complete", {"outcome": "service-provided"}, "completed", "handovers"),
    ):
        if sulsel is None:
            await centre.until(f"/v1/journeys/{victim}", lambda seen: bool(seen["handovers"]))
            sulsel = await at_province(network, "73")
            assert (await seen_by(sulsel, victim))["part"] == "handovers"
        await kemenkes.must(asked, action, **body)
        await centre.until(f"/v1/journeys/{victim}", partial(stands_at, status))
        seen = await seen_by(sulsel, victim)
        assert (seen["part"], seen["custody"] is not None, seen["facts"]) == (part, part == "whole", None), action


async def test_coordination_is_told_the_province_of_a_home_and_shows_days(network: Network) -> None:
    police, coordination = await network.start("police"), await network.start("coordination")
    victim = await a_victim(police, f"polres-{KOLAKA}", home_region="74.02")
    seen = await coordination.until(f"/v1/journeys/{victim}", lambda journey: journey["registered_at"] is not None)
    told = [json.loads(one.body) for one in sent_by(network, "police")]
    [registered] = [one["data"] for one in told if one["type"] == VictimRegistered.type()]
    assert registered["facts"]["home_region"] == "74"
    assert (await police.get(f"/v1/victims/{victim}"))["home_region"] == "74.02"  # which the police do know

    today = str(day_of(network.clock()))
    assert seen["registered_at"] == seen["stages"][0]["occurred_at"] == seen["custody_chain"][0]["since"] == today
    assert {event["time"] for event in seen["events"]} == {today}
    for made in (victim, seen["case_id"]):  # a UUIDv7 begins with its milliseconds
        assert moment_of(made) == moment_of(made).replace(hour=0, minute=0, second=0, microsecond=0)
    page = await page_of(network.apps["coordination"], Role.COORDINATOR, "pusat", f"/journeys/{victim}")
    assert today not in page.text and day_of(network.clock()).strftime("%d-%m-%Y") in page.text
    assert "WIB" not in page.text


def moment_of(made: str) -> datetime:
    """The moment that a UUIDv7 tells."""
    return datetime.fromtimestamp(int(made.replace("-", "")[:12], 16) / 1000, UTC)


async def test_the_holder_of_a_day_is_the_same_at_each_of_its_hours(network: Network) -> None:
    """Or else a caller would find the minute of a registration by asking again and again."""
    police, coordination = await network.start("police"), await network.start("coordination")
    victim = await a_victim(police)
    await coordination.until(f"/v1/journeys/{victim}", lambda seen: seen["registered_at"] is not None)
    day = network.clock().astimezone(UTC)
    midnight = datetime.combine(day_of(day), datetime.min.time(), UTC) - timedelta(hours=7)
    hours = [midnight + timedelta(hours=hour) for hour in range(24)]
    found = [await coordination.get(f"/v1/journeys/{victim}/custody", at=at.isoformat()) for at in hours]
    assert found == [found[0]] * 24 and found[0]["custody"]["agency"] == "police"
    before = midnight - timedelta(microseconds=1)
    assert (await coordination.get(f"/v1/journeys/{victim}/custody", at=before.isoformat()))["custody"] is None
