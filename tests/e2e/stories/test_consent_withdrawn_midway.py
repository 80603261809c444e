"""A woman accepts help, and takes her consent back midway; later she agrees again, to less.

Disclosure on her consent stops at every controller, and each says so. Nobody sends her away because of it.
"""

from typing import Any

from tests.support.forms import NONE as NO_BEDS
from tests.support.network import Network
from tests.support.stories import STAGES_OF_REHABILITATION, VISIT, Desk, every_one, everybody_at_work, responsible

WHO = {
    "name": "Dahlia Contoh Rekaan",
    "nik": "7401010101010021",
    "born_on": "1995-07-08",
    "phone": "+628000000021",
    "address": "Jalan Rekaan 21",
}
KOLAKA = "74.01"


async def agrees(uptd: Desk, victim: str, *fields: str, to: list[str], purposes: list[str]) -> None:
    """She agrees, after she was told what UU 27/2022 says that she must be told."""
    body = {
        "notice": "2026-1", "purposes": purposes, "fields": list(fields), "recipients": to,
        "valid_until": "2099-01-01T00:00:00+08:00", "manner": "written", "agrees": True,
    }  # fmt: skip
    await uptd.does(f"/v1/victims/{victim}/consents", body)


async def test_what_was_given_on_her_word_ends_with_it_and_the_help_does_not(network: Network) -> None:
    async with everybody_at_work(network) as story:
        uptd = await story.at("kemenpppa", f"uptd-ppa-{KOLAKA}")
        hospital = await story.at("kemenkes", f"rs-{KOLAKA}")
        shelter = await story.at("kemensos", f"dinsos-{KOLAKA}")

        # --- she calls SAPA 129, and is assessed
        case = await uptd.opens("sapa-129", "domestic-servitude")
        complaint = {"reported_by": "victim", "region": KOLAKA, "risk": "medium", "complaint": "Pengaduan rekaan."}
        await uptd.files("intake", case=case, **complaint)
        woman = await uptd.registers(case, age_class="adult", sex="female", home_region=KOLAKA, identity=WHO)
        needs = dict.fromkeys(("medical", "legal", "physical", "psychosocial", "family_tracing"), "some")
        await uptd.files("assessment", victim=woman, **needs)
        plan = {"services": ["health", "shelter"], "agreed": True, "review_on": "2099-01-31"}
        await uptd.files("service-plan", victim=woman, **plan)

        # --- nothing goes without her word; with it, what she agreed to and what each needs
        care = {"basis": "consent"}
        wanted: dict[str, Any] = {
            "victim_id": woman, "service": "examination-and-treatment", "basis": "consent",
            "receiver": {"agency": "kemenkes", "unit": hospital.unit},
        }  # fmt: skip
        assert await uptd.is_refused("/v1/referrals", wanted) == "no-consent"
        both = {"to": ["kemenkes", "kemensos"], "purposes": ["medical", "care"]}
        await agrees(uptd, woman, "name", "nik", "born_on", "phone", **both)
        examination = await uptd.asks(hospital, woman, "examination-and-treatment", **care)
        await hospital.takes_on(examination, uptd)
        bed = await uptd.asks(shelter, woman, "shelter-and-rehabilitation", **care)
        await shelter.takes_on(bed, uptd)
        assert await hospital.reads_of(woman) == {name: WHO[name] for name in ("name", "nik", "born_on", "phone")}
        assert await shelter.reads_of(woman) == await hospital.reads_of(woman)

        # --- she takes it back: each controller stops, and answers what it did
        await uptd.does(f"/v1/victims/{woman}/consents/withdrawal")
        given = f"/v1/victims/{woman}/disclosures"
        for desk in (hospital, shelter):
            await desk.client.until_status(examination if desk is hospital else bed, "in-progress")
        ended = await every_one(network, uptd.client, given, lambda one: one["end"])
        assert {(one["agency"], one["end"]) for one in ended} == {("kemenkes", "erased"), ("kemensos", "erased")}
        assert await hospital.reads_of(woman) == {} == await shelter.reads_of(woman)
        assert (await uptd.reads_of(woman))["name"] == WHO["name"]  # who is responsible still knows
        assert await uptd.is_refused("/v1/referrals", {**wanted, "force": True}) == "no-consent"

        # --- nobody sends her away: the hospital goes on with a patient whose name it does not know
        await hospital.files(
            "examination", referral=examination, condition="outpatient", agreed=True, findings="Rekaan."
        )
        await hospital.completes(examination, uptd)
        await shelter.files("shelter-beds", **{**NO_BEDS, "female_adult": 1})
        await shelter.files("bed-assigned", victim=woman, ward="female-adult")

        # --- she agrees again, to her name and to the shelter alone; then and not before it is responsible for her
        await agrees(uptd, woman, "name", to=["kemensos"], purposes=["care"])
        await shelter.completes(bed, uptd)
        housed = await uptd.hands_over(shelter, woman, "shelter-and-rehabilitation", **care)
        assert await shelter.reads_of(woman) == {"name": WHO["name"]}
        assert await hospital.reads_of(woman) == {}
        for stage, fields in STAGES_OF_REHABILITATION.items():
            await shelter.files(stage, victim=woman, **fields)
        await shelter.files("bed-released", victim=woman, reason="own-wish")
        await shelter.enters(woman, "reintegration", "after-care")
        await shelter.files("further-guidance", victim=woman, **VISIT)
        await shelter.completes(housed, uptd)
        await shelter.closes(woman, "reintegrated")

        journey = await story.told(woman)
        assert responsible(journey) == [uptd.unit, shelter.unit]
        assert WHO["name"] not in str(journey)
        await story.nothing_was_lost()
