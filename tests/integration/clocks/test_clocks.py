"""Clocks at work: each side of a hand-over keeps one. A clock tells once, in time, with nobody logged in."""

import json
from datetime import datetime
from typing import Any

import pytest

from shared.casework.clocks.tables import ClockRow
from shared.domain.access import Role
from shared.storage import timers as deadlines
from tests.support.clocks import DAY, HOUR, told_by
from tests.support.network import Network, a_victim, asking, problem, refer, until_told

KOLAKA, SULTRA, BARESKRIM = "polres-74.01", "polda-sultra", "bareskrim"


# --- both sides -------------------------------------------------------------------------------------------------------


async def test_a_hospital_that_never_answers_is_told_of_to_the_province_and_the_nation(network: Network) -> None:
    """Its service is down: the police hear of it by their own clock, and so does everybody above."""
    police, coordination = await network.start("police"), await network.start("coordination")
    victim = await a_victim(police)
    asked = await refer(police, victim, "kemenkes", "first-aid", priority="urgent")
    start = datetime.fromisoformat((await police.get(f"/v1/referrals/{asked}"))["requested_at"])
    [kept] = (await police.get("/v1/clocks"))["items"]
    assert (kept["about"], kept["clock"], kept["unit"], kept["peer"]) == (
        (asked, "first-aid-medium-risk", KOLAKA, "kemenkes")
    )
    assert (kept["state"], kept["basis"]) == ("running", "Standar UPTD PPA")

    network.clock.advance(4 * HOUR)
    await until_told(network, "police", 1)
    assert [event["step"] for event in told_by(network, "police")] == ["warned"]
    network.clock.advance(2 * HOUR)
    await until_told(network, "police", 2)
    assert [event["step"] for event in told_by(network, "police")] == ["warned", "breached"]
    [kept] = (await police.get("/v1/clocks", state="overdue", unit=KOLAKA))["items"]
    network.clock.advance(24 * HOUR)
    await until_told(network, "police", 4)
    *_, province, nation = told_by(network, "police")
    assert (province["to"]["unit"], province["level"]) == (SULTRA, "province")
    assert (nation["to"]["unit"], nation["level"]) == (BARESKRIM, "national")
    moments = [datetime.fromisoformat(event["occurred_at"]) - start for event in told_by(network, "police")]
    assert moments == [4 * HOUR, 6 * HOUR, 12 * HOUR, 30 * HOUR]

    seen = await coordination.until(f"/v1/journeys/{victim}", lambda journey: journey["escalated"] == "national")
    [alarm] = seen["alarms"]
    assert (alarm["unit"], alarm["escalated_to"], alarm["stopped_at"]) == (KOLAKA, BARESKRIM, None)
    assert [j["victim_id"] for j in (await coordination.get("/v1/journeys", escalated="true"))["items"]] == [victim]


async def test_the_receiver_keeps_the_clock_too_and_both_hear_when_it_stops(network: Network) -> None:
    police, kemenkes = await network.start("police"), await network.start("kemenkes")
    coordination = await network.start("coordination")
    victim = await a_victim(police)
    asked = await refer(police, victim, "kemenkes", "first-aid", priority="urgent")
    await kemenkes.until_status(asked, "received")
    [here], [there] = [(await member.get("/v1/clocks"))["items"] for member in (police, kemenkes)]
    assert (there["unit"], there["peer"]) == ("rs-74.01", "police")
    assert here["clock"] == there["clock"]
    assert here["due_at"] < there["due_at"]  # each counts from its own recording
    seen = await kemenkes.get(f"/v1/referrals/{asked}")
    assert (seen["due_at"], seen["sender_due_at"]) == (there["due_at"], here["due_at"])

    network.clock.advance(7 * HOUR)
    for code in ("police", "kemenkes"):
        await until_told(network, code, 2)
    await kemenkes.must(asked, "accept")
    await kemenkes.must(asked, "start")
    for member in (police, kemenkes):
        listed = await member.until("/v1/clocks?state=stopped", lambda page: bool(page["items"]))
        assert [kept["state"] for kept in listed["items"]] == ["late"]
        assert (await member.get("/v1/clocks"))["items"] == []
        assert [event["step"] for event in told_by(network, member.code)] == ["warned", "breached", "stopped"]
    await kemenkes.must(asked, "complete", outcome="service-provided")  # stopped is stopped
    await police.until_status(asked, "completed")
    for code in ("police", "kemenkes"):
        assert [event["step"] for event in told_by(network, code)] == ["warned", "breached", "stopped"]
    seen = await coordination.until(
        f"/v1/journeys/{victim}", lambda journey: sum(bool(a["stopped_at"]) for a in journey["alarms"]) == 2
    )
    assert {(alarm["agency"], alarm["in_time"]) for alarm in seen["alarms"]} == {("police", False), ("kemenkes", False)}
    assert seen["escalated"] is None


