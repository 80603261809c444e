"""A visum et repertum: asked for by the police, delivered to the desk that asked, sealed, and to nobody else."""

from typing import Any

import pytest
from sqlalchemy import select
from sqlmodel import col

from services.kemenkes.forms import VISUM
from shared.contracts.envelope import Envelope, write
from shared.contracts.events import RecordDelivered
from shared.domain.access import Role
from shared.domain.forms import Form, Words
from shared.messaging.broker import Incoming
from shared.reference.office import draft
from shared.security import sealing
from shared.security.keys import KeyDirectory
from shared.storage.unit_of_work import Transaction
from shared.victims.register.store import load_victim
from shared.victims.sealed.tables import DataKeyRow, SealedRow
from tests.support.by_hand import deliver, parked, posted
from tests.support.identities import consent
from tests.support.network import SHIPPED, Client, Network, a_victim, erase, problem, refer
from tests.support.wire import key_of

KOLAKA, HOSPITAL, DELIVERED = "polres-74.01", "rs-74.01", "id.tppo.record.delivered.v1"
FOUND: dict[str, Any] = {
    "request_number": "B/1/XI/2026/CONTOH",
    "visum_number": "VER/1/CONTOH",
    "examined_at": "2026-01-31T02:00:00Z",
    "agreed": True,
    "findings": "Memar rekaan pada lengan kiri — 3 cm.",
    "conclusion": "Kekerasan tumpul (rekaan).",
    "doctor": "dr. Rekaan Contoh",
    "licence": "SIP/CONTOH/1",
}


async def asked_of(network: Network, service: str = "visum-et-repertum", victim: str | None = None) -> tuple[str, str]:
    """A referral from Polres Kolaka that the hospital has accepted; answers the victim and the referral."""
    police, kemenkes = network["police"], network["kemenkes"]
    victim = victim or await a_victim(police, KOLAKA)
    referral = await refer(police, victim, "kemenkes", service)
    deliver(network, *posted(network))
    await kemenkes.must(referral, "accept")
    return victim, referral


async def written(network: Network, referral: str, **fields: Any) -> str:
    """The hospital writes its visum; answers the record's id."""
    filed = await network["kemenkes"].post(f"/v1/referrals/{referral}/forms/visum-et-repertum", {**FOUND, **fields})
    assert filed.status_code == 201, filed.text
    return str(filed.json()["id"])


def to_the_police(network: Network) -> list[Incoming]:
    """The records that the hospital has delivered to the police."""
    sent = posted(network, by="kemenkes", to="police")
    return [message for message in sent if Envelope.read(message.body).type == DELIVERED]


async def read(client: Client, record: str) -> Any:
    """A record as somebody reads it: what was sealed, or the refusal."""
    answer = await client.http.get(f"/v1/records/{record}", params={"purpose": "investigation"})
    return answer.json()["sealed"] if answer.status_code == 200 else problem(answer)


async def test_the_desk_that_asked_reads_all_of_it_and_each_look_is_logged(two: Network) -> None:
    police = two["police"]
    victim, referral = await asked_of(two)
    record = await written(two, referral)
    deliver(two, *posted(two, by="kemenkes", to="police"), to="police")

    kolaka = await two.calling("police", Role.OFFICER, KOLAKA)
    [listed] = (await kolaka.get(f"/v1/victims/{victim}/records"))["items"]
    assert (listed["id"], listed["form"], listed["about"]) == (record, "visum-et-repertum", referral)
    assert (listed["delivered_by"], listed["unit"], listed["facts"]) == ("kemenkes", KOLAKA, {})
    assert await read(kolaka, record) == FOUND
    elsewhere = await two.calling("police", Role.OFFICER, "polres-73.71")
    assert await read(elsewhere, record) == "unknown-record"
    head = await two.calling("police", Role.SUPERVISOR)
    looks = (await head.get("/v1/access-log"))["items"]
    assert [(look["fields"], look["purpose"]) for look in looks] == [(["visum-et-repertum"], "investigation")]
    [noted] = (await police.get(f"/v1/victims/{victim}/disclosures"))["items"]
    assert (noted["referral_id"], noted["agency"], noted["basis"]) == (record, "kemenkes", "legal-duty")


