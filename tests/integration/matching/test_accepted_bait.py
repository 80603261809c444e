"""A bait that a third desk accepts names no agency at which a person hides (cases/TRUST.md 1)."""

from shared.domain.access import Role
from tests.support.network import Network, a_victim, refer

HER = {"nik": "7371014403050007"}
STRANGER = "polres-11.01"


async def test_a_bait_that_a_hospital_has_accepted_does_not_name_where_she_is(network: Network) -> None:
    await network.start("coordination")
    await network.start("police")
    kemenkes, kemensos = await network.start("kemenkes"), await network.start("kemensos")
    officer = await network.calling("police", Role.OFFICER, STRANGER)
    bait = await a_victim(officer, STRANGER, identity=HER)
    asked = await refer(officer, bait, "kemenkes", "first-aid")
    await kemenkes.until_status(asked, "received")
    await kemenkes.must(asked, "accept")  # as every hospital does, before the patient comes
    await officer.until_status(asked, "accepted")
    await network["coordination"].until(
        f"/v1/journeys/{bait}", lambda j: any(x["type"].endswith("referral.accepted.v1") for x in j["events"])
    )
    # she comes to a shelter of Kemensos, in hiding
    channel = next(iter(network.members["kemensos"].agency.channels))
    case = await kemensos.post("/v1/cases", {"unit": "dinsos-73.71", "channel": channel, "exploitation": "other"})
    her = await kemensos.post(
        f"/v1/cases/{case.json()['id']}/victims", {"age_class": "adult", "sex": "female", "identity": HER}
    )
    assert her.status_code == 201, her.text
    await officer.until("/v1/matches", lambda page: len(page["items"]) == 1)
    looks = (await officer.get(f"/v1/victims/{bait}/access-report"))["looks"]
    assert "kemensos" not in {look["agency"] for look in looks}
