"""The limits of a service, for each caller: rate, size, and time.

A small app shows the limits' effect on callers; the real police show that no work is lost by them.
"""

import asyncio
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from shared.domain.access import Role
from shared.http import connection
from shared.http.connection import Connection
from shared.http.limits import address_of
from shared.http.rate import Buckets
from shared.http.response_headers import API_POLICY
from shared.http.serve import configured
from shared.http.tls_connection import EncryptedConnection
from shared.reference.office import new_id
from shared.service.running import now_utc
from tests.support.ids import next_ids
from tests.support.network import problem
from tests.support.served import listening, police_at_work, settings_of_police
from tests.support.small import Small
from tests.support.sources import ROOT
from tests.support.tokens import Bearing, claims, signed

MakeSmall = Callable[..., Small]
PATIENCE = 20


@pytest.fixture
def small(tmp_path: Path, secrets: Path) -> MakeSmall:
    """Makes a small app with these settings."""
    return lambda **settings: Small(settings_of_police(tmp_path, secrets, **settings))


# --- how often --------------------------------------------------------------------------------------------------------


async def test_an_address_has_a_burst_and_then_so_many_a_second(small: MakeSmall) -> None:
    service = small(rate_per_second=0.25, rate_burst=5)
    assert await service.exhaust() == 5
    refused = await service.ask()
    assert refused.headers["retry-after"] == "4"
    service.now += 4
    assert await service.exhaust() == 1
    service.now += 3600
    assert await service.exhaust() == 5


async def test_one_address_does_not_use_up_what_another_has(small: MakeSmall) -> None:
    service = small(rate_burst=3)
    await service.exhaust(address="10.0.0.1")
    assert await service.exhaust(address="10.0.0.2") == 3
    # one subscriber has a /64, and an IPv4 address may be written as IPv6
    await service.exhaust(address="2001:db8::1")
    assert (await service.ask(address="2001:db8::ffff")).status_code == 429
    assert (await service.ask(address="2001:db8:0:1::1")).status_code == 200
    assert (await service.ask(address="::ffff:10.0.0.1")).status_code == 429


async def test_nobody_gets_a_burst_anew_by_saying_where_they_call_from(small: MakeSmall) -> None:
    service = small(rate_burst=3)
    await service.exhaust()
    for header in ("X-Forwarded-For", "X-Real-IP", "X-Forwarded-Host", "X-Client-IP", "True-Client-IP", "Forwarded"):
        claimed = "for=10.0.0.9" if header == "Forwarded" else "10.0.0.9"
        assert (await service.ask(**{header: claimed})).status_code == 429, header


def test_a_client_certificate_says_more_than_an_address() -> None:
    """Behind one proxy or one office's address each system has its own."""

    def asking(*chain: str) -> dict[str, Any]:
        return {"client": ("10.0.0.1", 5000), "extensions": {"tls": {"client_cert_chain": list(chain)}}}

    one, other, none = address_of(asking("PEM 1", "CA")), address_of(asking("PEM 2", "CA")), address_of(asking())
    assert len({one, other, none}) == 3 and none == "10.0.0.1"
    assert one == address_of(asking("PEM 1") | {"client": ("10.0.0.2", 5000)})


async def test_a_supervisor_is_always_answered(small: MakeSmall) -> None:
    service = small(rate_burst=1)
    await service.exhaust()
    assert (await service.ask("/health/live")).status_code == 200


async def test_a_client_has_its_own_wherever_it_calls_from(small: MakeSmall) -> None:
    service = small(rate_burst=4)
    mine = {"path": "/own", "token": "right-mine"}
    assert (await service.ask(**mine)).status_code == 200
    await service.exhaust(address="10.0.0.1")  # a neighbour behind the same address
    assert await service.exhaust(**mine) == 3
    assert (await service.ask(**mine, address="10.9.9.9")).status_code == 429
    assert (await service.ask("/own", "10.0.0.2", "right-other")).status_code == 200


async def test_a_flood_of_addresses_does_not_give_a_client_its_burst_anew(small: MakeSmall) -> None:
    service = small(rate_burst=2)
    service.limits.addresses = Buckets(most=10, monotonic=lambda: service.now)
    await service.exhaust(path="/own", token="right-mine")
    for stranger in range(50):
        await service.ask(address=f"10.1.0.{stranger}")
    assert len(service.limits.addresses) == 10
    assert (await service.ask("/own", "10.2.0.1", "right-mine")).status_code == 429


