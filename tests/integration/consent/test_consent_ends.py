"""A consent records its officer, its victim, and the extent of the agreement. It ends when it is withdrawn anywhere,
replaced by less, or expired."""

import asyncio
import json
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from shared.domain.access import Role
from shared.victims.sealed.tables import BlindIndexRow
from tests.support.by_hand import deliver, parked, posted, take_back
from tests.support.identities import NAMED, WHO, consent, found_by, given_and_received, keys_left, ledger, look
from tests.support.network import Client, Network, a_victim, asking, problem, refer

WITHDRAWN = "id.tppo.consent.withdrawn.v1"


def told(network: Network, by: str, to: str) -> list[dict[str, Any]]:
    """The ended consents that a member has told another."""
    bodies = [json.loads(message.body) for message in posted(network, by, to)]
    return [dict(body["data"]) for body in bodies if body["type"] == WITHDRAWN]


async def given_on_consent(network: Network, **changes: Any) -> tuple[str, str]:
    """Kemenkes works on what she agreed to be told."""
    police = network["police"]
    victim = await a_victim(police, identity=WHO)
    await consent(police, victim, **changes)
    asked = await refer(police, victim, "kemenkes", "first-aid", basis="consent")
    deliver(network, *posted(network))
    for action in ("accept", "start"):
        await network["kemenkes"].must(asked, action)
    deliver(network, *posted(network, "kemenkes", "police"), to="police")
    assert await look(network["kemenkes"], victim) == NAMED
    return victim, asked


async def test_a_consent_reads_as_it_was_taken(two: Network) -> None:
    officer = await two.calling("police", Role.OFFICER, person="petugas-rekaan-17", client="spkt-kolaka")
    child, before = await a_victim(officer, age_class="child"), two.clock()
    await consent(officer, child, manner="witnessed", guardian="excluded", purposes=["medical", "care"])
    [kept] = (await officer.get(f"/v1/victims/{child}/consents"))["items"]
    assert (kept["recorded_by"], kept["person"]) == ("spkt-kolaka", "petugas-rekaan-17")
    assert (kept["notice"], kept["manner"], kept["guardian"]) == ("2026-1", "witnessed", "excluded")
    assert (set(kept["purposes"]), set(kept["fields"])) == ({"medical", "care"}, {"name", "born_on"})
    assert (kept["recipients"], kept["stands"], kept["ended_at"]) == (["kemenkes"], True, None)
    assert before <= datetime.fromisoformat(kept["recorded_at"]) <= two.clock()
    assert datetime.fromisoformat(kept["valid_until"]) == datetime.fromisoformat("2099-01-01T00:00:00+07:00")


async def test_nobody_agrees_to_an_agency_that_is_none(two: Network) -> None:
    """A word that could be a name is not kept, nor sent on."""
    victim = await a_victim(two["police"], identity=WHO)
    body = {"notice": "2026-1", "purposes": ["care"], "fields": ["name"], "recipients": ["cempaka-rekaan"],
            "valid_until": "2099-01-01T00:00:00Z", "manner": "written", "agrees": True}  # fmt: skip
    refused = await two["police"].post(f"/v1/victims/{victim}/consents", body)
    assert (problem(refused), refused.json()["errors"][0]["field"]) == ("unknown-agency", "/recipients")
    assert "cempaka" not in refused.text and posted(two, to="coordination")[-1].body.find(b"cempaka") < 0


