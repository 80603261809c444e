"""One person at two agencies: proposed by match tokens that coordination cannot make, decided by two people, merged by
nobody."""

import json
from typing import Any

from sqlmodel import col

from services.coordination.tables import MatchTokenRow, ProposalRow
from shared.contracts.codes import MatchStrength, SamePerson
from shared.contracts.events import MatchDecided, MatchProposed, TokensTold
from shared.domain.access import Role
from shared.domain.matching import COMMON
from shared.reference.office import draft, new_id
from shared.storage.tables import LedgerEntry, ParkedEvent
from shared.victims.matching import match_tokens
from shared.victims.matching.tables import ToldMatchTokensRow
from tests.support.by_hand import deliver, posted
from tests.support.matches import (
    OTHER_NAME,
    WHO,
    at_kemenpppa,
    decide,
    later,
    linked,
    proposed,
    rows,
    until_asked,
    until_heard,
    until_seen,
)
from tests.support.network import Network, a_victim, erase, problem, refer


async def test_one_person_at_two_agencies_is_linked_by_two_people(three: Network) -> None:
    police, kemenpppa, coordination = three["police"], three["kemenpppa"], three["coordination"]
    theirs, ours, match = await proposed(three)
    [at_police] = (await police.get("/v1/matches"))["items"]
    assert (at_police["victim_id"], at_police["turn"], at_police["state"]) == (theirs, "this-side", "open")
    assert (at_police["kinds"], at_police["strength"]) == (["name-and-birth"], "possible")

    assert (await decide(police, match, "same-person"))["state"] == "open"
    await until_asked(kemenpppa)
    assert (await police.get(f"/v1/victims/{theirs}"))["same_person"] == []
    assert (await decide(kemenpppa, match, "same-person"))["said"] == "same-person"
    [at_police] = await until_seen(police, lambda items: items[0]["other_id"] is not None)
    assert (at_police["state"], at_police["other_id"], at_police["turn"]) == ("linked", ours, None)
    assert (at_police["other_desk"]["agency"], at_police["other_said"]) == ("kemenpppa", "same-person")
    [there] = await until_seen(kemenpppa, lambda items: items[0]["other_id"] is not None)
    assert (there["other_id"], there["other_desk"]["agency"]) == (theirs, "police")
    assert (await police.get(f"/v1/victims/{theirs}"))["same_person"] == [ours]
    assert (await kemenpppa.get(f"/v1/victims/{ours}"))["same_person"] == [theirs]

    journeys = [await coordination.get(f"/v1/journeys/{victim}") for victim in (theirs, ours)]
    assert [journey["same_person"] for journey in journeys] == [{"open": 0, "linked": 1, "closed": 0}] * 2
    holders = [journey["custody"]["agency"] for journey in journeys]  # nothing is merged
    assert holders == ["police", "kemenpppa"]

    # a mind may be changed: the last word of each side counts, and nobody is named any more
    assert (await decide(kemenpppa, match, "different-person"))["state"] == "closed"
    [closed] = await until_seen(police, lambda items: items[0]["state"] == "closed")
    assert (closed["other_id"], closed["other_desk"]) == (None, None)
    assert [item["other_id"] for item in (await kemenpppa.get("/v1/matches"))["items"]] == [None]
    assert (await police.get(f"/v1/victims/{theirs}"))["same_person"] == []
    for state, listed in (("closed", 1), ("linked", 0), ("open", 0)):
        assert len((await police.get("/v1/matches", state=state))["items"]) == listed


async def test_who_has_no_nik_is_known_again_by_a_passport(three: Network) -> None:
    """Half of a group that came home had no NIK; all had a paper that brought them home."""
    police = three["police"]
    theirs = await a_victim(police, identity={"name": "Mawar Rekaan", "passport": "X 1234567"})
    await at_kemenpppa(three, identity={"name": "Melati Rekaan", "passport": "x1234567"})
    [found] = await until_seen(police, lambda items: len(items) == 1)
    assert found["victim_id"] == theirs
    assert (found["kinds"], found["strength"]) == (["passport"], "strong")