async def test_what_is_answered_in_time_tells_nothing(network: Network) -> None:
    police, kemenkes = await network.start("police"), await network.start("kemenkes")
    asked = await refer(police, await a_victim(police), "kemenkes", "first-aid", priority="urgent")
    await kemenkes.until_status(asked, "received")
    await kemenkes.must(asked, "accept")
    await kemenkes.must(asked, "start")
    await police.until_status(asked, "in-progress")
    network.clock.advance(30 * DAY)
    for member in (police, kemenkes):
        [kept] = (await member.get("/v1/clocks", state="stopped"))["items"]
        assert (kept["state"], kept["told"]) == ("met", 0)
    assert told_by(network, "police") == told_by(network, "kemenkes") == []


async def test_a_refusal_stops_the_clock_and_the_next_desk_has_its_own(network: Network) -> None:
    police, kemenkes = await network.start("police"), await network.start("kemenkes")
    victim = await a_victim(police)
    first = await refer(police, victim, "kemenkes", "first-aid", priority="urgent")
    await kemenkes.until_status(first, "received")
    await kemenkes.must(first, "reject", reason="no-capacity")
    await police.until_status(first, "rejected")
    elsewhere = {"agency": "kemenkes", "unit": "rs-73.71"}
    second = await refer(police, victim, "kemenkes", "first-aid", receiver=elsewhere, replaces=first)
    assert [kept["about"] for kept in (await police.get("/v1/clocks"))["items"]] == [second]
    assert [kept["about"] for kept in (await police.get("/v1/clocks", state="stopped"))["items"]] == [first]


# --- with nobody logged in --------------------------------------------------------------------------------------------


async def test_after_a_stop_of_a_week_all_that_fell_due_is_told_once_with_its_own_moment(network: Network) -> None:
    police = await network.start("police", online=False)
    asked = await refer(police, await a_victim(police), "kemenkes", "first-aid", priority="urgent")
    start = datetime.fromisoformat((await police.get(f"/v1/referrals/{asked}"))["requested_at"])
    await network.stop("police")
    network.clock.advance(7 * DAY)
    for _ in range(2):  # and it is told once, although it starts again
        police = await network.start("police", online=False)
        await until_told(network, "police", 4)
        told = told_by(network, "police")
        await network.stop("police")
    assert [event["step"] for event in told] == ["warned", "breached", "escalated", "escalated"]
    moments = [datetime.fromisoformat(event["occurred_at"]) - start for event in told]
    assert moments == [4 * HOUR, 6 * HOUR, 12 * HOUR, 30 * HOUR]
    assert all(datetime.fromisoformat(event["time"]) - start >= 7 * DAY for event in told)


async def test_what_was_answered_in_time_while_we_were_down_raises_no_alarm(network: Network) -> None:
    """The answer waits at the broker: it is read before anything is told."""
    police, kemenkes = await network.start("police"), await network.start("kemenkes")
    asked = await refer(police, await a_victim(police), "kemenkes", "first-aid", priority="urgent")
    await kemenkes.until_status(asked, "received")
    await network.stop("police")
    network.clock.advance(HOUR)
    await kemenkes.must(asked, "accept")
    await kemenkes.must(asked, "start")
    network.clock.advance(7 * DAY)
    police = await network.start("police")
    listed = await police.until("/v1/clocks?state=stopped", lambda page: bool(page["items"]))
    assert [(kept["state"], kept["told"]) for kept in listed["items"]] == [("met", 0)]
    assert told_by(network, "police") == told_by(network, "kemenkes") == []