async def test_one_that_is_over_ends_at_its_moment_with_nobody_logged_in(two: Network) -> None:
    over = two.clock() + timedelta(hours=1)
    victim, asked = await given_on_consent(two, valid_until=over.isoformat())
    kemenkes = two["kemenkes"]
    await two.stop("police")
    two.clock.advance(timedelta(minutes=59))
    police = await two.start("police", online=False)
    assert told(two, "police", "kemenkes") == []
    await two.stop("police")
    two.clock.advance(timedelta(minutes=2))
    police = await two.start("police", online=False)
    with two.apps["police"].state.notifier.watching(victim) as watch:
        while not told(two, "police", "kemenkes"):
            assert await watch.next(20)
    [word] = told(two, "police", "kemenkes")
    assert (word["because"], datetime.fromisoformat(word["occurred_at"])) == ("expired", over)
    deliver(two, posted(two)[-1])
    assert keys_left(two, "kemenkes") == 0 and await look(kemenkes, victim) == "no-identity"
    assert (await kemenkes.get(f"/v1/referrals/{asked}"))["status"] == "in-progress"  # she may be asked anew
    deliver(two, *posted(two, "kemenkes", "police"), to="police")
    [given] = await given_and_received(police, victim)
    assert given["end"] == "erased"
    [kept] = (await police.get(f"/v1/victims/{victim}/consents"))["items"]
    assert kept["stands"] is False and kept["withdrawn_at"] is None and kept["ended_at"] is not None


async def test_who_agrees_to_less_has_taken_back_the_rest(two: Network) -> None:
    victim, asked = await given_on_consent(two)
    police, kemenkes = two["police"], two["kemenkes"]
    await consent(police, victim, fields=["name"], recipients=["kemensos"])
    [word] = told(two, "police", "kemenkes")
    assert word["because"] == "replaced"
    deliver(two, *posted(two))
    assert keys_left(two, "kemenkes") == 0
    assert (await kemenkes.get(f"/v1/referrals/{asked}"))["cancellation_asked"]
    first, second = (await police.get(f"/v1/victims/{victim}/consents"))["items"]
    assert (first["stands"], second["stands"]) == (False, True)


async def test_who_agrees_to_as_much_or_more_takes_nothing_back(two: Network) -> None:
    victim, _ = await given_on_consent(two)
    await consent(two["police"], victim, fields=["name", "born_on", "phone"], recipients=["kemenkes", "kemensos"])
    assert told(two, "police", "kemenkes") == []
    assert await look(two["kemenkes"], victim) == NAMED


async def test_a_person_takes_it_back_where_they_are_and_who_recorded_it_hears_of_it(two: Network) -> None:
    """At the hospital she says that she does not want this any more; the police tell the others."""
    police, kemenkes = two["police"], two["kemenkes"]
    victim = await a_victim(police, identity=WHO)
    agreed = await consent(police, victim, recipients=["kemenkes", "kemensos"], purposes=["medical", "care"])
    for agency, service in (("kemenkes", "first-aid"), ("kemensos", "shelter-and-rehabilitation")):
        await refer(police, victim, agency, service, basis="consent")
    deliver(two, *posted(two))
    [referral] = (await kemenkes.get("/v1/referrals"))["items"]
    for action in ("accept", "start"):
        await kemenkes.must(referral["id"], action)
    deliver(two, *posted(two, "kemenkes", "police"), to="police")

    said = await kemenkes.post(f"/v1/victims/{victim}/consents/withdrawal")
    assert said.status_code == 200 and said.json()["consents"] == [agreed["id"]]
    assert keys_left(two, "kemenkes") == 0 and await look(kemenkes, victim) == "no-identity"
    deliver(two, *posted(two, "kemenkes", "police"), to="police")
    [kept] = (await police.get(f"/v1/victims/{victim}/consents"))["items"]
    assert kept["stands"] is False and kept["withdrawn_at"]
    assert told(two, "police", "kemenkes") == []  # it has told us
    [word] = told(two, "police", "kemensos")
    assert word["because"] == "withdrawn" and word["consent_id"] == agreed["id"]
    assert not any(message.key for message in posted(two, to="kemensos"))
    ends = {item["agency"]: item["end"] for item in await given_and_received(police, victim)}
    assert ends["kemenkes"] == "erased"
    anew = asking(victim, "kemenkes", "first-aid", basis="consent", force=True)
    assert problem(await police.post("/v1/referrals", anew)) == "no-consent"


