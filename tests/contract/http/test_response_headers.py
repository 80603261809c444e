"""What stands on every answer, whatever it is an answer to."""

import base64
import hashlib
import re
from pathlib import Path

import httpx

from services.coordination.main import app as coordination_app
from services.police.main import MEMBER as POLICE
from shared.http.response_headers import HEADERS, REFERENCE
from shared.reference.office import new_id
from shared.service.app import create_app
from tests.support.served import police_at_work

PATHS = {
    **dict.fromkeys(("/health/live", "/v1/cases", "/v1/referrals", "/v1/parked", "/v1/nothing", "/", "/x"), "no-store"),
    **dict.fromkeys((f"/v1/victims/{new_id()}", "/v1/schemas/nobody", "/v1/unitsx", "/static/x"), "no-store"),
    **dict.fromkeys(("/v1/agency", "/v1/keys", "/v1/problems", "/v1/schemas", "/docs", "/openapi.json"), "no-cache"),
    **dict.fromkeys(("/v1/units?agency=police", "/v1/schemas/id.tppo.case.opened.v1"), "no-cache"),
    "/static-offline-docs/swagger-ui.css": "no-cache",
}


async def test_every_answer_has_the_headers_that_protect_it(tmp_path: Path, secrets: Path) -> None:
    async with police_at_work(tmp_path, secrets) as (app, client):
        for path, kept in PATHS.items():
            headers = (await client.get(path)).headers
            for name, value in HEADERS:
                policy_of_its_own = (path, name) == ("/docs", b"content-security-policy")
                assert headers.get_list(name.decode()) == [value.decode()] or policy_of_its_own, path
            assert headers.get_list("cache-control") == [kept], path
            assert "server" not in headers and "strict-transport-security" not in headers
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://police") as secure:
            for path in PATHS:
                told = (await secure.get(path)).headers["strict-transport-security"]
                assert told == "max-age=31536000; includeSubDomains"


async def test_the_page_that_describes_a_service_allows_its_one_script_and_nothing_else(
    tmp_path: Path, secrets: Path
) -> None:
    async with police_at_work(tmp_path, secrets) as (_, client):
        page = await client.get("/docs")
        policy = page.headers["content-security-policy"]
        [script] = re.findall("<script>(.*?)</script>", page.text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        assert f"script-src 'self' 'sha256-{digest}';" in policy
        assert "unsafe" not in policy and policy.startswith("default-src 'none';")
        assert re.findall('(?:src|href)="(?!/)', page.text) == []


def test_reference_data_is_what_is_the_same_for_everybody() -> None:
    """A path in the table is one that some service has, and nobody's data is at it."""
    described = {*create_app(POLICE).openapi()["paths"], *coordination_app.openapi()["paths"]}
    assert set(REFERENCE) - described == {"/docs", "/openapi.json"}
    assert not [path for path in REFERENCE if re.search("victim|case|referral|journey|parked|link", path)]
