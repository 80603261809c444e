"""Who may do what, tried in full: every role × unit × operation × object × field, over HTTP, against the real apps.

What is expected stands here by hand, a second time: the table in ``shared/domain/access.py`` must say the same, and the
services must do the same. The operations are those of the OpenAPI documents, so that none can be forgotten.
"""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI

from services.coordination.access import RULES as COORDINATION_RULES
from services.coordination.main import MEMBER as COORDINATION
from services.coordination.tables import AlarmRow, JourneyRow
from services.police.main import MEMBER as POLICE
from shared.contracts.codes import Stage
from shared.contracts.types import UUID7
from shared.domain.access import AGENCY, Role, Rule
from shared.domain.forms import About, Form, body_of
from shared.domain.letters import code_of
from shared.domain.refusal import Refused
from shared.service.app import wall_clock
from shared.service.office import new_id
from shared.storage.agency_tables import CaseRow, LetterRow, MatchRow, VictimRow
from shared.storage.pages import read_cursor, write_cursor
from shared.storage.privacy_tables import BreakGlassRow, ErasureRow
from shared.storage.tables import ReferralRow
from tests.support.network import asked_of_the_database, offline
from tests.support.tokens import Bearing, claims, signed

ON_ONE_LOOP = pytest.mark.asyncio(loop_scope="module")
DOERS, READERS = "officer supervisor", "officer supervisor auditor integrator"
ALL = "officer supervisor auditor integrator coordinator administrator"
ROLES_OF: Mapping[str, str] = {
    "open_case": DOERS,
    "see_case": READERS,
    "register_victim": DOERS,
    "list_capacity": ALL,
    "issue_letter": DOERS,
    "answer_on_paper": DOERS,
    "print_record": DOERS,
    "check_letter": READERS,
    "print_letter": DOERS,
    "announce_capacity": DOERS,
    "take_in": DOERS,
    "take_in_csv": DOERS,
    "list_batches": "officer supervisor auditor",
    "see_batch": "officer supervisor auditor",
    "see_victim": READERS,
    "record_identity": DOERS,
    "see_identity": DOERS,
    "record_stage": DOERS,
    "close_journey": DOERS,
    "create_referral": DOERS,
    "list_referrals": READERS,
    "see_referral": READERS,
    "see_history": READERS,
    "see_notes": DOERS,
    "accept": DOERS,
    "reject": DOERS,
    "start": DOERS,
    "hold": DOERS,
    "resume": DOERS,
    "complete": DOERS,
    "fail": DOERS,
    "answer_cancellation": DOERS,
    "request_cancellation": DOERS,
    "provide_information": DOERS,
    "remind": DOERS,
    "search_victims": DOERS,
    "list_matches": "officer supervisor auditor",
    "decide_match": DOERS,
    "record_consent": DOERS,
    "withdraw_consent": DOERS,
    "list_consents": "officer supervisor auditor",
    "list_disclosures": "officer supervisor auditor",
    "see_access_report": "officer supervisor auditor",
    "list_access": "supervisor auditor",
    "place_hold": "supervisor",
    "lift_holds": "supervisor",
    "erase": "supervisor",
    "decide_erasure": "supervisor",
    "list_erasures": "supervisor auditor",
    "break_glass": DOERS,
    "end_break_glass": DOERS,
    "list_break_glass": "officer supervisor auditor",
    "see_break_glass_note": "supervisor",
    "review_break_glass": "supervisor",
    "see_agency": ALL,
    "find_units": ALL,
    "list_clock_table": ALL,
    "list_forms": ALL,
    "list_case_records": READERS,
    "list_victim_records": READERS,
    "list_desk_records": READERS,
    "see_record": DOERS,
    "list_clocks": READERS,
    "list_parked": "administrator auditor",
    "replay": "administrator",
    "list_links": "administrator auditor",
    "list_schemas": "",
    "see_schema": "",
    "see_keys": "",
    "list_problems": "",
    "alive": "",
    "ready": "",
}
COORDINATION_ROLES_OF: Mapping[str, str] = {
    "list_journeys": "coordinator auditor",
    "see_journey": "coordinator auditor",
    "see_custody": "coordinator auditor",
    "see_counts": "coordinator auditor",
    "list_norm_gaps": "coordinator auditor",
    "list_parked": "administrator auditor",
    "replay": "administrator",
    "list_links": "administrator auditor",
    "list_schemas": "",
    "see_schema": "",
    "see_keys": "",
    "list_problems": "",
    "alive": "",
    "ready": "",
}
FORMS = {form.operation: form for form in POLICE.agency.forms}
FILING: Mapping[str, str] = dict.fromkeys(FORMS, DOERS)
"""Each form of the police is filed by who does the work."""
PAGES = {"list_page", "journey_page", "sign_in_page", "sign_in", "sign_out", "letter_form", "letter_page"}

# Kolaka found the victim and is responsible; it has asked Makassar to investigate, and a hospital for first aid.
KOLAKA, ABOVE_KOLAKA = "polres-74.01", "polda-sultra"
MAKASSAR, ABOVE_MAKASSAR = "polres-73.71", "polda-sulsel"
STRANGER, TOP = "polres-11.01", "bareskrim"
UNITS = (TOP, ABOVE_KOLAKA, KOLAKA, ABOVE_MAKASSAR, MAKASSAR, STRANGER)
OWN, AT_WORK = {TOP, ABOVE_KOLAKA, KOLAKA}, {TOP, ABOVE_MAKASSAR, MAKASSAR}

CASE, VICTIM, IN_HOUSE, OUTSIDE, RECORD, BATCH = (
    f"0193f0a2-7a10-7000-8000-00000000001{number}" for number in range(1, 7)
)
MATCH = "0193f0a2-7a10-7000-8000-000000000019"
NOBODY = "0193f0a2-7a10-7000-8000-0000000000ff"
LETTER, NO_LETTER = code_of(1), code_of(2)
SEES: Mapping[str, set[str]] = {CASE: OWN, VICTIM: OWN | AT_WORK, IN_HOUSE: OWN | AT_WORK, OUTSIDE: OWN, NOBODY: set(),
                                RECORD: OWN | AT_WORK, BATCH: OWN, LETTER: OWN | AT_WORK, MATCH: OWN}  # fmt: skip
"""Object → the units for which it exists."""

WHO = {"name": "Mawar Contoh Rekaan", "nik": "7401010101010001", "born_on": "2001-02-03", "phone": "+628000000003",
       "passport": "X1234567", "address": "Jalan Rekaan 1", "statement": "Cerita rekaan.",
       "safe_house": "Rumah rekaan 2"}  # fmt: skip
NEEDED_TO_INVESTIGATE = set(WHO) - {"safe_house"}
NOT_FOUND = {CASE: "unknown-case", VICTIM: "unknown-victim", IN_HOUSE: "unknown-referral", OUTSIDE: "unknown-referral",
             RECORD: "unknown-record", BATCH: "unknown-batch", LETTER: "unknown-letter",
             MATCH: "unknown-match"}  # fmt: skip