async def test_more_evidence_is_told_once_again_and_none_is_no_proposal(three: Network) -> None:
    police, kemenpppa = three["police"], three["kemenpppa"]
    theirs, ours, match = await proposed(three)
    await at_kemenpppa(three, identity=OTHER_NAME)  # born on the same day, and somebody else
    for nik in (WHO["nik"], WHO["nik"]):
        written = await kemenpppa.post(f"/v1/victims/{ours}/identity", {"nik": nik})
        assert written.status_code == 200
    [strong] = await until_seen(police, lambda items: items[0]["strength"] == "strong")
    assert strong["match_id"] == match and strong["kinds"] == ["name-and-birth", "nik"]
    [listed] = (await kemenpppa.get("/v1/matches"))["items"]
    assert listed["victim_id"] == ours
    told = rows(three, "kemenpppa", LedgerEntry, col(LedgerEntry.victim_id) == ours,
                col(LedgerEntry.type) == TokensTold.type())  # fmt: skip
    assert len(told) == 2  # what was not changed was not told
    heard = rows(three, "police", LedgerEntry, col(LedgerEntry.type) == MatchProposed.type())
    assert len(heard) == 2

    # what only adds to what is strong already is told to nobody again
    for side, victim in ((police, theirs), (kemenpppa, ours)):
        await side.post(f"/v1/victims/{victim}/identity", {"phone": "081200000003"})
    await until_heard(three, ours, 3)
    await until_heard(three, theirs, 2)
    proposals = rows(three, "coordination", LedgerEntry, col(LedgerEntry.type) == MatchProposed.type())
    assert len(proposals) == 4

    # number and name were another's: there is nothing left that they have in common
    await kemenpppa.post(f"/v1/victims/{ours}/identity", {"nik": None, "phone": None, "name": "Kenanga Rekaan"})
    assert await until_seen(police, lambda items: not items) == []
    assert problem(await police.post(f"/v1/matches/{match}/decision", {"decision": "same-person"})) == "unknown-match"
    assert await until_seen(kemenpppa, lambda items: not items) == []
    assert rows(three, "coordination", ProposalRow) == []


async def test_what_two_people_have_said_outlives_a_corrected_number_and_not_an_erasure(three: Network) -> None:
    police, kemenpppa = three["police"], three["kemenpppa"]
    theirs, ours, match = await proposed(three)
    await linked(three, match)
    await kemenpppa.post(f"/v1/victims/{ours}/identity", {"name": "Kenanga Rekaan"})
    await until_heard(three, ours, 2)
    assert (await police.get(f"/v1/victims/{theirs}"))["same_person"] == [ours]

    await erase(three, "kemenpppa", ours)
    assert (await kemenpppa.get("/v1/matches"))["items"] == []
    assert await until_seen(police, lambda items: not items) == []
    assert (await police.get(f"/v1/victims/{theirs}"))["same_person"] == []
    assert {row.victim_id for row in rows(three, "coordination", MatchTokenRow)} == {theirs}
    assert rows(three, "coordination", ProposalRow) == []
    assert [row.victim_id for row in rows(three, "kemenpppa", ToldMatchTokensRow)] == []


async def test_who_is_set_aside_for_a_court_is_proposed_to_nobody(three: Network) -> None:
    """Kemenpppa must erase, by the word of who is responsible, and a hold forbids it: nobody finds them any more."""
    police, kemenpppa = three["police"], three["kemenpppa"]
    victim = await a_victim(police)
    referral = await refer(police, victim, "kemenpppa", "case-management")
    await kemenpppa.until_status(referral, "received")
    await kemenpppa.must(referral, "accept")
    written = await kemenpppa.post(f"/v1/victims/{victim}/identity", {"name": WHO["name"], "born_on": WHO["born_on"]})
    assert written.status_code == 200, written.text
    await until_heard(three, victim, 1)
    assert len(rows(three, "coordination", MatchTokenRow)) == 1
    head = await three.calling("kemenpppa", Role.SUPERVISOR)
    assert (await head.post(f"/v1/victims/{victim}/legal-holds", {"basis": "trial"})).status_code == 201
    await erase(three, "police", victim)
    await until_heard(three, victim, 2)
    assert rows(three, "coordination", MatchTokenRow) == []


