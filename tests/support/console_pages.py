"""Pages of coordination as a signed-in browser gets them."""

import httpx
from fastapi import FastAPI

from shared.domain.access import Role
from shared.service.running import now_utc
from tests.support.tokens import claims, signed


async def page_of(app: FastAPI, role: Role, unit: str, path: str, **asked: str) -> httpx.Response:
    """A page as shown to a signed-in browser."""
    cookie = {"__Host-estafet": signed(claims("coordination", role, unit, now_utc()))}
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="https://coordination", cookies=cookie) as browser:
        return await browser.get(path, params=asked)
