"""Coordination's pages: their parts, and their behaviour in a browser under attack."""

import contextlib
import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI

from services.coordination import words
from services.coordination.main import MEMBER as COORDINATION
from services.members import SERVICES
from shared.contracts.codes import (
    AgeClass,
    Exploitation,
    FailReason,
    HoldReason,
    JourneyOutcome,
    Kind,
    NormGap,
    Outcome,
    RejectReason,
    Sex,
    Stage,
    Status,
)
from shared.contracts.events import CATALOGUE, EVERYONE
from shared.domain.text import Text
from shared.service.running import now_utc
from tests.support.network import offline
from tests.support.sources import ROOT
from tests.support.tokens import claims, signed

ON_ONE_LOOP = pytest.mark.asyncio(loop_scope="module")
TEMPLATES = sorted(page for folder in ("services", "shared") for page in (ROOT / folder).rglob("*.html"))
IN_A_PAGE = re.compile(
    r"\|\s*safe\b|autoescape\s+false|\bMarkup\b|<script(?![^>]*\bsrc=)|\son\w+=|javascript:|data:|hx-on|hx-vals=.js|"
    r"(?:src|href|action|hx-\w+)=\"(?:https?:)?//|style=|<iframe|<object|<embed|<base|\btype=.file",
    re.IGNORECASE,
)
"""Unescaped text, scripts and styles in the page itself, addresses of other hosts, frames, files."""


def test_a_page_shows_text_as_text_and_runs_nothing_of_its_own() -> None:
    assert len(TEMPLATES) >= 5
    assert [(path.name, found.group()) for path in TEMPLATES for found in IN_A_PAGE.finditer(path.read_text())] == []
    scripts = sorted(path.name for path in (ROOT / "services").rglob("*.js"))
    assert scripts == ["htmx.min.js"]  # a library, and no script of ours that could hold or send anything


FOR_PEOPLE = re.compile(r"<(h1|h2|th|dt|label|button|summary|caption|p)\b[^>]*>(.*?)</\1>", re.DOTALL)
IN_A_LINE = re.compile(r'data-label="(.*?)"|<option[^>]*>(.*?)</option>')
"""Words of a page. A label or an option has no room for a second text size: a dot divides the languages."""
IN_BOTH = re.compile(r'lang="en"|\| both')
A_VALUE = re.compile(r"{{.*?}}|{%.*?%}|<[^>]*>|[\W\d_]")


def in_one_language(page: str) -> list[str]:
    """The words of a page that stand there in one language only; values are not words."""
    lines = [said for found in IN_A_LINE.findall(page) if " · " not in (said := "".join(found))]
    texts = [said for _, said in FOR_PEOPLE.findall(page) if not IN_BOTH.search(said)]
    return [said for said in lines + texts if A_VALUE.sub("", said)]


def test_whatever_a_page_says_it_says_in_both_languages() -> None:
    assert [(path.name, said) for path in TEMPLATES for said in in_one_language(path.read_text())] == []
    assert in_one_language('<td data-label="Dari"></td>') == ["Dari"]
    assert in_one_language("<h1>Masuk</h1><p>{{ name }}</p><option>Semua</option>") == ["Semua", "Masuk"]


@pytest.mark.parametrize("page", ["{{ a | safe }}", "<a onclick=x>", "<script>x", '<img src="//x">', "<p style=x>"])
def test_the_pattern_for_pages_finds_a_breach(page: str) -> None:
    assert IN_A_PAGE.search(page)


def test_the_pages_library_makes_no_code_and_keeps_no_page() -> None:
    base = (ROOT / "services/coordination/templates/base.html").read_text()
    [config] = re.findall(r'name="htmx-config" content=\'(.*?)\'', base)
    assert '"allowEval": false' in config and '"historyCacheSize": 0' in config
    library = (ROOT / "services/coordination/static/htmx.min.js").read_text()
    assert not re.search(r"localStorage|indexedDB|postMessage|document\.cookie", library)


def test_every_event_and_every_code_of_a_page_has_its_words() -> None:
    assert {name.split(".", 2)[2].removesuffix(".v1") for name in CATALOGUE} == set(words.EVENTS)
    for codes in (Stage, Status, RejectReason, FailReason, Outcome, HoldReason, NormGap, JourneyOutcome, Exploitation,
                  AgeClass, Sex, Kind):  # fmt: skip
        assert {code.value for code in codes} - set(words.ALL) == set(), codes
    assert set(SERVICES) | {EVERYONE} <= set(words.ALL)
    told = [*words.ALL.values(), *words.EVENTS.values()]
    assert [text for text in told if not text.id or not text.en] == []
    assert words.both("id.tppo.case.opened.v1") == 'Perkara dibuka <span class="en" lang="en">Case opened</span>'
    assert words.both("<script>") == "&lt;script&gt;"
    assert words.both(Text("SAPA 129", "SAPA 129")) == "SAPA 129"  # once


