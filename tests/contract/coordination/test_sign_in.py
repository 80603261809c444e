"""The pages' cookie: its attributes in a browser, the sites that can make a browser send it, and its end."""

import contextlib
import io
import json
from collections.abc import AsyncIterator, Iterator
from http.cookies import Morsel, SimpleCookie
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
import structlog
from fastapi import FastAPI

from services.coordination.main import MEMBER as COORDINATION
from services.coordination.sign_in import VISIT_SECONDS
from services.police.main import MEMBER as POLICE
from shared.http.rate import Buckets
from shared.logs.setup import configure_logs
from shared.service.running import now_utc
from tests.support.network import offline, problem
from tests.support.tokens import claims, signed

ON_ONE_LOOP = pytest.mark.asyncio(loop_scope="module")
OWN = {"Sec-Fetch-Site": "same-origin", "Origin": "null"}
"""Headers that a browser sends with a form of a page without a referrer."""


def token(role: str = "coordinator", **more: Any) -> str:
    """A token for the pages."""
    return signed(claims("coordination", role, "pusat", now_utc(), **more))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def coordination(tmp_path_factory: pytest.TempPathFactory, secrets: Path) -> AsyncIterator[FastAPI]:
    async with contextlib.AsyncExitStack() as stack:
        yield await offline(COORDINATION, tmp_path_factory.mktemp("sign-in"), secrets, stack)


