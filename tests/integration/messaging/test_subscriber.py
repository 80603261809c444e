"""An integrator's own subscriber follows a province. It knows NATS, CloudEvents, JSON Schema and Ed25519, and no line
of Estafet. It checks everything that it believes against published documents.

``tests.support.network`` plays the agencies; nothing that reads imports the project.
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from cloudevents.core.exceptions import CloudEventValidationError
from cryptography.exceptions import InvalidSignature
from jsonschema.exceptions import ValidationError  # type: ignore[import-untyped]

from tests.support.network import Client, Network, a_victim, problem, refer
from tests.support.subscriber import (
    IDENTITY,
    NOTE,
    Message,
    is_a_cloudevent,
    is_as_published,
    links_have_no_gap,
    names_nobody,
    published_keys,
    published_schemas,
    receipts_prove_what_they_say,
    signer,
    subscribed,
    travelled_under_its_own_name,
    versions_follow_each_other,
)

# --- a journey that has nearly every event ----------------------------------------------------------------------------


KOLAKA, MAKASSAR = "polres-74.01", "polres-73.71"
OF_ITS_OWN_STORIES = {"consent", "erasure", "disclosure", "break-glass", "clock", "match"}
"""The kinds that other tests play, each in the folder of its slice, and this journey does not."""
OF_OTHER_STORIES = {
    *("id.tppo.record.delivered.v1", "id.tppo.desk.described.v1", "id.tppo.victim.facts-corrected.v1"),
    *("id.tppo.referral.custody-asked.v1", "id.tppo.referral.custody-checked.v1"),
}
"""Types that other stories play, and this journey does not: ``test_visum``, ``test_capacity``,
``test_facts_of_victims`` and ``test_custody_of_the_sender``."""
OF_THE_NATION = {"id.tppo.link.witnessed.v1", "id.tppo.keys.published.v1", "id.tppo.tokens.told.v1"}
"""Coordination's words about a link and about keys, and the match tokens told to coordination. They pass between desks
of the nation: no province reads them."""


async def answered(asker: Client, answerer: Client, victim: str, service: str, *actions: tuple[str, Any]) -> str:
    """A referral that its receiver answers, step by step, until the sender knows the last answer."""
    referral = await refer(asker, victim, answerer.code, service, note=NOTE)
    await answerer.until_status(referral, "received")
    for action, body in actions:
        done = await answerer.must(referral, action, **body, note=NOTE)
    if actions:
        await asker.until_status(referral, done["status"])
    return referral


async def written_down(police: Client, victim: str) -> None:
    """A police report, and an interview of the victim by an officer who was trained for it."""
    case = (await police.get(f"/v1/victims/{victim}"))["case_id"]
    report = {"lp_number": "LP/Kanari/7", "reported_by": "victim", "region": "74.01", "place": "port"}
    desk = f"desks/{KOLAKA}"
    ids: dict[str, str] = {}
    for about, form, fields in (
        (f"cases/{case}", "police-report", report),
        (desk, "officer", {"name": "Kanari Penyidik", "nrp": "7401990011"}),
        (desk, "officer-training", {"module": "victim-centred", "valid_until": "2099-12-31"}),
        (f"victims/{victim}", "interview", {"companion": "lawyer", "recorded": True, "statement": NOTE}),
    ):
        named = {"officer": ids["officer"]} if form in ("officer-training", "interview") else {}
        filed = await police.post(f"/v1/{about}/forms/{form}", {**fields, **named})
        assert filed.status_code == 201, filed.text
        ids[form] = filed.json()["id"]


async def a_journey(police: Client, kemenpppa: Client) -> str:
    """From a case in Kolaka to its end, with everything that can be asked, answered, refused and taken back."""
    victim = await a_victim(police, KOLAKA, identity=IDENTITY)
    await police.post(f"/v1/victims/{victim}/stages", {"stage": "identification"})
    await written_down(police, victim)

    room = {"service": "case-management", "capacity": "capacity"}
    announced = await kemenpppa.post("/v1/desks/uptd-ppa-74.01/capacity", room)
    assert announced.status_code == 201, announced.text

    transfer = await refer(police, victim, "kemenpppa", "case-management", kind="transfer", note=NOTE)
    await kemenpppa.until_status(transfer, "received")
    letter = await police.post(f"/v1/referrals/{transfer}/letters", {"kind": "referral-letter"})
    assert letter.status_code == 201, letter.text
    await police.must(transfer, "provide-information", about="family", note=NOTE)
    await police.must(transfer, "remind")
    for action, body in (("accept", {}), ("start", {}), ("hold", {"reason": "awaiting-information"}), ("resume", {})):
        await kemenpppa.must(transfer, action, **body, note=NOTE)
    await police.until(f"/v1/referrals/{transfer}", lambda seen: seen["version"] == 6)
    await police.must(transfer, "request-cancellation", reason="sent-in-error", note=NOTE)
    await police.until(f"/v1/referrals/{transfer}", lambda seen: seen["version"] == 7)  # refused: custody has moved
    await kemenpppa.must(transfer, "complete", outcome="service-provided", note=NOTE)

    await answered(kemenpppa, police, victim, "investigation", ("reject", {"reason": "no-capacity"}))
    steps: list[tuple[str, Any]] = [("accept", {}), ("start", {}), ("fail", {"reason": "cannot-locate"})]
    await answered(kemenpppa, police, victim, "investigation", *steps)
    taken_back = await answered(kemenpppa, police, victim, "temporary-protection")
    await kemenpppa.must(taken_back, "request-cancellation", reason="not-needed", note=NOTE)
    await kemenpppa.until_status(taken_back, "cancelled")

    closed = await kemenpppa.post(f"/v1/victims/{victim}/closure", {"outcome": "lost-contact", "note": NOTE})
    assert closed.status_code == 201, closed.text
    return victim


def is_over(read: Sequence[Message]) -> bool:
    """Whether the journey is closed, and every event for an agency that runs has its receipt."""
    types = {message.event.get_type() for message in read}
    owed = {m.event.get_id() for m in read if m.parts[2] in ("police", "kemenpppa") and m.parts[3] != "receipt"}
    given = {message.data["event_id"] for message in read if message.parts[3] == "receipt"}
    return "id.tppo.journey.closed.v1" in types and owed <= given


# --- the stories ------------------------------------------------------------------------------------------------------


async def test_a_province_follows_itself_and_believes_only_what_it_has_checked(network: Network) -> None:
    """Southeast Sulawesi (74) follows itself, while victims are handed over in South Sulawesi (73) too."""
    police, kemenpppa = await network.start("police"), await network.start("kemenpppa")
    schemas, keys = await published_schemas(police), await published_keys(police)
    next_door = await a_victim(police, MAKASSAR, home_region="74.01", identity=IDENTITY)
    await answered(police, kemenpppa, next_door, "case-management", ("accept", {}))
    victim = await a_journey(police, kemenpppa)
    # the police do know who is in their care, and no more who is in the care of others
    shown = await police.get(f"/v1/victims/{next_door}/identity", purpose="family-tracing")
    assert {name: value for name, value in shown.items() if value is not None} == IDENTITY
    handed_over = await police.http.get(f"/v1/victims/{victim}/identity", params={"purpose": "family-tracing"})
    assert problem(handed_over) == "no-identity"

    async with subscribed(network, "province-74") as province:
        read = await province.read(is_over)
        assert await province.waiting() == 0
    # coordination does not run here: we read everything sent, to see what the province did not get
    async with subscribed(network, "coordination") as everything:
        stream = await everything.read(is_over)

    elsewhere = [message for message in stream if message.parts[5] != "74"]
    # by what somebody may be known again is told to coordination, and in no province
    of_nowhere = {".".join(message.parts[3:5]) for message in elsewhere if message.parts[5] == "00"}
    assert of_nowhere == {"tokens.told"}
    assert {message.parts[5] for message in elsewhere} == {"73", "00"} and len(elsewhere) >= 7
    assert read == [message for message in stream if message not in elsewhere]
    played = {name for name in schemas if name.split(".")[2] not in OF_ITS_OWN_STORIES}
    played -= OF_THE_NATION | OF_OTHER_STORIES
    assert {message.event.get_type() for message in read} == played
    for message in read:
        assert next_door.encode() not in message.body
    for message in stream:
        is_a_cloudevent(message)
        travelled_under_its_own_name(message, keys)
        is_as_published(message, schemas)
        names_nobody(message)
    links_have_no_gap(stream)
    versions_follow_each_other(stream)
    receipts_prove_what_they_say(stream)


async def test_what_was_tampered_with_is_not_believed(network: Network) -> None:
    """The checks above can fail."""
    police = await network.start("police")
    schemas, keys = await published_schemas(police), await published_keys(police)
    await a_victim(police, KOLAKA, identity=IDENTITY)
    async with subscribed(network, "province-74") as province:
        _, real = await province.read(lambda read: len(read) == 2)
    assert signer(real, keys) == "police"
    is_as_published(real, schemas)

    signature, event = real.headers["Estafet-Signature"], json.loads(real.body)
    in_anothers_name = {**real.headers, "Estafet-Signature": signature.replace("police-1", "kemenkes-1")}
    for tampered in (
        replace(real, body=real.body.replace(b"female", b"male")),
        replace(real, body=real.body + b" "),
        replace(real, body=json.dumps(event).encode()),  # the same JSON in other bytes
        replace(real, headers=in_anothers_name),
    ):
        assert tampered != real
        with pytest.raises(InvalidSignature):
            signer(tampered, keys)

    data = event["data"]
    for wrong in (
        {"data": {**data, "facts": {"age_class": "grown", "sex": "female"}}},
        {"data": {**data, "occurred_at": "2026-02-30T00:00:00Z"}},
        {"data": {name: value for name, value in data.items() if name != "custody"}},
        {"id": "7"},
        {"linkseq": "4"},
        {"region": "Kolaka"},
    ):
        with pytest.raises(ValidationError):
            is_as_published(replace(real, body=json.dumps({**event, **wrong}).encode()), schemas)
    for no_cloudevent in ({"specversion": "0.9"}, {"time": "2026-11-23"}, {"source": None}, {"link-seq": 4}):
        with pytest.raises((CloudEventValidationError, ValueError)):
            is_a_cloudevent(replace(real, body=json.dumps({**event, **no_cloudevent}).encode()))
    with pytest.raises(AssertionError, match="Kanari"):
        names_nobody(replace(real, body=json.dumps({**event, "name": IDENTITY["name"]}).encode()))