async def test_nobody_on_its_way_can_read_it_nor_another_agency_with_the_key(two: Network) -> None:
    _, referral = await asked_of(two)
    record = await written(two, referral)
    [message] = to_the_police(two)
    for word in ("Memar", "VER/1", "Rekaan", "SIP/CONTOH"):
        assert word.encode() not in message.body and word not in (message.key or "")
    told = [one for one in posted(two, by="kemenkes", to="coordination") if record.encode() in one.body]
    assert [Envelope.read(one.body).type for one in told] == ["id.tppo.record.filed.v1"]
    assert "sealed" not in Envelope.read(told[0].body).data and told[0].key is None


async def test_what_is_corrected_is_delivered_again_and_stands_in_the_place_of_the_first(two: Network) -> None:
    victim, referral = await asked_of(two)
    first = await written(two, referral)
    refused = await two["kemenkes"].post(f"/v1/referrals/{referral}/forms/visum-et-repertum", FOUND)
    assert problem(refused) == "already-filed" and len(to_the_police(two)) == 1
    second = await written(two, referral, corrects=first, conclusion="Kekerasan tajam (rekaan).")
    deliver(two, *posted(two, by="kemenkes", to="police"), to="police")
    records = (await two["police"].get(f"/v1/victims/{victim}/records"))["items"]
    assert [(one["id"], one["corrected_by"]) for one in records] == [(first, second), (second, None)]
    assert (await read(two["police"], second))["conclusion"] == "Kekerasan tajam (rekaan)."


async def test_a_visum_after_a_withdrawal_is_delivered_and_marked_on_both_sides(two: Network) -> None:
    """The law demands it of the hospital. The person's report tells at both that she had taken her consent back."""
    police, kemenkes = two["police"], two["kemenkes"]
    victim, referral = await asked_of(two)
    first = await written(two, referral)
    await consent(kemenkes, victim, recipients=["police"])
    assert (await kemenkes.post(f"/v1/victims/{victim}/consents/withdrawal")).status_code == 200
    await written(two, referral, corrects=first, note="Diperbaiki.")
    deliver(two, *posted(two, by="kemenkes", to="police"), to="police")
    for client in (kemenkes, police):
        report = (await client.get(f"/v1/victims/{victim}/access-report"))["disclosures"]
        assert sorted(one["against_withdrawal"] for one in report if not one["fields"]) == [False, True]


async def test_a_visum_is_filed_only_for_a_referral_that_asks_for_one(two: Network) -> None:
    _, care = await asked_of(two, "examination-and-treatment")
    refused = await two["kemenkes"].post(f"/v1/referrals/{care}/forms/visum-et-repertum", FOUND)
    assert (problem(refused), refused.status_code) == ("not-of-this-service", 409)
    assert to_the_police(two) == []
    assert [route.agency for code, member in SHIPPED.items() if code != "coordination" for route in member.agency.routes
            if route.service == "visum-et-repertum"] == ["kemenkes"]  # fmt: skip


@pytest.mark.parametrize("wrong", [{"findings": ""}, {"examined_at": "kemarin"}, {"agreed": None}, {"doctor": None}])
async def test_what_is_wrong_is_named_and_nothing_is_kept_or_sent(two: Network, wrong: dict[str, Any]) -> None:
    victim, referral = await asked_of(two)
    refused = await two["kemenkes"].post(f"/v1/referrals/{referral}/forms/visum-et-repertum", {**FOUND, **wrong})
    assert [fault["field"] for fault in refused.json()["errors"]] == [f"/{field}" for field in wrong]
    assert to_the_police(two) == [] and (await two["kemenkes"].get(f"/v1/victims/{victim}/records"))["items"] == []


def longest(form: Form, character: str) -> dict[str, Any]:
    """The most that a form takes, of one character."""
    return {field.code: character * field.kind.most for field in form.fields if isinstance(field.kind, Words)}


async def test_the_longest_that_can_be_written_arrives(two: Network) -> None:
    """Characters of four bytes give the longest text."""
    _, referral = await asked_of(two)
    record = await written(two, referral, **longest(VISUM, "𝐀"))
    deliver(two, *posted(two, by="kemenkes", to="police"), to="police")
    assert (await read(two["police"], record))["findings"] == "𝐀" * 4000


