"""A table of bad requests, each with the one answer that it must get, and the services that are asked.

What a caller sends may be a name: so each request carries a canary wherever one fits."""

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx
from fastapi import FastAPI

from services.coordination.main import MEMBER as COORDINATION
from services.police.main import MEMBER as POLICE
from shared.domain.access import Role
from shared.reference.office import new_id
from shared.service.running import now_utc
from tests.support.tokens import Bearing

# --- the services -----------------------------------------------------------------------------------------------------


CANARY, WORD = "KANARI-7f3a", "kanari-7f3a"
"""The canary as a person would write it, and as a code could be."""
CASE, VICTIM, OURS, SENT, NOBODY = (f"0193f0a2-7a10-7000-8000-00000000000{number}" for number in (1, 2, 3, 4, 6))
"""A case, its victim, a referral within the police, one to a hospital, and an unused id."""
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
    """A caller whose role may ask for this."""
    if path.startswith(("/v1/parked", "/v1/links")):
        role = Role.ADMINISTRATOR
    else:
        role = Role.OFFICER if service == "police" else Role.COORDINATOR
    return Bearing(service, role, {"police": "bareskrim", "coordination": "pusat"}[service], now_utc)


# --- the table --------------------------------------------------------------------------------------------------------


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
    "a second line in a name": registering(
        *INVALID, "/identity/name", identity={"name": f"{CANARY}\nStatus: DITERIMA"}
    ),
    "a name that is drawn backwards": registering(*INVALID, "/identity/name", identity={"name": f"{CANARY}\u202e"}),
    "a note that is drawn backwards": referring(*INVALID, "/note", note=f"{CANARY}\u2067"),
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
    "an id that is none": referring(*INVALID, "/replaces", replaces=CANARY),
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
    "an own id for a case": opening(*INVALID, "/case_id", case_id=NOBODY),
    "an own id for a victim": registering(*INVALID, "/victim_id", victim_id=NOBODY, identity={"name": CANARY}),
    "an own id for a referral": referring(*INVALID, "/referral_id", referral_id=NOBODY, force=True, note=CANARY),
    "an own id for a consent": agreeing(*INVALID, "/consent_id", consent_id=NOBODY),
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