@dataclass(frozen=True)
class Try:
    """One operation on one object: how it is asked, which units may, and what the others are told who see it.

    ``done`` is the answer to those who may: where it is a refusal, it is one of the rules, after the door.
    """

    operation: str
    about: str
    path: str
    may: frozenset[str]
    done: str
    otherwise: str = ""
    method: str = "POST"
    body: Mapping[str, Any] | None = None
    query: Mapping[str, str] | None = None
    hidden: str = ""
    """What those are told for whom it does not exist."""
    table: str = ""
    """What is sent in place of a body, as CSV."""

    @property
    def sent(self) -> dict[str, Any]:
        """What goes with it, as httpx takes it."""
        if self.table:
            return {"content": self.table, "headers": {"Content-Type": "text/csv"}, "params": self.query}
        return {"json": self.body, "params": self.query}


def act(operation: str, referral: str, may: set[str], **body: Any) -> Try:
    path = f"/v1/referrals/{referral}/{operation.replace('_', '-')}"
    return Try(operation, referral, path, frozenset(may), "precondition-failed", "not-your-move", body=body)


def look(operation: str, about: str, path: str, **more: Any) -> Try:
    return Try(operation, about, path, frozenset(SEES[about]), "200", method="GET", **more)


RECEIVER_ACTS: Mapping[str, Mapping[str, Any]] = {
    "accept": {},
    "reject": {"reason": "no-capacity"},
    "start": {},
    "hold": {"reason": "scheduled"},
    "resume": {},
    "complete": {"outcome": "service-provided"},
    "fail": {"reason": "no-show"},
    "answer_cancellation": {"granted": True},
}
SENDER_ACTS: Mapping[str, Mapping[str, Any]] = {
    "request_cancellation": {"reason": "not-needed"},
    "provide_information": {"about": "medical"},
    "remind": {},
}
ASKS = {"service": "first-aid", "receiver": {"agency": "kemenkes"}, "basis": "vital-interest"}
TOMORROW = "2999-01-01T00:00:00Z"
CONSENT = {"notice": "1999-1", "purposes": ["care"], "fields": ["name"], "recipients": ["kemenkes"],
           "valid_until": TOMORROW, "manner": "written", "agrees": True}  # fmt: skip
FILED: Mapping[About, tuple[str, str, set[str], str]] = {
    About.CASE: (CASE, f"/v1/cases/{CASE}", OWN, ""),
    About.VICTIM: (VICTIM, f"/v1/victims/{VICTIM}", OWN | AT_WORK, ""),
    About.REFERRAL: (IN_HOUSE, f"/v1/referrals/{IN_HOUSE}", AT_WORK, "not-responsible"),
    About.DESK: ("", f"/v1/desks/{KOLAKA}", OWN, "not-your-unit"),
}
"""What a form is about → the object, its address, who may file one, and what the others are told."""


def filing(form: Form) -> Try:
    about, path, may, otherwise = FILED[form.about]
    body = {**example_of(form), "occurred_at": TOMORROW}
    return Try(form.operation, about, f"{path}/forms/{form.code}", frozenset(may), "occurred-in-the-future", otherwise,
               body=body)  # fmt: skip


def example_of(form: Form) -> dict[str, Any]:
    """A form as its OpenAPI document shows it filled in."""
    [shown] = body_of(form).model_json_schema()["examples"]
    return dict(shown)


