"""An erasure reaches each agency that was told of a victim, on every way that it was told.

Real NATS, both databases."""

import hashlib
import json
from typing import Any

from shared.contracts.codes import DisclosureEnd
from shared.contracts.events import ErasureRequested
from shared.domain.access import Role
from shared.reference.office import draft, new_id
from shared.storage.notifier import Topic
from shared.victims.erasure.carry_out import ControllerAnswer, remember_answer
from tests.support.identities import (
    WHO,
    consent,
    given_and_received,
    keys_left,
    known_twice,
    ledger,
    look,
    opens_anything,
    receipts_of,
    three,
    until_disclosure,
    until_forgotten,
)
from tests.support.network import Network, a_victim, agree, erase, problem, refer


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


def sealed_at(network: Network, code: str) -> list[str]:
    """Everything sealed that lies in the ledger of a member."""
    texts = [json.loads(entry.body)["data"].get("sealed") for entry in ledger(network, code)]
    return [text for text in texts if text]


async def can_read_nothing(network: Network, code: str, victim: str, sealed: list[str]) -> None:
    """A member has no key left: it opens none of what is sealed, shows nobody and finds nobody."""
    assert keys_left(network, code) == 0
    assert not opens_anything(network, code, sealed)
    assert await look(network[code], victim) in ("no-identity", "unknown-victim")
    found = await network[code].post("/v1/victim-search", {"field": "nik", "value": WHO["nik"]})
    assert found.json()["items"] == []


def ledger_verifies(network: Network, code: str) -> None:
    """Signatures and receipts are over what is sealed: they still hold."""
    for entry in ledger(network, code):
        network.apps[code].state.reception.keys.verify(entry.body, entry.signature, network.clock())
    sent = {entry.event_id: hashlib.sha256(entry.body).hexdigest() for entry in ledger(network, code) if entry.sent}
    receipts = receipts_of(network, code)
    assert len(receipts) >= 2 and all(sent[receipt["event_id"]] == receipt["sha256"] for receipt in receipts)


async def test_after_an_erasure_no_controller_can_read_and_every_ledger_still_verifies(network: Network) -> None:
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
    sealed = [text for code in agencies for text in sealed_at(network, code)]
    assert len(sealed) == 5  # two hand-overs, in two ledgers each, and what coordination was told to know her again
    assert opens_anything(network, "kemenkes", sealed)

    assert problem(await police.post(f"/v1/victims/{victim}/erasure")) == "role-not-allowed"
    formerly = await network.calling("police", Role.SUPERVISOR)
    assert problem(await formerly.post(f"/v1/victims/{victim}/erasure")) == "not-custody-holder"
    head = await network.calling("kemenpppa", Role.SUPERVISOR)
    asked = await head.post(f"/v1/victims/{victim}/erasure")
    assert asked.status_code == 202
    assert problem(await head.post(f"/v1/victims/{victim}/erasure")) == "already-asked"
    await agree(network, "kemenpppa", victim, asked.json()["erasure_id"])
    await until_disclosure(kemenpppa, victim, referral, lambda item: item["end"] == "erased")
    await until_forgotten(network, "police", victim)

    for code in agencies:
        await can_read_nothing(network, code, victim, sealed)
        ledger_verifies(network, code)
    assert await coordination.get("/v1/counts") == before
    assert (await coordination.get(f"/v1/journeys/{victim}"))["custody"]["agency"] == "kemenpppa"


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
    with network.apps["police"].state.notifier.watching(Topic.PARKED) as watch:
        app.state.database.write(ask)
        assert await watch.next(20)
    [parked] = (await operator.get("/v1/parked"))["items"]
    assert parked["reason"] == "not-theirs-to-say"
    assert await look(police, victim) == WHO
    assert kemensos is not police


async def test_an_erasure_that_arrives_on_two_ways_takes_what_came_on_both(network: Network) -> None:
    """Kemenkes does not know the holder of custody: each giver of data decides about its own data."""
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


async def test_who_once_gave_something_may_have_that_erased_and_no_more(network: Network) -> None:
    """Kemenkes has her from the police and from KemenPPPA, who is responsible now; the police ask for an erasure."""
    police, _, kemenkes = members = await three(network)
    victim, first, _ = await known_twice(*members)

    app = network.apps["police"]

    def ask(tx: Any) -> None:
        unit = app.state.office.speaker(tx.now.date())
        asked = ErasureRequested(erasure_id=new_id(), victim_id=victim, unit=unit, occurred_at=tx.now)
        remember_answer(tx, "police", asked, ControllerAnswer(DisclosureEnd.ERASED, None, ()))
        tx.emit(draft(asked, "kemenkes", unit, victim_id=victim))

    app.state.database.write(ask)
    answered = await until_disclosure(police, victim, first, lambda item: item["end"] is not None)
    assert answered["end"] == "erased"
    shown = await look(kemenkes, victim)
    assert shown == {"name": WHO["name"], "born_on": WHO["born_on"]}  # what KemenPPPA gave, for first aid, is there
