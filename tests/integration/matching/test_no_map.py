"""A friend of the trafficker sits at some desk and registers her number (TRUST 1).

He learns neither where she is nor that she moves, and both sides see that he looked.
"""

import json
from typing import Any

import pytest
from sqlmodel import col

from shared.contracts.events import MatchProposed
from shared.domain.access import Role
from shared.storage.tables import LedgerEntry
from tests.support.matches import at_kemenpppa, linked, rows, until_asked, until_heard, until_seen
from tests.support.network import Client, Network, a_victim, problem, refer

HER = {"nik": "7371014403050007", "name": "Seruni Contoh Rekaan", "born_on": "2005-03-04", "phone": "081200000077"}
STRANGER = "polres-11.01"
ONE_BY_ONE = [{"nik": HER["nik"]}, {"phone": HER["phone"]}, {"name": HER["name"], "born_on": HER["born_on"]}]


async def stranger(network: Network, role: Role = Role.OFFICER) -> Client:
    """Somebody at a desk of the police without a part in anything."""
    return await network.calling("police", role, STRANGER)


async def looks_for(network: Network, identity: dict[str, str]) -> tuple[str, dict[str, Any]]:
    """The stranger invents a victim with her identifiers. Answers the victim, and the proposal in the list."""
    officer = await stranger(network)
    invented = await a_victim(officer, STRANGER, identity=identity)
    [proposal] = await until_seen(officer, lambda items: len(items) == 1)
    return invented, proposal


def proposals_to(network: Network, agency: str) -> list[str]:
    """Every proposal that coordination has sent to an agency, as it went over the wire."""
    sent = rows(network, "coordination", LedgerEntry, col(LedgerEntry.type) == MatchProposed.type(),
                col(LedgerEntry.link) == f"coordination>{agency}")  # fmt: skip
    return [entry.body.decode() for entry in sent]


async def report(client: Client, victim: str) -> list[dict[str, Any]]:
    """The searches in the access report of a victim."""
    looks = (await client.get(f"/v1/victims/{victim}/access-report"))["looks"]
    return [look for look in looks if look["purpose"] == "search"]


async def to_the_shelter(network: Network, victim: str) -> Client:
    """KemenPPPA transfers her to a shelter, which is responsible from then on."""
    kemensos = network.clients.get("kemensos") or await network.start("kemensos")
    transfer = await refer(network["kemenpppa"], victim, "kemensos", "shelter-and-rehabilitation", kind="transfer")
    await kemensos.until_status(transfer, "received")
    await kemensos.must(transfer, "accept")
    await network["kemenpppa"].until_status(transfer, "accepted")
    return kemensos


@pytest.mark.parametrize("identity", ONE_BY_ONE, ids=lambda identity: next(iter(identity)))
async def test_a_stranger_learns_neither_a_desk_nor_a_region_nor_an_id(
    three: Network, identity: dict[str, str]
) -> None:
    hers = await at_kemenpppa(three, identity=HER)
    await until_heard(three, hers, 1)
    invented, proposal = await looks_for(three, identity)
    shown = json.dumps(proposal)
    wired = [json.dumps(json.loads(body)["data"]) for body in proposals_to(three, "police")]
    for told in (shown, *wired):
        assert hers not in told and "kemenpppa" not in told and "uptd" not in told and "74.01" not in told
    assert (len(wired), proposal["other_id"], proposal["other_desk"]) == (1, None, None)
    assert (proposal["victim_id"], proposal["state"], proposal["turn"]) == (invented, "open", "other-side")