COMMON = [
    Try("announce_capacity", "", f"/v1/desks/{KOLAKA}/capacity", frozenset(OWN), "unknown-service", "not-your-unit",
        body={"service": "no-such", "capacity": "capacity"}),
    Try("list_capacity", "", "/v1/capacity", frozenset(UNITS), "200", method="GET",
        query={"agency": "kemenkes", "service": "first-aid", "region": "74.01"}),
    *(Try("issue_letter", referral, f"/v1/referrals/{referral}/letters", frozenset(may), "200", "not-your-move",
          body={"kind": kind})
      for referral, kind, may in ((IN_HOUSE, "referral-letter", OWN), (IN_HOUSE, "reply-slip", OWN | AT_WORK),
                                  (OUTSIDE, "referral-letter", OWN), (OUTSIDE, "reply-slip", OWN))),
    *(Try("answer_on_paper", referral, f"/v1/referrals/{referral}/paper-answer", frozenset(may), "unknown-letter",
          "not-your-move", body={"letter": NO_LETTER, "answer": "accepted", "signed_by": "Petugas Rekaan",
                                 "occurred_at": TOMORROW})
      for referral, may in ((IN_HOUSE, AT_WORK), (OUTSIDE, set[str]()))),
    Try("print_record", RECORD, f"/v1/records/{RECORD}/letters", frozenset(OWN), "form-not-printed", "not-your-unit",
        body={}),
    Try("check_letter", "", f"/v1/letters/{LETTER}", frozenset(UNITS), "200", method="GET"),
    look("print_letter", LETTER, f"/v1/letters/{LETTER}/pdf", query={"purpose": "care"}),
    Try("list_forms", "", "/v1/forms", frozenset(UNITS), "200", method="GET"),
    look("list_case_records", CASE, f"/v1/cases/{CASE}/records"),
    look("list_victim_records", VICTIM, f"/v1/victims/{VICTIM}/records"),
    Try("list_desk_records", "", f"/v1/desks/{KOLAKA}/records", frozenset(OWN), "200", "not-your-unit", method="GET"),
    look("see_record", RECORD, f"/v1/records/{RECORD}", query={"purpose": "legal"}),
    Try("open_case", "", "/v1/cases", frozenset(OWN), "unknown-channel", "not-your-unit",
        body={"unit": KOLAKA, "channel": "no-such", "exploitation": "sexual"}),
    look("see_case", CASE, f"/v1/cases/{CASE}"),
    Try("register_victim", CASE, f"/v1/cases/{CASE}/victims", frozenset(OWN), "unknown-region",
        body={"age_class": "adult", "sex": "male", "home_region": "99.99"}),
    Try("take_in", CASE, f"/v1/cases/{CASE}/batches", frozenset(OWN), "no-such-route",
        body={"people": [{}], "refer": [{**ASKS, "service": "no-such"}]}),
    Try("take_in_csv", CASE, f"/v1/cases/{CASE}/batches.csv", frozenset(OWN), "no-such-route",
        query={"refer": "kemenkes:no-such"}, table="nama\nRekaan\n"),
    look("list_batches", CASE, f"/v1/cases/{CASE}/batches"),
    look("see_batch", BATCH, f"/v1/batches/{BATCH}"),
    look("see_victim", VICTIM, f"/v1/victims/{VICTIM}"),
    Try("record_identity", VICTIM, f"/v1/victims/{VICTIM}/identity", frozenset(OWN | AT_WORK), "200",
        body={"name": WHO["name"]}),
    look("see_identity", VICTIM, f"/v1/victims/{VICTIM}/identity", query={"purpose": "family-tracing"}),
    Try("record_stage", VICTIM, f"/v1/victims/{VICTIM}/stages", frozenset(OWN), "occurred-in-the-future",
        "not-custody-holder", body={"stage": "protection", "occurred_at": TOMORROW}),
    Try("close_journey", VICTIM, f"/v1/victims/{VICTIM}/closure", frozenset(OWN), "referral-still-live",
        "not-custody-holder", body={"outcome": "deceased"}),
    Try("create_referral", VICTIM, "/v1/referrals", frozenset(OWN | AT_WORK), "no-such-route",
        body={"victim_id": VICTIM, "basis": "public-task", "service": "no-such", "receiver": {"agency": "kemenkes"}}),
    look("see_referral", IN_HOUSE, f"/v1/referrals/{IN_HOUSE}"),
    look("see_referral", OUTSIDE, f"/v1/referrals/{OUTSIDE}"),
    look("see_history", IN_HOUSE, f"/v1/referrals/{IN_HOUSE}/history"),
    look("see_history", OUTSIDE, f"/v1/referrals/{OUTSIDE}/history"),
    look("see_notes", IN_HOUSE, f"/v1/referrals/{IN_HOUSE}/notes", query={"purpose": "legal"}),
    look("see_notes", OUTSIDE, f"/v1/referrals/{OUTSIDE}/notes", query={"purpose": "legal"}),
    *(act(name, IN_HOUSE, AT_WORK, **body) for name, body in RECEIVER_ACTS.items()),
    *(act(name, IN_HOUSE, OWN, **body) for name, body in SENDER_ACTS.items()),
    *(act(name, OUTSIDE, set(), **body) for name, body in RECEIVER_ACTS.items()),
    *(act(name, OUTSIDE, OWN, **body) for name, body in SENDER_ACTS.items()),
    Try("list_referrals", "", "/v1/referrals", frozenset(UNITS), "200", method="GET"),
    Try("search_victims", "", "/v1/victim-search", frozenset(UNITS), "200",
        body={"field": "nik", "value": WHO["nik"]}),
    Try("list_matches", "", "/v1/matches", frozenset(UNITS), "200", method="GET"),
    Try("decide_match", MATCH, f"/v1/matches/{MATCH}/decision", frozenset(OWN), "200",
        body={"decision": "cannot-tell"}),
    Try("record_consent", VICTIM, f"/v1/victims/{VICTIM}/consents", frozenset(OWN | AT_WORK), "unknown-notice",
        body=CONSENT),
    Try("withdraw_consent", VICTIM, f"/v1/victims/{VICTIM}/consents/withdrawal", frozenset(OWN | AT_WORK), "no-consent",
        body={}),
    look("list_consents", VICTIM, f"/v1/victims/{VICTIM}/consents"),
    look("list_disclosures", VICTIM, f"/v1/victims/{VICTIM}/disclosures"),
    look("see_access_report", VICTIM, f"/v1/victims/{VICTIM}/access-report"),
    Try("list_access", "", "/v1/access-log", frozenset(UNITS), "200", method="GET"),
    Try("place_hold", VICTIM, f"/v1/victims/{VICTIM}/legal-holds", frozenset(OWN | AT_WORK), "occurred-in-the-future",
        body={"basis": "trial", "occurred_at": TOMORROW}),
    Try("lift_holds", VICTIM, f"/v1/victims/{VICTIM}/legal-holds/lifting", frozenset(OWN | AT_WORK), "200", body={}),
    Try("erase", VICTIM, f"/v1/victims/{VICTIM}/erasure", frozenset(OWN), "occurred-in-the-future",
        "not-custody-holder", body={"occurred_at": TOMORROW}),
    Try("decide_erasure", VICTIM, f"/v1/victims/{VICTIM}/erasure/decision", frozenset(OWN), "unknown-erasure",
        "not-custody-holder", body={"erasure_id": NOBODY, "approved": True}),
    Try("list_erasures", "", "/v1/erasures", frozenset(UNITS), "200", method="GET"),
    # a break-glass is there for those for whom the victim does not exist; who has opened one is in the stories
    Try("break_glass", "", f"/v1/victims/{NOBODY}/break-glass", frozenset(UNITS), "unknown-victim",
        body={"reason": "court-order", "minutes": 5}),
    Try("end_break_glass", "", f"/v1/break-glass/{NOBODY}/end", frozenset(UNITS), "unknown-break-glass", body={}),
    Try("review_break_glass", "", f"/v1/break-glass/{NOBODY}/review", frozenset(UNITS), "unknown-break-glass",
        body={"verdict": "justified"}),
    Try("see_break_glass_note", "", f"/v1/break-glass/{NOBODY}/note", frozenset(UNITS), "unknown-break-glass",
        method="GET"),
    Try("list_break_glass", "", "/v1/break-glass", frozenset(UNITS), "200", method="GET"),
    Try("see_agency", "", "/v1/agency", frozenset(UNITS), "200", method="GET"),
    Try("find_units", "", "/v1/units", frozenset(UNITS), "200", method="GET",
        query={"agency": "police", "serving": "74.01"}),
    Try("list_clock_table", "", "/v1/clock-table", frozenset(UNITS), "200", method="GET"),
    Try("list_clocks", "", "/v1/clocks", frozenset(UNITS), "200", method="GET"),
    Try("list_parked", "", "/v1/parked", frozenset({TOP}), "200", "not-your-unit", method="GET"),
    Try("list_links", "", "/v1/links", frozenset({TOP}), "200", "not-your-unit", method="GET"),
    Try("replay", "", "/v1/parked/1/replay", frozenset({TOP}), "unknown-parked-event", "not-your-unit"),
    Try("list_schemas", "", "/v1/schemas", frozenset(UNITS), "200", method="GET"),
    Try("see_schema", "", "/v1/schemas/id.tppo.referral.accepted.v1", frozenset(UNITS), "200", method="GET"),
    Try("see_keys", "", "/v1/keys", frozenset(UNITS), "200", method="GET"),
    Try("list_problems", "", "/v1/problems", frozenset(UNITS), "200", method="GET"),
    Try("alive", "", "/health/live", frozenset(UNITS), "200", method="GET"),
    Try("ready", "", "/health/ready", frozenset(UNITS), "200", method="GET"),
]  # fmt: skip


def tries_of(forms: Iterable[Form]) -> list[Try]:
    """Every operation of an agency that has these forms."""
    return [*map(filing, forms), *COMMON]


TRIES = tries_of(FORMS.values())


async def ask(
    app: FastAPI, member: str, role: Role | None, unit: str, method: str, path: str, **more: Any
) -> httpx.Response:
    auth = Bearing(member, role, unit, wall_clock) if role else None
    headers = {"Idempotency-Key": new_id(), "If-Match": '"0.0"', **more.pop("headers", {})}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=f"http://{member}", auth=auth) as http:
        return await http.request(method, path, headers=headers, **more)


def roles_of(operation: str) -> str:
    """Whoever does the work may file a form; every other operation stands in the table."""
    return DOERS if operation.startswith("file_") else ROLES_OF[operation]


