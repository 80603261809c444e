"""The matrix of access, written by hand a second time: each operation, its callers, its units, and its answers.

The table in ``shared/domain/access.py`` must say the same, and the services must do the same."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
from fastapi import FastAPI

from services.police.main import MEMBER as POLICE
from shared.domain.access import Role
from shared.domain.forms import Form, FormSubject, body_of
from shared.domain.letters import code_of
from shared.reference.office import new_id
from shared.service.running import now_utc
from tests.support.tokens import Bearing

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
    "take_over_identity": DOERS,
    "correct_facts": DOERS,
    "confirm_facts": DOERS,
    "record_stage": DOERS,
    "close_journey": DOERS,
    "decide_closure": DOERS,
    "list_closures": "officer supervisor auditor",
    "see_closure_note": DOERS,
    "list_backdated": "supervisor auditor",
    "see_backdated_note": "supervisor",
    "create_referral": DOERS,
    "list_referrals": READERS,
    "see_referral": READERS,
    "check_custody": DOERS,
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
    "confirm_hold": "supervisor",
    "list_holds": "supervisor auditor",
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
    "list_match_alarms": "coordinator auditor",
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
BY_HUMAN = frozenset(
    {
        *("register_victim", "take_in", "take_in_csv", "record_identity", "see_identity", "search_victims"),
        *("take_over_identity", "correct_facts", "confirm_facts"),
        *("print_letter", "see_notes", "see_record", "decide_match", "place_hold", "confirm_hold", "lift_holds"),
        *("erase", "decide_erasure", "break_glass", "see_break_glass_note", "review_break_glass"),
        *("close_journey", "decide_closure", "see_closure_note", "see_backdated_note"),
    }
)
"""The operations that need a human: what is sealed about a person is read or written, or two people decide."""
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
MATCH, MATCHED = "0193f0a2-7a10-7000-8000-000000000019", "0193f0a2-7a10-7000-8000-00000000001a"
"""A proposal, and its victim: not the one with a safe house, for officers do not match that one."""
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
    """One operation on one object: the request, the units with the right, and the answer to other units.

    ``done`` is the answer to a unit with the right; a refusal there comes from the rules, after admission.
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
    """The answer to callers for whom the object does not exist."""
    table: str = ""
    """A CSV text that is sent instead of a body."""

    @property
    def sent(self) -> dict[str, Any]:
        """The keyword arguments of the request, for httpx."""
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
FILED: Mapping[FormSubject, tuple[str, str, set[str], str]] = {
    FormSubject.CASE: (CASE, f"/v1/cases/{CASE}", OWN, ""),
    FormSubject.VICTIM: (VICTIM, f"/v1/victims/{VICTIM}", OWN | AT_WORK, ""),
    FormSubject.REFERRAL: (IN_HOUSE, f"/v1/referrals/{IN_HOUSE}", AT_WORK, "not-responsible"),
    FormSubject.DESK: ("", f"/v1/desks/{KOLAKA}", OWN, "not-your-unit"),
}
"""The subject of a form → the object, its address, the units that may file, and the answer to the others."""


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
    *(Try(f"list_{name}", "", f"/v1/{name}", frozenset(UNITS), "200", method="GET")
      for name in ("forms", "closures", "backdated", "referrals", "matches", "erasures")),
    *(Try(operation, "", f"/v1/{path}", frozenset(UNITS), "200", method="GET")
      for operation, path in (("list_access", "access-log"), ("list_holds", "legal-holds"))),
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
    Try("take_over_identity", VICTIM, f"/v1/victims/{VICTIM}/identity/take-over", frozenset(OWN | AT_WORK),
        "nothing-to-take-over", body={"field": "name", "agency": "kemensos", "said_at": "2026-11-24T01:30:00Z"}),
    Try("correct_facts", VICTIM, f"/v1/victims/{VICTIM}/facts", frozenset(OWN), "unknown-region",
        "not-custody-holder", body={"home_region": "99.99", "basis": "mistake"}),
    Try("confirm_facts", VICTIM, f"/v1/victims/{VICTIM}/facts/confirmation", frozenset(OWN), "unknown-correction",
        "not-custody-holder", body={"correction_id": NOBODY}),
    Try("record_stage", VICTIM, f"/v1/victims/{VICTIM}/stages", frozenset(OWN), "occurred-in-the-future",
        "not-custody-holder", body={"stage": "protection", "occurred_at": TOMORROW}),
    Try("close_journey", VICTIM, f"/v1/victims/{VICTIM}/closure", frozenset(OWN), "referral-still-live",
        "not-custody-holder", body={"outcome": "deceased"}),
    Try("decide_closure", VICTIM, f"/v1/victims/{VICTIM}/closure/decision", frozenset(OWN), "unknown-closure",
        "not-custody-holder", body={"closure_id": NOBODY, "approved": True}),
    *(Try(f"see_{name}_note", "", f"/v1/{path}/{NOBODY}/note", frozenset(UNITS), code, method="GET",
          query={"purpose": "care"}) for name, path, code in (
              ("backdated", "backdated", "unknown-backdating"), ("closure", "closures", "unknown-closure"))),
    Try("create_referral", VICTIM, "/v1/referrals", frozenset(OWN | AT_WORK), "no-such-route",
        body={"victim_id": VICTIM, "basis": "public-task", "service": "no-such", "receiver": {"agency": "kemenkes"}}),
    look("see_referral", IN_HOUSE, f"/v1/referrals/{IN_HOUSE}"),
    look("see_referral", OUTSIDE, f"/v1/referrals/{OUTSIDE}"),
    look("see_history", IN_HOUSE, f"/v1/referrals/{IN_HOUSE}/history"),
    look("see_history", OUTSIDE, f"/v1/referrals/{OUTSIDE}/history"),
    Try("check_custody", IN_HOUSE, f"/v1/referrals/{IN_HOUSE}/custody-check", frozenset(AT_WORK),
        "not-an-open-transfer", "not-your-move", body={}),
    look("see_notes", IN_HOUSE, f"/v1/referrals/{IN_HOUSE}/notes", query={"purpose": "legal"}),
    look("see_notes", OUTSIDE, f"/v1/referrals/{OUTSIDE}/notes", query={"purpose": "legal"}),
    *(act(name, referral, may, **body) for referral, may in ((IN_HOUSE, AT_WORK), (OUTSIDE, set[str]()))
      for name, body in RECEIVER_ACTS.items()),
    *(act(name, referral, OWN, **body) for referral in (IN_HOUSE, OUTSIDE) for name, body in SENDER_ACTS.items()),
    Try("search_victims", "", "/v1/victim-search", frozenset(UNITS), "200",
        body={"field": "nik", "value": WHO["nik"]}),
    Try("decide_match", MATCH, f"/v1/matches/{MATCH}/decision", frozenset(OWN), "200",
        body={"decision": "cannot-tell"}),
    Try("record_consent", VICTIM, f"/v1/victims/{VICTIM}/consents", frozenset(OWN | AT_WORK), "unknown-notice",
        body=CONSENT),
    Try("withdraw_consent", VICTIM, f"/v1/victims/{VICTIM}/consents/withdrawal", frozenset(OWN | AT_WORK), "no-consent",
        body={}),
    look("list_consents", VICTIM, f"/v1/victims/{VICTIM}/consents"),
    look("list_disclosures", VICTIM, f"/v1/victims/{VICTIM}/disclosures"),
    look("see_access_report", VICTIM, f"/v1/victims/{VICTIM}/access-report"),
    Try("place_hold", VICTIM, f"/v1/victims/{VICTIM}/legal-holds", frozenset(OWN | AT_WORK), "occurred-in-the-future",
        body={"basis": "trial", "occurred_at": TOMORROW}),
    Try("confirm_hold", VICTIM, f"/v1/victims/{VICTIM}/legal-holds/confirmation", frozenset(OWN | AT_WORK),
        "unknown-hold", body={"basis": "trial"}),
    Try("lift_holds", VICTIM, f"/v1/victims/{VICTIM}/legal-holds/lifting", frozenset(OWN | AT_WORK), "200", body={}),
    Try("erase", VICTIM, f"/v1/victims/{VICTIM}/erasure", frozenset(OWN), "occurred-in-the-future",
        "not-custody-holder", body={"occurred_at": TOMORROW}),
    Try("decide_erasure", VICTIM, f"/v1/victims/{VICTIM}/erasure/decision", frozenset(OWN), "unknown-erasure",
        "not-custody-holder", body={"erasure_id": NOBODY, "approved": True}),
    # A break-glass is for units for which the victim does not exist. The stories show an open one.
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
    auth = Bearing(member, role, unit, now_utc, person=more.pop("person", None)) if role else None
    headers = {"Idempotency-Key": new_id(), "If-Match": '"0.0"', **more.pop("headers", {})}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=f"http://{member}", auth=auth) as http:
        return await http.request(method, path, headers=headers, **more)


def roles_of(operation: str) -> str:
    """The roles that do the work may file a form; the table has every other operation."""
    return DOERS if operation.startswith("file_") else ROLES_OF[operation]


def told(response: httpx.Response) -> str:
    """The status where it was done, the code of the problem where it was refused."""
    if response.status_code < 300:
        return "200"
    return str(response.json()["type"]).removeprefix("urn:estafet:problem:")


# --- the tables themselves --------------------------------------------------------------------------------------------


def operations_of(app: FastAPI) -> Iterator[str]:
    for path in app.openapi()["paths"].values():
        for operation in path.values():
            yield operation["operationId"]


# --- coordination -----------------------------------------------------------------------------------------------------


CENTRE, SULTRA, SULSEL, ACEH = "pusat", "gugus-tugas-74", "gugus-tugas-73", "gugus-tugas-11"
AT_KOLAKA, AT_BANDA_ACEH = "0193f0a2-7a10-7000-8000-000000000021", "0193f0a2-7a10-7000-8000-000000000022"
FOLLOWED = {AT_KOLAKA: {CENTRE, SULTRA, SULSEL}, AT_BANDA_ACEH: {CENTRE, ACEH}}
"""Journey → the units for which it exists: Makassar was asked to help with the first."""
