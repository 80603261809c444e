"""An erasure takes two people. It deletes notes, derived data and waiting data, and keeps only the trace that it was
lawful."""

import base64
import hashlib
import json
from typing import Any

import pytest
from sqlalchemy import select
from sqlmodel import col

from shared.domain.access import Role
from shared.reference.office import new_id
from shared.security.sealing import DataKey, Unopenable, open_sealed
from shared.victims.sealed.tables import DataKeyRow
from tests.support.by_hand import deliver, posted, take_back
from tests.support.identities import (
    BY_PAPER,
    NAMED,
    NOTE,
    WHO,
    consent,
    given_and_received,
    keys_left,
    ledger,
    look,
    notes,
)
from tests.support.network import Client, Network, a_victim, agree, problem, refer

# --- two people -------------------------------------------------------------------------------------------------------


async def asked_for(network: Network, victim: str, **body: Any) -> tuple[Client, str]:
    head = await network.calling("police", Role.SUPERVISOR, None, "orang-pertama", "klien-pertama")
    asked = await head.post(f"/v1/victims/{victim}/erasure", body)
    assert asked.status_code == 202, asked.text
    assert asked.json()["approved"] is None
    return head, str(asked.json()["erasure_id"])


async def decided(client: Client, victim: str, erasure: str, approved: bool = True) -> Any:
    decision = {"erasure_id": erasure, "approved": approved}
    return await client.post(f"/v1/victims/{victim}/erasure/decision", decision)


async def test_one_person_alone_erases_nobody(two: Network) -> None:
    police = two["police"]
    victim = await a_victim(police, identity=WHO)
    await refer(police, victim, "kemenkes", "first-aid")
    head, erasure = await asked_for(two, victim)
    for person, client in (("orang-pertama", "klien-lain"), ("", "klien-pertama")):  # her other computer; a machine
        same = await two.calling("police", Role.SUPERVISOR, None, person, client)
        refused = await decided(same, victim, erasure)
        assert (refused.status_code, problem(refused)) == (409, "second-person-needed")
    assert problem(await decided(head, victim, erasure)) == "second-person-needed"
    assert await look(police, victim) == WHO
    assert [message.key is not None for message in posted(two)] == [True]  # nobody is told, nothing is withheld

    await agree(two, "police", victim, erasure)
    assert await look(police, victim) == "no-identity"
    [listed] = (await head.get("/v1/erasures"))["items"]
    assert (listed["erasure_id"], listed["victim_id"], listed["asked_by"]) == (erasure, victim, "klien-pertama")
    assert (listed["approved"], listed["decided_by"]) == (True, "klien-kedua") and listed["decided_at"]


async def test_the_second_person_may_refuse_and_it_may_be_asked_again(two: Network) -> None:
    police = two["police"]
    victim = await a_victim(police, identity=WHO)
    head, erasure = await asked_for(two, victim)
    assert problem(await head.post(f"/v1/victims/{victim}/erasure")) == "already-asked"
    second = await two.calling("police", Role.SUPERVISOR, None, "orang-kedua", "klien-kedua")
    refused = await decided(second, victim, erasure, approved=False)
    assert refused.status_code == 200 and refused.json()["approved"] is False
    assert await look(police, victim) == WHO and posted(two) == []
    assert problem(await decided(second, victim, erasure)) == "already-decided"
    assert problem(await decided(second, victim, new_id())) == "unknown-erasure"

    _, again = await asked_for(two, victim)
    listed = (await head.get("/v1/erasures"))["items"]
    assert [(item["erasure_id"], item["approved"]) for item in listed] == [(again, None), (erasure, False)]
    page = await head.get("/v1/erasures", limit=1)
    assert [item["erasure_id"] for item in page["items"]] == [again]
    rest = await head.get("/v1/erasures", limit=1, cursor=page["next"])
    assert [item["erasure_id"] for item in rest["items"]] == [erasure] and rest["next"] is None


async def test_a_decision_is_about_its_own_victim_and_a_hold_stops_it_to_the_last(two: Network) -> None:
    police = two["police"]
    victim, another = await a_victim(police, identity=WHO), await a_victim(police, identity=WHO)
    head, erasure = await asked_for(two, victim)
    second = await two.calling("police", Role.SUPERVISOR, None, "orang-kedua", "klien-kedua")
    assert problem(await decided(second, another, erasure)) == "unknown-erasure"
    assert (await head.post(f"/v1/victims/{victim}/legal-holds", {"basis": "trial"})).status_code == 201
    assert problem(await decided(second, victim, erasure)) == "legal-hold"
    assert await look(police, victim) == WHO and await look(police, another) == WHO