async def test_the_desk_of_the_person_in_the_safer_position_decides_first(three: Network) -> None:
    hers = await at_kemenpppa(three, identity=HER)
    await until_heard(three, hers, 1)
    _, proposal = await looks_for(three, {"nik": HER["nik"]})
    officer, match = await stranger(three), proposal["match_id"]
    early = await officer.post(f"/v1/matches/{match}/decision", {"decision": "same-person"})
    assert problem(early) == "other-side-first"
    assert "atau lebih dahulu terdaftar" in early.json()["detail"]  # she may be first only because of that
    await until_asked(three["kemenpppa"])
    said = await three["kemenpppa"].post(f"/v1/matches/{match}/decision", {"decision": "same-person"})
    assert said.status_code == 200
    # what she is to the other side stands nowhere before the stranger has said it too, under a name
    [asked] = await until_seen(officer, lambda items: items[0]["turn"] == "this-side")
    assert (asked["other_said"], asked["other_id"], asked["other_desk"]) == (None, None, None)


async def test_a_bait_that_was_registered_before_her_does_not_decide_before_the_shelter(three: Network) -> None:
    officer, kemenpppa = await stranger(three), three["kemenpppa"]
    bait = await a_victim(officer, STRANGER, identity={"nik": HER["nik"]})
    await until_heard(three, bait, 1)
    hers = await at_kemenpppa(three)
    shelter = await to_the_shelter(three, hers)
    written = await shelter.post(f"/v1/victims/{hers}/identity", {"nik": HER["nik"]})
    assert written.status_code == 200, written.text
    await until_asked(shelter)
    [waiting] = await until_seen(officer, lambda items: len(items) == 1)
    assert (waiting["victim_id"], waiting["turn"]) == (bait, "other-side")
    assert (await kemenpppa.get("/v1/matches"))["items"] == []


async def test_nobody_is_told_that_she_is_moved(three: Network) -> None:
    hers = await at_kemenpppa(three, identity=HER)
    await until_heard(three, hers, 1)
    _, before = await looks_for(three, {"nik": HER["nik"]})
    shelter = await to_the_shelter(three, hers)
    [there] = await until_seen(shelter, lambda items: len(items) == 1)
    # coordination has told the shelter, in one transaction with whatever else it told
    assert len(proposals_to(three, "police")) == 1 and len(proposals_to(three, "kemensos")) == 1
    assert (await (await stranger(three)).get("/v1/matches"))["items"] == [before]
    assert (there["victim_id"], there["turn"]) == (hers, "this-side")


async def turn_of(officer: Client, bait: str) -> str:
    """The stranger writes her number down, reads whose turn it is, and takes the number back."""
    path = f"/v1/victims/{bait}/identity"
    assert (await officer.post(path, {"nik": HER["nik"]})).status_code == 200
    [proposal] = await until_seen(officer, lambda items: len(items) == 1)
    assert (await officer.post(path, {"nik": None})).status_code == 200
    await until_seen(officer, lambda items: items == [])
    return str(proposal["turn"])


async def test_whose_turn_it_is_does_not_tell_that_she_came_to_a_shelter(three: Network) -> None:
    """A stranger has baits older than she is, one of them in a shelter by the stranger's own word.

    Each is asked with again and again, and one is kept for her time in the shelter.
    """
    officer = await stranger(three)
    used, staged, kept = [await a_victim(officer, STRANGER) for _ in range(3)]
    said = await officer.post(f"/v1/victims/{staged}/stages", {"stage": "protection"})
    assert said.status_code in (200, 201), said.text
    hers = await at_kemenpppa(three, identity=HER)
    await until_heard(three, hers, 1)
    before = [await turn_of(officer, bait) for bait in (used, staged)]
    await to_the_shelter(three, hers)
    await three["coordination"].until(f"/v1/journeys/{hers}", lambda seen: seen["custody"]["agency"] == "kemensos")
    after = [await turn_of(officer, bait) for bait in (used, staged, kept)]
    assert [*before, *after] == ["other-side"] * 5


async def test_only_two_desks_that_linked_her_hear_of_each_other(three: Network) -> None:
    theirs = await a_victim(three["police"], identity=HER)
    await until_heard(three, theirs, 1)
    hers = await at_kemenpppa(three, identity=HER)
    [proposal] = await until_seen(three["police"], lambda items: len(items) == 1)
    await linked(three, proposal["match_id"])
    [named] = (await three["police"].get("/v1/matches"))["items"]
    assert (named["other_id"], named["other_desk"]["agency"]) == (hers, "kemenpppa")


