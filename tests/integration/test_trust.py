"""Who is who travels sealed, on a legal basis, to those who need it; it can be taken back, and it can be erased.

Real NATS, both databases. Everybody here is invented.
"""

import base64
import hashlib
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlmodel import col

from shared.contracts.codes import DisclosureEnd
from shared.contracts.events import ErasureRequested
from shared.domain.access import Role
from shared.security.sealing import DataKey, Unopenable, open_sealed
from shared.service.erasure import Answer, note
from shared.service.office import draft, new_id
from shared.storage.privacy_tables import DataKeyRow, SealedRow
from shared.storage.tables import LedgerEntry, OutboxEntry
from tests.support.network import Client, Network, a_victim, agree, asking, erase, problem, refer

WHO = {
    "name": "Cempaka Contoh Rekaan",
    "nik": "7401010101010009",
    "born_on": "2001-02-03",
    "phone": "+628000000009",
    "address": "Jalan Rekaan 9",
    "statement": "Cerita rekaan: dijanjikan pekerjaan di luar negeri.",
    "safe_house": "Rumah rekaan 9",
}
PATIENT = {"name", "nik", "born_on", "phone"}
"""What Kemenkes needs to examine and treat."""
UNTIL = "2099-01-01T00:00:00+07:00"


async def look(client: Client, victim: str, purpose: str = "care") -> dict[str, Any] | str:
    """The fields somebody is shown, or the code of the refusal."""
    answer = await client.http.get(f"/v1/victims/{victim}/identity", params={"purpose": purpose})
    if answer.status_code != 200:
        return problem(answer)
    return {name: value for name, value in answer.json().items() if value is not None}


async def consent(client: Client, victim: str, **changes: Any) -> dict[str, Any]:
    """The victim agrees that Kemenkes is given a name and a date of birth."""
    body = {
        "notice": "2026-1",
        "purposes": ["medical"],
        "fields": ["name", "born_on"],
        "recipients": ["kemenkes"],
        "valid_until": UNTIL,
        "manner": "written",
        "agrees": True,
        **changes,
    }
    answer = await client.post(f"/v1/victims/{victim}/consents", body)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def until_disclosure(client: Client, victim: str, referral: str, fits: Callable[[dict[str, Any]], bool]) -> Any:
    """Wait, by the change of the victim, until what was given of them stands as it should."""
    while True:
        with client.http._transport.app.state.changes.watching(victim) as watch:  # type: ignore[attr-defined]
            items = (await client.get(f"/v1/victims/{victim}/disclosures"))["items"]
            found = [item for item in items if item["referral_id"] == referral]
            if found and fits(found[0]):
                return found[0]
            assert await watch.next(20), items


def everything_in(network: Network, code: str) -> str:
    """All that a member has in its database, as text."""
    engine = network.apps[code].state.database.engine
    with engine.connect() as connection:
        from sqlalchemy import MetaData

        tables = MetaData()
        tables.reflect(engine)
        return "\n".join(
            repr(dict(row._mapping)) for table in tables.tables.values() for row in connection.execute(table.select())
        )


async def test_a_hospital_is_given_what_it_needs_and_sees_it_while_it_works(network: Network) -> None:
    police, kemenkes = await network.start("police"), await network.start("kemenkes")
    await network.start("coordination")
    victim = await a_victim(police, identity=WHO)
    referral = await refer(police, victim, "kemenkes", "examination-and-treatment", note="Catatan rekaan petugas.")
    await kemenkes.until_status(referral, "received")
    assert await look(kemenkes, victim) == "no-identity"  # nobody works for her yet

    await kemenkes.must(referral, "accept")
    assert await look(kemenkes, victim) == {name: WHO[name] for name in PATIENT}
    assert await look(police, victim) == WHO
    for action in ("start", "complete"):
        await kemenkes.must(referral, action, **({"outcome": "service-provided"} if action == "complete" else {}))
    assert await look(kemenkes, victim) == "no-identity"  # the work is done

    [given] = (await police.get(f"/v1/victims/{victim}/disclosures"))["items"]
    assert (given["agency"], set(given["fields"]), given["basis"]) == ("kemenkes", PATIENT, "vital-interest")
    # each look is in the log of who was asked, with its right and its fields
    report = await kemenkes.get(f"/v1/victims/{victim}/access-report")
    assert [(row["right"], set(row["fields"]), row["purpose"]) for row in report["looks"]] == [
        ("work", PATIENT, "care")
    ]
    for code in ("police", "kemenkes", "coordination"):
        kept = everything_in(network, code)
        assert not [value for value in (*WHO.values(), "Catatan rekaan petugas.") if value in kept], code