@pytest_asyncio.fixture(loop_scope="module")
async def browser(coordination: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A browser over TLS, not signed in."""
    coordination.state.limits.addresses = Buckets()  # who is often refused is soon not heard; here all is to be heard
    async with at(coordination, "https://coordination") as client:
        yield client


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """The log lines of the test."""
    before, written = structlog.get_config(), io.StringIO()
    configure_logs("debug", written)
    yield written
    structlog.configure(**before)


def at(app: FastAPI, url: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=url)


async def sign_in(browser: httpx.AsyncClient, with_token: str, **headers: str) -> httpx.Response:
    return await browser.post("/masuk", data={"token": with_token}, headers=headers or OWN)


def only_cookie(answer: httpx.Response) -> Morsel[str]:
    """The one cookie that an answer sets or deletes."""
    [said] = answer.headers.get_list("set-cookie")
    [morsel] = SimpleCookie(said).values()
    return morsel


async def sees_the_console(browser: httpx.AsyncClient) -> bool:
    page = await browser.get("/")
    assert page.status_code == 200 or page.headers["location"].startswith("/masuk")
    return page.status_code == 200


# --- what the cookie says ---------------------------------------------------------------------------------------------


@ON_ONE_LOOP
async def test_the_cookie_and_its_deletion_say_all_that_guards_it(browser: httpx.AsyncClient) -> None:
    made = only_cookie(await sign_in(browser, token()))
    gone = only_cookie(await browser.post("/keluar", headers=OWN))
    for cookie in (made, gone):
        assert cookie.key == "__Host-estafet"
        assert cookie["secure"] and cookie["httponly"]  # without Secure a browser does not heed it, nor its deletion
        assert (cookie["path"], cookie["samesite"], cookie["domain"]) == ("/", "strict", "")
    assert (gone.value, gone["max-age"]) == ("", "0")
    assert 590 <= int(made["max-age"]) <= 600  # it ends with its token


@ON_ONE_LOOP
async def test_without_tls_the_cookie_has_another_name(coordination: FastAPI) -> None:
    """On this machine in development: a browser refuses Secure and __Host- there."""
    async with at(coordination, "http://coordination") as browser:
        cookie = only_cookie(await sign_in(browser, token()))
        assert (cookie.key, cookie["secure"], cookie["httponly"], cookie["samesite"]) == ("estafet", "", True, "strict")
        assert await sees_the_console(browser)


@ON_ONE_LOOP
async def test_over_tls_a_cookie_of_the_plain_name_is_not_taken(browser: httpx.AsyncClient) -> None:
    good = token()
    assert (await browser.get("/", headers={"Cookie": f"estafet={good}"})).status_code == 303
    assert (await browser.get("/", headers={"Cookie": f"__Host-estafet={good}"})).status_code == 200


# --- who can make a browser act ---------------------------------------------------------------------------------------


ELSEWHERE: list[dict[str, str]] = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "https://coordination"},
    {"Sec-Fetch-Site": "same-origin", "Origin": "https://elsewhere.example"},
    {"Sec-Fetch-Site": ""},
    {"Origin": "https://elsewhere.example"},
    {"Origin": "http://coordination"},
    {"Origin": "https://coordination:8443"},
    {"Origin": "https://coordination.elsewhere.example"},
    {"Origin": "null"},
    {},
]
OUR_OWN: list[dict[str, str]] = [OWN, {"Sec-Fetch-Site": "none"}, {"Origin": "https://coordination"}]


@ON_ONE_LOOP
@pytest.mark.parametrize("headers", ELSEWHERE, ids=str)
async def test_no_other_site_signs_a_browser_in_or_out(browser: httpx.AsyncClient, headers: dict[str, str]) -> None:
    await sign_in(browser, token())
    for path in ("/masuk", "/keluar"):
        refused = await browser.post(path, data={"token": token()}, headers=headers)
        assert refused.status_code == 403
        assert "set-cookie" not in refused.headers and "clear-site-data" not in refused.headers
    assert await sees_the_console(browser)


@ON_ONE_LOOP
@pytest.mark.parametrize("headers", OUR_OWN, ids=str)
async def test_our_own_page_does(browser: httpx.AsyncClient, headers: dict[str, str]) -> None:
    assert (await sign_in(browser, token(), **headers)).status_code == 303
    assert await sees_the_console(browser)
    assert (await browser.post("/keluar", headers=headers)).status_code == 303
    assert not await sees_the_console(browser)


@ON_ONE_LOOP
async def test_the_cookie_opens_the_pages_and_not_the_api(browser: httpx.AsyncClient) -> None:
    await sign_in(browser, token())
    assert await sees_the_console(browser)
    refused = await browser.get("/v1/journeys")
    assert (refused.status_code, problem(refused)) == (401, "token-required")


# --- one visit after another ------------------------------------------------------------------------------------------


@ON_ONE_LOOP
async def test_signing_in_again_leaves_nothing_of_the_visit_before(browser: httpx.AsyncClient) -> None:
    first, second = token(), token()
    await sign_in(browser, first)
    cookie = only_cookie(await sign_in(browser, second))
    assert cookie.value == second
    assert [held.value for held in browser.cookies.jar] == [second]


@ON_ONE_LOOP
async def test_a_planted_cookie_is_of_no_use_after_signing_in(browser: httpx.AsyncClient, log: io.StringIO) -> None:
    """Under the plain name it is not looked at, under ours it is replaced."""
    planted, own = token(client_id="planted", sub="ani"), token(client_id="own", sub="budi")
    for name in ("estafet", "__Host-estafet"):
        browser.cookies.set(name, planted, domain="coordination.local", path="/")
    assert await sees_the_console(browser)
    assert only_cookie(await sign_in(browser, own)).value == own
    assert await sees_the_console(browser)
    assert [line["client"] for line in lines(log) if line["event"] == "http"] == ["planted", "own", "own"]


@ON_ONE_LOOP
async def test_signing_out_clears_the_browser_and_going_back_shows_nothing(browser: httpx.AsyncClient) -> None:
    await sign_in(browser, token())
    page = await browser.get("/")
    assert page.headers["cache-control"] == "no-store"  # so that going back asks again
    out = await browser.post("/keluar", headers=OWN)
    assert (out.status_code, out.headers["location"]) == (303, "/masuk")
    assert out.headers["clear-site-data"] == '"cache", "cookies", "storage"'
    assert not browser.cookies and not await sees_the_console(browser)


@ON_ONE_LOOP
async def test_a_copy_of_the_cookie_is_of_no_use_after_signing_out(browser: httpx.AsyncClient) -> None:
    """The copy opens neither the pages nor the API."""
    copy = token()
    await sign_in(browser, copy)
    await browser.post("/keluar", headers=OWN)
    assert (await browser.get("/", headers={"Cookie": f"__Host-estafet={copy}"})).status_code == 303
    assert (await browser.get("/v1/journeys", headers={"Authorization": f"Bearer {copy}"})).status_code == 401
    assert (await sign_in(browser, copy)).status_code == 401


@ON_ONE_LOOP
async def test_signing_in_again_ends_the_token_of_the_visit_before(browser: httpx.AsyncClient) -> None:
    first, second = token(), token()
    await sign_in(browser, first)
    await sign_in(browser, second)
    assert (await browser.get("/", headers={"Cookie": f"__Host-estafet={first}"})).status_code == 303
    await sign_in(browser, second)  # the same again is the same visit
    assert await sees_the_console(browser)


async def test_what_was_ended_stays_ended_over_a_restart(tmp_path: Path, secrets: Path) -> None:
    copy = token()
    for begins in (True, False):
        async with contextlib.AsyncExitStack() as stack:
            app = await offline(COORDINATION, tmp_path, secrets, stack)
            browser = await stack.enter_async_context(at(app, "https://coordination"))
            assert (await sign_in(browser, copy)).status_code == (303 if begins else 401)
            await browser.post("/keluar", headers=OWN)


@ON_ONE_LOOP
async def test_a_visit_lasts_half_an_hour_at_most(browser: httpx.AsyncClient) -> None:
    """A token that outlives the visit is refused, idle or not: in the form and in a handmade cookie."""
    now = int(now_utc().timestamp())
    too_long, long = (token(exp=now + seconds) for seconds in (VISIT_SECONDS + 60, VISIT_SECONDS))
    refused = await sign_in(browser, too_long)
    assert refused.status_code == 401 and "30 menit" in refused.text and "30 minutes" in refused.text
    assert "set-cookie" not in refused.headers
    assert (await browser.get("/", headers={"Cookie": f"__Host-estafet={too_long}"})).status_code == 303
    assert int(only_cookie(await sign_in(browser, long))["max-age"]) <= VISIT_SECONDS
    assert await sees_the_console(browser)


@ON_ONE_LOOP
async def test_every_page_behind_the_door_shows_where_to_leave(browser: httpx.AsyncClient) -> None:
    leave = '<form action="/keluar" method="post" class="away">'
    assert leave not in (await browser.get("/masuk")).text
    await sign_in(browser, token())
    for path in ("/", "/journeys/0193f0a2-7a10-7000-8000-0000000000ff"):
        assert leave in (await browser.get(path)).text, path


# --- the token itself -------------------------------------------------------------------------------------------------


def lines(log: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.getvalue().splitlines()]


@ON_ONE_LOOP
async def test_the_token_is_in_no_page_no_address_and_no_log(browser: httpx.AsyncClient, log: io.StringIO) -> None:
    good, not_ours = token(), token("officer")
    answers = [
        await sign_in(browser, not_ours),
        await sign_in(browser, good),
        await browser.get("/"),
        await browser.get("/journeys/0193f0a2-7a10-7000-8000-0000000000ff"),
        await browser.get("/masuk"),
        await browser.post("/keluar", headers=OWN),
    ]
    assert [answer.status_code for answer in answers] == [401, 303, 200, 404, 200, 303]
    for said in (good, not_ours, good.rpartition(".")[2]):
        for answer in answers:
            outside = {**answer.headers, "set-cookie": ""}
            assert said not in answer.text and said not in json.dumps(outside) and said not in str(answer.url)
        assert said not in log.getvalue()


@ON_ONE_LOOP
async def test_who_signs_in_and_out_is_in_the_log(browser: httpx.AsyncClient, log: io.StringIO) -> None:
    await sign_in(browser, "x")
    await sign_in(browser, token())
    await browser.post("/keluar", headers=OWN)
    told = [(line["route"], line["status"], line.get("client")) for line in lines(log) if line["event"] == "http"]
    name = "coordination-coordinator-pusat"
    assert told == [("/masuk", 401, None), ("/masuk", 303, name), ("/keluar", 303, name)]
    assert [line["reason"] for line in lines(log) if line["event"] == "admission.refused"] == ["decode-error"]


@ON_ONE_LOOP
async def test_the_token_of_the_pages_is_good_for_coordination_alone(
    browser: httpx.AsyncClient, tmp_path: Path, secrets: Path
) -> None:
    async with contextlib.AsyncExitStack() as stack:
        police = await stack.enter_async_context(at(await offline(POLICE, tmp_path, secrets, stack), "https://police"))
        refused = await police.get("/v1/agency", headers={"Authorization": f"Bearer {token()}"})
        assert (refused.status_code, problem(refused)) == (401, "token-not-valid")
    theirs = signed(claims("police", "officer", "bareskrim", now_utc()))
    refused = await sign_in(browser, theirs)
    assert refused.status_code == 401 and "set-cookie" not in refused.headers


@ON_ONE_LOOP
async def test_after_a_refused_token_the_page_says_how_to_get_one(browser: httpx.AsyncClient) -> None:
    hint = "make token ARGS=coordination"
    assert hint not in (await browser.get("/masuk")).text
    for page in (await sign_in(browser, "salah"), await browser.get("/masuk", params={"lagi": "1"})):
        assert hint in page.text
        assert page.text.index("Minta token koordinator yang baru") < page.text.index("Ask your agency")
