"""Every refusal is a clear problem document (RFC 9457): known, in both languages, and silent about what was sent.

One table of bad requests is asked of the real apps, without a broker. What a caller sends may be a name: so each
request carries a canary wherever one fits, and no answer and no log line may sing.
"""

import ast
import contextlib
import io
import json
import logging
import re
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
import structlog
from fastapi import FastAPI
from sqlalchemy.exc import OperationalError

from services.coordination.main import MEMBER as COORDINATION
from services.police.main import MEMBER as POLICE
from shared.domain.access import Role
from shared.service.app import wall_clock
from shared.service.office import new_id
from shared.service.problems import CATALOGUE, EVERYWHERE, TYPE_PREFIX
from tests.support.network import offline
from tests.support.sources import ROOT
from tests.support.tokens import Bearing

ON_ONE_LOOP = pytest.mark.asyncio(loop_scope="module")

# --- the catalogue and the code -----------------------------------------------------------------------------------

PLACEHOLDER = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Refusal:
    """A place in the code that refuses: with which code, and which facts for its text."""

    code: str
    facts: frozenset[str]
    place: str


def values_of(expression: ast.expr, scope: ast.AST) -> set[str]:
    """The texts that an expression can be: a constant, either branch, a local name, what a dict holds."""
    match expression:
        case ast.Constant(value=str(text)):
            return {text}
        case ast.IfExp(body=one, orelse=other):
            return values_of(one, scope) | values_of(other, scope)
        case ast.Dict(values=held):
            return {text for value in held for text in values_of(value, scope)}
        case ast.Call(func=ast.Attribute(value=asked, attr="get"), args=[_, default]):
            return values_of(asked, scope) | values_of(default, scope)
        case ast.Name(id=name):
            given = [n.value for n in ast.walk(scope) if isinstance(n, ast.Assign) and _names(n.targets, name)]
            return {text for value in given for text in values_of(value, scope)}
    return set()


def _names(targets: list[ast.expr], name: str) -> bool:
    return any(isinstance(target, ast.Name) and target.id == name for target in targets)


def refusals_in(source: str, name: str) -> Iterator[Refusal]:
    """Every ``Refused(code, …)`` and ``respond(request, code, …)``; passing on ``error.problem`` refuses nothing new.

    A code that cannot be read off is an error: it must be written so that it can.
    """
    tree = ast.parse(source)
    parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    for call in ast.walk(tree):
        if not isinstance(call, ast.Call):
            continue
        called = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        if called not in ("Refused", "respond"):
            continue
        code = call.args[0 if called == "Refused" else 1]
        if isinstance(code, ast.Attribute) and code.attr == "problem":
            continue
        scope: ast.AST = call
        while not isinstance(scope, ast.FunctionDef | ast.AsyncFunctionDef | ast.Module):
            scope = parents[scope]
        place, codes = f"{name}:{call.lineno}", values_of(code, scope)
        assert codes, f"{place}: which code is this?"
        facts = frozenset(k.arg or "" for k in call.keywords) if called == "Refused" else frozenset[str]()
        yield from (Refusal(code, facts - {"field"}, place) for code in codes)


REFUSALS = [
    refusal
    for folder in ("shared", "services")
    for path in sorted((ROOT / folder).rglob("*.py"))
    for refusal in refusals_in(path.read_text(encoding="utf-8"), str(path.relative_to(ROOT)))
]


def test_every_refusal_in_the_code_is_in_the_catalogue() -> None:
    assert len(REFUSALS) > 50
    assert [refusal for refusal in REFUSALS if refusal.code not in CATALOGUE] == []


def test_nothing_in_the_catalogue_is_dead() -> None:
    assert set(CATALOGUE) - {refusal.code for refusal in REFUSALS} == set()


def test_a_refusal_gives_the_facts_that_its_text_names() -> None:
    """A fact that is missing would turn the refusal into a fault of the service."""
    wanted = {code: set(PLACEHOLDER.findall(kind.detail.id)) for code, kind in CATALOGUE.items()}
    assert [refusal for refusal in REFUSALS if not wanted[refusal.code] <= refusal.facts] == []