def token() -> str:
    """A token of a coordinator, as good as new: this module is read long before its tests run."""
    return signed(claims("coordination", "coordinator", "pusat", now_utc()))


HOSTILE = '"><script>alert(1)</script>'
ELSEWHERE = [
    "https://elsewhere.example/",
    "//elsewhere.example",
    "/\\elsewhere.example",
    "javascript:alert(1)",
    HOSTILE,
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def coordination(tmp_path_factory: pytest.TempPathFactory, secrets: Path) -> AsyncIterator[FastAPI]:
    async with contextlib.AsyncExitStack() as stack:
        yield await offline(COORDINATION, tmp_path_factory.mktemp("pages"), secrets, stack)


@pytest_asyncio.fixture(loop_scope="module")
async def browser(coordination: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A browser over TLS, not signed in."""
    transport = httpx.ASGITransport(coordination)
    async with httpx.AsyncClient(transport=transport, base_url="https://coordination") as client:
        yield client


async def sign_in(browser: httpx.AsyncClient, ke: str = "/") -> httpx.Response:
    own = {"Sec-Fetch-Site": "same-origin"}
    return await browser.post("/masuk", params={"ke": ke}, data={"token": token()}, headers=own)


@ON_ONE_LOOP
@pytest.mark.parametrize("name", ["region", "stage", "agency", "show", "cursor"])
async def test_what_a_caller_writes_is_shown_as_text(browser: httpx.AsyncClient, name: str) -> None:
    assert (await sign_in(browser)).status_code == 303
    page = await browser.get("/", params={name: HOSTILE})
    assert page.status_code == 200
    assert "<script>" not in page.text and HOSTILE not in page.text
    assert "alert(1)" not in page.text  # nor as text: it may be a name
    assert (name == "region") == ("Tidak ada wilayah dengan kode itu" in page.text and "No region has" in page.text)


@ON_ONE_LOOP
async def test_a_link_opens_whatever_a_programme_on_its_way_has_hung_on_it(browser: httpx.AsyncClient) -> None:
    await sign_in(browser)
    page = await browser.get("/", params={"stage": "protection", "utm_source": "surat"})
    assert page.status_code == 200 and "surat" not in page.text


@ON_ONE_LOOP
async def test_who_asks_for_no_page_is_shown_one_in_a_browser_and_told_by_a_document_elsewhere(
    browser: httpx.AsyncClient,
) -> None:
    page = await browser.get("/tidak-ada", headers={"Accept": "text/html,*/*;q=0.8"})
    assert page.status_code == 404 and page.headers["content-type"].startswith("text/html")
    assert "Halaman tidak ditemukan" in page.text and "Page not found" in page.text and "tidak-ada" not in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    told = await browser.get("/tidak-ada", headers={"Accept": "*/*"})
    assert told.status_code == 404 and told.headers["content-type"] == "application/problem+json"
    wrong = await browser.post("/v1/journeys", headers={"Accept": "text/html"})
    assert wrong.status_code == 405 and wrong.headers["allow"]


@ON_ONE_LOOP
@pytest.mark.parametrize("ke", ELSEWHERE)
async def test_signing_in_leads_to_no_other_site(browser: httpx.AsyncClient, ke: str) -> None:
    asked = await browser.get("/masuk", params={"ke": ke})
    assert 'action="/masuk?ke=/"' in asked.text and "elsewhere" not in asked.text and "alert(1)" not in asked.text
    signed_in = await sign_in(browser, ke)
    assert (signed_in.status_code, signed_in.headers["location"]) == (303, "/")


@ON_ONE_LOOP
@pytest.mark.parametrize("path", ["/", "/journeys/0193f0a2-7a10-7000-8000-0000000000ff", "/masuk", "/docs"])
async def test_a_visit_begins_only_when_somebody_signs_in(browser: httpx.AsyncClient, path: str) -> None:
    answer = await browser.get(path, headers={"Authorization": f"Bearer {token()}"})
    assert "set-cookie" not in answer.headers
    assert answer.status_code in (200, 303) and not browser.cookies
