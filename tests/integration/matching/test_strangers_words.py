"""What a stranger states in a request that nobody here has taken on neither hides nor finds anybody."""

import pytest

from shared.contracts.codes import AgeClass, Sex
from shared.contracts.envelope import Envelope
from shared.contracts.types import VictimFacts
from shared.domain.access import Role
from tests.support.by_hand import request_of
from tests.support.claims import PPA, RS
from tests.support.matches import at_kemenpppa, until_heard, until_seen
from tests.support.network import Network, a_victim

HER = {"nik": "7371014403050007"}
WOMAN = VictimFacts(age_class=AgeClass.ADULT, sex=Sex.FEMALE)
OTHER_NIK = "7401010101010009"


async def the_hospital_states(network: Network, victim: str, given: dict[str, str], answer: str) -> None:
    """Kemenkes asks KemenPPPA for a victim of KemenPPPA, and states something about her."""
    sent = request_of(
        network, "kemenkes", "kemenpppa", victim, given, service="case-management", sender=RS, receiver=PPA, facts=WOMAN
    )
    asked = Envelope.read(sent.body).data["referral_id"]
    await network["kemenpppa"].until_status(asked, "received")
    if answer == "reject":
        await network["kemenpppa"].must(asked, "reject", reason="not-eligible")
    if answer == "accept":
        await network["kemenpppa"].must(asked, "accept")


@pytest.mark.parametrize(("answer", "shown"), [("none", 1), ("reject", 1), ("accept", 0)])
async def test_the_safe_house_of_a_request_hides_a_proposal_once_it_is_taken_on(
    network: Network, answer: str, shown: int
) -> None:
    for code in ("coordination", "police", "kemenpppa", "kemenkes"):
        await network.start(code)
    hers = await at_kemenpppa(network, identity=HER)
    await until_heard(network, hers, 1)
    await the_hospital_states(network, hers, {"safe_house": "Rumah Rekaan"}, answer)
    await a_victim(network["police"], identity=HER)
    head = await network.calling("kemenpppa", Role.SUPERVISOR)
    await until_seen(head, lambda items: len(items) == 1)
    assert len((await network["kemenpppa"].get("/v1/matches"))["items"]) == shown


@pytest.mark.parametrize(("answer", "found"), [("none", False), ("reject", False), ("accept", True)])
async def test_the_number_of_a_request_finds_her_once_it_is_taken_on(
    network: Network, answer: str, found: bool
) -> None:
    for code in ("kemenpppa", "kemenkes"):
        await network.start(code)
    hers = await at_kemenpppa(network, identity=HER)
    await the_hospital_states(network, hers, {"nik": OTHER_NIK}, answer)
    seen = await network["kemenpppa"].post("/v1/victim-search", {"field": "nik", "value": OTHER_NIK})
    assert [one["id"] for one in seen.json()["items"]] == [hers] * found
