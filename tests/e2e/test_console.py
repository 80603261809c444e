"""Coordination's page in a real browser: the list, its filters without reloading, one journey; and without scripts."""

import shutil
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime

import pytest
from playwright.async_api import Browser, Page, async_playwright

from deploy.issuer.tokens import Grant, mint
from services.coordination.sign_in import POLICY
from shared.http.response_headers import HEADERS
from tests.support.stack import Run, running

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """Chromium, as the system has it or as ``make test`` has fetched it."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield browser
        await browser.close()


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """A network whose journey has been played: two victims, at home with Kemensos."""
    with running(tmp_path_factory.mktemp("console") / "run") as run:
        run.until("Ctrl-C menghentikan")
        yield run


@pytest.fixture
def page_url(run: Run) -> str:
    """Its page."""
    return run.urls["coordination"]


def token(run: Run, role: str = "coordinator", unit: str = "pusat") -> str:
    """A token of the issuer for a coordinator."""
    return mint(run.secrets, Grant(f"coordination-{role}", "coordination", role, unit), datetime.now(UTC))


async def sign_in(page: Page, run: Run) -> None:
    """Sign in like a coordinator: on the page that asks for a token."""
    await page.goto(run.urls["coordination"])
    await page.fill("input[name=token]", token(run))
    await page.click("main button[type=submit]")


async def test_who_has_no_token_is_asked_for_one_and_who_has_the_wrong_one_again(browser: Browser, run: Run) -> None:
    page = await browser.new_page()
    answer = await page.goto(f"{run.urls['coordination']}/journeys/0193f0a2-7a10-7000-8000-000000000001")
    assert answer is not None and answer.status == 200 and "/masuk" in page.url
    assert "Masuk" in await page.inner_text("h1") and await page.locator("tbody").count() == 0
    for wrong in ("x", token(run, "administrator")):
        await page.fill("input[name=token]", wrong)
        await page.click("main button[type=submit]")
        assert "Token" in await page.inner_text("[role=alert]")
    await page.fill("input[name=token]", token(run))
    await page.click("main button[type=submit]")
    assert "tidak ditemukan" in await page.inner_text("h1")  # where they wanted to go
    [cookie] = await page.context.cookies()
    assert cookie["httpOnly"] and cookie["sameSite"] == "Strict"
    await page.goto(run.urls["coordination"])
    await page.click("text=Keluar")
    assert await page.context.cookies() == []
    await page.goto(run.urls["coordination"])
    assert "/masuk" in page.url


async def test_a_province_sees_the_journeys_it_has_a_part_in(browser: Browser, run: Run) -> None:
    for unit, journeys in (("gugus-tugas-74", 2), ("gugus-tugas-11", 0)):
        page = await (await browser.new_context()).new_page()
        await page.goto(run.urls["coordination"])
        await page.fill("input[name=token]", token(run, unit=unit))
        await page.click("main button[type=submit]")
        await page.locator(".counts").wait_for()
        assert await page.locator("tbody tr").count() == journeys
        await page.context.close()


async def test_a_coordinator_finds_a_journey_and_sees_who_was_responsible(
    browser: Browser, run: Run, page_url: str
) -> None:
    page = await browser.new_page()
    await sign_in(page, run)
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    answer = await page.goto(page_url)
    assert answer is not None and answer.headers["content-security-policy"] == POLICY
    assert {name.decode() for name, _ in HEADERS} <= set(answer.headers) and "server" not in answer.headers
    assert answer.headers["cache-control"] == "no-store"
    assert await page.locator("tbody tr").count() == 2

    # filters swap the list without loading the page anew: what was set on the window is still there
    await page.evaluate("window.stayed = true")
    await page.select_option("select[name=agency]", "police")
    await page.locator(".empty").wait_for()
    await page.select_option("select[name=agency]", "kemensos")
    await page.locator("tbody tr").nth(1).wait_for()
    assert "agency=kemensos" in page.url and await page.evaluate("window.stayed")

    await page.click("tbody a")
    assert "Kembali ke masyarakat" in await page.inner_text(".now .holder")
    chain = await page.locator(".chain li b").all_inner_texts()
    assert chain == [
        "Polri Police",
        "KemenPPPA Women and children",
        "Kemensos Social affairs",
        "Kemensos Social affairs",
    ]
    assert "tanda terima lengkap" in await page.inner_text(".timeline")
    assert "Manajemen kasus dan pendampingan Case management" in await page.inner_text(".timeline")
    assert complaints == []


async def test_on_a_phone_both_languages_are_read_one_below_the_other(browser: Browser, run: Run) -> None:
    page = await browser.new_page(viewport={"width": 390, "height": 800})
    await sign_in(page, run)
    await page.wait_for_load_state()  # the style sheet too: without it every word is black
    button, english = await page.evaluate(
        "[...document.querySelectorAll('.filters button, .filters button .en')].map(it => getComputedStyle(it).color)"
    )
    assert button == english  # on the button's ground the quiet grey of other places is not seen
    await page.click("tbody a")
    await page.click("summary")
    cell = page.locator("td[data-label^=Kepada]").first
    assert await cell.inner_text() == "Koordinasi\nCoordination"
    left = [await it.evaluate("it => it.getBoundingClientRect().left") for it in (cell, cell.locator(".en"))]
    assert left[1] - left[0] > 130  # not under the name of the column
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def test_the_page_works_without_scripts_and_says_what_it_cannot_find(
    browser: Browser, run: Run, page_url: str
) -> None:
    context = await browser.new_context(java_script_enabled=False)
    page = await context.new_page()
    await sign_in(page, run)
    await page.goto(f"{page_url}/?region=99.99")
    assert "Tidak ada wilayah" in await page.inner_text("[role=alert]")
    await page.fill("input[name=region]", "73")
    await page.click("main button[type=submit]")
    assert await page.locator("tbody tr").count() == 2
    missing = await page.goto(f"{page_url}/journeys/nobody")
    assert missing is not None and missing.status == 404
    assert "tidak ditemukan" in await page.inner_text("h1")
    await context.close()


async def test_a_service_describes_itself_without_any_other_host(browser: Browser, page_url: str) -> None:
    page = await browser.new_page()
    hosts: set[str] = set()
    complaints: list[str] = []  # such as of what its policy forbids
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: hosts.add(request.url.split("/")[2]) if "//" in request.url else None)
    await page.goto(f"{page_url}/docs")
    await page.get_by_text("Lihat perjalanan / See a journey").click()
    await page.get_by_role("button", name="Try it out").wait_for()
    assert complaints == []
    assert hosts == {page_url.split("/")[2]}