async def test_what_is_learned_later_is_given_later(network: Network) -> None:
    police, kemenkes = await network.start("police"), await network.start("kemenkes")
    victim = await a_victim(police)
    referral = await refer(police, victim, "kemenkes", "first-aid")
    await kemenkes.until_status(referral, "received")
    await kemenkes.must(referral, "accept")
    assert await look(kemenkes, victim) == "no-identity"  # nobody knew who she is

    recorded = await police.post(f"/v1/victims/{victim}/identity", {"name": WHO["name"], "address": WHO["address"]})
    assert recorded.status_code == 200
    await police.until_status(referral, "accepted")
    await police.must(referral, "provide-information", about="identity")
    await kemenkes.until(f"/v1/referrals/{referral}", lambda seen: seen["asks"] == 1)
    assert await look(kemenkes, victim) == {"name": WHO["name"]}


async def test_a_transfer_gives_the_new_holder_what_its_service_needs_and_the_old_one_sees_no_more(
    network: Network,
) -> None:
    police, kemenpppa = await network.start("police"), await network.start("kemenpppa")
    victim = await a_victim(police, identity=WHO)
    transfer = await refer(police, victim, "kemenpppa", "case-management", kind="transfer")
    await kemenpppa.until_status(transfer, "received")
    await kemenpppa.must(transfer, "accept")
    await police.until_status(transfer, "accepted")
    assert await look(kemenpppa, victim) == {name: value for name, value in WHO.items() if name != "safe_house"}
    assert await look(police, victim) == "no-identity"
    # and finds her by the number it was given, which the old one may not try any more
    assert [await found_by(client, WHO["nik"]) for client in (kemenpppa, police)] == [[victim], []]


async def found_by(client: Client, nik: str) -> list[str]:
    answer = await client.post("/v1/victim-search", {"field": "nik", "value": nik})
    return [item["id"] for item in answer.json()["items"]]


async def test_a_number_finds_whom_it_was_given_for_as_long_as_it_may_be_seen(network: Network) -> None:
    """A hospital finds its patient by the NIK that the police gave, until the consent to that is withdrawn."""
    police, kemenkes = await network.start("police"), await network.start("kemenkes")
    victim = await a_victim(police, identity=WHO)
    await consent(police, victim, fields=["name", "nik"])
    asked = {"basis": "consent"}
    referral = await refer(police, victim, "kemenkes", "examination-and-treatment", **asked)
    await kemenkes.until_status(referral, "received")
    assert await found_by(kemenkes, WHO["nik"]) == []
    await kemenkes.must(referral, "accept")
    await kemenkes.must(referral, "start")
    assert await found_by(kemenkes, WHO["nik"]) == [victim]
    await police.until_status(referral, "in-progress")
    await police.must(referral, "provide-information", about="identity")  # the same once more
    await kemenkes.until(f"/v1/referrals/{referral}", lambda seen: seen["asks"] == 1)
    assert await found_by(kemenkes, WHO["nik"]) == [victim]
    head = await network.calling("kemenkes", Role.SUPERVISOR)
    await head.post(f"/v1/victims/{victim}/legal-holds", {"basis": "trial"})
    await police.post(f"/v1/victims/{victim}/consents/withdrawal")
    await until_disclosure(police, victim, referral, lambda item: item["end"] == "stopped")
    assert await found_by(kemenkes, WHO["nik"]) == []  # kept for a court, and shown to nobody at work