# --- everything -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("identity", [None, WHO], ids=["nobody knows who", "with an identity"])
@pytest.mark.parametrize("answer", ["accept", "reject"])
async def test_what_a_hospital_noted_goes_with_her(two: Network, identity: Any, answer: str) -> None:
    police, kemenkes = two["police"], two["kemenkes"]
    victim = await a_victim(police, **({"identity": identity} if identity else {}))
    asked = await refer(police, victim, "kemenkes", "first-aid", note=NOTE)
    deliver(two, *posted(two))
    reason = {"reason": "no-capacity"} if answer == "reject" else {}
    await kemenkes.must(asked, answer, note=NOTE, **reason)
    assert keys_left(two, "kemenkes") >= 1 and NOTE in await notes(police, asked)
    await take_back(two, "erasure", victim)
    deliver(two, *posted(two)[1:])
    assert (keys_left(two, "police"), keys_left(two, "kemenkes")) == (0, 0)
    assert "Melati" not in await notes(police, asked)
    if answer == "accept":
        assert "Melati" not in await notes(kemenkes, asked)


def opened_by(network: Network, code: str, of: str | None = None) -> list[dict[str, str]]:
    """All that a member can open of the sealed data in its ledger, or in the ledger of ``of``. Each key of the member
    is tried, and each key derived from one."""
    app = network.apps[code]
    rows = app.state.database.read(lambda s: s.scalars(select(DataKeyRow)).all())
    keys = [DataKey(app.state.office.vault.unwrap_at_rest(row.wrapped, row.subject_id)) for row in rows]
    found = []
    for entry in ledger(network, of or code):
        text = json.loads(entry.body)["data"].get("sealed")
        if not text:
            continue
        head = json.loads(base64.urlsafe_b64decode(text.split(".")[0] + "=="))
        about = head["victim"], head["for"], head["typ"]
        for key in keys:
            for one in (key, key.for_recipient(*about)):
                try:
                    found.append(open_sealed(text, one, *about))
                except Unopenable:
                    continue
    return found


@pytest.mark.parametrize("how", ["withdrawal", "erasure"])
async def test_from_what_is_left_no_key_can_be_derived_to_what_was_given_on(two: Network, how: str) -> None:
    """The police gave her name to Kemenkes on her consent; Kemenkes gave it on to KemenPPPA, and wrote down more."""
    police, kemenkes = two["police"], two["kemenkes"]
    victim = await a_victim(police, identity=WHO)
    await consent(police, victim)
    asked = await refer(police, victim, "kemenkes", "first-aid", basis="consent")
    deliver(two, *posted(two))
    for action in ("accept", "start"):
        await kemenkes.must(asked, action)
    await refer(kemenkes, victim, "kemenpppa", "case-management", basis="vital-interest")
    assert (await kemenkes.post(f"/v1/victims/{victim}/identity", BY_PAPER)).status_code == 200
    assert [opened_by(two, code) != [] for code in ("police", "kemenkes")] == [True, True]
    await take_back(two, how, victim)
    deliver(two, *posted(two)[1:])
    assert opened_by(two, "police") == opened_by(two, "kemenkes") == []
    if how == "withdrawal":  # and what stays is sealed anew, and read
        assert await look(police, victim) == WHO
        assert await look(kemenkes, victim) == BY_PAPER


async def test_a_name_that_is_written_down_after_an_erasure_can_be_erased_too(two: Network) -> None:
    police, kemenkes = two["police"], two["kemenkes"]
    victim = await a_victim(police, identity=WHO)
    asked = await refer(police, victim, "kemenkes", "first-aid")
    deliver(two, *posted(two))
    await kemenkes.must(asked, "accept")
    deliver(two, *posted(two, "kemenkes", "police"), to="police")
    await take_back(two, "erasure", victim)
    deliver(two, *posted(two)[1:])
    seen = len(posted(two))
    assert (await police.post(f"/v1/victims/{victim}/identity", {"name": NAMED["name"]})).status_code == 200
    await police.must(asked, "provide-information", about="identity")
    deliver(two, *posted(two)[seen:])
    assert await look(kemenkes, victim) == {"name": NAMED["name"]}
    await take_back(two, "erasure", victim)
    deliver(two, *posted(two))
    assert (keys_left(two, "police"), keys_left(two, "kemenkes")) == (0, 0)
    assert {item["end"] for item in await given_and_received(kemenkes, victim)} == {"erased"}


