"""A ship from Tawau brings three hundred deportees to Nunukan; two of them are thought to have recruited others.

One call takes them all in. Everybody gets first aid, the two as well; whom they are taken for is told to nobody.
"""

import json
from typing import Any

from shared.domain.access import Role
from tests.support.network import Network
from tests.support.stories import Story, everybody_at_work

NUNUKAN, RECRUITERS, PEOPLE = "65.03", (17, 211), 300
FIRST_AID = {"service": "first-aid", "receiver": {"agency": "kemenkes"}, "basis": "vital-interest"}
SHELTER = {"service": "shelter-and-rehabilitation", "receiver": {"agency": "kemensos"}, "basis": "public-task"}


def passenger(row: int) -> dict[str, Any]:
    """One of the ship: every fifth a child, nobody with papers but those who have a NIK."""
    return {
        "age_class": "child" if row % 5 == 0 else "adult",
        "sex": "female" if row % 3 == 0 else "male",
        "home_region": "53.01",
        "role": "suspected-recruiter" if row in RECRUITERS else "victim",
        "identity": {"name": f"Rekaan Nomor {row}", **({"nik": f"53010101010{row:05d}"} if row % 2 else {})},
    }


async def taken_in(story: Story, case: str, people: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[Any]]:
    """The lines about people, and those that told meanwhile how far it had come.

    The head of the desk sends it: three hundred urgent patients for one hospital are not one officer's word.
    """
    head = await story.network.calling("police", Role.SUPERVISOR, f"polres-{NUNUKAN}")
    body = {"refer": [FIRST_AID, SHELTER], "people": people}
    answer = await head.post(f"/v1/cases/{case}/batches", body)
    assert answer.status_code == 200, answer.text
    lines = [json.loads(line) for line in answer.text.splitlines()]
    return [line for line in lines if line["kind"] == "person"], [line for line in lines if line["kind"] == "progress"]


async def test_three_hundred_are_taken_in_and_two_recruiters_among_them(network: Network) -> None:
    async with everybody_at_work(network) as story:
        polres = await story.at("police", f"polres-{NUNUKAN}")
        hospital = await story.at("kemenkes", f"rs-{NUNUKAN}")
        shelter = await story.at("kemensos", f"dinsos-{NUNUKAN}")
        case = await polres.opens("immigration", "forced-labour", "MY")

        # --- one row of the list is wrong: the others do not wait for it, and it is told which field
        list_of_the_ship = [passenger(row) for row in range(1, PEOPLE + 1)]
        list_of_the_ship[99]["home_region"] = "53.99"
        people, progress = await taken_in(story, case, list_of_the_ship)
        [refused] = [line for line in people if line["problem"]]
        assert (refused["row"], refused["problem"]["errors"][0]["field"]) == (100, "/home_region")
        assert progress[-1]["registered"] == PEOPLE - 1 and len(progress) > 10
        [corrected], _ = await taken_in(story, case, [passenger(100)])
        victims = [line["victim_id"] for line in people if line["victim_id"]] + [corrected["victim_id"]]
        assert len(set(victims)) == PEOPLE == len((await polres.client.get(f"/v1/cases/{case}"))["victims"])

        # --- the two are kept apart from the shelter where the others sleep, and not from the doctor
        suspected = {line["victim_id"]: line for line in people if line["role"] == "suspected-recruiter"}
        assert [line["row"] for line in suspected.values()] == list(RECRUITERS)
        for line in suspected.values():
            assert line["left_out"] == ["kemensos:shelter-and-rehabilitation"] and len(line["referrals"]) == 1
        aid = {line["victim_id"]: line["referrals"][0] for line in (*people, corrected) if line["victim_id"]}

        # --- every one of them reaches the hospital's desk, and it sees no difference
        for referral in aid.values():
            await hospital.client.until_status(referral, "received", seconds=300)
        for victim in suspected:
            await hospital.takes_on(aid[victim], polres)
            assert set(await hospital.reads_of(victim)) <= {"name", "born_on"}
            await hospital.files(
                "examination", referral=aid[victim], condition="no-care-needed", agreed=True, findings="Rekaan."
            )
            await hospital.completes(aid[victim], polres)
        for client in (hospital.client, shelter.client, network["coordination"]):
            for path in ("/v1/referrals", "/v1/journeys"):
                page = (await client.http.get(path, params={"limit": 100})).text
                assert "recruiter" not in page

        # --- one of the two was forced to do it: a victim, who gets the same help as the others
        forced, _ = suspected
        await polres.files(
            "screening", victim=forced, acts=["recruited"], means=["threat"], purposes=["forced-crime"],
            exploitation=["made-to-do-crimes"], decision="presumed-victim",
        )  # fmt: skip
        bed = await polres.asks(shelter, forced, "shelter-and-rehabilitation", basis="public-task")
        await shelter.takes_on(bed, polres)

        # --- somebody is responsible for each of the three hundred, and coordination can say who
        await story.nothing_was_lost()
        counts = await network["coordination"].get("/v1/counts")
        number = {"at_least": PEOPLE, "suppressed": False}
        assert counts["journeys_open"] == counts["by_agency"]["police"] == counts["by_province"]["65"] == number