async def test_the_desk_that_becomes_responsible_decides_from_then_on(three: Network) -> None:
    police, kemenpppa = three["police"], three["kemenpppa"]
    kemensos = await three.start("kemensos")
    _, ours, match = await proposed(three)
    await decide(police, match, "same-person")
    await until_asked(kemenpppa)
    await decide(kemenpppa, match, "cannot-tell")
    transfer = await refer(kemenpppa, ours, "kemensos", "shelter-and-rehabilitation", kind="transfer")
    await kemensos.until_status(transfer, "received")
    await kemensos.must(transfer, "accept")
    [moved] = await until_seen(kemensos, lambda items: bool(items))
    assert (moved["said"], moved["other_said"], moved["said_by"]) == ("cannot-tell", None, None)
    await kemenpppa.until_status(transfer, "accepted")
    assert (await kemenpppa.get("/v1/matches"))["items"] == []
    late = await kemenpppa.post(f"/v1/matches/{match}/decision", {"decision": "different-person"})
    assert problem(late) == "unknown-match"
    await decide(kemensos, match, "same-person")
    [named] = await until_seen(police, lambda items: items[0]["other_id"] is not None)
    assert named["other_desk"]["agency"] == "kemensos"

    # once both sides have linked her, the other one hears where she is
    onwards = await refer(kemensos, ours, "kemenpppa", "case-management", kind="transfer")
    await kemenpppa.until_status(onwards, "received")
    await kemenpppa.must(onwards, "accept")
    await until_seen(police, lambda items: items[0]["other_desk"]["agency"] == "kemenpppa")


async def test_a_number_that_many_gave_shows_nobody(three: Network) -> None:
    """A recruiter's telephone is written down for all whom he brought: it proposes none of them."""
    police, kemenpppa = three["police"], three["kemenpppa"]
    for _ in range(COMMON):
        last = await a_victim(police, identity={"phone": "081200000001"})
    lonely = await a_victim(police, identity={"phone": "081200000002"})
    await until_heard(three, lonely, 1)
    many = await at_kemenpppa(three, identity={"phone": "+6281200000001"})
    one = await at_kemenpppa(three, identity={"phone": "+6281200000002"})
    [found] = await until_seen(kemenpppa, lambda items: bool(items))
    assert found["victim_id"] == one
    assert (found["kinds"], found["strength"]) == (["phone"], "possible")
    await until_heard(three, many, 1)
    assert len(rows(three, "coordination", ProposalRow)) == 1
    assert last


async def test_in_a_list_of_people_one_is_known_already(three: Network) -> None:
    police, kemenpppa = three["police"], three["kemenpppa"]
    await at_kemenpppa(three, identity={"nik": WHO["nik"]})
    opened = {"unit": "polres-65.03", "channel": "immigration", "exploitation": "forced-labour"}
    case = (await police.post("/v1/cases", opened)).json()["id"]
    people = [
        {"age_class": "adult", "sex": "male", "identity": {"name": "Rekaan Kapal", "nik": f"65030101010100{row:02}"}}
        for row in range(12)
    ]
    people[7]["identity"] = WHO
    answer = await police.post(f"/v1/cases/{case}/batches", {"people": people})
    lines = [json.loads(line) for line in answer.text.splitlines()]
    victims = [line["victim_id"] for line in lines if line["kind"] == "person"]
    assert rows(three, "police", ToldMatchTokensRow) == []  # so that they are not held up
    later(three, "police")
    [found] = await until_seen(police, lambda items: bool(items))
    assert (found["victim_id"], found["strength"]) == (victims[7], "strong")
    await until_heard(three, victims[-1], 1)
    assert len(await until_seen(kemenpppa, lambda items: bool(items))) == 1


async def test_victims_without_identifiers_delay_no_other_victim(three: Network) -> None:
    """Victims without match tokens are marked as told, so no other victim waits behind them or their rescans."""
    police, database = three["police"], three.apps["police"].state.database
    for _ in range(match_tokens.AT_ONCE + 1):
        await a_victim(police, identity={})
    opened = {"unit": "polres-65.03", "channel": "immigration", "exploitation": "forced-labour"}
    case = (await police.post("/v1/cases", opened)).json()["id"]
    listed = await police.post(
        f"/v1/cases/{case}/batches", {"people": [{"age_class": "adult", "sex": "male", "identity": WHO}]}
    )
    [victim] = [line["victim_id"] for line in map(json.loads, listed.text.splitlines()) if line["kind"] == "person"]
    later(three, "police")
    await until_heard(three, victim, 1)
    office = three.apps["police"].state.office
    while database.write(lambda tx: match_tokens.tell_some(tx, office)):
        pass
    assert len(rows(three, "police", ToldMatchTokensRow)) == match_tokens.AT_ONCE + 2