async def test_receipts_prove_the_very_bytes_that_lie_with_the_other_also_after_an_erasure(two: Network) -> None:
    police, kemenkes = two["police"], two["kemenkes"]
    victim = await a_victim(police, identity=WHO)
    asked = await refer(police, victim, "kemenkes", "first-aid", note=NOTE)
    deliver(two, *posted(two))
    await kemenkes.must(asked, "accept")
    await take_back(two, "erasure", victim)
    deliver(two, *posted(two)[1:])
    deliver(two, *posted(two, "kemenkes", "police"), to="police")
    sent = {entry.event_id: entry for entry in ledger(two, "police") if entry.link == "police>kemenkes"}
    there = {entry.event_id: entry for entry in ledger(two, "kemenkes") if entry.link == "police>kemenkes"}
    received = [entry for entry in ledger(two, "police") if entry.link == "kemenkes>police"]
    receipts = [json.loads(e.body)["data"] for e in received if e.type == "id.tppo.receipt.recorded.v1"]
    numbered = {event_id for event_id, entry in sent.items() if entry.linkseq is not None}
    assert {receipt["event_id"] for receipt in receipts} == numbered and len(numbered) >= 2
    keys = two.apps["police"].state.reception.keys
    for receipt in receipts:
        body = sent[receipt["event_id"]].body
        assert there[receipt["event_id"]].body == body
        assert receipt["sha256"] == hashlib.sha256(body).hexdigest()
        assert keys.verify(body, there[receipt["event_id"]].signature, two.clock()) == "police"
    assert not two.apps["police"].state.database.read(lambda s: s.scalars(select(col(DataKeyRow.id))).all())


async def test_what_is_noted_after_an_erasure_is_erased_by_the_next(two: Network) -> None:
    police, kemenkes = two["police"], two["kemenkes"]
    victim = await a_victim(police, identity=WHO)
    asked = await refer(police, victim, "kemenkes", "first-aid")
    deliver(two, *posted(two))
    await kemenkes.must(asked, "accept", note=NOTE)
    await take_back(two, "erasure", victim)
    deliver(two, *posted(two)[1:])
    assert keys_left(two, "kemenkes") == 0
    again = "Ibu Melati Rekaan datang lagi."
    await kemenkes.must(asked, "start", note=again)
    read = await notes(kemenkes, asked)
    assert again in read and NOTE not in read
    seen = len(posted(two))
    await take_back(two, "erasure", victim)
    deliver(two, *posted(two)[seen:])
    assert keys_left(two, "kemenkes") == 0 and "Melati" not in await notes(kemenkes, asked)


async def test_no_key_left_anywhere_opens_data_given_on_by_an_agency_in_the_middle(two: Network) -> None:
    """At the hospital she agreed that KemenPPPA be told, and takes that back there. KemenPPPA destroys its key. The
    hospital still knows her identity, but no longer has the key from which KemenPPPA's key came."""
    police, kemenkes = two["police"], two["kemenkes"]
    kemenpppa = await two.start("kemenpppa", online=False)
    victim = await a_victim(police, identity=WHO)
    asked = await refer(police, victim, "kemenkes", "first-aid")
    deliver(two, *posted(two))
    await kemenkes.must(asked, "accept")
    await consent(kemenkes, victim, purposes=["care"], recipients=["kemenpppa"])
    onward = await refer(kemenkes, victim, "kemenpppa", "case-management", basis="consent")
    deliver(two, *posted(two, "kemenkes", "kemenpppa"), to="kemenpppa")
    await kemenpppa.must(onward, "accept")
    assert await look(kemenpppa, victim) == NAMED
    assert opened_by(two, "kemenpppa", of="kemenpppa") and opened_by(two, "kemenkes", of="kemenpppa")

    seen = len(posted(two, "kemenkes", "kemenpppa"))
    assert (await kemenkes.post(f"/v1/victims/{victim}/consents/withdrawal")).status_code == 200
    deliver(two, *posted(two, "kemenkes", "kemenpppa")[seen:], to="kemenpppa")
    assert keys_left(two, "kemenpppa") == 0
    assert [opened_by(two, code, of="kemenpppa") for code in ("police", "kemenkes", "kemenpppa")] == [[], [], []]
    assert await look(kemenkes, victim) == NAMED