async def test_a_registration_is_a_look_that_both_sides_can_show_her(three: Network) -> None:
    hers = await at_kemenpppa(three, identity=HER)
    await until_heard(three, hers, 1)
    kept = await report(three["kemenpppa"], hers)
    invented, _ = await looks_for(three, {"nik": HER["nik"]})
    [look] = await report(await stranger(three), invented)
    assert (look["fields"], look["unit"], look["right"], look["agency"]) == (["nik"], STRANGER, "custody", None)
    above = await stranger(three, Role.SUPERVISOR)
    logged = [row for row in (await above.get("/v1/access-log"))["items"] if row["purpose"] == "search"]
    assert [(row["victim_id"], row["fields"]) for row in logged] == [(invented, ["nik"])]
    # at the other side: somebody met her, by her NIK. Of a desk or an id there is nothing
    await until_asked(three["kemenpppa"])
    [met] = [look for look in await report(three["kemenpppa"], hers) if look not in kept]
    assert (met["right"], met["fields"], met["unit"], met["client"]) == ("match", ["nik"], None, None)
    assert met["agency"] is None  # nobody but the desk that registered her knows her: she might be a bait


async def test_an_agency_that_looks_is_named_to_whom_another_agency_has_taken_on(three: Network) -> None:
    hers = await at_kemenpppa(three, identity=HER)
    shelter = await to_the_shelter(three, hers)
    await looks_for(three, {"nik": HER["nik"]})
    await until_asked(shelter)
    [met] = [look for look in await report(shelter, hers) if look["right"] == "match"]
    assert (met["agency"], met["fields"], met["unit"]) == ("police", ["nik"], None)


async def test_an_identifier_that_is_written_down_later_is_a_look_too(three: Network) -> None:
    hers = await at_kemenpppa(three, identity=HER)
    await until_heard(three, hers, 1)
    officer = await stranger(three)
    invented = await a_victim(officer, STRANGER, identity={"name": HER["name"]})
    assert await report(officer, invented) == []  # a name alone finds nobody
    for change in ({"born_on": HER["born_on"]}, {"address": "Jalan Rekaan 1"}):
        assert (await officer.post(f"/v1/victims/{invented}/identity", change)).status_code == 200
    [look] = await report(officer, invented)
    assert look["fields"] == ["born_on", "name"]
    await until_asked(three["kemenpppa"])
    assert [look["fields"] for look in await report(three["kemenpppa"], hers) if look["right"] == "match"] == [
        ["born_on", "name"]
    ]


async def test_a_look_cannot_be_taken_back(three: Network) -> None:
    """He takes the number away again: officers see the proposal no more, supervisors and auditors of both sides do."""
    hers = await at_kemenpppa(three, identity=HER)
    await until_heard(three, hers, 1)
    invented, proposal = await looks_for(three, {"nik": HER["nik"]})
    officer = await stranger(three)
    await until_asked(three["kemenpppa"])
    await officer.post(f"/v1/victims/{invented}/identity", {"nik": None})
    assert await until_seen(officer, lambda items: not items) == []
    assert await until_seen(three["kemenpppa"], lambda items: not items) == []
    for code, victim in (("police", invented), ("kemenpppa", hers)):
        for role in (Role.SUPERVISOR, Role.AUDITOR):
            client = await three.calling(code, role)
            [left] = (await client.get("/v1/matches", state="withdrawn"))["items"]
            assert (left["match_id"], left["victim_id"], left["state"]) == (proposal["match_id"], victim, "withdrawn")
            assert (left["kinds"], left["other_id"], left["other_desk"]) == (["nik"], None, None)
            assert left in (await client.get("/v1/matches"))["items"]
        head = await three.calling(code, Role.SUPERVISOR)
        late = await head.post(f"/v1/matches/{proposal['match_id']}/decision", {"decision": "same-person"})
        assert problem(late) == "unknown-match"
    assert [look["fields"] for look in await report(three["kemenpppa"], hers) if look["right"] == "match"] == [["nik"]]