async def test_who_guesses_tokens_is_soon_not_heard_and_keeps_nobody_else_out(small: MakeSmall) -> None:
    service = small()
    assert (await service.ask("/own", token="right-mine")).status_code == 200
    for guess in range(20):
        assert (await service.ask("/own", token=f"wrong-{guess}")).status_code == 401
    refused = await service.ask("/own", token="wrong-again")
    assert problem(refused) == "too-many-requests" and refused.headers["retry-after"] == "6"
    # tokens last ten minutes: a neighbour's new one is admitted all the while, on its own account
    assert (await service.ask("/own", token="right-new")).status_code == 200
    assert (await service.ask("/own", token="right-mine")).status_code == 200
    assert (await service.ask("/own", "10.0.0.2", "right-other")).status_code == 200
    assert (await service.ask("/open")).status_code == 200
    service.now += 6
    assert (await service.ask("/own", token="wrong-later")).status_code == 401


async def test_a_flood_of_wrong_tokens_keeps_no_neighbours_new_token_out(small: MakeSmall) -> None:
    service = small(rate_burst=30, rate_per_second=0.001)
    for guess in range(15):  # fewer than are wrong too often
        await service.ask("/own", token=f"wrong-{guess}")
    assert await service.exhaust(token="wrong") == 15  # a wrong token does not spare an address its limit
    assert (await service.ask("/own", token="right-new")).status_code == 200
    # but a valid token is no way round the limit of its own client
    assert await service.exhaust(path="/own", token="right-new") == 29


async def test_a_spent_search_limit_leaves_other_requests_and_clients_alone(small: MakeSmall) -> None:
    service = small(searches_per_minute=2)
    assert await service.exhaust(path="/search", token="right-mine") == 2
    assert (await service.ask("/search", token="right-mine")).headers["retry-after"] == "30"
    assert (await service.ask("/own", token="right-mine")).status_code == 200
    assert (await service.ask("/search", token="right-other")).status_code == 200


# --- how much at once, how long ---------------------------------------------------------------------------------------


async def test_more_at_once_than_there_are_places_is_refused_at_once(small: MakeSmall) -> None:
    service = small(concurrent_requests=1)
    async with listening(service.app) as url, httpx.AsyncClient(base_url=url) as client:
        held = asyncio.create_task(client.get("/held"))
        await service.entered.wait()
        refused = await client.get("/open")
        assert problem(refused) == "busy" and refused.headers["retry-after"] == "1"
        assert (await client.get("/health/live")).status_code == 200
        # those who only wait have places of their own
        assert (await client.get("/open", headers={"Prefer": "wait=2"})).status_code == 200
        service.released.set()
        assert (await held).status_code == 200
        assert (await client.get("/open")).status_code == 200


async def test_those_who_wait_have_so_many_places_and_no_more(small: MakeSmall) -> None:
    service = small(concurrent_waits=1)
    waiting = {"Prefer": "respond-async, wait=20"}
    async with listening(service.app) as url, httpx.AsyncClient(base_url=url) as client:
        held = asyncio.create_task(client.get("/held", headers=waiting))
        await service.entered.wait()
        assert problem(await client.get("/held", headers=waiting)) == "busy"
        assert (await client.get("/open")).status_code == 200
        service.released.set()
        assert (await held).status_code == 200


async def test_what_takes_too_long_is_answered_and_keeps_its_place_until_it_is_done(small: MakeSmall) -> None:
    service = small(request_seconds=0.1, concurrent_requests=1)
    async with listening(service.app) as url, httpx.AsyncClient(base_url=url) as client:
        slow = await client.get("/held")
        assert problem(slow) == "too-slow" and int(slow.headers["retry-after"]) >= 1
        assert slow.headers["content-security-policy"] == API_POLICY.decode()
        assert not service.left.is_set()
        assert problem(await client.get("/open")) == "busy"
        service.limits.request_seconds = PATIENCE
        service.released.set()
        await service.left.wait()
        assert (await client.get("/open")).status_code == 200


async def test_a_long_poll_may_take_so_much_longer(small: MakeSmall) -> None:
    service = small(request_seconds=0.1)
    async with listening(service.app) as url, httpx.AsyncClient(base_url=url, timeout=PATIENCE) as client:
        held = asyncio.create_task(client.get("/held", headers={"Prefer": f"wait={PATIENCE}"}))
        await service.entered.wait()
        answered, _ = await asyncio.wait({held}, timeout=0.5)
        assert not answered
        service.released.set()
        assert (await held).status_code == 200


async def test_an_answer_that_nobody_takes_is_given_up(small: MakeSmall) -> None:
    service = small(request_seconds=0.2)
    async with listening(service.app) as url:
        _, writer = await _connected(url)
        writer.write(b"GET /much HTTP/1.1\r\nHost: small\r\n\r\n")
        async with asyncio.timeout(10):
            await service.left.wait()
        writer.close()