async def test_a_withdrawal_among_many_requests_lets_none_out_after_it(two: Network) -> None:
    police = two["police"]
    victim = await a_victim(police, identity=WHO)
    await consent(police, victim)
    body = asking(victim, "kemenkes", "first-aid", basis="consent", force=True)
    asks = [police.post("/v1/referrals", body) for _ in range(8)]
    asks.insert(4, police.post(f"/v1/victims/{victim}/consents/withdrawal"))
    answers = await asyncio.gather(*asks)
    assert answers[4].status_code == 200
    assert not any(message.key for message in posted(two))  # sent before it or not at all: none goes with its key
    types = [entry.type for entry in ledger(two, "police") if entry.link == "police>kemenkes"]
    after = types[types.index(WITHDRAWN) :] if WITHDRAWN in types else []
    assert "id.tppo.referral.requested.v1" not in after
    for item in await given_and_received(police, victim):
        assert item["given"] and item["basis"] == "consent"
    deliver(two, *posted(two))
    assert keys_left(two, "kemenkes") == 0


async def test_a_number_that_was_given_on_consent_finds_nobody_after_it(two: Network) -> None:
    victim, _ = await given_on_consent(two, fields=["name", "born_on", "nik"])
    police, kemenkes = two["police"], two["kemenkes"]
    other = await refer(police, victim, "kemenkes", "examination-and-treatment", basis="consent")
    deliver(two, *posted(two))
    await kemenkes.must(other, "accept")
    await kemenkes.must(other, "start")
    assert await found_by(kemenkes, WHO["nik"]) == [victim]
    await take_back(two, "withdrawal", victim)
    deliver(two, *posted(two))
    rows = two.apps["kemenkes"].state.database.read(lambda s: s.scalars(select(BlindIndexRow)).all())
    assert rows == [] and await found_by(kemenkes, WHO["nik"]) == []
    assert await found_by(police, WHO["nik"]) == [victim]


async def test_a_persons_report_says_who_looked_to_whom_it_went_and_what_they_agreed_to(two: Network) -> None:
    victim, asked = await given_on_consent(two)
    officer: Client = await two.calling("police", Role.OFFICER, person="petugas-rekaan-17", client="spkt-kolaka")
    assert await look(officer, victim, "legal") == WHO
    report = await officer.get(f"/v1/victims/{victim}/access-report")
    looks = [(row["client"], row["person"], row["purpose"], row["right"]) for row in report["looks"]]
    registered = ("police-officer-bareskrim", "petugas-police-officer-bareskrim", "search", "custody")
    assert sorted(looks) == sorted([registered, ("spkt-kolaka", "petugas-rekaan-17", "legal", "custody")])
    [given] = report["disclosures"]
    assert (given["agency"], given["referral_id"], set(given["fields"])) == ("kemenkes", asked, {"name", "born_on"})
    assert [kept["version"] for kept in report["consents"]] == [1]
    assert given["consent_id"] == report["consents"][0]["id"]


async def test_coordination_is_told_that_it_was_taken_back_and_what_became_of_it(two: Network) -> None:
    victim, _ = await given_on_consent(two)
    await two.start("coordination", online=False)
    await take_back(two, "withdrawal", victim)
    deliver(two, *posted(two))
    links = (("police", "coordination"), ("police", "kemenkes"), ("kemenkes", "police"), ("kemenkes", "coordination"))
    for sender, receiver in links:
        deliver(two, *posted(two, sender, receiver), to="coordination")
    heard = {(entry.link, entry.type.split(".", 2)[2]) for entry in ledger(two, "coordination")}
    assert ("police>coordination", "consent.recorded.v1") in heard
    assert ("police>coordination", "consent.withdrawn.v1") in heard
    assert ("kemenkes>coordination", "disclosure.ended.v1") in heard
    told = b"".join(entry.body for entry in ledger(two, "coordination"))
    assert not [value for value in WHO.values() if value.encode() in told]
    assert all(applied for _, applied, _ in parked(two, "coordination"))
    coordinator = two["coordination"]
    shown = (await coordinator.get(f"/v1/journeys/{victim}"))["events"]
    listed = [(event["sender"], event["type"].removeprefix("id.tppo.")) for event in shown]
    assert listed.index(("police", "consent.withdrawn.v1")) < listed.index(("kemenkes", "disclosure.ended.v1"))