async def seen_by(network: Network, code: str) -> dict[Role, int]:
    """The number of proposals that each role of an agency sees."""
    seen = {}
    for role in (Role.OFFICER, Role.SUPERVISOR, Role.AUDITOR):
        seen[role] = len((await (await network.calling(code, role)).get("/v1/matches"))["items"])
    return seen


NOT_OFFICERS = {Role.OFFICER: 0, Role.SUPERVISOR: 1, Role.AUDITOR: 1}


async def test_who_is_in_a_safe_house_is_matched_by_supervisors_alone(three: Network) -> None:
    hers = await at_kemenpppa(three, identity={**HER, "safe_house": "Rumah rekaan 9"})
    await until_heard(three, hers, 1)
    _, proposal = await looks_for(three, {"nik": HER["nik"]})
    head = await three.calling("kemenpppa", Role.SUPERVISOR)
    await until_asked(head)
    assert await seen_by(three, "kemenpppa") == NOT_OFFICERS
    path, word = f"/v1/matches/{proposal['match_id']}/decision", {"decision": "same-person"}
    assert problem(await three["kemenpppa"].post(path, word)) == "unknown-match"
    assert (await head.post(path, word)).status_code == 200

    # the safe house is another's: then she is as any other
    await three["kemenpppa"].post(f"/v1/victims/{hers}/identity", {"safe_house": None})
    assert (await seen_by(three, "kemenpppa"))[Role.OFFICER] == 1


async def test_who_is_protected_by_the_police_is_matched_by_supervisors_alone(three: Network) -> None:
    police, kemenpppa = three["police"], three["kemenpppa"]
    hers = await at_kemenpppa(three, identity=HER)
    protection = await refer(kemenpppa, hers, "police", "temporary-protection")
    await police.until_status(protection, "received")
    await police.must(protection, "accept")
    await kemenpppa.until_status(protection, "accepted")
    await looks_for(three, {"nik": HER["nik"]})
    await until_asked(await three.calling("kemenpppa", Role.SUPERVISOR))
    assert await seen_by(three, "kemenpppa") == NOT_OFFICERS
    # the shelter that takes her knows nothing of the protection, but from coordination
    await to_the_shelter(three, hers)
    await until_asked(await three.calling("kemensos", Role.SUPERVISOR))
    assert await seen_by(three, "kemensos") == NOT_OFFICERS


async def test_a_desk_that_meets_others_again_and_again_and_refers_nobody_is_an_alarm(
    network: Network, capsys: pytest.CaptureFixture[str]
) -> None:
    network.extra = {"log_level": "warning"}
    for code in ("coordination", "police", "kemenpppa"):
        await network.start(code)
    numbers = [f"737101440305000{digit}" for digit in range(6)]
    for nik in numbers:
        await until_heard(network, await at_kemenpppa(network, identity={"nik": nik}), 1)
    officer, coordination = await stranger(network), network["coordination"]
    for count, nik in enumerate(numbers, 1):
        assert (await coordination.get("/v1/match-alarms"))["items"] == [] or count > 5
        await a_victim(officer, STRANGER, identity={"nik": nik})
        await until_seen(officer, lambda items, count=count: len(items) == count)
    [alarm] = (await coordination.get("/v1/match-alarms"))["items"]
    assert (alarm["reason"], alarm["unit"]) == ("meetings-without-referral", STRANGER)
    assert alarm["count"] == {"at_least": 0, "suppressed": True}  # a small number of people is for the log alone
    warned = [json.loads(line) for line in capsys.readouterr().err.splitlines() if "meetings-without" in line]
    said = {(line["event"], line["unit"], line["count"]) for line in warned}
    assert {("match.meetings-without-referral", STRANGER, 5), ("match.alarm", STRANGER, 5)} <= said