async def test_without_a_basis_nothing_is_given(network: Network) -> None:
    police = await network.start("police")
    victim = await a_victim(police, identity=WHO)

    async def refused(**changes: Any) -> str:
        body = asking(victim, "kemenkes", "first-aid", **{"basis": "consent", **changes})
        return problem(await police.post("/v1/referrals", body))

    assert await refused() == "no-consent"
    assert await refused(basis="child-protection") == "not-a-child"
    await consent(police, victim, recipients=["kemensos"])
    assert await refused() == "no-consent"  # she agreed to another
    await consent(police, victim, valid_until=(network.clock() + timedelta(hours=1)).isoformat())
    network.clock.advance(timedelta(hours=2))
    assert await refused() == "no-consent"  # it is over
    assert problem(await police.post("/v1/referrals", asking(victim, "kemenkes", "first-aid", basis=None))) == (
        "invalid-request"
    )


@pytest.mark.parametrize("age", ["child", "unknown"])
async def test_a_guardians_word_is_never_the_only_gate(network: Network, age: str) -> None:
    police = await network.start("police")
    child = await a_victim(police, age_class=age)
    body = {"notice": "2026-1", "purposes": ["care"], "fields": ["name"], "recipients": ["kemenkes"],
            "valid_until": UNTIL, "manner": "witnessed"}  # fmt: skip

    async def tried(**said: Any) -> str:
        answer = await police.post(f"/v1/victims/{child}/consents", {**body, **said})
        return "recorded" if answer.status_code == 201 else problem(answer)

    assert await tried(agrees=False, guardian="agreed") == "not-agreed"
    assert await tried(agrees=True, guardian="refused") == "guardian-part-missing"
    assert await tried(agrees=True) == "guardian-part-missing"
    assert await tried(agrees=True, guardian="agreed") == "recorded"
    assert await tried(agrees=True, guardian="excluded") == "recorded"  # the guardian may be the trafficker
    listed = (await police.get(f"/v1/victims/{child}/consents"))["items"]
    assert [item["version"] for item in listed] == [1, 2]
    seven = ("legality", "purposes", "fields", "retention_days", "collected", "valid_until", "rights")
    assert all(listed[0][item] for item in seven)


async def test_on_consent_only_what_was_agreed_is_given_and_a_withdrawal_takes_it_back(network: Network) -> None:
    police, kemenkes = await network.start("police"), await network.start("kemenkes")
    await network.start("coordination")
    victim = await a_victim(police, identity=WHO)
    agreed = await consent(police, victim)
    referral = await refer(police, victim, "kemenkes", "examination-and-treatment", basis="consent")
    await kemenkes.until_status(referral, "received")
    await kemenkes.must(referral, "accept")
    assert await look(kemenkes, victim) == {"name": WHO["name"], "born_on": WHO["born_on"]}
    await kemenkes.must(referral, "start")
    await police.until_status(referral, "in-progress")

    withdrawn = await police.post(f"/v1/victims/{victim}/consents/withdrawal")
    assert withdrawn.status_code == 200 and withdrawn.json()["consents"] == [agreed["id"]]
    [taken_back] = (await police.get(f"/v1/victims/{victim}/consents"))["items"]
    assert taken_back["stands"] is False and taken_back["withdrawn_at"] == withdrawn.json()["withdrawn_at"]
    # at once: nothing more is given on it
    refused = await police.post("/v1/referrals", asking(victim, "kemenkes", "first-aid", basis="consent"))
    assert problem(refused) == "no-consent"
    # every holder is told and answers with what it did
    answered = await until_disclosure(police, victim, referral, lambda item: item["end"] is not None)
    assert (answered["end"], answered["consent_id"]) == ("erased", agreed["id"])
    assert await look(kemenkes, victim) == "no-identity"
    # the work on it is asked to stop; as it has begun, a person answers
    asked = await kemenkes.until(f"/v1/referrals/{referral}", lambda seen: seen["cancellation_asked"])
    assert asked["status"] == "in-progress"
    # the answer is signed, in the ledger of both, and told to coordination
    [entry] = [e for e in ledger(network, "police") if e.type == "id.tppo.disclosure.ended.v1"]
    assert (
        network.apps["police"].state.reception.keys.verify(entry.body, entry.signature, network.clock()) == "kemenkes"
    )


