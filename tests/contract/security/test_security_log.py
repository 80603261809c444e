"""The security log for an operator: callers, refusals and acts that may harm a person, without the person's name."""

import asyncio
import contextlib
import io
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog
from fastapi import FastAPI

from services.police.main import MEMBER as POLICE
from shared.domain.access import Role
from shared.domain.refusal import Refused
from shared.logs.setup import configure_logs
from shared.reference.acting import CallerAtDesk
from shared.reference.office import new_id
from shared.security.tokens import thumbprint
from shared.storage.unit_of_work import Transaction
from shared.victims.identity import security_log
from tests.support.certificates import self_signed
from tests.support.network import WAIT, Client, TestClock, a_victim, offline
from tests.support.tokens import Bearing, claims, human, signed

KOLAKA, STRANGER, ABOVE = "polres-74.01", "polres-11.01", "polda-sultra"
WHO = {"name": "Kenanga Contoh Rekaan", "nik": "7401010101010008", "phone": "+628000000008"}
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@dataclass
class Station:
    """The police, their log, and their callers."""

    app: FastAPI
    clock: TestClock
    log: io.StringIO
    stack: contextlib.AsyncExitStack

    async def calling(self, role: Role, unit: str) -> Client:
        """A client of this role at this desk."""
        bearing = Bearing("police", role, unit, self.clock)
        transport = httpx.ASGITransport(self.app)
        return Client(
            await self.stack.enter_async_context(
                httpx.AsyncClient(transport=transport, base_url="http://police", auth=bearing)
            ),
            "police",
        )

    def lines(self, event: str) -> list[dict[str, Any]]:
        """The lines of this event, without what every line has."""
        found = [json.loads(line) for line in self.log.getvalue().splitlines()]
        usual = ("event", "timestamp", "level")
        return [
            {name: value for name, value in line.items() if name not in usual}
            for line in found
            if line["event"] == event
        ]

    async def until(self, event: str) -> list[dict[str, Any]]:
        """The lines of this event, once there is one: a line is written after the commit that others may see."""
        async with asyncio.timeout(WAIT):
            while not (found := self.lines(event)):
                await asyncio.sleep(0)
        return found


@pytest.fixture
async def station(tmp_path: Path, secrets: Path) -> AsyncIterator[Station]:
    before, log, clock = structlog.get_config(), io.StringIO(), TestClock()
    async with contextlib.AsyncExitStack() as stack:
        app = await offline(POLICE, tmp_path, secrets, stack, clock)
        configure_logs("debug", log)
        yield Station(app, clock, log, stack)
    structlog.configure(**before)
    assert not any(word in log.getvalue() for word in [*WHO.values(), "Bearer", "eyJ", "127.0.0.1"])


def by(role: str, unit: str) -> dict[str, str]:
    """The caller's fields in a log line."""
    return {"client": f"police-{role}-{unit}", "role": role, "unit": unit, "trace": TRACE}


def said_by(role: str, unit: str) -> dict[str, str]:
    """The same in a line of the security log, with the pseudonym of the human."""
    return {**by(role, unit), "person": human("police", role, unit)}


