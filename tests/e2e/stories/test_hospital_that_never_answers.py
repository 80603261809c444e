"""A hospital is asked for first aid and does not answer. The clock tells it, desk by desk, with nobody logged in. The
sender asks another hospital. The first one answers after all, and both answers are kept side by side."""

from datetime import datetime, timedelta

from tests.support.clocks import told_by
from tests.support.network import Network, until_told
from tests.support.stories import everybody_at_work, responsible

KOLAKA, KENDARI = "74.01", "74.71"
HOUR = timedelta(hours=1)


async def test_the_clock_escalates_the_sender_asks_another_and_the_late_answer_is_kept(network: Network) -> None:
    async with everybody_at_work(network) as story:
        polres = await story.at("police", f"polres-{KOLAKA}")
        silent, other = await story.at("kemenkes", f"rs-{KOLAKA}"), await story.at("kemenkes", f"rs-{KENDARI}")
        uptd = await story.at("kemenpppa", f"uptd-ppa-{KOLAKA}")
        case = await polres.opens("call-110", "forced-labour")
        who = {"name": "Gading Contoh Rekaan"}
        victim = await polres.registers(case, age_class="adult", sex="male", home_region=KOLAKA, identity=who)

        # --- asked at once, with an answer slip for paper; six hours by the standard of the UPTD pass
        first = await polres.asks(silent, victim, "first-aid", priority="urgent")
        slip = (await polres.does(f"/v1/referrals/{first}/letters", {"kind": "reply-slip"}))["code"]
        asked_at = datetime.fromisoformat((await polres.client.get(f"/v1/referrals/{first}"))["requested_at"])
        for hours, told in ((4, 1), (2, 2)):
            network.clock.advance(hours * HOUR)
            for code in ("police", "kemenkes"):  # each keeps the clock for its own desk
                await until_told(network, code, told)
        [overdue] = (await polres.client.get("/v1/clocks", state="overdue"))["items"]
        assert (overdue["about"], overdue["peer"]) == (first, "kemenkes")

        # --- the police's service is stopped over night: the moments that pass meanwhile are told all the same, once
        await network.stop("police")
        network.clock.advance(26 * HOUR)
        await network.start("police")
        polres = await story.at("police", f"polres-{KOLAKA}")
        await until_told(network, "police", 4)
        steps = [(event["step"], event.get("level")) for event in told_by(network, "police")]
        assert steps == [("warned", None), ("breached", None), ("escalated", "province"), ("escalated", "national")]
        moments = [datetime.fromisoformat(event["occurred_at"]) - asked_at for event in told_by(network, "police")]
        assert moments == [4 * HOUR, 6 * HOUR, 12 * HOUR, 30 * HOUR]
        province = await story.at("police", "polda-sultra")
        assert [kept["about"] for kept in (await province.client.get("/v1/clocks", state="overdue"))["items"]] == [
            first
        ]
        coordination = network["coordination"]
        await coordination.until(f"/v1/journeys/{victim}", lambda seen: seen["escalated"] == "national")

        # --- the sender does not wait for ever: another hospital is asked, answers, and treats him
        second = await polres.asks(other, victim, "first-aid", priority="stat", replaces=first)
        await other.takes_on(second, polres)
        await other.files("examination", referral=second, condition="inpatient", agreed=True, findings="Rekaan.")
        await other.completes(second, polres)

        # --- the first hospital's slip turns up, signed on the first day: the moments of signature and entry are kept
        then = (asked_at + 5 * HOUR).isoformat()
        await silent.client.until(f"/v1/referrals/{first}", lambda seen: seen["version"] >= 2)
        signed = {"letter": slip.lower(), "answer": "accepted", "signed_by": "Perawat Rekaan", "occurred_at": then}
        await silent.does(f"/v1/referrals/{first}/paper-answer", signed)
        await silent.client.must(first, "start", occurred_at=then, note="Rekaan: dicatat kemudian.")
        await silent.client.must(first, "complete", outcome="partly-provided")
        late = await polres.client.until_status(first, "completed")
        history = (await polres.client.get(f"/v1/referrals/{first}/history"))["items"]
        [accepted] = [one for one in history if one["type"].startswith("id.tppo.referral.accepted")]
        assert datetime.fromisoformat(accepted["data"]["occurred_at"]) == asked_at + 5 * HOUR
        assert datetime.fromisoformat(accepted["recorded_at"]) > asked_at + 30 * HOUR
        assert late["outcome"] == "partly-provided"
        for code in ("police", "kemenkes"):
            stopped = told_by(network, code)[-1]
            assert (stopped["step"], stopped["about"], stopped["in_time"]) == ("stopped", first, False)
            assert stopped["occurred_at"] < stopped["due_at"] < stopped["recorded_at"]  # no letter tells of the start
        assert (await polres.client.get("/v1/clocks", state="overdue"))["items"] == []

        # --- and somebody takes him on from there
        care = await polres.hands_over(uptd, victim, "case-management", basis="public-task")
        await uptd.enters(victim, "protection", "reintegration", "after-care")
        await uptd.completes(care, polres)
        await uptd.closes(victim, "reintegrated")
        journey = await story.told(victim)
        assert responsible(journey) == [polres.unit, uptd.unit]
        answers = {one["id"]: one["status"] for one in journey["handovers"]}
        assert answers == {first: "completed", second: "completed", care: "completed"}
        [alarm] = [one for one in journey["alarms"] if one["unit"] == polres.unit]
        assert alarm["stopped_at"] is not None and journey["escalated"] is None
        await story.nothing_was_lost()