async def test_a_consent_is_for_what_was_agreed_and_for_nothing_else(network: Network) -> None:
    """She agrees to medical help; that is no consent to an investigation, even by an agency she has named."""
    police = await network.start("police")
    victim = await a_victim(police, identity=WHO)
    await consent(police, victim, purposes=["legal"])
    refused = await police.post("/v1/referrals", asking(victim, "kemenkes", "first-aid", basis="consent"))
    assert (problem(refused), refused.json()["errors"][0]["field"]) == ("no-consent", "/basis")
    await consent(police, victim, purposes=["legal", "medical"])
    assert await refer(police, victim, "kemenkes", "first-aid", basis="consent")


async def test_a_legal_hold_keeps_what_a_court_needs(network: Network) -> None:
    police, kemenkes = await network.start("police"), await network.start("kemenkes")
    victim = await a_victim(police, identity=WHO)
    await consent(police, victim)
    referral = await refer(police, victim, "kemenkes", "first-aid", basis="consent")
    await kemenkes.until_status(referral, "received")
    await kemenkes.must(referral, "accept")
    known = await look(kemenkes, victim)
    assert known == {"name": WHO["name"], "born_on": WHO["born_on"]}
    head = await network.calling("kemenkes", Role.SUPERVISOR)
    assert (await head.post(f"/v1/victims/{victim}/legal-holds", {"basis": "trial"})).status_code == 201

    await police.post(f"/v1/victims/{victim}/consents/withdrawal")
    kept = await until_disclosure(police, victim, referral, lambda item: item["end"] is not None)
    assert (kept["end"], kept["kept_because"]) == ("stopped", "legal-hold")
    assert await look(kemenkes, victim) == "no-identity"  # kept, and shown to nobody at their work
    broken = await kemenkes.post(f"/v1/victims/{victim}/break-glass", {"reason": "court-order", "minutes": 5})
    assert broken.status_code == 201
    assert await look(kemenkes, victim, "legal") == known
    assert (await kemenkes.post(f"/v1/break-glass/{broken.json()['id']}/end")).json()["looks"] == 1

    # the trial is over: what only the hold kept is erased at last, and the police hear of it
    assert (await head.post(f"/v1/victims/{victim}/legal-holds/lifting")).status_code == 200
    assert keys_left(network, "kemenkes") == 0
    ended = await until_disclosure(police, victim, referral, lambda item: item["end"] == "erased")
    assert ended["kept_because"] is None


# --- erasure ----------------------------------------------------------------------------------------------------------


def ledger(network: Network, code: str) -> list[LedgerEntry]:
    database = network.apps[code].state.database
    return list(database.read(lambda s: s.scalars(select(LedgerEntry).order_by(col(LedgerEntry.position))).all()))


def keys_left(network: Network, code: str) -> int:
    database = network.apps[code].state.database
    return len(database.read(lambda s: s.scalars(select(DataKeyRow)).all()))


def opens_anything(network: Network, code: str, sealed: list[str]) -> bool:
    """Whether a member can open any of this with all that it has: its keys, its database, and what waits to be sent."""
    app = network.apps[code]
    vault, database = app.state.office.vault, app.state.database
    rows = database.read(lambda s: s.scalars(select(DataKeyRow)).all())
    keys = [vault.unwrap_at_rest(row.wrapped, row.victim_id) for row in rows]
    beside = database.read(lambda s: s.scalars(select(OutboxEntry).where(col(OutboxEntry.key).is_not(None))).all())
    for waiting in beside:
        try:
            keys.append(vault.open_key(waiting.key or ""))
        except Unopenable:
            continue
    for text in sealed:
        for key in keys:
            try:
                header = json.loads(base64.urlsafe_b64decode(text.split(".")[0] + "=="))
                open_sealed(text, DataKey(key), header["victim"], header["for"], header["typ"])
            except Unopenable:
                continue
            return True
    return False


