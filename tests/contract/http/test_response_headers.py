"""Headers of every answer, of whatever kind."""

import base64
import hashlib
import re
from pathlib import Path

import httpx
from fastapi.routing import iter_route_contexts

from services.coordination.main import app as coordination_app
from services.police.main import MEMBER as POLICE
from shared.http.response_headers import HEADERS
from shared.http.route_traits import RouteTraits, TraitsTable, traits_of
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


REFERENCE = {"/docs", "/openapi.json", "/static", "/static-offline-docs"} | {
    f"/v1/{name}" for name in ("agency", "keys", "problems", "schemas", "schemas/{event_type}", "units")
}
"""The paths of reference data, which is the same for every caller. Nobody's data is there."""


def declared() -> dict[str, RouteTraits]:
    """Path → traits, of every route of the police and of coordination that declares any."""
    routes = [*create_app(POLICE).routes, *coordination_app.routes]
    found = [(str(route.path), traits_of(route)) for route in iter_route_contexts(routes)]
    return {path: traits for path, traits in found if traits != RouteTraits()}


def test_only_reference_data_may_be_stored_by_a_cache() -> None:
    assert {path for path, traits in declared().items() if traits.cacheable} == REFERENCE


def test_only_health_is_always_answered() -> None:
    exempt = {path for path, traits in declared().items() if traits.always_answered}
    assert exempt == {"/health/live", "/health/ready"}


def test_only_a_list_of_people_may_have_a_larger_body() -> None:
    larger = {path: traits for path, traits in declared().items() if traits.max_body > RouteTraits().max_body}
    assert larger == {
        "/v1/cases/{case_id}/batches": RouteTraits(max_body=1024 * 1024),
        "/v1/cases/{case_id}/batches.csv": RouteTraits(max_body=1024 * 1024, json_body=False),
    }


def test_the_traits_are_those_of_the_route_that_serves_the_request() -> None:
    table = TraitsTable(create_app(POLICE).routes)

    def of(method: str, path: str) -> RouteTraits:
        return table.of({"method": method, "path": path})

    assert of("GET", "/health/live") == RouteTraits(always_answered=True)
    assert of("GET", "/v1/schemas/id.tppo.case.opened.v1") == RouteTraits(cacheable=True)
    assert of("POST", "/v1/cases/one/batches") == RouteTraits(max_body=1024 * 1024)
    for method, path in {"POST": "/health/live", "GET": "/v1/cases/one/batches", "PUT": "/v1/schemas/a/b"}.items():
        assert of(method, path) == RouteTraits()
