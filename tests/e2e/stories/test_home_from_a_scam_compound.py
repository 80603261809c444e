"""A man comes home from a scam compound in Cambodia that forced him to deceive others. The police attaché found him.

He is first asked what was done to him, then what he has done. He tells it once.
"""

from datetime import timedelta

from tests.support.forms import HANDED_OVER
from tests.support.network import Network, until_told
from tests.support.stories import PLAN_OF_RETURN, STAGES_OF_REHABILITATION, VISIT, everybody_at_work, responsible

WHO = {"name": "Bambang Contoh Rekaan", "born_on": "1999-05-06", "phone": "+628000000011"}
TOLD = "Keterangan rekaan: paspor ditahan, dipukul bila target tidak tercapai."
INDRAMAYU = "32.12"
ABROAD = {"acts": ["recruited", "transported", "harboured"], "deceptive_recruitment": ["job-not-as-promised"],
          "exploitation": ["made-to-do-crimes", "no-wage"],
          "coercion_at_destination": ["papers-kept", "beaten"]}  # fmt: skip
CONSENT = {
    "notice": "2026-1",
    "purposes": ["care", "repatriation", "medical"],
    "fields": ["name", "born_on"],
    "recipients": ["kemensos", "kemenkes"],
    "valid_until": "2099-01-01T00:00:00+07:00",
    "manner": "electronic",
    "agrees": True,
}