async def test_after_an_erasure_no_holder_can_read_and_every_ledger_still_verifies(network: Network) -> None:
    """Police → KemenPPPA (who is responsible now) → Kemenkes: all three hold her name, all three lose it."""
    agencies = ("police", "kemenpppa", "kemenkes")
    police, kemenpppa, kemenkes = [await network.start(code) for code in agencies]
    coordination = await network.start("coordination")
    victim = await a_victim(police, identity=WHO)
    transfer = await refer(police, victim, "kemenpppa", "case-management", kind="transfer")
    await kemenpppa.until_status(transfer, "received")
    await kemenpppa.must(transfer, "accept")
    await kemenpppa.must(transfer, "start")
    await police.until_status(transfer, "in-progress")
    referral = await refer(kemenpppa, victim, "kemenkes", "first-aid")
    await kemenkes.until_status(referral, "received")
    await kemenkes.must(referral, "accept")
    assert await look(kemenkes, victim) == {"name": WHO["name"], "born_on": WHO["born_on"]}
    await coordination.until(
        f"/v1/journeys/{victim}",
        lambda seen: sorted(item["status"] for item in seen["handovers"]) == ["accepted", "in-progress"],
    )
    before = await coordination.get("/v1/counts")
    sealed = [json.loads(entry.body)["data"].get("sealed") for code in agencies for entry in ledger(network, code)]
    sealed = [text for text in sealed if text]
    assert len(sealed) == 5  # two hand-overs, in two ledgers each, and what coordination was told to know her again
    assert opens_anything(network, "kemenkes", sealed)

    assert problem(await police.post(f"/v1/victims/{victim}/erasure")) == "role-not-allowed"
    formerly = await network.calling("police", Role.SUPERVISOR)
    assert problem(await formerly.post(f"/v1/victims/{victim}/erasure")) == "not-custody-holder"
    head = await network.calling("kemenpppa", Role.SUPERVISOR)
    named = {"erasure_id": new_id()}
    assert (await head.post(f"/v1/victims/{victim}/erasure", named)).status_code == 202
    assert problem(await head.post(f"/v1/victims/{victim}/erasure", named)) == "already-asked"
    await agree(network, "kemenpppa", victim, named["erasure_id"])
    await until_disclosure(kemenpppa, victim, referral, lambda item: item["end"] == "erased")
    await until_forgotten(network, "police", victim)

    for code, client in zip(agencies, (police, kemenpppa, kemenkes), strict=True):
        assert keys_left(network, code) == 0
        assert not opens_anything(network, code, sealed)
        assert await look(client, victim) in ("no-identity", "unknown-victim")
        found = await client.post("/v1/victim-search", {"field": "nik", "value": WHO["nik"]})
        assert found.json()["items"] == []
        for entry in ledger(network, code):  # signatures and receipts are over what is sealed: they still hold
            network.apps[code].state.reception.keys.verify(entry.body, entry.signature, network.clock())
        sent = {entry.event_id: hashlib.sha256(entry.body).hexdigest() for entry in ledger(network, code) if entry.sent}
        receipts = receipts_of(network, code)
        assert len(receipts) >= 2 and all(sent[receipt["event_id"]] == receipt["sha256"] for receipt in receipts)
    after = await coordination.get("/v1/counts")
    assert after == before
    assert (await coordination.get(f"/v1/journeys/{victim}"))["custody"]["agency"] == "kemenpppa"


def receipts_of(network: Network, code: str) -> list[dict[str, Any]]:
    """What others have signed that they recorded of what a member has sent."""
    received = [entry for entry in ledger(network, code) if not entry.sent]
    return [json.loads(e.body)["data"] for e in received if e.type == "id.tppo.receipt.recorded.v1"]


async def until_forgotten(network: Network, code: str, victim: str) -> None:
    with network.apps[code].state.changes.watching(victim) as watch:
        while keys_left(network, code):
            assert await watch.next(20)


async def test_only_who_is_responsible_or_gave_it_may_have_it_erased(network: Network) -> None:
    """Kemensos has nothing to do with her: what it asks is parked, and nothing is erased."""
    police, kemensos = await network.start("police"), await network.start("kemensos")
    victim = await a_victim(police, identity=WHO)
    app = network.apps["kemensos"]

    def ask(tx: Any) -> None:
        unit = app.state.office.speaker(tx.now.date())
        asked = ErasureRequested(erasure_id=new_id(), victim_id=victim, unit=unit, occurred_at=tx.now)
        tx.emit(draft(asked, "police", unit, victim_id=victim))

    operator = await network.operator("police")
    with network.apps["police"].state.changes.watching("parked") as watch:
        app.state.database.write(ask)
        assert await watch.next(20)
    [parked] = (await operator.get("/v1/parked"))["items"]
    assert parked["reason"] == "not-theirs-to-say"
    assert await look(police, victim) == WHO
    assert kemensos is not police