async def test_who_is_registered_twice_by_one_agency_is_found_there_and_proposed_to_nobody(three: Network) -> None:
    police = three["police"]
    first, second = [await a_victim(police, identity=WHO) for _ in range(2)]
    await until_heard(three, second, 1)
    assert rows(three, "coordination", ProposalRow) == [] and first


async def test_only_the_desk_that_is_responsible_sees_and_decides(three: Network) -> None:
    *_, match = await proposed(three)
    elsewhere = await three.calling("police", Role.OFFICER, "polres-11.01")
    assert (await elsewhere.get("/v1/matches"))["items"] == []
    for named in (match, "0193f0a2-7a10-7000-8000-0000000000ff"):
        refused = await elsewhere.post(f"/v1/matches/{named}/decision", {"decision": "same-person"})
        assert problem(refused) == "unknown-match"


async def test_a_word_that_is_not_the_coordinators_proposes_nothing(three: Network) -> None:
    """An agency cannot have somebody believe that a person is known elsewhere, nor decide for another."""
    police = three["police"]
    theirs, ours, match = await proposed(three)
    office, database = three.apps["kemenpppa"].state.office, three.apps["kemenpppa"].state.database
    unit = office.speaker(three.clock().date())
    forged = MatchProposed(match_id=new_id(), victim_id=theirs, other_id=ours, other_desk=unit, kinds=(),
                           strength=MatchStrength.STRONG, occurred_at=three.clock())  # fmt: skip
    usurped = MatchDecided(match_id=match, victim_id=theirs, decision=SamePerson.DIFFERENT, unit=unit,
                           occurred_at=three.clock())  # fmt: skip

    def speak(tx: Any) -> None:
        tx.emit(draft(forged, "police", unit, victim_id=theirs))
        tx.emit(draft(usurped, "coordination", unit, victim_id=theirs))

    database.write(speak)
    for code, reason in (("police", "not-the-coordinator"), ("coordination", "not-in-custody")):
        deliver(three, posted(three, "kemenpppa", code)[-1], to=code)  # whichever way it comes first
        assert [row.reason for row in rows(three, code, ParkedEvent)] == [reason]
    assert len((await police.get("/v1/matches"))["items"]) == 1
    assert (await police.get("/v1/matches"))["items"][0]["state"] == "open"


async def test_in_whatever_order_words_arrive_the_last_one_counts(network: Network) -> None:
    """Match tokens that come before their victim wait for the victim; an older event never replaces a newer one."""
    police = await network.start("police", online=False)
    await network.start("coordination", online=False)
    victim = await a_victim(police, identity=WHO)
    await police.post(f"/v1/victims/{victim}/identity", {"nik": "7401014107990002"})
    sent = posted(network, to="coordination")
    [registered] = [message for message in sent if ".registered." in message.subject]
    older, newer = [message for message in sent if ".tokens.told." in message.subject]
    deliver(network, newer, to="coordination")
    assert [(row.reason, row.key is None) for row in rows(network, "coordination", ParkedEvent)] == [
        ("not-in-custody", False)
    ]
    deliver(network, registered, to="coordination")
    now = {row.token for row in rows(network, "coordination", MatchTokenRow)}
    assert len(now) == 2
    assert [row.key for row in rows(network, "coordination", ParkedEvent)] == [None]
    deliver(network, older, to="coordination")
    assert {row.token for row in rows(network, "coordination", MatchTokenRow)} == now


async def test_what_was_erased_before_it_arrived_is_not_opened(network: Network) -> None:
    police = await network.start("police", online=False)
    await network.start("coordination", online=False)
    victim = await a_victim(police, identity=WHO)
    kept = posted(network, to="coordination")
    await erase(network, "police", victim)
    sent = posted(network, to="coordination")
    assert [message.key for message in sent] == [None] * len(sent) and any(message.key for message in kept)
    deliver(network, *sent, to="coordination")
    assert rows(network, "coordination", MatchTokenRow) == []
