"""A child is found at a border post, in the car of her father, who is the suspect.

Nobody asks him for her consent, for his address, or to take her home.
"""

from tests.support.forms import HANDED_OVER
from tests.support.forms import NONE as NO_BEDS
from tests.support.network import Network
from tests.support.stories import PLAN_OF_RETURN, STAGES_OF_REHABILITATION, VISIT, everybody_at_work, responsible

NAME, TOLD = "Anggrek Contoh Rekaan", "Keterangan rekaan: ayah membawa saya untuk dinikahkan di seberang."
SAFE_HOUSE = "Rumah aman rekaan, jalan rekaan 7"
FOR_A_CHILD = {"basis": "child-protection"}
AUNTS_TOWN = "61.71"  # Pontianak


async def test_a_child_whose_father_is_the_suspect_is_brought_to_her_aunt(network: Network) -> None:
    async with everybody_at_work(network) as story:
        polres = await story.at("police", "polres-61.03")  # Sanggau: the border post of Entikong
        hospital = await story.at("kemenkes", "rs-61.03")
        uptd = await story.at("kemenpppa", "uptd-ppa-61.03")
        shelter = await story.at("kemensos", "dinsos-61.03")
        aunts_office = await story.at("kemensos", f"dinsos-{AUNTS_TOWN}")

        # --- found: how old she is nobody knows, so she is a child; her father has her papers
        case = await polres.opens("immigration", "child-marriage", "MY")
        await polres.files(
            "police-report", case=case, lp_number="LP/B/1/CONTOH", reported_by="officer", region="61.03",
            place="land-border", account="Uraian rekaan: terduga pelaku adalah ayahnya.",
        )  # fmt: skip
        child = await polres.registers(
            case, age_class="unknown", sex="female", home_region="61.03", identity={"name": NAME}
        )

        # --- first aid waits for nothing, and for no screening
        first_aid = await polres.asks(hospital, child, "first-aid", priority="stat", **FOR_A_CHILD)
        await hospital.takes_on(first_aid, polres)
        assert await hospital.reads_of(child) == {"name": NAME}
        await hospital.files(
            "examination", referral=first_aid, condition="outpatient", agreed=True, findings="Hasil rekaan."
        )
        await hospital.completes(first_aid, polres)

        # --- screened: taken across a border to be married is enough; of a child nobody asks how
        answers = {"acts": ["transported"], "purposes": ["sexual"], "decision": "presumed-victim"}
        await polres.files("screening", victim=child, **answers)
        await polres.enters(child, "identification")

        # --- her consent needs a guardian's word, or the reason why he is left out: he is the suspect
        agreed = {
            "notice": "2026-1", "purposes": ["care"], "fields": ["name", "statement"], "recipients": ["kemenpppa"],
            "valid_until": "2099-01-01T00:00:00+07:00", "manner": "witnessed", "agrees": True,
        }  # fmt: skip
        path = f"/v1/victims/{child}/consents"
        assert await polres.is_refused(path, {**agreed, "guardian": "none"}) == "guardian-part-missing"
        assert await polres.is_refused(path, {**agreed, "agrees": False, "guardian": "agreed"}) == "not-agreed"
        await polres.does(path, {**agreed, "guardian": "excluded"})

        # --- interviewed once, by an officer who has learnt to speak with children; her words travel on, sealed
        officer = await polres.files("officer", name="Penyidik Rekaan", nrp="00000001")
        await polres.files("officer-training", officer=officer, module="victim-centred", valid_until="2099-12-31")
        interview = {"officer": officer, "companion": "social-worker", "recorded": True, "statement": TOLD}
        assert await polres.cannot_file("interview", child, **interview) == "officer-not-trained"
        await polres.files("officer-training", officer=officer, module="child", valid_until="2099-12-31")
        await polres.files("interview", victim=child, **interview)
        assert await polres.cannot_file("interview", child, **interview) == "interview-reason-required"

        # --- the UPTD takes her over, reads what she has told, and plans with her
        case_management = await polres.hands_over(uptd, child, "case-management", **FOR_A_CHILD)
        assert await uptd.reads_of(child) == {"name": NAME, "statement": TOLD}
        assert await polres.reads_of(child) == {}  # no longer theirs to read
        needs = dict.fromkeys(("medical", "legal", "physical", "psychosocial"), "some")
        await uptd.files("assessment", victim=child, **needs, family_tracing="urgent")
        plan = {"services": ["shelter", "family-tracing"], "agreed": True, "review_on": "2099-01-31"}
        await uptd.files("service-plan", victim=child, **plan)
        await uptd.files("companion", victim=child, name="Pendamping Rekaan", same_sex=True)

        # --- the police protect her, and learn not where she is
        protection = await uptd.asks(polres, child, "investigation", **FOR_A_CHILD)
        await polres.takes_on(protection, uptd)
        await shelter.files("shelter-beds", **{**NO_BEDS, "female_child": 1})
        await uptd.does(f"/v1/victims/{child}/identity", {"safe_house": SAFE_HOUSE})
        housed = await uptd.hands_over(shelter, child, "shelter-and-rehabilitation", **FOR_A_CHILD)
        await uptd.completes(case_management, polres, "referred-onward")
        assert (await shelter.reads_of(child))["safe_house"] == SAFE_HOUSE
        assert "safe_house" not in await polres.reads_of(child)
        await shelter.files("bed-assigned", victim=child, ward="female-child")
        for stage, fields in STAGES_OF_REHABILITATION.items():
            await shelter.files(stage, victim=child, **fields)

        # --- not home to her father: to her aunt, in another town
        home = {**PLAN_OF_RETURN, "destination": "61.03", "safety": "unsafe"}
        assert await shelter.cannot_file("repatriation-plan", child, **home) == "not-safe-to-return"
        await shelter.files("repatriation-plan", victim=child, **{**home, "destination": AUNTS_TOWN, "safety": "safe"})
        await shelter.files("bed-released", victim=child, reason="went-home")
        return_home = await shelter.hands_over(aunts_office, child, "reintegration", **FOR_A_CHILD)
        await shelter.completes(housed, uptd)
        given = {**HANDED_OVER, "giver": "shelter", "taker": "family", "leg": "village", "region": AUNTS_TOWN}
        await aunts_office.files("handover", victim=child, **given)
        await aunts_office.enters(child, "reintegration", "after-care")
        await aunts_office.files(
            "reintegration-plan",
            victim=child,
            needs=["schooling"],
            agreed=True,
            first_visit="2099-01-31",
            plan="Rekaan",
        )
        for _ in range(2):
            await aunts_office.files("further-guidance", victim=child, **VISIT)
        await aunts_office.files("after-care-end", victim=child, reason="settled")
        await aunts_office.completes(return_home, shelter)
        await polres.completes(protection, uptd)
        colleague = await story.colleague_at("kemensos", f"dinsos-{AUNTS_TOWN}")
        await aunts_office.closes(child, "reintegrated", colleague)  # of a child two people say so

        # --- at every moment somebody was responsible, in time
        journey = await story.told(child)
        assert responsible(journey) == ["polres-61.03", "uptd-ppa-61.03", "dinsos-61.03", f"dinsos-{AUNTS_TOWN}"]
        assert (journey["outcome"], journey["escalated"], journey["alarms"]) == ("reintegrated", None, [])
        assert NAME not in str(journey) and TOLD not in str(journey)
        await story.nothing_was_lost()
