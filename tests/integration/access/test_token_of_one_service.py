"""A token is for one service, and names a human in one plain word. TRUST 26, over HTTP alone."""

from typing import Any

import httpx
import pytest

from shared.security.tokens import AUDIENCE_PREFIX
from tests.support.network import Network, problem
from tests.support.tokens import claims, signed

DESKS = {"police": "polres-74.01", "kemenkes": "rs-74.01"}


async def asked(network: Network, code: str, **said: Any) -> httpx.Response:
    """The answer of a service to an officer whose token says this."""
    token = signed(claims(code, "officer", DESKS[code], network.clock(), **said))
    transport = httpx.ASGITransport(network.apps[code])
    async with httpx.AsyncClient(transport=transport, base_url=f"http://{code}") as http:
        return await http.get("/v1/referrals", headers={"Authorization": f"Bearer {token}"})


@pytest.mark.parametrize("code", DESKS)
async def test_a_token_with_two_audiences_opens_neither_service(two: Network, code: str) -> None:
    both = [AUDIENCE_PREFIX + one for one in DESKS]
    assert (await asked(two, code)).status_code == 200
    refused = await asked(two, code, aud=both)
    assert (refused.status_code, problem(refused)) == (401, "token-not-valid")


@pytest.mark.parametrize("name", ["ani\nbudi", "ani\n", "ani\u202ebudi"])
async def test_nobody_calls_under_a_name_of_two_lines(two: Network, name: str) -> None:
    refused = await asked(two, "police", sub=name)
    assert (refused.status_code, problem(refused)) == (401, "token-not-valid")