def told(response: httpx.Response) -> str:
    """The status where it was done, the code of the problem where it was refused."""
    if response.status_code < 300:
        return "200"
    return str(response.json()["type"]).removeprefix("urn:estafet:problem:")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def police(tmp_path_factory: pytest.TempPathFactory, secrets: Path) -> AsyncIterator[FastAPI]:
    """The police with what the table is about."""
    async with contextlib.AsyncExitStack() as stack:
        app = await offline(POLICE, tmp_path_factory.mktemp("matrix"), secrets, stack)
        case = {"case_id": CASE, "unit": KOLAKA, "channel": "spkt", "exploitation": "sexual"}
        victim = {"victim_id": VICTIM, "age_class": "adult", "sex": "female", "identity": WHO}
        inside = {"agency": "police", "unit": MAKASSAR}
        asked = {"victim_id": VICTIM, "basis": "vital-interest", "note": "Catatan rekaan."}
        outside = {"agency": "kemenkes"}
        steps: list[tuple[str, Mapping[str, Any]]] = [
            ("/v1/cases", case),
            (f"/v1/cases/{CASE}/victims", victim),
            ("/v1/referrals", {**asked, "referral_id": IN_HOUSE, "service": "investigation", "receiver": inside}),
            ("/v1/referrals", {**asked, "referral_id": OUTSIDE, "service": "first-aid", "receiver": outside}),
        ]
        for path, body in steps:
            made = await ask(app, "police", Role.OFFICER, KOLAKA, "POST", path, json=body)
            assert made.status_code == 201, made.text
        auth = Bearing("police", Role.OFFICER, MAKASSAR, wall_clock)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://police", auth=auth) as http:
            headers = {"Idempotency-Key": new_id(), "If-Match": "*"}
            accepted = await http.post(f"/v1/referrals/{IN_HOUSE}/accept", json={}, headers=headers)
            assert accepted.status_code == 200, accepted.text
        screening = {"record_id": RECORD, "decision": "not-found", "remarks": "Catatan rekaan."}
        filed = await ask(
            app, "police", Role.OFFICER, KOLAKA, "POST", f"/v1/victims/{VICTIM}/forms/screening", json=screening
        )
        assert filed.status_code == 201, filed.text
        nobody_could_be_read = {"batch_id": BATCH, "people": [{}]}
        sent = await ask(
            app, "police", Role.OFFICER, KOLAKA, "POST", f"/v1/cases/{CASE}/batches", json=nobody_could_be_read
        )
        assert sent.status_code == 200, sent.text
        letter = LetterRow(code=LETTER, kind="referral-letter", agency="police", unit=KOLAKA, region="74.01",
                           victim_id=VICTIM, referral_id=IN_HOUSE, version=3, event_id=NOBODY, issued_at=wall_clock(),
                           recorded_at=wall_clock())  # fmt: skip
        app.state.database.write(lambda tx: tx.session.add(letter))
        proposed = MatchRow(match_id=MATCH, victim_id=VICTIM, linkseq=1, other_id=NOBODY, other_agency="kemenkes",
                            other_unit="rsud-74.01", kinds=["nik"], strength="strong",
                            proposed_at=wall_clock())  # fmt: skip
        app.state.database.write(lambda tx: tx.session.add(proposed))
        yield app


def expected(what: Try, role: Role, unit: str) -> str:
    """What somebody must be told, by the tables of this module alone."""
    allowed = roles_of(what.operation).split()
    if not allowed:
        return what.done
    if role not in allowed:
        return "role-not-allowed"
    if what.about and unit not in SEES[what.about]:
        return NOT_FOUND[what.about]
    return what.done if unit in what.may else what.otherwise


@ON_ONE_LOOP
@pytest.mark.parametrize("role", Role)
async def test_every_operation_on_every_object_by_every_role_at_every_unit(police: FastAPI, role: Role) -> None:
    unexpected = []
    for what in TRIES:
        for unit in UNITS:
            answer = await ask(police, "police", role, unit, what.method, what.path, **what.sent)
            if told(answer) != expected(what, role, unit):
                unexpected.append((what.operation, what.path, unit, told(answer), expected(what, role, unit)))
    assert unexpected == []


@ON_ONE_LOOP
async def test_nobody_is_let_in_without_a_token(police: FastAPI) -> None:
    for what in TRIES:
        answer = await ask(police, "police", None, TOP, what.method, what.path, **what.sent)
        assert told(answer) == ("token-required" if roles_of(what.operation) else what.done), what.operation


@ON_ONE_LOOP
@pytest.mark.parametrize("role", [Role.OFFICER, Role.SUPERVISOR])
async def test_the_fields_of_an_identity_that_exist_for_a_unit(police: FastAPI, role: Role) -> None:
    """Kolaka is responsible and sees all; Makassar investigates, and sees what that needs."""
    for unit in UNITS:
        path = f"/v1/victims/{VICTIM}/identity"
        answer = await ask(police, "police", role, unit, "GET", path, params={"purpose": "investigation"})
        if unit in OWN | AT_WORK:
            shown = {name for name, value in answer.json().items() if value is not None}
            assert shown == (set(WHO) if unit in OWN else NEEDED_TO_INVESTIGATE), unit
        else:
            assert told(answer) == "unknown-victim"


STEPS: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    "received": {},
    "rejected": {"reject": {"reason": "no-capacity"}},
    "accepted": {"accept": {}},
    "in-progress": {"accept": {}, "start": {}},
    "on-hold": {"accept": {}, "start": {}, "hold": {"reason": "scheduled"}},
    "completed": {"accept": {}, "start": {}, "complete": {"outcome": "service-provided"}},
    "failed": {"accept": {}, "start": {}, "fail": {"reason": "no-show"}},
    "cancelled": {"request-cancellation": {"reason": "not-needed"}},
}
"""Where a referral can stand at its receiver → what was done until then."""


@pytest.fixture
async def fresh_police(tmp_path: Path, secrets: Path) -> AsyncIterator[FastAPI]:
    """The police with nothing yet."""
    async with contextlib.AsyncExitStack() as stack:
        yield await offline(POLICE, tmp_path, secrets, stack)