SOME_CODE = """
def reject(row):
    problem = "ended" if row.ended else "not-yours"
    raise Refused(problem, field="row", status=row.status)
def answer(request, error):
    codes = {404: "lost"}
    respond(request, error.problem)
    return problems.respond(request, codes.get(error.status, "broken"), [])
"""


def test_these_rules_see_every_code() -> None:
    found = {(refusal.code, refusal.facts) for refusal in refusals_in(SOME_CODE, "some.py")}
    status, nothing = frozenset({"status"}), frozenset[str]()
    assert found == {("ended", status), ("not-yours", status), ("lost", nothing), ("broken", nothing)}
    with pytest.raises(AssertionError, match=r"other\.py:1"):
        list(refusals_in("Refused(whatever())", "other.py"))


@pytest.mark.parametrize("code", CATALOGUE)
def test_a_kind_says_what_is_wrong_and_what_to_do_in_both_languages(code: str) -> None:
    kind = CATALOGUE[code]
    assert re.fullmatch(r"urn:estafet:problem:[a-z]+(-[a-z]+)*", TYPE_PREFIX + code)
    assert 400 <= kind.status < 500 or kind.status in (500, 503)
    for text in (kind.title, kind.detail, kind.remedy):
        assert text.id.strip() and text.en.strip() and text.id != text.en
        assert set(PLACEHOLDER.findall(text.id)) == set(PLACEHOLDER.findall(text.en))
        assert not re.search(r"[{}]", PLACEHOLDER.sub("", text.id + text.en))
    for sentence in (kind.detail.id, kind.detail.en, kind.remedy.id, kind.remedy.en):
        assert sentence.endswith(".")
    assert not PLACEHOLDER.search(kind.title.id + kind.remedy.id)


# --- the services ---------------------------------------------------------------------------------------------------

CANARY, WORD = "KANARI-7f3a", "kanari-7f3a"
"""As a person would write it, and as a code could be."""

CASE, VICTIM, OURS, SENT, AGREED, NOBODY = (f"0193f0a2-7a10-7000-8000-00000000000{number}" for number in range(1, 7))
"""A case, its victim, a referral between two desks of the police, one to a hospital, what the victim agreed to, and
an id that nobody has."""

USED_KEY = f"lapor-{CANARY}"
SERVICES = {"police": POLICE, "coordination": COORDINATION}


def a_case(**changes: Any) -> dict[str, Any]:
    return {"unit": "polres-74.01", "channel": "spkt", "exploitation": "online-scam", **changes}


def a_victim(**changes: Any) -> dict[str, Any]:
    return {"age_class": "adult", "sex": "female", **changes}


def a_referral(**changes: Any) -> dict[str, Any]:
    receiver = {"agency": "police", "region": "73.71"}
    return {"victim_id": VICTIM, "service": "investigation", "receiver": receiver, "basis": "public-task", **changes}


def a_consent(**changes: Any) -> dict[str, Any]:
    told = {"notice": "2026-1", "manner": "written", "guardian": "none", "valid_until": "2099-12-31T00:00:00Z"}
    given = {"agrees": True, "purposes": ["care"], "fields": ["name"], "recipients": ["kemenkes"]}
    return {**told, **given, **changes}


@dataclass(frozen=True)
class Running:
    """Services without a broker, and everything that they have logged."""

    apps: Mapping[str, FastAPI]
    logged: io.StringIO

    async def ask(self, service: str, method: str, path: str, **more: Any) -> httpx.Response:
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(self.apps[service]), base_url=f"http://{service}"
        ) as client:
            return await client.request(method, path, **{"auth": usual_caller(service, path), **more})


