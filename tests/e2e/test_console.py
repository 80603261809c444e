"""Coordination's page in a real browser: the list, its filters without reloading, one journey; and without scripts."""

import asyncio
import shutil
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import uvicorn
from playwright.async_api import Browser, async_playwright

from deploy.embedded_nats import EmbeddedNats
from tests.network import Network, a_victim, provisioning, refer

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """Chromium, as the system has it."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    assert chromium, "this test needs Chromium: apt-get install chromium"
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield browser
        await browser.close()


@pytest.fixture
async def page_url(tmp_path: Path, secrets: Path, nats: EmbeddedNats) -> AsyncIterator[str]:
    """Coordination over HTTP, having seen two victims, one of them handed to KemenPPPA."""
    async with provisioning(nats, secrets):
        network = Network(tmp_path, secrets, nats, lambda member: f"sqlite:///{tmp_path}/{member}.db")
        police, kemenpppa = await network.start("police"), await network.start("kemenpppa")
        coordination = await network.start("coordination")
        stays, goes = await a_victim(police), await a_victim(police)
        transfer = await refer(police, goes, "kemenpppa", "case-management", kind="transfer")
        await kemenpppa.until_status(transfer, "received")
        await kemenpppa.must(transfer, "accept")
        await coordination.until(f"/v1/journeys/{goes}", lambda j: len(j["custody_chain"]) == 2)
        await coordination.until(f"/v1/journeys/{stays}", lambda j: j["registered_at"] is not None)
        listener = socket.create_server(("127.0.0.1", 0))
        config = uvicorn.Config(network.apps["coordination"], log_level="critical", lifespan="off")
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        await serving
        listener.close()
        await network.stop_all()


async def test_a_coordinator_finds_a_journey_and_sees_who_is_responsible(browser: Browser, page_url: str) -> None:
    page = await browser.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    await page.goto(page_url)
    assert await page.locator("tbody tr").count() == 2

    async with page.expect_response(lambda response: "agency=kemenpppa" in response.url):
        await page.select_option("select[name=agency]", "kemenpppa")
    await page.wait_for_url("**agency=kemenpppa**")
    await page.locator("tbody tr").nth(1).wait_for(state="detached")
    await page.click("tbody a")
    assert "UPTD PPA Kabupaten Kolaka" in await page.inner_text(".now .holder")
    assert "Polres Kolaka" in await page.inner_text(".timeline")
    assert complaints == []


async def test_the_page_works_without_scripts_and_says_what_it_cannot_find(browser: Browser, page_url: str) -> None:
    context = await browser.new_context(java_script_enabled=False)
    page = await context.new_page()
    await page.goto(f"{page_url}/?region=99.99")
    assert "Tidak ada wilayah" in await page.inner_text("[role=alert]")
    await page.fill("input[name=region]", "74")
    await page.click("button[type=submit]")
    assert await page.locator("tbody tr").count() == 2
    missing = await page.goto(f"{page_url}/journeys/nobody")
    assert missing is not None and missing.status == 404
    assert "tidak ditemukan" in await page.inner_text("h1")
    await context.close()