async def test_what_is_withdrawn_before_it_could_be_sent_goes_without_its_key(network: Network) -> None:
    """The network is down; she withdraws; it comes back: the request arrives, and nobody can read who she is."""
    police = await network.start("police", online=False)
    victim = await a_victim(police, identity=WHO)
    await consent(police, victim)
    referral = await refer(police, victim, "kemenkes", "first-aid", basis="consent")
    await police.post(f"/v1/victims/{victim}/consents/withdrawal")
    await network.stop("police")
    await network.start("police")
    kemenkes = await network.start("kemenkes")
    await kemenkes.until_status(referral, "received", "cancelled")
    sealed = [json.loads(entry.body)["data"].get("sealed") for entry in ledger(network, "kemenkes")]
    assert any(sealed) and not opens_anything(network, "kemenkes", [text for text in sealed if text])
    assert await look(kemenkes, victim) == "no-identity"


async def three(network: Network) -> tuple[Client, Client, Client]:
    return await network.start("police"), await network.start("kemenpppa"), await network.start("kemenkes")


async def known_twice(police: Client, kemenpppa: Client, kemenkes: Client) -> tuple[str, str, str]:
    """A victim whom Kemenkes knows from the police and from KemenPPPA, who is responsible: her id, both referrals."""
    victim = await a_victim(police, identity=WHO)
    first = await refer(police, victim, "kemenkes", "examination-and-treatment")
    await kemenkes.until_status(first, "received")
    await kemenkes.must(first, "accept")
    transfer = await refer(police, victim, "kemenpppa", "case-management", kind="transfer")
    await kemenpppa.until_status(transfer, "received")
    await kemenpppa.must(transfer, "accept")
    second = await refer(kemenpppa, victim, "kemenkes", "first-aid")
    await kemenkes.until_status(second, "received")
    await kemenkes.must(second, "accept")
    return victim, first, second


async def test_an_erasure_that_arrives_on_two_ways_takes_what_came_on_both(network: Network) -> None:
    """Kemenkes does not know who is responsible: each of those who gave it something has a say over that."""
    police, kemenpppa, kemenkes = members = await three(network)
    victim, first, second = await known_twice(*members)
    await erase(network, "kemenpppa", victim)
    assert (await until_disclosure(kemenpppa, victim, second, lambda item: item["end"]))["end"] == "erased"
    assert (await until_disclosure(police, victim, first, lambda item: item["end"]))["end"] == "erased"
    for code in ("police", "kemenpppa", "kemenkes"):
        assert keys_left(network, code) == 0
    assert await look(kemenkes, victim) == "no-identity"
    received = [item for item in await given_and_received(kemenpppa, victim) if not item["given"]]
    assert [item["end"] for item in received] == ["erased"]


async def given_and_received(client: Client, victim: str) -> list[dict[str, Any]]:
    return list((await client.get(f"/v1/victims/{victim}/disclosures"))["items"])


async def test_what_is_given_again_after_its_end_can_be_taken_back_again(network: Network) -> None:
    police, kemenkes = await network.start("police"), await network.start("kemenkes")
    victim = await a_victim(police, identity=WHO)
    await consent(police, victim)
    first = await refer(police, victim, "kemenkes", "first-aid", basis="consent")
    await kemenkes.until_status(first, "received")
    await police.post(f"/v1/victims/{victim}/consents/withdrawal")
    assert (await until_disclosure(police, victim, first, lambda item: item["end"]))["end"] == "erased"

    await consent(police, victim)
    again = await refer(police, victim, "kemenkes", "first-aid", basis="consent", force=True)
    await kemenkes.until_status(again, "received")
    await kemenkes.must(again, "accept")
    assert await look(kemenkes, victim) == {"name": WHO["name"], "born_on": WHO["born_on"]}
    assert [item["stands"] for item in (await police.get(f"/v1/victims/{victim}/consents"))["items"]] == [False, True]
    await police.post(f"/v1/victims/{victim}/consents/withdrawal")
    assert (await until_disclosure(police, victim, again, lambda item: item["end"]))["end"] == "erased"
    assert keys_left(network, "kemenkes") == 0
    assert [item["stands"] for item in (await police.get(f"/v1/victims/{victim}/consents"))["items"]] == [False, False]