def usual_caller(service: str, path: str) -> Bearing:
    """Somebody whose role is to ask for this."""
    if path.startswith(("/v1/parked", "/v1/links")):
        role = Role.ADMINISTRATOR
    else:
        role = Role.OFFICER if service == "police" else Role.COORDINATOR
    return Bearing(service, role, {"police": "bareskrim", "coordination": "pusat"}[service], wall_clock)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory, secrets: Path) -> AsyncIterator[Running]:
    """The police with a case, a victim and two referrals, and coordination."""
    folder, logged, before = tmp_path_factory.mktemp("problems"), io.StringIO(), structlog.get_config()
    async with contextlib.AsyncExitStack() as stack:
        with contextlib.redirect_stderr(logged):  # where services log to is settled when they start
            apps = {name: await offline(member, folder, secrets, stack) for name, member in SERVICES.items()}
        running = Running(apps, logged)
        sent = a_referral(referral_id=SENT, service="first-aid", receiver={"agency": "kemenkes"})
        for key, path, body in (
            (USED_KEY, "/v1/cases", a_case(case_id=CASE)),
            ("korban", f"/v1/cases/{CASE}/victims", a_victim(victim_id=VICTIM)),
            ("sendiri", "/v1/referrals", a_referral(referral_id=OURS)),
            ("keluar", "/v1/referrals", sent),
            ("setuju", f"/v1/victims/{VICTIM}/consents", a_consent(consent_id=AGREED)),
        ):
            made = await running.ask("police", "POST", path, json=body, headers={"Idempotency-Key": key})
            assert made.status_code == 201, made.text
        yield running
    structlog.configure(**before)


# --- the table ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Bad:
    """A bad request, and the answer that it must get. ``field`` is what the answer names as wrong, if it is one."""

    request: str
    status: int
    code: str
    field: str | None = None
    body: Any = None
    """Sent as JSON; bytes are sent as they are."""
    headers: Mapping[str, str | None] | None = None
    """Beside the usual ones; None leaves one out."""
    service: str = "police"

    async def ask(self, running: Running, language: str) -> httpx.Response:
        usual = {
            "Content-Type": "application/json",
            "Idempotency-Key": f"{CANARY}-{new_id()}",
            "If-Match": "*",
            "User-Agent": CANARY,
            "X-Pelapor": CANARY,
            "Accept-Language": language,
        }
        headers = {name: value for name, value in {**usual, **(self.headers or {})}.items() if value is not None}
        method, path = self.request.split(" ", 1)
        content = self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()
        return await running.ask(
            self.service, method, path, content=b"" if self.body is None else content, headers=headers
        )


def opening(status: int, code: str, field: str | None = None, **changes: Any) -> Bad:
    """Opening a case, with some fields changed."""
    return Bad("POST /v1/cases", status, code, field, a_case(**changes))


def registering(status: int, code: str, field: str | None = None, **changes: Any) -> Bad:
    return Bad(f"POST /v1/cases/{CASE}/victims", status, code, field, a_victim(**changes))


def agreeing(status: int, code: str, field: str | None = None, **changes: Any) -> Bad:
    return Bad(f"POST /v1/victims/{VICTIM}/consents", status, code, field, a_consent(**changes))


def referring(status: int, code: str, field: str | None = None, **changes: Any) -> Bad:
    return Bad("POST /v1/referrals", status, code, field, a_referral(**changes))


def acting(on: str, action: str, status: int, code: str, field: str | None = None, **body: Any) -> Bad:
    return Bad(f"POST /v1/referrals/{on}/{action}", status, code, field, body)


def matching(if_match: str | None, status: int, code: str, field: str | None = None) -> Bad:
    headers = {"If-Match": if_match}
    return Bad(f"POST /v1/referrals/{OURS}/accept", status, code, field, {"note": CANARY}, headers)


def keyed(key: str | None, status: int, code: str) -> Bad:
    body = a_victim(identity={"statement": CANARY})
    return Bad(f"POST /v1/cases/{CASE}/victims", status, code, "Idempotency-Key", body, {"Idempotency-Key": key})


def asking(path: str, status: int, code: str, field: str | None = None, service: str = "police") -> Bad:
    return Bad(f"GET {path}", status, code, field, service=service)


def typed(content_type: str, body: bytes) -> Bad:
    return Bad("POST /v1/cases", 415, "unsupported-media-type", "Content-Type", body, {"Content-Type": content_type})


def following(path: str, status: int, code: str, field: str | None = None) -> Bad:
    return asking(path, status, code, field, "coordination")


INVALID = 422, "invalid-request"

