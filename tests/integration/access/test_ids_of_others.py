"""The id of something hidden, named beside one's own: it tells nothing, and does nothing to its owner."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
from fastapi import FastAPI

from shared.contracts.types import UUID7
from shared.domain.access import Role
from shared.domain.forms import FormSubject
from tests.support.access_matrix import (
    FORMS,
    KOLAKA,
    STRANGER,
    ask,
    example_of,
    told,
)
from tests.support.ids import next_ids

AN_AGREEMENT = {"notice": "2026-1", "purposes": ["medical"], "fields": ["name"], "recipients": ["kemenkes"],
                "valid_until": "2099-01-01T00:00:00Z", "manner": "written", "agrees": True}  # fmt: skip


THEIRS = {name: f"0193f0a2-7a10-7000-8000-0000000001{number:02d}" for number, name in enumerate(
    ("case_id", "victim_id", "batch_id", "consent_id", "referral_id", "record_id", "erasure_id"), 1
)}  # fmt: skip
OURS = {name: ident.replace("0000000001", "0000000002") for name, ident in THEIRS.items()}
"""Kolaka's, and the stranger's, who works at another end of the country."""


def made_at(unit: str, ids: Mapping[str, str]) -> list[tuple[str, str, dict[str, Any]]]:
    """Everything that gets an id, at a desk, in the order of ``THEIRS``: the operation, its address, its body."""
    case, victim = f"/v1/cases/{ids['case_id']}", f"/v1/victims/{ids['victim_id']}"
    asked = {"victim_id": ids["victim_id"], "service": "first-aid", "basis": "vital-interest", "force": True}
    return [
        ("open_case", "/v1/cases", {"unit": unit, "channel": "spkt", "exploitation": "sexual"}),
        ("register_victim", f"{case}/victims", {"age_class": "adult", "sex": "male"}),
        ("take_in", f"{case}/batches", {"people": [{}]}),
        ("record_consent", f"{victim}/consents", AN_AGREEMENT),
        ("close_journey", f"{victim}/closure", {"outcome": "registered-by-mistake", "note": "Rekaan."}),
        ("create_referral", "/v1/referrals", {**asked, "receiver": {"agency": "kemenkes"}}),
        ("file_screening", f"{victim}/forms/screening", {"decision": "not-found"}),
        ("erase", f"{victim}/erasure", {}),
    ]  # fmt: skip


SECOND_PEOPLE = {"decide_erasure": "erasure/decision", "decide_closure": "closure/decision",
                 "confirm_facts": "facts/confirmation"}  # fmt: skip
"""Operation of a second person → the end of its address."""
EARLIER = {"file_officer_training": "officer", "file_interview": "officer", "file_data_breach_notice": "breach"}
"""Operation that files a form naming an earlier record → the field with that record."""
MIXED: Mapping[tuple[str, str], str] = {
    ("create_referral", "victim_id"): "unknown-victim",
    ("create_referral", "replaces"): "unknown-referral",
    ("confirm_facts", "correction_id"): "unknown-correction",
    ("decide_erasure", "erasure_id"): "unknown-erasure",
    ("decide_closure", "closure_id"): "unknown-closure",
    ("request_cancellation", "ask_id"): "200",  # it is a name in this referral, and in no other
    **{(form.operation, "corrects"): "unknown-record" for form in FORMS.values()},
    **{(operation, named): "unknown-record" for operation, named in EARLIER.items()},
}
"""Operation and field of its body, where an id stands beside another → what is told for one of somebody else."""


def ids_beside_others(app: FastAPI) -> Iterator[tuple[str, str]]:
    """Every field of a body that takes an id, where the path or the body takes another."""
    document = app.openapi()
    for path, methods in document["paths"].items():
        for operation in methods.values():
            content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
            schema = document["components"]["schemas"].get(content.get("schema", {}).get("$ref", "").split("/")[-1], {})
            # the people of a batch stand each for themselves, as if they were sent alone
            named = {name: kind for name, kind in schema.get("properties", {}).items() if kind.get("type") != "array"}
            fields = [name for name, kind in named.items() if UUID7 in str(kind)]
            if fields and ("{" in path or len(fields) > 1):
                yield from ((operation["operationId"], name) for name in fields)


async def test_an_id_of_somebody_else_under_ones_own_does_nothing_to_them(fresh_police: FastAPI) -> None:
    async def post(unit: str, path: str, body: Mapping[str, Any]) -> httpx.Response:
        match = {"If-Match": "*"}
        return await ask(fresh_police, "police", Role.SUPERVISOR, unit, "POST", path, json=body, headers=match)

    async def all_of_theirs() -> list[str]:
        victim = f"/v1/victims/{THEIRS['victim_id']}"
        paths = (f"/v1/cases/{THEIRS['case_id']}", victim, f"{victim}/consents", f"{victim}/disclosures",
                 f"{victim}/records", f"/v1/cases/{THEIRS['case_id']}/batches", f"/v1/batches/{THEIRS['batch_id']}",
                 f"/v1/referrals/{THEIRS['referral_id']}", f"/v1/referrals/{THEIRS['referral_id']}/history",
                 "/v1/referrals", "/v1/erasures", "/v1/closures")  # fmt: skip
        return [(await ask(fresh_police, "police", Role.SUPERVISOR, KOLAKA, "GET", path)).text for path in paths]

    for unit, ids, number in ((KOLAKA, THEIRS, None), (STRANGER, OURS, 2)):
        with next_ids(*list(ids.values())[:number]):
            for operation, path, body in made_at(unit, ids)[:number]:
                made = await post(unit, path, body)
                assert made.status_code in (200, 201, 202), (operation, made.text)
    own = {name: (path, body) for name, path, body in made_at(STRANGER, OURS)}
    sent = await post(STRANGER, *own["create_referral"])
    for name, end in SECOND_PEOPLE.items():
        own[name] = (f"/v1/victims/{OURS['victim_id']}/{end}", {"approved": True} if "decide" in name else {})
    for form in FORMS.values():
        subject = {FormSubject.CASE: f"cases/{OURS['case_id']}", FormSubject.VICTIM: f"victims/{OURS['victim_id']}",
                   FormSubject.DESK: f"desks/{STRANGER}"}[form.about]  # fmt: skip
        body = {**example_of(form), **({"decision": "not-found"} if form.code == "screening" else {})}
        own[form.operation] = (f"/v1/{subject}/forms/{form.code}", body)
    own["request_cancellation"] = (f"/v1/referrals/{sent.json()['id']}/request-cancellation", {"reason": "not-needed"})
    before = await all_of_theirs()
    known = {**THEIRS, "closure_id": json.loads(before[-1])["items"][0]["closure_id"]}

    assert set(ids_beside_others(fresh_police)) == set(MIXED)
    for (operation, field), expected in MIXED.items():
        path, body = own[operation]
        record = field in ("corrects", "officer")
        theirs = known["record_id"] if record else known.get(field, known["referral_id"])
        answer = await post(STRANGER, path, {**body, field: theirs})
        assert told(answer) == expected, (operation, field, answer.text)
    assert await all_of_theirs() == before