async def must(client: Client, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    answer = await client.post(path, body, traceparent=TRACE)
    assert answer.is_success, answer.text
    return dict(answer.json())


# --- admission --------------------------------------------------------------------------------------------------------


async def test_each_line_says_who_asked_for_what_and_what_came_of_it(station: Station) -> None:
    kolaka, stranger = await station.calling(Role.OFFICER, KOLAKA), await station.calling(Role.OFFICER, STRANGER)
    victim = await a_victim(kolaka)
    station.log.truncate(station.log.seek(0))
    told = {"traceparent": TRACE}
    await kolaka.http.get(f"/v1/victims/{victim}", headers=told)
    for hidden in (victim, new_id()):
        await stranger.http.get(f"/v1/victims/{hidden}", headers=told)
    await stranger.http.post(f"/v1/victims/{victim}/erasure", json={}, headers={**told, "Idempotency-Key": "k-1"})
    await stranger.http.get("/v1/nothing", headers=told)
    lines = station.lines("http")
    assert all(line.pop("ms") >= 0 for line in lines)
    look = {"method": "GET", "route": "/v1/victims/{victim_id}"}
    tried = {**look, "status": 404, "problem": "unknown-victim", **by("officer", STRANGER)}
    assert lines == [
        {**look, "status": 200, **by("officer", KOLAKA)},
        tried,
        tried,
        {
            **{"method": "POST", "route": "/v1/victims/{victim_id}/erasure"},
            **{"status": 403, "problem": "role-not-allowed", **by("officer", STRANGER)},
        },
        {"method": "GET", "route": "-", "status": 404, "problem": "not-found", "trace": TRACE},
    ]
    assert victim not in station.log.getvalue()


async def test_a_refused_token_leaves_its_reason_and_nothing_of_itself(station: Station) -> None:
    good = claims("police", "officer", KOLAKA, station.clock())
    old = station.clock() - timedelta(hours=1)
    tokens = {
        "expired-token": signed(claims("police", "officer", KOLAKA, old)),
        "invalid-claim": signed({**good, "aud": "urn:estafet:kemenkes"}),
        "unknown-unit": signed({**good, "unit": "polres-99.99"}),
        "decode-error": "x",
    }
    async with httpx.AsyncClient(transport=httpx.ASGITransport(station.app), base_url="http://police") as http:
        for token in tokens.values():
            headers = {"Authorization": f"Bearer {token}", "traceparent": TRACE}
            assert (await http.get("/v1/agency", headers=headers)).status_code == 401
        assert (await http.get("/v1/agency", headers={"traceparent": TRACE})).status_code == 401
    assert station.lines("admission.refused") == [{"reason": reason, "trace": TRACE} for reason in tokens]
    assert [(line["status"], line["problem"], line["trace"]) for line in station.lines("http")] == [
        *[(401, "token-not-valid", TRACE)] * 4,
        (401, "token-required", TRACE),
    ]
    assert not any(token.rpartition(".")[2] in station.log.getvalue() for token in tokens.values() if "." in token)


async def test_a_logged_refusal_names_the_shown_certificate(station: Station) -> None:
    """The certificate names the machine of an agency. A network address may be a person's, and is not logged."""
    pem = self_signed("kemenkes").pem

    async def over_tls(scope: Any, receive: Any, send: Any) -> None:
        await station.app({**scope, "extensions": {"tls": {"client_cert_chain": [pem]}}}, receive, send)

    async with httpx.AsyncClient(transport=httpx.ASGITransport(over_tls), base_url="http://police") as http:
        await http.get("/v1/agency", headers={"Authorization": "Bearer x", "traceparent": TRACE})
    told = {"reason": "decode-error", "trace": TRACE, "certificate": thumbprint(pem)}
    assert station.lines("admission.refused") == [told]


# --- what is done with a person's data --------------------------------------------------------------------------------


async def test_a_break_glass_leaves_a_line_when_it_opens_ends_and_is_judged(station: Station) -> None:
    kolaka, stranger = await station.calling(Role.OFFICER, KOLAKA), await station.calling(Role.OFFICER, STRANGER)
    above = await station.calling(Role.SUPERVISOR, ABOVE)
    victim = await a_victim(kolaka, identity=WHO)
    urgent = {"reason": "life-in-danger", "minutes": 30, "note": WHO["name"]}
    glass = (await must(stranger, f"/v1/victims/{victim}/break-glass", urgent))["id"]
    await must(stranger, f"/v1/break-glass/{glass}/end")
    await must(stranger, f"/v1/break-glass/{glass}/end")  # it has ended: nothing more is told
    await must(above, f"/v1/break-glass/{glass}/review", {"verdict": "not-justified"})
    its = {"record": glass, **said_by("officer", STRANGER)}
    assert station.lines("break-glass.opened") == [{**its, "reason": "life-in-danger"}]
    assert station.lines("break-glass.ended") == [{**its, "reason": "closed"}]
    [judged] = station.lines("break-glass.reviewed")
    assert judged == {"record": glass, "verdict": "not-justified", **said_by("supervisor", ABOVE)}
    assert victim not in station.log.getvalue()


async def test_one_that_ends_by_itself_says_whose_it_was(station: Station) -> None:
    kolaka, stranger = await station.calling(Role.OFFICER, KOLAKA), await station.calling(Role.OFFICER, STRANGER)
    victim = await a_victim(kolaka, identity=WHO)
    glass = (await must(stranger, f"/v1/victims/{victim}/break-glass", {"reason": "life-in-danger", "minutes": 1}))[
        "id"
    ]
    station.clock.advance(timedelta(minutes=2))
    await must(stranger, f"/v1/victims/{victim}/break-glass", {"reason": "life-in-danger", "minutes": 1})  # wakes it
    await kolaka.until("/v1/break-glass", lambda page: any(one["end"] == "expired" for one in page["items"]))
    ended = {"record": glass, "reason": "expired", "client": f"police-officer-{STRANGER}", "unit": STRANGER}
    assert await station.until("break-glass.ended") == [ended]


async def test_searches_withdrawals_holds_and_erasures_leave_who(station: Station) -> None:
    kolaka, head = await station.calling(Role.OFFICER, KOLAKA), await station.calling(Role.SUPERVISOR, KOLAKA)
    victim = await a_victim(kolaka, identity=WHO)
    at = f"/v1/victims/{victim}"
    for field in ("nik", "phone"):
        await must(kolaka, "/v1/victim-search", {"field": field, "value": WHO[field]})
    consent = await must(
        kolaka,
        f"{at}/consents",
        {
            **{"notice": "2026-1", "purposes": ["medical"], "fields": ["name"], "recipients": ["kemenkes"]},
            **{"valid_until": "2099-01-01T00:00:00+07:00", "manner": "written", "agrees": True},
        },
    )
    for _ in range(2):  # a second time nothing is taken back
        await must(kolaka, f"{at}/consents/withdrawal")
    await must(head, f"{at}/legal-holds", {"basis": "trial"})
    above = await station.calling(Role.SUPERVISOR, ABOVE)
    await must(above, f"{at}/legal-holds/confirmation", {"basis": "trial"})
    refused = await head.post(f"{at}/erasure")
    assert refused.status_code == 409 and station.lines("erasure.asked") == []
    await must(head, f"{at}/legal-holds/lifting")
    erasure = await must(head, f"{at}/erasure")

    officer, supervisor = said_by("officer", KOLAKA), said_by("supervisor", KOLAKA)
    assert station.lines("victim.searched") == [{"reason": field, **officer} for field in ("nik", "phone")]
    assert station.lines("consent.withdrawn") == [{"record": consent["id"], **officer}]
    [placed], [lifted] = station.lines("hold.placed"), station.lines("hold.lifted")
    assert placed == lifted == {"hold": placed["hold"], "reason": "trial", **supervisor}
    [confirmed] = station.lines("hold.confirmed")
    assert confirmed == {"hold": placed["hold"], "reason": "trial", **said_by("supervisor", ABOVE)}
    assert station.lines("erasure.asked") == [{"record": erasure["erasure_id"], **supervisor}]
    assert victim not in station.log.getvalue()


async def test_a_rolled_back_act_is_not_logged(station: Station) -> None:
    """Nor what a lost race runs a second time."""
    admission = station.app.state.admission
    bearing = signed(claims("police", Role.OFFICER, KOLAKA, station.clock()))
    who = admission.verifier.verify(bearing, station.clock(), None)
    at_desk = CallerAtDesk(admission.office, who, admission.sight(who))

    def part(tx: Transaction) -> None:
        acting = at_desk.acting(tx)
        security_log.searched(acting, "nik")
        with contextlib.suppress(Refused), tx.savepoint():
            security_log.searched(acting, "phone")
            raise Refused("unknown-victim")

    def whole(tx: Transaction) -> None:
        security_log.searched(at_desk.acting(tx), "phone")
        raise Refused("unknown-victim")

    station.app.state.database.write(part)
    with pytest.raises(Refused):
        station.app.state.database.write(whole)
    assert [line["reason"] for line in station.lines("victim.searched")] == ["nik"]