async def test_she_takes_it_back_with_who_is_responsible_now_and_every_controller_hears_of_it(two: Network) -> None:
    """The police recorded that she agrees; KemenPPPA is responsible now, and has given her on to a shelter."""
    police, kemenkes = two["police"], two["kemenkes"]
    kemenpppa = await two.start("kemenpppa", online=False)
    victim = await a_victim(police, identity=WHO)
    agreed = await consent(police, victim, purposes=["care", "medical"], recipients=["kemenkes", "kemenpppa"])
    asked = await refer(police, victim, "kemenkes", "first-aid", basis="consent")
    deliver(two, *posted(two))
    await kemenkes.must(asked, "accept")
    transfer = await refer(police, victim, "kemenpppa", "case-management", kind="transfer", basis="consent")
    deliver(two, *posted(two, to="kemenpppa"), to="kemenpppa")
    await kemenpppa.must(transfer, "accept")
    for sender in ("kemenkes", "kemenpppa"):
        deliver(two, *posted(two, sender, "police"), to="police")
    await refer(kemenpppa, victim, "kemensos", "shelter-and-rehabilitation")

    said = await kemenpppa.post(f"/v1/victims/{victim}/consents/withdrawal")
    assert said.status_code == 200 and said.json()["consents"] == [agreed["id"]]
    assert told(two, "kemenpppa", "kemensos") == []  # what went on to the shelter rests on a basis of its own
    deliver(two, *posted(two, "kemenpppa", "police"), to="police")
    [kept] = (await police.get(f"/v1/victims/{victim}/consents"))["items"]
    assert kept["withdrawn_at"] and not kept["stands"]
    deliver(two, *posted(two))
    assert keys_left(two, "kemenkes") == 0 and await look(kemenkes, victim) == "no-identity"
    deliver(two, *posted(two, "kemenkes", "police"), to="police")
    ends = {item["agency"]: (item["end"], item["kept_because"]) for item in await given_and_received(police, victim)}
    assert ends == {"kemenkes": ("erased", None), "kemenpppa": ("stopped", "custody")}
    assert await look(kemenpppa, victim) == NAMED  # who is responsible goes on knowing who she is


async def test_one_that_is_given_for_a_moment_is_over_after_it_while_the_service_runs(two: Network) -> None:
    police = two["police"]
    victim = await a_victim(police, identity=WHO)
    with two.apps["police"].state.notifier.watching(victim) as watch:
        await consent(police, victim, valid_until=(two.clock() + timedelta(seconds=5)).isoformat())
        while (kept := (await police.get(f"/v1/victims/{victim}/consents"))["items"])[0]["ended_at"] is None:
            assert await watch.next(20)
    assert kept[0]["ended_at"] >= kept[0]["valid_until"] and not kept[0]["stands"]
    refused = await police.post("/v1/referrals", asking(victim, "kemenkes", "first-aid", basis="consent"))
    assert problem(refused) == "no-consent"


async def test_nobody_has_agreed_to_a_notice_before_there_was_one(two: Network) -> None:
    """Entered later from a paper: what was told then was another notice."""
    victim = await a_victim(two["police"])
    body = {"notice": "2026-1", "purposes": ["care"], "fields": ["name"], "recipients": ["kemenkes"],
            "valid_until": "2099-01-01T00:00:00Z", "manner": "written", "agrees": True,
            "note": "Dari kertas."}  # fmt: skip
    path = f"/v1/victims/{victim}/consents"
    before = await two["police"].post(path, {**body, "occurred_at": "2025-12-31T12:00:00Z"})
    assert (problem(before), before.json()["errors"][0]["field"]) == ("unknown-notice", "/notice")
    assert (await two["police"].post(path, {**body, "occurred_at": "2026-01-01T12:00:00Z"})).status_code == 201