BAD_REQUESTS: dict[str, Bad] = {
    # the body
    "JSON cut short": Bad("POST /v1/cases", 400, "malformed-json", body=b'{"unit": "' + CANARY.encode()),
    "not UTF-8": Bad("POST /v1/cases", 400, "malformed-json", body=b'{"unit": "\xff' + CANARY.encode() + b'"}'),
    "a form": typed("application/x-www-form-urlencoded", b"unit=" + CANARY.encode()),
    "JSON that is said to be text": typed("text/plain", json.dumps(a_case(channel=CANARY)).encode()),
    "larger than 64 KiB": opening(413, "body-too-large", channel=CANARY * 6000),
    "a list for an object": Bad("POST /v1/cases", *INVALID, "", [CANARY]),
    "nothing for an object": Bad("POST /v1/cases", *INVALID, ""),
    "a field missing": Bad("POST /v1/cases", *INVALID, "/channel", {"unit": WORD, "exploitation": "sexual"}),
    "a field misspelt": opening(*INVALID, "/exploitaton", exploitaton=CANARY),
    "a field of another request": opening(*INVALID, "/?", statement=CANARY),
    "a field that nobody knows, and that may be a name": opening(*INVALID, "/?", siti_aminah=CANARY),
    "one that looks like no field, and is not repeated": Bad(
        "POST /v1/cases", *INVALID, "/?", a_case() | {"nama/alias": CANARY}
    ),
    "one inside another": registering(*INVALID, "/identity/?", identity={"panggilan": CANARY}),
    "a word not in its list": opening(*INVALID, "/exploitation", exploitation=CANARY),
    "a text too long": referring(*INVALID, "/note", note=CANARY * 400),
    "a name too long": registering(*INVALID, "/identity/name", identity={"name": CANARY * 20}),
    "a NUL in a text": referring(*INVALID, "/note", note=f"{CANARY}\0"),
    "half a character": referring(*INVALID, "/note", note=f"{CANARY}\ud800"),
    "a number for a text": referring(*INVALID, "/note", note=73),
    "a text for a truth": referring(*INVALID, "/force", force=CANARY),
    "a NIK that is none": registering(*INVALID, "/identity/nik", identity={"nik": CANARY}),
    "a moment that is none": opening(*INVALID, "/occurred_at", occurred_at=CANARY),
    "a moment to come": opening(409, "occurred-in-the-future", "/occurred_at", occurred_at="2999-01-01T00:00:00Z"),
    "a moment long past": opening(409, "occurred-too-long-ago", "/occurred_at", occurred_at="1700-01-01T00:00:00Z"),
    "a look of more than an hour": Bad(
        f"POST /v1/victims/{VICTIM}/break-glass", *INVALID, "/minutes", {"reason": "life-in-danger", "minutes": 61}
    ),
    "a look of no time": Bad(
        f"POST /v1/victims/{VICTIM}/break-glass", *INVALID, "/minutes", {"reason": "life-in-danger", "minutes": 0}
    ),
    "an id that is none": opening(*INVALID, "/case_id", case_id=CANARY),
    "an id in another field": referring(*INVALID, "/receiver/unit", receiver={"agency": "police", "unit": CANARY}),
    # the address
    "no such address": asking(f"/v1/{CANARY}", 404, "not-found"),
    "no such method": Bad("DELETE /v1/cases", 405, "method-not-allowed"),
    "no such method on a referral": Bad(f"PUT /v1/referrals/{OURS}", 405, "method-not-allowed", body={"note": CANARY}),
    "a name for an id": asking(f"/v1/victims/{CANARY}", *INVALID, "victim_id"),
    "a name with a space for an id": asking(f"/v1/referrals/Siti%20{CANARY}/history", *INVALID, "referral_id"),
    "a case nobody has": asking(f"/v1/cases/{NOBODY}", 404, "unknown-case"),
    "a victim nobody has": asking(f"/v1/victims/{NOBODY}", 404, "unknown-victim"),
    "a referral nobody has": asking(f"/v1/referrals/{NOBODY}", 404, "unknown-referral"),
    "a history nobody has": asking(f"/v1/referrals/{NOBODY}/history", 404, "unknown-referral"),
    "an identity nobody has": asking(f"/v1/victims/{VICTIM}/identity?purpose=care", 404, "no-identity"),
    "a schema there is not": asking("/v1/schemas/id.tppo.referral.dreamt.v1", 404, "unknown-schema"),
    "what no schema is called": asking(f"/v1/schemas/{CANARY}", *INVALID, "event_type"),
    "a parked event there is not": Bad("POST /v1/parked/73/replay", 404, "unknown-parked-event"),
    "one beyond every number": Bad(f"POST /v1/parked/-{'9' * 30}/replay", *INVALID, "number"),
    "one without a number": Bad(f"POST /v1/parked/{CANARY}/replay", *INVALID, "number"),
    # the query
    "a cursor not from here": asking(f"/v1/referrals?cursor=bj{CANARY}", 409, "unknown-cursor", "cursor"),
    "a cursor of another shape": asking(f"/v1/parked?cursor={CANARY}", *INVALID, "cursor"),
    "a page of nothing": asking("/v1/referrals?limit=0", *INVALID, "limit"),
    "a page of many": asking(f"/v1/referrals?limit={CANARY}", *INVALID, "limit"),
    "a status there is not": asking(f"/v1/referrals?status={CANARY}", *INVALID, "status"),
    "a NUL in the query": asking(f"/v1/referrals?unit={CANARY}%00", *INVALID, "unit"),
    "a day in no calendar": registering(409, "no-such-day", "/identity/born_on", identity={"born_on": "2001-02-31"}),
    "a day to come": registering(409, "no-such-day", "/identity/born_on", identity={"born_on": "2091-02-03"}),
    "a number too short for a NIK": Bad(
        "POST /v1/victim-search", 409, "not-such-a-number", "/value", {"field": "nik", "value": "7401010101"}
    ),
    "a parameter misspelt": asking(f"/v1/victims/{VICTIM}/identity?purpose=care&puropse=care", *INVALID, "puropse"),
    "a parameter that holds a name": asking(f"/v1/cases/{NOBODY}?nama={CANARY}", *INVALID, "?"),
    "a parameter that is none": asking(f"/v1/referrals?{WORD}=1", *INVALID, "?"),
    "a purpose missing": asking(f"/v1/victims/{VICTIM}/identity", *INVALID, "purpose"),
    "a purpose that is no purpose": asking(f"/v1/victims/{VICTIM}/identity?purpose={WORD}", *INVALID, "purpose"),
    "a purpose that is a name": asking(f"/v1/victims/{VICTIM}/identity?purpose={CANARY}", *INVALID, "purpose"),
    "units of nobody": asking(f"/v1/units?agency={WORD}&serving=74.01", 409, "unknown-agency", "agency"),
    "units for nowhere": asking("/v1/units?agency=police&serving=74.99", 409, "unknown-region", "serving"),
    # the headers
    "no Idempotency-Key": keyed(None, *INVALID),
    "one with a space": keyed(f"{CANARY} Siti", *INVALID),
    "one of another request": keyed(USED_KEY, 422, "idempotency-key-reused"),
    "no If-Match": matching(None, 428, "precondition-required", "If-Match"),
    "that of a state gone by": matching('"1.0"', 412, "precondition-failed"),
    "that of nothing": matching(CANARY, *INVALID, "If-Match"),
    # the rules
    "a channel there is not": opening(409, "unknown-channel", "/channel", channel=WORD),
    "a desk there is not": opening(409, "unknown-unit", "/unit", unit=WORD),
    "a home that is nowhere": registering(409, "unknown-region", "/home_region", home_region="74.99"),
    "a case that is there": opening(409, "id-taken", "/case_id", case_id=CASE),
    "a victim that is there": registering(409, "id-taken", "/victim_id", victim_id=VICTIM, identity={"name": CANARY}),
    "a referral that is there": referring(409, "id-taken", "/referral_id", referral_id=OURS, force=True, note=CANARY),
    "a consent that is there": agreeing(409, "id-taken", "/consent_id", consent_id=AGREED),
    "a notice that never was": agreeing(409, "unknown-notice", "/notice", notice="2019-1"),
    "a consent that is over": agreeing(409, "already-over", "/valid_until", valid_until="2020-01-01T00:00:00Z"),
    "a purpose there is not": agreeing(*INVALID, "/purposes/0", purposes=[WORD]),
    "the same once more": referring(409, "duplicate", "/service", note=CANARY),
    "a referral of nobody": referring(404, "unknown-victim", "/victim_id", victim_id=NOBODY, note=CANARY),
    "a service there is not": referring(409, "no-such-route", "/service", service=WORD),
    "an agency there is not": referring(409, "no-such-route", "/service", receiver={"agency": WORD}),
    "a kind not for it": referring(
        409, "kind-not-on-route", "/kind", kind="transfer", service="first-aid", receiver={"agency": "kemenkes"}
    ),
    "a receiving desk there is not": referring(
        409, "unknown-unit", "/receiver/unit", receiver={"agency": "police", "unit": WORD}
    ),
    "a receiving region there is not": referring(
        409, "unknown-region", "/receiver/region", receiver={"agency": "police", "region": "74.99"}
    ),
    "a better desk there is not": acting(
        OURS,
        "reject",
        409,
        "unknown-unit",
        "/better_desk/unit",
        reason="no-capacity",
        better_desk={"agency": "kemenkes", "unit": WORD},
    ),
    "a move out of turn": acting(OURS, "complete", 409, "move-not-allowed", outcome="not-needed", note=CANARY),
    "a move of the other side": acting(SENT, "accept", 409, "not-your-move", note=CANARY),
    "a reason that needs a note": acting(OURS, "reject", 409, "note-required", "/note", reason="other"),
    "an answer to nothing": acting(OURS, "answer-cancellation", 409, "no-cancellation-asked", "/granted", granted=True),
    "an action on nothing": acting(NOBODY, "start", 404, "unknown-referral", note=CANARY),
    "an end too early": Bad(
        f"POST /v1/victims/{VICTIM}/closure", 409, "referral-still-live", body={"outcome": "reintegrated"}
    ),
    # coordination
    "coordination: no such address": following(f"/v1/{CANARY}", 404, "not-found"),
    "coordination: no such picture": following(f"/static/{CANARY}.svg", 404, "not-found"),
    "coordination: no such method": Bad("POST /v1/journeys", 405, "method-not-allowed", service="coordination"),
    "coordination: a name for an id": following(f"/v1/journeys/{CANARY}", *INVALID, "victim_id"),
    "coordination: a journey nobody makes": following(f"/v1/journeys/{NOBODY}", 404, "unknown-journey"),
    "coordination: custody of nobody": following(f"/v1/journeys/{NOBODY}/custody", 404, "unknown-journey"),
    "coordination: custody at no moment": following(f"/v1/journeys/{NOBODY}/custody?at={CANARY}", *INVALID, "at"),
    "coordination: a cursor not from here": following(
        f"/v1/journeys?cursor=bj{CANARY}", 409, "unknown-cursor", "cursor"
    ),
    "coordination: another": following(f"/v1/norm-gaps?cursor=bj{WORD}", 409, "unknown-cursor", "cursor"),
    "coordination: a stage there is not": following(f"/v1/journeys?stage={CANARY}", *INVALID, "stage"),
    "coordination: a region that is none": following(f"/v1/journeys?region={CANARY}", *INVALID, "region"),
    "coordination: a truth that is none": following(f"/v1/journeys?open={CANARY}", *INVALID, "open"),
    "coordination: a schema there is not": following("/v1/schemas/id.tppo.a.b.v1", 404, "unknown-schema"),
}