async def _connected(url: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    host, port = url.removeprefix("http://").split(":")
    return await asyncio.open_connection(host, int(port))


async def _said(url: str, *parts: bytes) -> bytes:
    """The service's whole answer to these bytes, until it hangs up."""
    reader, writer = await _connected(url)
    for part in parts:
        writer.write(part)
        await writer.drain()
    async with asyncio.timeout(10):
        said = await reader.read()
    writer.close()
    return said


async def test_a_body_must_arrive_in_time(small: MakeSmall) -> None:
    service = small(body_seconds=0.1)
    head = b"POST /open HTTP/1.1\r\nHost: small\r\nContent-Length: 100\r\n\r\n"
    async with listening(service.app) as url:
        said = await _said(url, head, b'{"name": ')
    assert said.startswith(b"HTTP/1.1 408 ") and b"problem:body-too-slow" in said


class Hasty(Connection):
    """One that waits less long."""

    arrival_seconds = 0.1


async def test_a_head_must_arrive_in_time_and_a_silent_connection_is_not_kept(small: MakeSmall) -> None:
    async with listening(small().app, Hasty) as url:
        said = await _said(url, b"GET /open HTTP/1.1\r\nHost: ")
        assert said.startswith(b"HTTP/1.1 408 ") and b"problem:body-too-slow" in said
        assert await _said(url) == b""
        # who is waited for by nobody is not hurried
        service = small()
        async with listening(service.app, Hasty) as other, httpx.AsyncClient(base_url=other) as client:
            held = asyncio.create_task(client.get("/held"))
            await service.entered.wait()
            assert await _said(other) == b""  # that is as long as a silent connection lives
            service.released.set()
            assert (await held).status_code == 200


async def test_a_body_that_nobody_reads_does_not_go_on_for_ever(small: MakeSmall) -> None:
    head = b"POST /open HTTP/1.1\r\nHost: small\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunk = b"10000\r\n" + bytes(65536) + b"\r\n"
    async with listening(small().app) as url:
        _, writer = await _connected(url)
        writer.write(head)
        with pytest.raises(ConnectionError):
            for _ in range(1000):
                writer.write(chunk)
                await writer.drain()
        writer.close()


async def test_connections_are_counted(small: MakeSmall, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "MOST_CONNECTIONS", 1)
    async with listening(small().app) as url:
        reader, writer = await _connected(url)
        writer.write(b"GET /open HTTP/1.1\r\nHost: small\r\n\r\n")
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")
        refused = await _said(url)
        assert refused.startswith(b"HTTP/1.1 503 ") and b"problem:busy" in refused and b"retry-after: 1" in refused
        writer.close()


# --- the police -------------------------------------------------------------------------------------------------------


A_CASE = {"unit": "polres-74.01", "channel": "spkt", "exploitation": "online-scam"}


async def test_work_that_was_too_slow_is_done_once(
    tmp_path: Path, secrets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The transaction goes on in its thread, commits whole, and the same key gets its answer."""
    released, committed = threading.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    async with police_at_work(tmp_path, secrets, request_seconds=0.2) as (app, client):
        database, key, case = app.state.database, {"Idempotency-Key": "sekali"}, new_id()
        prompt = database.write

        def slow(work: Any) -> Any:
            released.wait()
            monkeypatch.setattr(database, "write", prompt)
            result = prompt(work)
            loop.call_soon_threadsafe(committed.set)
            return result

        monkeypatch.setattr(database, "write", slow)
        with next_ids(case):
            refused = await client.post("/v1/cases", json=A_CASE, headers=key)
            assert problem(refused) == "too-slow"
            app.state.limits.request_seconds = PATIENCE
            assert (await client.get(f"/v1/cases/{case}")).status_code == 404
            released.set()
            await committed.wait()
        again = await client.post("/v1/cases", json=A_CASE, headers=key)
        assert again.status_code == 201 and again.headers["idempotent-replayed"] == "true"
        assert (await client.get(f"/v1/cases/{case}")).status_code == 200


async def test_a_long_poll_waits_as_long_as_it_asks(tmp_path: Path, secrets: Path) -> None:
    """The limits and the routes share one definition of a long poll."""
    async with police_at_work(tmp_path, secrets, request_seconds=PATIENCE) as (_, client):
        answer = await client.get(f"/v1/referrals/{new_id()}", headers={"Prefer": "wait=1"})
        assert problem(answer) == "unknown-referral" and answer.elapsed.total_seconds() >= 1


async def test_a_client_has_one_limit_whatever_it_acts_as_and_its_neighbour_has_another(
    tmp_path: Path, secrets: Path
) -> None:
    """A burst for each desk, role, person or token would give a client any number of bursts."""
    addresses = (f"10.0.0.{number}" for number in range(1, 255))
    async with police_at_work(tmp_path, secrets, rate_burst=4, rate_per_second=0.001) as (app, _):

        async def ask(whose: str, role: Role, unit: str, person: str) -> int:
            bearing = Bearing("police", role, unit, now_utc, whose, person)  # a token of its own each time
            transport = httpx.ASGITransport(app, client=(next(addresses), 5000))
            async with httpx.AsyncClient(transport=transport, base_url="http://police", auth=bearing) as client:
                return (await client.get("/v1/agency")).status_code

        as_one, as_another = (Role.OFFICER, "bareskrim", "ani"), (Role.AUDITOR, "polres-74.01", "budi")
        acting = (as_one, as_another) * 3
        assert [await ask("klien-satu", *acts) for acts in acting] == [200] * 4 + [429] * 2
        assert [await ask("klien-dua", *acts) for acts in acting] == [200] * 4 + [429] * 2


async def test_a_token_that_was_good_once_does_not_spare_an_address_its_limit(tmp_path: Path, secrets: Path) -> None:
    """A client with a revoked token is soon refused unheard, like a client with a worthless token."""
    token = signed(claims("police", "officer", "bareskrim", now_utc(), jti="satu"))
    bearing: dict[str, Any] = {"headers": {"Authorization": f"Bearer {token}"}, "auth": httpx.Auth()}
    async with police_at_work(tmp_path, secrets, rate_burst=3, rate_per_second=0.001) as (app, client):
        answers = [(await client.get("/v1/agency", **bearing)).status_code]
        app.state.revoked.end({"satu": now_utc() + timedelta(hours=1)}, now_utc())
        answers += [(await client.get("/v1/agency", **bearing)).status_code for _ in range(6)]
    # The address paid for the first request, as the token was not known yet. It paid for the later ones too, but not
    # for the one that found the revocation.
    assert answers == [200] + [401] * 3 + [429] * 3


async def test_identities_are_read_so_often_and_no_more(tmp_path: Path, secrets: Path) -> None:
    async with police_at_work(tmp_path, secrets, identities_per_minute=2) as (_, client):
        case = (await client.post("/v1/cases", json=A_CASE, headers={"Idempotency-Key": "a"})).json()["id"]
        known = {"age_class": "adult", "sex": "female", "identity": {"name": "Contoh Rekaan"}}
        made = await client.post(f"/v1/cases/{case}/victims", json=known, headers={"Idempotency-Key": "b"})
        path = f"/v1/victims/{made.json()['id']}"
        answers = [await client.get(f"{path}/identity", params={"purpose": "first-aid"}) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [200, 200, 429]
        assert {answer.headers["cache-control"] for answer in answers} == {"no-store"}
        assert int(answers[2].headers["retry-after"]) > 1
        assert (await client.get(path)).status_code == 200


async def test_numbers_are_tried_so_often_and_no_more(tmp_path: Path, secrets: Path) -> None:
    """Trying every number would reveal the person behind each."""
    async with police_at_work(tmp_path, secrets, searches_per_minute=3) as (_, client):
        tries = [{"field": "nik", "value": f"740101010101000{digit}"} for digit in range(4)]
        answers = [await client.post("/v1/victim-search", json=wanted) for wanted in tries]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        assert problem(answers[3]) == "too-many-requests" and int(answers[3].headers["retry-after"]) > 1


async def test_a_glass_is_broken_so_often_and_no_more(tmp_path: Path, secrets: Path) -> None:
    """An emergency is rare; a series of them is a search."""
    async with police_at_work(tmp_path, secrets, break_glasses_per_hour=2) as (_, client):
        path, why = f"/v1/victims/{new_id()}/break-glass", {"reason": "life-in-danger", "minutes": 1}
        answers = [await client.post(path, json=why, headers={"Idempotency-Key": key}) for key in "abc"]
        assert [answer.status_code for answer in answers] == [404, 404, 429]
        assert int(answers[2].headers["retry-after"]) > 60


async def test_notes_are_read_as_often_as_identities(tmp_path: Path, secrets: Path) -> None:
    async with police_at_work(tmp_path, secrets, identities_per_minute=1) as (_, client):
        path = f"/v1/referrals/{new_id()}/notes"
        answers = [await client.get(path, params={"purpose": "care"}) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [404, 429]


def test_the_image_serves_with_the_same_limits() -> None:
    dockerfile = ROOT / "deploy" / "Dockerfile"
    assert "python -m shared.http.serve services.${SERVICE}.main" in dockerfile.read_text(encoding="utf-8")
    assert configured(None, "127.0.0.1", 0, 0).http is EncryptedConnection and issubclass(
        EncryptedConnection, Connection
    )