@pytest.mark.parametrize("status", STEPS)
async def test_who_sees_what_wherever_a_referral_stands(fresh_police: FastAPI, status: str) -> None:
    async def post(unit: str, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        match = {"If-Match": "*"}
        answer = await ask(fresh_police, "police", Role.OFFICER, unit, "POST", path, json=body, headers=match)
        assert answer.status_code in (200, 201), answer.text
        return dict(answer.json())

    case = (await post(KOLAKA, "/v1/cases", {"unit": KOLAKA, "channel": "spkt", "exploitation": "sexual"}))["id"]
    known = {"age_class": "adult", "sex": "male", "identity": WHO}
    victim = (await post(KOLAKA, f"/v1/cases/{case}/victims", known))["id"]
    asked = {"victim_id": victim, "basis": "vital-interest", "service": "investigation",
             "receiver": {"agency": "police", "unit": MAKASSAR}}  # fmt: skip
    referral = (await post(KOLAKA, "/v1/referrals", asked))["id"]
    stands = "received"
    for action, body in STEPS[status].items():
        unit = KOLAKA if action == "request-cancellation" else MAKASSAR
        stands = (await post(unit, f"/v1/referrals/{referral}/{action}", body))["status"]
    assert stands == status

    path, query = f"/v1/victims/{victim}/identity", {"purpose": "investigation"}
    for unit in UNITS:
        answer = await ask(fresh_police, "police", Role.OFFICER, unit, "GET", path, params=query)
        if unit in OWN:
            assert {name for name, value in answer.json().items() if value is not None} == set(WHO)
        elif unit not in AT_WORK:
            assert told(answer) == "unknown-victim"
        elif status in ("accepted", "in-progress", "on-hold"):
            assert {name for name, value in answer.json().items() if value is not None} == NEEDED_TO_INVESTIGATE
        else:
            assert told(answer) == "no-identity"


@ON_ONE_LOOP
@pytest.mark.parametrize("role", [Role(name) for name in READERS.split()])
async def test_lists_count_only_what_exists_for_the_caller(police: FastAPI, role: Role) -> None:
    for unit in UNITS:
        for query in ({}, {"role": "outgoing"}, {"victim_id": VICTIM}, {"region": "74"}):
            page = (await ask(police, "police", role, unit, "GET", "/v1/referrals", params=query)).json()
            assert {item["id"] for item in page["items"]} == {r for r in (IN_HOUSE, OUTSIDE) if unit in SEES[r]}, unit
        clocks = (await ask(police, "police", role, unit, "GET", "/v1/clocks")).json()["items"]
        kept = {(KOLAKA, IN_HOUSE), (KOLAKA, OUTSIDE)} if unit in OWN else set()
        kept |= {(MAKASSAR, IN_HOUSE)} if unit in AT_WORK else set()
        assert {(clock["unit"], clock["about"]) for clock in clocks} == kept, unit


@ON_ONE_LOOP
async def test_the_word_for_the_next_page_counts_nothing_that_the_caller_may_not_see(police: FastAPI) -> None:
    """Rows are numbered through the whole agency, so a number would be a total."""
    vault = police.state.office.vault
    words = [write_cursor(vault, ReferralRow, number) for number in range(1, 100)]
    assert sorted(words) not in (words, words[::-1]) and len({len(word) for word in words}) == 1
    assert [read_cursor(vault, ReferralRow, word) for word in words] == list(range(1, 100))
    last = "A" if words[0][-1] != "A" else "B"
    for table, word in (
        (CaseRow, words[0]),
        (ReferralRow, words[0][:-1] + last),
        (ReferralRow, "bjE"),
        (ReferralRow, "bj"),
    ):
        with pytest.raises(Refused, match="unknown-cursor"):
            read_cursor(vault, table, word)

    pages: list[list[str]] = []
    asked = {"limit": "1"}
    while len(pages) < 5:
        page = (await ask(police, "police", Role.OFFICER, KOLAKA, "GET", "/v1/referrals", params=asked)).json()
        pages.append([item["id"] for item in page["items"]])
        if page["next"] is None:
            break
        assert page["next"] in words
        asked["cursor"] = page["next"]
    assert pages == [[OUTSIDE], [IN_HOUSE]]


@ON_ONE_LOOP
async def test_how_much_others_were_sent_is_told_to_who_sees_the_whole_agency(police: FastAPI) -> None:
    """An event's number on its link counts the events of every desk."""
    for unit in (KOLAKA, ABOVE_KOLAKA, TOP):
        history = await ask(police, "police", Role.OFFICER, unit, "GET", f"/v1/referrals/{OUTSIDE}/history")
        assert [item["linkseq"] is None for item in history.json()["items"]] == [unit != TOP], unit


@ON_ONE_LOOP
@pytest.mark.parametrize("role", [Role.OFFICER, Role.SUPERVISOR])
async def test_a_search_finds_only_who_exists_for_the_caller(police: FastAPI, role: Role) -> None:
    for unit in UNITS:
        phone = "0" + WHO["phone"].removeprefix("+62")
        for field, value in (("nik", WHO["nik"]), ("passport", "x 123-4567"), ("phone", phone)):
            asked = {"field": field, "value": value}
            found = await ask(police, "police", role, unit, "POST", "/v1/victim-search", json=asked)
            assert [item["id"] for item in found.json()["items"]] == ([VICTIM] if unit in OWN | AT_WORK else []), unit
        other = {"field": "nik", "value": WHO["nik"][::-1]}
        found = await ask(police, "police", role, unit, "POST", "/v1/victim-search", json=other)
        assert found.json()["items"] == []


@ON_ONE_LOOP
@pytest.mark.parametrize("role", [Role.SUPERVISOR, Role.AUDITOR])
async def test_the_access_log_shows_the_looks_of_the_desks_below(police: FastAPI, role: Role) -> None:
    for unit in (KOLAKA, MAKASSAR):
        path = f"/v1/victims/{VICTIM}/identity"
        seen = await ask(police, "police", Role.OFFICER, unit, "GET", path, params={"purpose": "care"})
        assert seen.status_code == 200
    shown = {
        unit: {i["unit"] for i in (await ask(police, "police", role, unit, "GET", "/v1/access-log")).json()["items"]}
        for unit in UNITS
    }
    assert shown[ABOVE_KOLAKA] >= {KOLAKA} and MAKASSAR not in shown[ABOVE_KOLAKA]
    assert shown[MAKASSAR] == {MAKASSAR} and shown[STRANGER] == set()
    assert shown[TOP] >= {KOLAKA, MAKASSAR}


async def items_for(app: FastAPI, unit: str, path: str) -> int:
    """How many somebody is shown who reads every list."""
    return len((await ask(app, "police", Role.SUPERVISOR, unit, "GET", path)).json()["items"])


@pytest.mark.parametrize("asks", [KOLAKA, TOP])
async def test_an_erasure_is_listed_where_it_was_asked_for_and_where_the_victim_is(
    fresh_police: FastAPI, asks: str
) -> None:
    for path, body in (
        ("/v1/cases", {"case_id": CASE, "unit": KOLAKA, "channel": "spkt", "exploitation": "sexual"}),
        (f"/v1/cases/{CASE}/victims", {"victim_id": VICTIM, "age_class": "adult", "sex": "male"}),
        (f"/v1/victims/{VICTIM}/erasure", {}),
    ):
        made = await ask(fresh_police, "police", Role.SUPERVISOR, asks, "POST", path, json=body)
        assert made.status_code in (201, 202), made.text
    listed = {unit: await items_for(fresh_police, unit, "/v1/erasures") for unit in UNITS}
    assert listed == {unit: int(unit in OWN) for unit in UNITS}


async def test_a_desk_of_another_agency_is_not_ours_because_it_has_the_name_of_one_of_ours(
    fresh_police: FastAPI,
) -> None:
    """Every agency names its own desks; here Kemenkes has a Kolaka and a Makassar that are called as those are."""
    then = datetime(2026, 1, 5, tzinfo=UTC)
    rows = [
        CaseRow(id=CASE, unit=STRANGER, region="11.01", channel="spkt", exploitation="sexual", opened_at=then),
        VictimRow(id=VICTIM, case_id=CASE, age_class="adult", sex="male", stage="protection", custody_seq=2,
                  custody_agency="kemenkes", custody_unit=KOLAKA, custody_region="74.01", registered_at=then),
        ReferralRow(id=OUTSIDE, case_id=CASE, victim_id=VICTIM, kind="referral", service="first-aid", priority="stat",
                    sender_agency="kemenkes", sender_unit=KOLAKA, sender_region="74.01", receiver_agency="kemenkes",
                    receiver_unit=MAKASSAR, receiver_region="73.71", requested_at=then, due_at=then,
                    status="accepted", version=3, updated_at=then),
        ErasureRow(id=new_id(), victim_id=VICTIM, client="x", person="x", unit=STRANGER, asked_at=then),
        BreakGlassRow(id=new_id(), victim_id=VICTIM, agency="kemenkes", unit=KOLAKA, region="74.01", reason="other",
                      owner_agency="kemenkes", owner_unit=MAKASSAR, opened_at=then, until=then),
    ]  # fmt: skip
    fresh_police.state.database.write(lambda tx: tx.session.add_all(rows))
    for unit in (KOLAKA, MAKASSAR, STRANGER):
        seen = [await items_for(fresh_police, unit, f"/v1/{of}") for of in ("referrals", "erasures", "break-glass")]
        assert seen == [0, int(unit == STRANGER), 0], unit
        for path, code in ((f"referrals/{OUTSIDE}", "unknown-referral"), (f"victims/{VICTIM}", "unknown-victim")):
            answer = await ask(fresh_police, "police", Role.SUPERVISOR, unit, "GET", f"/v1/{path}")
            assert told(answer) == ("200" if unit == STRANGER and "victims" in path else code), (unit, path)
    held = await ask(fresh_police, "police", Role.SUPERVISOR, TOP, "POST", f"/v1/victims/{VICTIM}/erasure", json={})
    assert told(held) == "not-custody-holder"


@ON_ONE_LOOP
async def test_hidden_and_not_there_are_told_in_the_same_words_after_the_same_work(police: FastAPI) -> None:
    """What is asked of the database is the same too, so that the time an answer takes tells nothing."""
    with asked_of_the_database(police) as statements:
        for what in TRIES:
            if what.about and roles_of(what.operation) and STRANGER not in SEES[what.about]:
                answers = []
                for named in (what.about, NO_LETTER if what.about == LETTER else NOBODY):
                    path = what.path.replace(what.about, named)
                    body = {**what.body, "victim_id": named} if what.body and "victim_id" in what.body else what.body
                    statements.clear()
                    sent = {**what.sent, "json": body} if what.body else what.sent
                    answer = await ask(police, "police", Role.SUPERVISOR, STRANGER, what.method, path, **sent)
                    said = {name: value for name, value in answer.json().items() if name != "instance"}
                    headers = {name for name in answer.headers if name != "traceparent"}
                    answers.append((answer.status_code, said, headers, list(statements)))
                assert answers[0] == answers[1], what.path
                assert answers[0][0] == 404 and answers[0][3]


@ON_ONE_LOOP
async def test_neither_a_tag_nor_waiting_tells_of_what_is_hidden(police: FastAPI) -> None:
    """The right ETag brings no 304, and a change of what is hidden lets go of nobody who waits for it."""
    path, loop = f"/v1/referrals/{IN_HOUSE}", asyncio.get_running_loop()
    known = await ask(police, "police", Role.OFFICER, KOLAKA, "GET", path)
    tag = {"If-None-Match": known.headers["etag"]}
    assert (await ask(police, "police", Role.OFFICER, KOLAKA, "GET", path, headers=tag)).status_code == 304
    assert told(await ask(police, "police", Role.OFFICER, STRANGER, "GET", path, headers=tag)) == "unknown-referral"

    async def waited(unit: str) -> tuple[str, float]:
        began = loop.time()
        answer = await ask(police, "police", Role.OFFICER, unit, "GET", path, headers={**tag, "Prefer": "wait=1"})
        return told(answer), loop.time() - began

    waiting = [asyncio.create_task(waited(unit)) for unit in (STRANGER, MAKASSAR)]
    while len(police.state.changes._watches.get(IN_HOUSE, ())) < 2:
        await asyncio.sleep(0)
    changed = await ask(
        police, "police", Role.OFFICER, KOLAKA, "POST", f"{path}/remind", json={}, headers={"If-Match": "*"}
    )
    assert told(changed) == "200"
    (hidden, hidden_seconds), (seen, seen_seconds) = await asyncio.gather(*waiting)
    assert (hidden, seen) == ("unknown-referral", "200")
    assert seen_seconds < 1 <= hidden_seconds


@ON_ONE_LOOP
async def test_who_may_not_ask_at_all_is_told_so_before_anything_is_looked_up(police: FastAPI) -> None:
    """So the time of a 403 tells nothing of any object, and 403 is never said of one that is hidden."""
    with asked_of_the_database(police) as statements:
        for what, role in product(TRIES, Role):
            allowed = roles_of(what.operation).split()
            if allowed and role not in allowed:
                refused = await ask(police, "police", role, STRANGER, what.method, what.path, **what.sent)
                assert (refused.status_code, told(refused)) == (403, "role-not-allowed"), what.path
    assert statements == []


OWN_CASE, OWN_VICTIM = "0193f0a2-7a10-7000-8000-000000000017", "0193f0a2-7a10-7000-8000-000000000018"
A_VICTIM = {"age_class": "child", "sex": "female"}
A_REQUEST = {"victim_id": OWN_VICTIM, "service": "first-aid", "receiver": {"agency": "kemenkes"}, "basis": "consent"}
ASKING_ONLY: list[tuple[str, Mapping[str, Any], str, str]] = [
    *(("/v1/cases", {"unit": STRANGER, "channel": "spkt", "exploitation": "sexual", **wrong}, "case_id", CASE)
      for wrong in ({"channel": "no-such"}, {"unit": KOLAKA}, {"occurred_at": TOMORROW})),
    *((f"/v1/cases/{OWN_CASE}/victims", {**A_VICTIM, **wrong}, "victim_id", VICTIM)
      for wrong in ({"home_region": "99.99"}, {"identity": {"born_on": "2026-02-30"}}, {"occurred_at": TOMORROW})),
    *(("/v1/referrals", {**A_REQUEST, **wrong}, "referral_id", IN_HOUSE)
      for wrong in ({"service": "no-such"}, {"receiver": {"agency": "kemenkes", "unit": "no-such"}}, {})),
]  # fmt: skip
"""A request that is refused in any case, and the id it names, which is taken by something hidden."""


@ON_ONE_LOOP
async def test_whether_an_id_is_taken_is_told_to_nobody_whose_request_is_refused_otherwise(police: FastAPI) -> None:
    """Who is told must have done something that stays, under their name; asking alone leaves and tells nothing."""
    case = {"case_id": OWN_CASE, "unit": STRANGER, "channel": "spkt", "exploitation": "sexual"}
    own = (("/v1/cases", case), (f"/v1/cases/{OWN_CASE}/victims", {**A_VICTIM, "victim_id": OWN_VICTIM}))
    for path, made in own:
        assert told(await ask(police, "police", Role.OFFICER, STRANGER, "POST", path, json=made)) == "200"
    for path, body, name, taken in ASKING_ONLY:
        answers = [
            await ask(police, "police", Role.OFFICER, STRANGER, "POST", path, json={**body, name: named})
            for named in (taken, NOBODY)
        ]
        said = [{**answer.json(), "instance": ""} for answer in answers]
        assert said[0] == said[1] and told(answers[0]) != "id-taken" and answers[0].status_code >= 400, (path, body)


# --- the id of another beside one's own -------------------------------------------------------------------------------

THEIRS = {name: f"0193f0a2-7a10-7000-8000-0000000001{number:02d}" for number, name in enumerate(
    ("case_id", "victim_id", "referral_id", "consent_id", "erasure_id", "record_id", "batch_id"), 1
)}  # fmt: skip
OURS = {name: ident.replace("0000000001", "0000000002") for name, ident in THEIRS.items()}
"""Kolaka's, and the stranger's, who works at another end of the country."""
AN_AGREEMENT = {"notice": "2026-1", "purposes": ["medical"], "fields": ["name"], "recipients": ["kemenkes"],
                "valid_until": TOMORROW, "manner": "written", "agrees": True}  # fmt: skip


def made_at(unit: str, ids: Mapping[str, str]) -> list[tuple[str, str, dict[str, Any]]]:
    """Everything that takes an id, at a desk: the operation, its address, its body."""
    case, victim = f"/v1/cases/{ids['case_id']}", f"/v1/victims/{ids['victim_id']}"
    asked = {"victim_id": ids["victim_id"], "service": "first-aid", "basis": "vital-interest", "force": True}
    return [
        ("open_case", "/v1/cases",
         {"case_id": ids["case_id"], "unit": unit, "channel": "spkt", "exploitation": "sexual"}),
        ("register_victim", f"{case}/victims", {"victim_id": ids["victim_id"], "age_class": "adult", "sex": "male"}),
        ("take_in", f"{case}/batches", {"batch_id": ids["batch_id"], "people": [{}]}),
        ("record_consent", f"{victim}/consents", {**AN_AGREEMENT, "consent_id": ids["consent_id"]}),
        ("create_referral", "/v1/referrals",
         {**asked, "referral_id": ids["referral_id"], "receiver": {"agency": "kemenkes"}}),
        ("file_screening", f"{victim}/forms/screening", {"record_id": ids["record_id"], "decision": "not-found"}),
        ("erase", f"{victim}/erasure", {"erasure_id": ids["erasure_id"]}),
    ]  # fmt: skip


EARLIER = {"file_officer_training": "officer", "file_interview": "officer", "file_data_breach_notice": "breach"}
"""What files a form that names an earlier record, and where."""
MIXED: Mapping[tuple[str, str], str] = {
    ("register_victim", "victim_id"): "id-taken",
    ("take_in", "batch_id"): "id-taken",
    ("record_consent", "consent_id"): "id-taken",
    ("create_referral", "victim_id"): "unknown-victim",
    ("create_referral", "referral_id"): "id-taken",
    ("create_referral", "replaces"): "unknown-referral",
    ("erase", "erasure_id"): "id-taken",
    ("decide_erasure", "erasure_id"): "unknown-erasure",
    ("request_cancellation", "ask_id"): "200",  # it is a name in this referral, and in no other
    **{(form.operation, "corrects"): "unknown-record" for form in FORMS.values()},
    **{(form.operation, "record_id"): "form-not-yet" if form.after else "id-taken" for form in FORMS.values()},
    **{(operation, field): "unknown-record" for operation, named in EARLIER.items() for field in ("record_id", named)},
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
                 "/v1/referrals", "/v1/erasures")  # fmt: skip
        return [(await ask(fresh_police, "police", Role.SUPERVISOR, KOLAKA, "GET", path)).text for path in paths]

    for unit, ids in ((KOLAKA, THEIRS), (STRANGER, OURS)):
        for operation, path, body in made_at(unit, ids)[: None if unit == KOLAKA else 2]:
            made = await post(unit, path, body)
            assert made.status_code in (200, 201, 202), (operation, made.text)
    own = {name: (path, body) for name, path, body in made_at(STRANGER, OURS)}
    sent = await post(STRANGER, *own["create_referral"])
    own["decide_erasure"] = (f"/v1/victims/{OURS['victim_id']}/erasure/decision", {"approved": True})
    for form in FORMS.values():
        subject = {About.CASE: f"cases/{OURS['case_id']}", About.VICTIM: f"victims/{OURS['victim_id']}",
                   About.DESK: f"desks/{STRANGER}"}[form.about]  # fmt: skip
        body = {**example_of(form), **({"decision": "not-found"} if form.code == "screening" else {})}
        own[form.operation] = (f"/v1/{subject}/forms/{form.code}", body)
    own["request_cancellation"] = (f"/v1/referrals/{sent.json()['id']}/request-cancellation", {"reason": "not-needed"})
    before = await all_of_theirs()

    assert set(ids_beside_others(fresh_police)) == set(MIXED)
    for (operation, field), expected in MIXED.items():
        path, body = own[operation]
        record = field in ("corrects", "officer")
        theirs = THEIRS["record_id"] if record else THEIRS.get(field, THEIRS["referral_id"])
        answer = await post(
            STRANGER, path, {**body, **({"referral_id": new_id()} if field == "replaces" else {}), field: theirs}
        )
        assert told(answer) == expected, (operation, field, answer.text)
    assert await all_of_theirs() == before


# --- the tables themselves --------------------------------------------------------------------------------------------


def operations_of(app: FastAPI) -> Iterator[str]:
    for path in app.openapi()["paths"].values():
        for operation in path.values():
            yield operation["operationId"]


@ON_ONE_LOOP
async def test_every_operation_of_the_contract_is_tried(police: FastAPI, coordination: FastAPI) -> None:
    assert set(operations_of(police)) == {*ROLES_OF, *FILING} == {what.operation for what in TRIES}
    assert set(operations_of(coordination)) == set(COORDINATION_ROLES_OF)


@pytest.mark.parametrize(
    ("rules", "by_hand"),
    [(AGENCY, ROLES_OF), (POLICE.rules, {**ROLES_OF, **FILING}), (COORDINATION_RULES, COORDINATION_ROLES_OF)],
    ids=["agency", "police", "coordination"],
)
def test_the_declared_table_says_what_is_expected_here(rules: Mapping[str, Rule], by_hand: Mapping[str, str]) -> None:
    declared = {name: set(rule.roles) for name, rule in rules.items() if name not in PAGES}
    assert declared == {name: set(roles.split()) for name, roles in by_hand.items()}


@ON_ONE_LOOP
async def test_the_contract_says_where_a_token_is_needed(police: FastAPI) -> None:
    for path in police.openapi()["paths"].values():
        for operation in path.values():
            needs = bool(roles_of(operation["operationId"]))
            assert ("security" in operation) == needs
            assert ("401" in operation["responses"]) == needs


# --- coordination -----------------------------------------------------------------------------------------------------

CENTRE, SULTRA, SULSEL, ACEH = "pusat", "gugus-tugas-74", "gugus-tugas-73", "gugus-tugas-11"
AT_KOLAKA, AT_BANDA_ACEH = "0193f0a2-7a10-7000-8000-000000000021", "0193f0a2-7a10-7000-8000-000000000022"
FOLLOWED = {AT_KOLAKA: {CENTRE, SULTRA, SULSEL}, AT_BANDA_ACEH: {CENTRE, ACEH}}
"""Journey → the units for which it exists: Makassar was asked to help with the first."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def coordination(tmp_path_factory: pytest.TempPathFactory, secrets: Path) -> AsyncIterator[FastAPI]:
    """Coordination with two journeys and a hand-over that failed for want of a rule."""
    now = datetime(2026, 11, 24, tzinfo=UTC)
    journeys = [
        JourneyRow(victim_id=victim, stage=Stage.DETECTION, custody_agency="police", custody_unit=f"polres-{region}",
                   custody_region=region, custody_seq=1, registered_at=now)
        for victim, region in ((AT_KOLAKA, "74.01"), (AT_BANDA_ACEH, "11.71"))
    ]  # fmt: skip
    handover = ReferralRow(
        id=IN_HOUSE, case_id=CASE, victim_id=AT_KOLAKA, kind="referral", service="investigation", priority="routine",
        sender_agency="police", sender_unit=KOLAKA, sender_region="74.01", receiver_agency="police",
        receiver_unit=MAKASSAR, receiver_region="73.71", requested_at=now, due_at=now, status="rejected", version=3,
        norm_gap="no-mandate", updated_at=now,
    )  # fmt: skip
    async with contextlib.AsyncExitStack() as stack:
        app = await offline(COORDINATION, tmp_path_factory.mktemp("matrix"), secrets, stack)
        app.state.database.write(lambda tx: tx.session.add_all([*journeys, handover]))
        yield app


@ON_ONE_LOOP
@pytest.mark.parametrize("role", Role)
async def test_a_province_follows_the_journeys_it_has_a_part_in(coordination: FastAPI, role: Role) -> None:
    async def get(unit: str, path: str) -> httpx.Response:
        return await ask(coordination, "coordination", role, unit, "GET", path)

    for unit in (CENTRE, SULTRA, SULSEL, ACEH):
        if role not in ("coordinator", "auditor"):
            for path in ("/v1/journeys", f"/v1/journeys/{AT_KOLAKA}", "/v1/counts", "/v1/norm-gaps"):
                assert told(await get(unit, path)) == "role-not-allowed"
            continue
        seen = {victim for victim, units in FOLLOWED.items() if unit in units}
        listed = (await get(unit, "/v1/journeys")).json()["items"]
        assert {item["victim_id"] for item in listed} == seen
        for victim in FOLLOWED:
            for path in (f"/v1/journeys/{victim}", f"/v1/journeys/{victim}/custody"):
                assert told(await get(unit, path)) == ("200" if victim in seen else "unknown-journey")
        counts = (await get(unit, "/v1/counts")).json()
        assert (counts["journeys_open"], counts["norm_gaps"]) == (len(seen), int(AT_KOLAKA in seen)), unit
        assert counts["handovers_by_status"] == ({"rejected": 1} if AT_KOLAKA in seen else {})
        assert len((await get(unit, "/v1/norm-gaps")).json()["items"]) == int(AT_KOLAKA in seen)


@ON_ONE_LOOP
async def test_no_total_counts_what_a_province_may_not_see(tmp_path: Path, secrets: Path) -> None:
    """The same in Kolaka and in Banda Aceh: each province counts its own, the centre both."""
    then = datetime(2026, 1, 5, tzinfo=UTC)
    rows: list[JourneyRow | ReferralRow | AlarmRow] = []
    for region, agency, stage in (("74.01", "police", Stage.PROTECTION), ("11.71", "kemensos", Stage.REPATRIATION)):
        desk = f"desk-{region}"
        for closed in (None, then):
            rows.append(
                JourneyRow(victim_id=new_id(), stage=stage, custody_agency=agency, custody_unit=desk,
                           custody_region=region, custody_seq=1, registered_at=then, closed_at=closed)
            )  # fmt: skip
        victim = str(rows[-2].victim_id)
        rows.append(
            AlarmRow(about=new_id(), clock="first-aid", agency=agency, unit=desk, region=region, victim_id=victim,
                     started_at=then, due_at=then, escalated_at=then, escalated_level="province")
        )  # fmt: skip
        rows.append(
            ReferralRow(
                id=new_id(), case_id=CASE, victim_id=victim, kind="referral", service="first-aid",
                priority="stat", sender_agency=agency, sender_unit=desk, sender_region=region,
                receiver_agency="kemenkes", receiver_unit=f"rs-{region}", receiver_region=region, requested_at=then,
                due_at=then, status="requested", version=1, norm_gap="no-procedure", updated_at=then,
            )
        )  # fmt: skip

    def total(*provinces: tuple[str, str, str]) -> dict[str, Any]:
        ones = {name: dict.fromkeys(keys, 1) for name, keys in zip(
            ("by_province", "by_agency", "by_stage"), zip(*provinces, strict=True), strict=True
        )} if provinces else {"by_province": {}, "by_agency": {}, "by_stage": {}}  # fmt: skip
        many = dict.fromkeys(("journeys_open", "journeys_closed", "overdue", "norm_gaps"), len(provinces))
        told = {"escalated": {"province": len(provinces)} if provinces else {}}
        return {**ones, **many, **told, "handovers_by_status": {"requested": len(provinces)} if provinces else {}}

    sultra, aceh = ("74", "police", "protection"), ("11", "kemensos", "repatriation")
    expected = {CENTRE: total(sultra, aceh), SULTRA: total(sultra), ACEH: total(aceh), SULSEL: total()}
    async with contextlib.AsyncExitStack() as stack:
        app = await offline(COORDINATION, tmp_path, secrets, stack)
        app.state.database.write(lambda tx: tx.session.add_all(rows))
        for unit, counted in expected.items():
            answer = await ask(app, "coordination", Role.COORDINATOR, unit, "GET", "/v1/counts")
            assert answer.json() == counted, unit


async def page_of(app: FastAPI, role: Role, unit: str, path: str, **asked: str) -> httpx.Response:
    """What a browser is shown that has signed in."""
    cookie = {"__Host-estafet": signed(claims("coordination", role, unit, wall_clock()))}
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="https://coordination", cookies=cookie) as browser:
        return await browser.get(path, params=asked)


def journeys_on(page: httpx.Response) -> set[str]:
    return set(re.findall(r'href="/journeys/([0-9a-f-]{36})"', page.text))


COUNTED = re.compile(r"<dd>(\d+)</dd>")
IN_A_CHOICE = re.compile(r"<option[^>]*>[^<(]*\((\d+)\)</option>")
ASKED: list[dict[str, str]] = [
    {}, {"region": "74"}, {"region": "74.01"}, {"region": "11"}, {"region": "11.71"}, {"agency": "police"},
    {"stage": "detection"}, {"show": "open"}, {"cursor": "bjbukan"}, {"cursor": "bj\u00e9"},
]  # fmt: skip
"""How the list can be asked for, and all of it shows at most what there is for the caller."""


@ON_ONE_LOOP
@pytest.mark.parametrize("role", Role)
async def test_the_pages_show_a_province_what_the_interface_shows_it(coordination: FastAPI, role: Role) -> None:
    for unit in (CENTRE, SULTRA, SULSEL, ACEH):
        front = await page_of(coordination, role, unit, "/")
        if role not in COORDINATION_ROLES_OF["list_journeys"].split():
            assert front.status_code == 303 and front.headers["location"].startswith("/masuk")
            assert (await page_of(coordination, role, unit, f"/journeys/{AT_KOLAKA}")).status_code == 303
            continue
        seen = {victim for victim, units in FOLLOWED.items() if unit in units}
        assert journeys_on(front) == seen
        assert COUNTED.findall(front.text) == [str(len(seen)), "0", "0", "0", str(int(AT_KOLAKA in seen))]
        assert IN_A_CHOICE.findall(front.text) == [str(len(seen))] * 2  # by stage, by agency
        for asked in ASKED:
            page = await page_of(coordination, role, unit, "/", **asked)
            region = asked.get("region", "")
            where = {victim for victim, at in ((AT_KOLAKA, "74.01"), (AT_BANDA_ACEH, "11.71")) if at.startswith(region)}
            assert page.status_code == 200 and journeys_on(page) == seen & where, (unit, asked)
        missing = await page_of(coordination, role, unit, f"/journeys/{NOBODY}")
        for victim in FOLLOWED:
            page = await page_of(coordination, role, unit, f"/journeys/{victim}")
            assert page.status_code == (200 if victim in seen else 404)
            assert victim in seen or page.text == missing.text


@ON_ONE_LOOP
@pytest.mark.parametrize("role", Role)
async def test_what_runs_the_service_is_for_who_keeps_it_and_stands_for_all_of_it(
    coordination: FastAPI, role: Role
) -> None:
    asked = (("list_parked", "GET", "/v1/parked", "200"), ("list_links", "GET", "/v1/links", "200"),
             ("replay", "POST", "/v1/parked/1/replay", "unknown-parked-event"))  # fmt: skip
    for operation, method, path, done in asked:
        for unit in (CENTRE, SULTRA, SULSEL, ACEH):
            expected = done if unit == CENTRE else "not-your-unit"
            if role not in COORDINATION_ROLES_OF[operation].split():
                expected = "role-not-allowed"
            assert told(await ask(coordination, "coordination", role, unit, method, path)) == expected, (path, unit)