async def test_a_man_is_brought_from_phnom_penh_to_his_village_and_is_paid_what_he_is_owed(network: Network) -> None:
    async with everybody_at_work(network) as story:
        attache = await story.at("police", "bareskrim")
        hospital = await story.at("kemenkes", "rs-nasional")
        ministry = await story.at("kemensos", "kemensos-rehsos")
        indramayu = await story.at("kemensos", f"dinsos-{INDRAMAYU}")

        # --- found abroad: screened before anybody thinks of punishing him
        case = await attache.opens("attache", "online-scam", "KH")
        man = await attache.registers(case, age_class="adult", sex="male", home_region=INDRAMAYU, identity=WHO)
        await attache.files("screening", victim=man, **ABROAD, decision="presumed-victim")
        await attache.enters(man, "identification")
        await attache.files(
            "police-report", case=case, lp_number="LP/A/1/CONTOH", reported_by="agency", region=INDRAMAYU,
            place="abroad",
        )  # fmt: skip

        # --- he tells it once, and agrees to what may be told of him to whom
        officer = await attache.files("officer", name="Liaison Rekaan", nrp="00000002")
        await attache.files("officer-training", officer=officer, module="victim-centred", valid_until="2099-12-31")
        interview = {"officer": officer, "companion": "lawyer", "recorded": True}
        await attache.files("interview", victim=man, **interview, statement=TOLD)
        await attache.does(f"/v1/victims/{man}/consents", CONSENT)

        # --- a visum is asked for before the traces fade, and comes to the police alone
        asked = {"basis": "legal-duty", "priority": "urgent"}
        visum = await attache.asks(hospital, man, "visum-et-repertum", **asked)
        await hospital.takes_on(visum, attache)
        record = await hospital.files(
            "visum-et-repertum", referral=visum, request_number="B/2/CONTOH", visum_number="VER/2/CONTOH",
            examined_at="2026-11-01T09:00:00+07:00", agreed=True, findings="Bekas luka rekaan.",
            conclusion="Kekerasan tumpul (rekaan).", doctor="dr. Rekaan", licence="SIP/CONTOH",
        )  # fmt: skip
        await hospital.completes(visum, attache)
        arrived = f"/v1/victims/{man}/records"
        await attache.client.until(arrived, lambda page: any(one["id"] == record for one in page["items"]))
        read = await attache.client.get(f"/v1/records/{record}", purpose="investigation")
        assert (read["delivered_by"], read["sealed"]["findings"]) == ("kemenkes", "Bekas luka rekaan.")

        # --- he lands: the mission's escort hands him to the ministry, which knows of him what he agreed to
        housed = await attache.hands_over(ministry, man, "shelter-and-rehabilitation", basis="consent")
        assert await ministry.reads_of(man) == {"name": WHO["name"], "born_on": WHO["born_on"]}
        by_escort = {**HANDED_OVER, "giver": "ship-or-escort-abroad", "taker": "ministry"}
        await ministry.files("handover", victim=man, **by_escort, leg="port")
        for stage, fields in STAGES_OF_REHABILITATION.items():
            await ministry.files(stage, victim=man, **fields)

        # --- home: province, regency, village; each leg is signed by who gives and who takes
        home = {**PLAN_OF_RETURN, "destination": INDRAMAYU}
        assert await ministry.cannot_file("repatriation-plan", man, **{**home, "agreed": False}) == "plan-not-agreed"
        await ministry.files("repatriation-plan", victim=man, **home, village="Desa Rekaan")
        to_province = {**HANDED_OVER, "giver": "ministry", "taker": "province-office", "region": "32"}
        await ministry.files("handover", victim=man, **to_province, leg="province")
        return_home = await ministry.hands_over(indramayu, man, "reintegration", basis="public-task")
        await ministry.completes(housed, attache)
        here = {**HANDED_OVER, "region": INDRAMAYU}
        unsigned = {**here, "giver": "province-office", "taker": "regency-office", "taker_signed": False}
        assert await indramayu.cannot_file("handover", man, **unsigned, leg="regency") == "not-signed"
        signed = await indramayu.files("handover", victim=man, **{**unsigned, "taker_signed": True}, leg="regency")
        minutes = (await indramayu.does(f"/v1/records/{signed}/letters"))["code"]  # berita acara, on paper
        checked = await indramayu.client.get(f"/v1/letters/{minutes}")
        assert (checked["issued"], checked["tells"], checked["standing"]) == ("proven", "proven", "current")
        await indramayu.files(
            "handover", victim=man, **{**here, "giver": "regency-office", "taker": "family"}, leg="village"
        )
        assert await indramayu.cannot_file("handover", man, **here, leg="port") == "leg-out-of-order"
        await indramayu.enters(man, "reintegration", "after-care")
        await indramayu.files(
            "reintegration-plan", victim=man, needs=["livelihood", "legal"], agreed=True, first_visit="2099-01-31",
            plan="Rencana usaha rekaan.",
        )  # fmt: skip

        # --- the case is tried, and restitution is ordered: from that day the convict has fourteen
        for form, number in (
            ("investigation-opened", "order_number"), ("spdp", "spdp_number"), ("file-complete", "p21_number"),
            ("trial-opened", "court_number"),
        ):  # fmt: skip
            await attache.files(form, case=case, **{number: "CONTOH/1"})
        await attache.files("restitution-asked", case=case, amount=90_000_000)
        await attache.files(
            "judgment", case=case, judgment_number="1/Pid.Sus/CONTOH", verdict="convicted", restitution_ordered=True
        )
        network.clock.advance(timedelta(days=11))
        await until_told(network, "police", 1)
        [clock] = (await attache.client.get("/v1/clocks", clock="restitution"))["items"]
        assert (clock["told"], clock["basis"]) == (1, "UU 21/2007 Ps 48")  # warned, four days before
        await attache.files("restitution-paid", case=case, amount=90_000_000, in_full=True)
        assert (await attache.client.get("/v1/clocks", clock="restitution"))["items"] == []

        # --- they look after him until he needs nobody; then, and not before, it is over
        assert await indramayu.is_refused(f"/v1/victims/{man}/closure", {"outcome": "reintegrated"}) == (
            "referral-still-live"
        )
        await indramayu.files("further-guidance", victim=man, **VISIT)
        await indramayu.files("after-care-end", victim=man, reason="settled")
        await indramayu.completes(return_home, ministry)
        await indramayu.closes(man, "reintegrated")
        journey = await story.told(man)
        assert responsible(journey) == ["bareskrim", "kemensos-rehsos", f"dinsos-{INDRAMAYU}"]
        # the facts of the case are for the task force of the province that is responsible for him
        assert (journey["facts"], journey["outcome"], journey["escalated"]) == (None, "reintegrated", None)
        await story.nothing_was_lost()