async def test_what_is_told_later_with_the_same_referral_is_taken_back_too(network: Network) -> None:
    """Withdrawn, agreed anew, and given anew with the referral that went on."""
    police, kemenkes = await network.start("police"), await network.start("kemenkes")
    victim = await a_victim(police, identity=WHO)
    await consent(police, victim)
    referral = await refer(police, victim, "kemenkes", "first-aid", basis="consent")
    await kemenkes.until_status(referral, "received")
    await kemenkes.must(referral, "accept")
    await kemenkes.must(referral, "start")
    await police.until_status(referral, "in-progress")
    await police.post(f"/v1/victims/{victim}/consents/withdrawal")
    assert (await until_disclosure(police, victim, referral, lambda item: item["end"]))["end"] == "erased"
    await kemenkes.until(f"/v1/referrals/{referral}", lambda seen: seen["cancellation_asked"])

    await consent(police, victim)
    await police.must(referral, "provide-information", about="identity")
    with network.apps["kemenkes"].state.changes.watching(referral) as watch:
        while keys_left(network, "kemenkes") == 0:
            assert await watch.next(20)
    await police.post(f"/v1/victims/{victim}/consents/withdrawal")
    await until_forgotten(network, "kemenkes", victim)
    assert [item["end"] for item in await given_and_received(kemenkes, victim)] == ["erased", "erased"]


async def test_who_once_gave_something_may_have_that_erased_and_no_more(network: Network) -> None:
    """Kemenkes has her from the police and from KemenPPPA, who is responsible now; the police ask for an erasure."""
    police, _, kemenkes = members = await three(network)
    victim, first, _ = await known_twice(*members)

    app = network.apps["police"]

    def ask(tx: Any) -> None:
        unit = app.state.office.speaker(tx.now.date())
        asked = ErasureRequested(erasure_id=new_id(), victim_id=victim, unit=unit, occurred_at=tx.now)
        note(tx, "police", asked, Answer(DisclosureEnd.ERASED, None, ()))
        tx.emit(draft(asked, "kemenkes", unit, victim_id=victim))

    app.state.database.write(ask)
    answered = await until_disclosure(police, victim, first, lambda item: item["end"] is not None)
    assert answered["end"] == "erased"
    shown = await look(kemenkes, victim)
    assert shown == {"name": WHO["name"], "born_on": WHO["born_on"]}  # what KemenPPPA gave, for first aid, is there


async def test_a_key_that_was_meant_for_another_opens_nothing(network: Network) -> None:
    police, kemenkes = await network.start("police"), await network.start("kemenkes")
    victim = await a_victim(police, identity=WHO)
    referral = await refer(police, victim, "kemenkes", "first-aid")
    await kemenkes.until_status(referral, "received")
    kept = network.apps["police"].state.database.read(
        lambda s: s.scalars(
            select(OutboxEntry).where(col(OutboxEntry.peer) == "kemenkes", col(OutboxEntry.key).is_not(None))
        ).one()
    )
    for code in ("police", "kemensos"):
        if code not in network.apps:
            await network.start(code)
        with pytest.raises(Unopenable):
            network.apps[code].state.office.vault.open_key(kept.key)
    own = network.apps["kemenkes"].state.office.vault
    for position in range(20, len(kept.key) - 4, 40):  # whatever bit is turned
        turned = kept.key[:position] + ("A" if kept.key[position] != "A" else "B") + kept.key[position + 1 :]
        with pytest.raises(Unopenable):
            own.open_key(turned)
    rows = network.apps["kemenkes"].state.database.read(lambda s: s.scalars(select(SealedRow)).all())
    [row] = [row for row in rows if row.source == referral]
    assert base64.urlsafe_b64decode(row.sealed.split(".")[0] + "==").startswith(b'{"alg":"dir"')