async def test_what_was_answered_late_while_we_were_down_is_told_as_if_we_had_been_up(network: Network) -> None:
    police, kemenkes = await network.start("police"), await network.start("kemenkes")
    asked = await refer(police, await a_victim(police), "kemenkes", "first-aid", priority="urgent")
    await kemenkes.until_status(asked, "received")
    await network.stop("police")
    network.clock.advance(7 * HOUR)
    await until_told(network, "kemenkes", 2)
    await kemenkes.must(asked, "accept")
    await kemenkes.must(asked, "start")
    network.clock.advance(7 * DAY)
    police = await network.start("police")
    await police.until("/v1/clocks?state=stopped", lambda page: bool(page["items"]))
    for code in ("police", "kemenkes"):
        assert [event["step"] for event in told_by(network, code)] == ["warned", "breached", "stopped"]


async def test_a_broker_that_is_away_does_not_silence_a_clock(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    police = await network.start("police")
    await refer(police, await a_victim(police), "kemenkes", "first-aid", priority="urgent")
    await network.stop("police")
    network.clock.advance(7 * DAY)
    monkeypatch.setattr(deadlines, "MAIL_SECONDS", 0.1)
    network.nats.stop()
    try:
        police = await network.start("police")
        await police.until("/v1/clocks", lambda page: page["items"][0]["told"] == 4, seconds=10)
    finally:
        network.nats.start()


async def test_a_hand_over_that_was_under_way_before_clocks_were_kept_has_one_from_the_next_start(
    network: Network,
) -> None:
    police = await network.start("police", online=False)
    asked = await refer(police, await a_victim(police), "kemenkes", "first-aid")
    network.apps["police"].state.database.write(lambda tx: tx.session.execute(ClockRow.__table__.delete()))  # type: ignore[attr-defined]
    assert (await police.get("/v1/clocks"))["items"] == []
    await network.stop("police")
    police = await network.start("police", online=False)
    [kept] = (await police.get("/v1/clocks"))["items"]
    assert (kept["about"], kept["due_at"]) == (asked, (await police.get(f"/v1/referrals/{asked}"))["due_at"])


async def test_who_was_late_cannot_say_otherwise_without_a_letter(network: Network) -> None:
    """The work is said to have begun in time, and is written down late: the recorded moment decides."""
    police, kemenkes = await network.start("police"), await network.start("kemenkes")
    asked = await refer(police, await a_victim(police), "kemenkes", "first-aid", priority="urgent")
    await kemenkes.until_status(asked, "received")
    network.clock.advance(7 * HOUR)
    for code in ("police", "kemenkes"):
        await until_told(network, code, 2)
    then = (network.clock() - 3 * HOUR).isoformat()
    await kemenkes.must(asked, "accept", occurred_at=then)
    await kemenkes.must(asked, "start", occurred_at=then)
    await police.until_status(asked, "in-progress")
    for code in ("police", "kemenkes"):
        stopped = told_by(network, code)[-1]
        assert (stopped["step"], stopped["in_time"]) == ("stopped", False)
        assert stopped["occurred_at"] < stopped["due_at"] < stopped["recorded_at"]
        [kept] = (await network[code].get("/v1/clocks", state="stopped"))["items"]
        assert (kept["state"], kept["stopped_at"] < kept["due_at"] < kept["recorded_at"]) == ("late", True)


async def test_a_request_of_last_week_is_late_for_nobody_today(network: Network) -> None:
    """A told moment starts no clock early: the limit counts from the recording, at both sides."""
    police, kemenkes = await network.start("police"), await network.start("kemenkes")
    last_week = (network.clock() - 7 * DAY).isoformat()
    victim = await a_victim(police, occurred_at=last_week, note="Rekaan.")
    told = {"occurred_at": last_week, "note": "Rekaan."}
    asked = await refer(police, victim, "kemenkes", "first-aid", priority="urgent", **told)
    seen = await kemenkes.until_status(asked, "received")
    now = network.clock().isoformat()
    assert seen["due_at"] > now and seen["sender_due_at"] > now and not seen["overdue"]
    for client in (police, kemenkes):
        [kept] = (await client.get("/v1/clocks"))["items"]
        assert (kept["state"], kept["told"]) == ("running", 0)


async def test_no_request_occurs_before_the_victim_was_registered(network: Network) -> None:
    police = await network.start("police", online=False)
    victim = await a_victim(police)
    body = asking(victim, "kemenkes", "first-aid", note="Rekaan.")
    for days in (30, 1 / 24):
        told = {"occurred_at": (network.clock() - days * DAY).isoformat()}
        assert problem(await police.post("/v1/referrals", {**body, **told})) == "occurred-too-early"
    assert (await police.get("/v1/clocks"))["items"] == []


async def test_a_clock_of_ones_own_place_starts_once_however_often_what_starts_it_happens(network: Network) -> None:
    own = {
        "label": {"id": "Penundaan ditinjau", "en": "A pause is reviewed"},
        **{"basis": "Standar rekaan", "source": "Pengujian", "scope": "local-standard", "about": "referral"},
        **{"limit": "PT24H", "counting": "elapsed", "warn_before": "PT1H", "escalate_after": ["PT1H"]},
        **{"starts": [{"event": "referral.held"}], "stops": [{"event": "referral.completed"}]},
        **{"desks": ["kemenkes/rs-74.01"]},
    }
    file = network.folder / "own-clocks.json"
    file.write_text(json.dumps({"pause-reviewed": own}), encoding="utf-8")
    network.extra = {"local_clocks_file": file}
    police, kemenkes = await network.start("police"), await network.start("kemenkes")
    asked = await refer(police, await a_victim(police), "kemenkes", "first-aid")
    await kemenkes.until_status(asked, "received")
    for action, body in (("accept", {}), ("start", {}), *[("hold", {"reason": "scheduled"}), ("resume", {})] * 2):
        await kemenkes.must(asked, action, **body)
    [kept] = (await kemenkes.get("/v1/clocks"))["items"]
    assert (kept["clock"], kept["label"], kept["basis"]) == ("pause-reviewed", "Penundaan ditinjau", "Standar rekaan")


# --- duties -----------------------------------------------------------------------------------------------------------


async def test_who_learns_of_sexual_violence_reports_it_to_the_police_within_three_days(network: Network) -> None:
    kemenpppa = await network.start("kemenpppa", online=False)
    opened = {"unit": "uptd-ppa-74.01", "channel": "uptd", "exploitation": "sexual"}
    case = (await kemenpppa.post("/v1/cases", opened)).json()["id"]
    girl = {"age_class": "child", "sex": "female"}
    victim = (await kemenpppa.post(f"/v1/cases/{case}/victims", girl)).json()["id"]
    [duty] = (await kemenpppa.get("/v1/clocks"))["items"]
    assert (duty["clock"], duty["about"], duty["kind"], duty["basis"]) == (
        *("duty-to-report", victim, "victim"),
        "UU 12/2022 Ps 39-41",
    )
    due, start = (datetime.fromisoformat(duty[name]) for name in ("due_at", "started_at"))
    assert due - start == 72 * HOUR
    await refer(kemenpppa, victim, "police", "investigation")
    assert "duty-to-report" not in [kept["clock"] for kept in (await kemenpppa.get("/v1/clocks"))["items"]]


async def test_the_police_who_learn_of_it_owe_nobody_a_report(network: Network) -> None:
    police = await network.start("police", online=False)
    opened = {"unit": KOLAKA, "channel": "spkt", "exploitation": "sexual"}
    case = (await police.post("/v1/cases", opened)).json()["id"]
    await police.post(f"/v1/cases/{case}/victims", {"age_class": "adult", "sex": "female"})
    assert (await police.get("/v1/clocks"))["items"] == []


async def test_temporary_protection_ends_after_fourteen_days_at_most(network: Network) -> None:
    police, kemenpppa = await network.start("police"), await network.start("kemenpppa")
    victim = await _a_victim_of(kemenpppa)
    asked = await refer(kemenpppa, victim, "police", "temporary-protection")
    await police.until_status(asked, "received")
    await police.must(asked, "accept")
    await police.must(asked, "start")
    await kemenpppa.until_status(asked, "in-progress")
    for member, of_its_own in ((police, {"request-to-lpsk"}), (kemenpppa, set())):
        running = {kept["clock"] for kept in (await member.get("/v1/clocks"))["items"]}
        assert running == {"temporary-protection-end"} | of_its_own


async def _a_victim_of(kemenpppa: Any) -> str:
    opened = {"unit": "uptd-ppa-74.01", "channel": "uptd", "exploitation": "forced-labour"}
    case = (await kemenpppa.post("/v1/cases", opened)).json()["id"]
    made = await kemenpppa.post(f"/v1/cases/{case}/victims", {"age_class": "adult", "sex": "female"})
    return str(made.json()["id"])


async def test_a_crisis_desk_answers_within_two_hours_where_the_regency_says_so(network: Network) -> None:
    police, kemenpppa = await network.start("police"), await network.start("kemenpppa")
    victim = await a_victim(police, "polres-62.05")
    asked = await refer(police, victim, "kemenpppa", "case-management")
    await kemenpppa.until_status(asked, "received")
    for member in (police, kemenpppa):
        kept = (await member.get("/v1/clocks"))["items"]
        assert [clock["clock"] for clock in kept] == ["crisis-desk-answer", "rehabilitation-service"]  # soonest first
    await kemenpppa.must(asked, "accept")  # an answer, although no work has begun
    assert [clock["clock"] for clock in (await kemenpppa.get("/v1/clocks"))["items"]] == ["rehabilitation-service"]


# --- who sees them ----------------------------------------------------------------------------------------------------


async def test_a_desk_sees_its_own_clocks_and_those_of_the_desks_below(network: Network) -> None:
    police = await network.start("police", online=False)
    for desk in (KOLAKA, "polres-11.01"):
        await refer(police, await a_victim(police, desk), "kemenkes", "first-aid")
    seen = {}
    for unit in (KOLAKA, SULTRA, "polres-11.01", BARESKRIM):
        client = await network.calling("police", Role.OFFICER, unit)
        seen[unit] = sorted(kept["unit"] for kept in (await client.get("/v1/clocks"))["items"])
    assert seen == {
        KOLAKA: [KOLAKA],
        SULTRA: [KOLAKA],
        "polres-11.01": ["polres-11.01"],
        BARESKRIM: ["polres-11.01", KOLAKA],
    }


async def test_the_list_goes_on_where_it_stopped_the_soonest_first(network: Network) -> None:
    police = await network.start("police", online=False)
    for priority in ("routine", "urgent", "stat", "routine", "urgent"):
        await refer(police, await a_victim(police), "kemenkes", "first-aid", priority=priority)
    whole = [kept["due_at"] for kept in (await police.get("/v1/clocks"))["items"]]
    assert whole == sorted(whole) and len(whole) == 5
    pages: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = await police.get("/v1/clocks", limit=2, **cursor)
        pages += [kept["due_at"] for kept in page["items"]]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    assert pages == whole


async def test_the_table_is_read_by_everybody(network: Network) -> None:
    police = await network.start("police", online=False)
    rows = {row["code"]: row for row in (await police.get("/v1/clock-table"))["items"]}
    first_aid = rows["first-aid"]
    assert (first_aid["basis"], first_aid["limit_hours"], first_aid["counting"]) == (
        *("UU 21/2007 Ps 53", 168),
        "calendar-days",
    )
    assert rows["outreach"]["regions"] == ["11.08"] and rows["outreach"]["scope"] == "local-standard"