async def test_what_cannot_be_delivered_is_not_filed_either(two: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fields may be too long for an event; and a member may have no key to seal for."""
    keys = two.apps["kemenkes"].state.office.keys
    victim, referral = await asked_of(two)
    path = f"/v1/referrals/{referral}/forms/visum-et-repertum"
    with monkeypatch.context() as less:
        less.setattr(sealing, "LARGEST", 4096)
        too_long = await two["kemenkes"].post(path, {**FOUND, **longest(VISUM, "\U00010348")})
    assert problem(too_long) == "too-long-to-seal"
    monkeypatch.setattr(type(keys), "current", lambda _: KeyDirectory({}))
    assert problem(await two["kemenkes"].post(path, FOUND)) == "no-key-to-seal-for"
    assert to_the_police(two) == [] and (await two["kemenkes"].get(f"/v1/victims/{victim}/records"))["items"] == []


async def test_an_erasure_by_who_is_responsible_takes_it_from_both(two: Network) -> None:
    victim, referral = await asked_of(two)
    record = await written(two, referral)
    deliver(two, *posted(two, by="kemenkes", to="police"), to="police")
    await erase(two, "police", victim)
    deliver(two, *posted(two))
    for code in ("police", "kemenkes"):
        database = two.apps[code].state.database
        for table in (DataKeyRow, SealedRow):
            assert database.read(lambda s, t=table: s.scalars(select(t)).all()) == []
    assert await read(two["police"], record) == {} == await read(two["kemenkes"], record)
    assert [message.key for message in to_the_police(two)] == [None]


async def test_an_erasure_that_a_hospital_passes_on_takes_what_it_delivered(two: Network) -> None:
    """The hospital has custody by now, and the police only know that they have not. The hospital may still take its
    records back."""
    victim, referral = await asked_of(two)
    record = await written(two, referral)
    deliver(two, *posted(two, by="kemenkes", to="police"), to="police")
    keys = select(col(DataKeyRow.id)).where(col(DataKeyRow.id).startswith("dk-"))
    assert len(two.apps["police"].state.database.read(lambda s: s.scalars(keys).all())) == 1
    held_by(two, "kemenkes", victim, "kemenkes", HOSPITAL)
    held_by(two, "police", victim, "kemenpppa", "uptd-ppa-74.01")
    await erase(two, "kemenkes", victim)
    deliver(two, *posted(two, by="kemenkes", to="police"), to="police")
    assert parked(two, "police") == []
    assert await read(two["police"], record) == {}
    assert two.apps["police"].state.database.read(lambda s: s.scalars(keys).all()) == []


def held_by(network: Network, code: str, victim: str, agency: str, unit: str) -> None:
    """Set a victim's custody at a member, as after transfers that this story leaves out."""

    def write(tx: Transaction) -> None:
        row = load_victim(tx.session, victim)
        assert row is not None
        row.custody_agency, row.custody_unit, row.custody_region = agency, unit, "74.01"

    network.apps[code].state.database.write(write)


def forged(network: Network, message: Incoming, **data: Any) -> Incoming:
    """The delivery as the hospital's service would have signed it with other data; the key stays beside it."""
    envelope = Envelope.read(message.body)
    told = RecordDelivered.model_validate({**envelope.data, **data})
    made = draft(told, "police", told.unit, victim_id=told.victim_id, basis=envelope.basis)
    body = write(made, "kemenkes", 100, envelope.time)
    return Incoming(message.subject, body, key_of(network, "kemenkes").sign(body), message.msg, message.key)


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"referral_id": "0193f0a2-7a10-7000-8000-0000000000ff"}, "not-theirs-to-say"),
        ({"victim_id": "0193f0a2-7a10-7000-8000-0000000000ff"}, "id-of-another-victim"),
        ({"unit": {"agency": "kemensos", "unit": "dinsos-74.01", "region": "74.01"}}, "not-the-sender"),
        ({}, "record-id-taken"),
    ],
)
async def test_a_delivery_that_nobody_asked_for_is_parked(two: Network, wrong: dict[str, Any], reason: str) -> None:
    _, referral = await asked_of(two)
    await written(two, referral)
    [message] = to_the_police(two)
    deliver(
        two, *posted(two, by="kemenkes", to="police"), message, to="police"
    )  # the second time it is known by its id
    assert parked(two, "police") == []
    deliver(two, forged(two, message, **wrong), to="police")
    assert [why for why, *_ in parked(two, "police")] == [reason]
    database = two.apps["police"].state.database
    assert len(database.read(lambda s: s.scalars(select(SealedRow)).all())) == 1