ASKED = pytest.mark.parametrize("bad", BAD_REQUESTS.values(), ids=BAD_REQUESTS)


@ASKED
@ON_ONE_LOOP
async def test_a_bad_request_is_answered_by_a_problem_that_says_what_and_where(running: Running, bad: Bad) -> None:
    answers = {language: await bad.ask(running, language) for language in ("id", "en-GB,en;q=0.8")}
    for language, answer in answers.items():
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["content-language"] == language[:2]
        told = answer.json()
        assert (answer.status_code, told["type"]) == (bad.status, f"urn:estafet:problem:{bad.code}")
        assert told["status"] == bad.status
        assert [fault["field"] for fault in told["errors"]] == ([] if bad.field is None else [bad.field])
        kind = CATALOGUE[bad.code]
        assert told["title"] == (kind.title.id if language == "id" else kind.title.en)
        assert told["remedy"] == (kind.remedy.id if language == "id" else kind.remedy.en)
    indonesian, english = (answer.json() for answer in answers.values())
    assert indonesian["detail"] != english["detail"]
    if bad.status == 405:
        assert answers["id"].headers["allow"]


@ASKED
@ON_ONE_LOOP
async def test_neither_the_answer_nor_the_log_repeats_what_was_sent(
    running: Running, bad: Bad, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    before = len(running.logged.getvalue())
    answer = await bad.ask(running, "id")
    logged = running.logged.getvalue()[before:]
    assert f'"status": {answer.status_code}' in logged  # it is the service's own log that we read
    logged += "".join(record.getMessage() for record in caplog.records if not record.name.startswith("http"))
    said = [answer.text, *(f"{name}: {value}" for name, value in answer.headers.items()), logged]
    assert [text for text in said if WORD in text.lower()] == []


@ON_ONE_LOOP
async def test_what_is_wrong_with_a_field_is_said_in_the_callers_language(running: Running) -> None:
    in_one_language = {}
    for name, bad in BAD_REQUESTS.items():
        indonesian, english = [(await bad.ask(running, language)).json().get("errors", []) for language in ("id", "en")]
        same = {fault["message"] for fault in indonesian} & {fault["message"] for fault in english}
        if same:
            in_one_language[name] = same
    assert in_one_language == {}


def the_database_is_away(*_: Any) -> None:
    raise OperationalError(f"SELECT '{CANARY}'", {"name": CANARY}, RuntimeError(CANARY))


def a_fault_of_ours(*_: Any) -> None:
    raise RuntimeError(f"cannot read {CANARY}")


@pytest.mark.parametrize(
    ("breaks", "status", "code"),
    [(the_database_is_away, 503, "unavailable"), (a_fault_of_ours, 500, "internal-error")],
)
@ON_ONE_LOOP
async def test_what_goes_wrong_inside_is_a_problem_too_and_stays_inside(
    running: Running, monkeypatch: pytest.MonkeyPatch, breaks: Callable[..., None], status: int, code: str
) -> None:
    database = running.apps["police"].state.database
    monkeypatch.setattr(database, "read", breaks)
    monkeypatch.setattr(database, "write", breaks)
    for bad in (asking(f"/v1/victims/{VICTIM}", status, code), referring(status, code, note=CANARY)):
        before = len(running.logged.getvalue())
        answer = await bad.ask(running, "id")
        assert (answer.status_code, answer.json()["type"]) == (status, TYPE_PREFIX + code)
        assert answer.headers["content-type"] == "application/problem+json"
        assert ("retry-after" in answer.headers) is (status == 503)
        logged = running.logged.getvalue()[before:]
        assert breaks.__name__ not in answer.text and '"level": "error"' in logged
        assert WORD not in f"{answer.text} {answer.headers} {logged}".lower()


# --- where a caller can look it up ----------------------------------------------------------------------------------


@pytest.mark.parametrize("service", SERVICES)
@ON_ONE_LOOP
async def test_a_service_lists_every_refusal_there_is(running: Running, service: str) -> None:
    listed = {item["type"]: item for item in (await running.ask(service, "GET", "/v1/problems")).json()["items"]}
    assert set(listed) == {TYPE_PREFIX + code for code in CATALOGUE}
    for code, kind in CATALOGUE.items():
        item = listed[TYPE_PREFIX + code]
        assert (item["status"], item["title"], item["title_en"]) == (kind.status, kind.title.id, kind.title.en)
        assert (item["remedy"], item["remedy_en"]) == (kind.remedy.id, kind.remedy.en)


@pytest.mark.parametrize("code", EVERYWHERE)
def test_a_remedy_for_whatever_is_asked_speaks_of_the_key_for_a_post_alone(code: str) -> None:
    """A GET has no Idempotency-Key."""
    remedy = CATALOGUE[code].remedy
    assert ("Idempotency-Key" in remedy.id) == ("POST dengan Idempotency-Key yang sama" in remedy.id)
    assert ("Idempotency-Key" in remedy.en) == ("a POST with the same Idempotency-Key" in remedy.en)


ADDRESSES = sorted({found for kind in CATALOGUE.values() for found in re.findall(r"/[a-z0-9/]+", kind.remedy.en)})


@pytest.mark.parametrize("address", ADDRESSES)
@ON_ONE_LOOP
async def test_where_a_remedy_sends_the_caller_there_is_something(running: Running, address: str) -> None:
    assert (await running.ask("police", "GET", address)).status_code != 404
