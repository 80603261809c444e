"""A token for the human for whom a system calls (RFC 8693), from the issuer for development, over real HTTP."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import pytest
from joserfc import jwt

from deploy.issuer.authentication import SUBJECT_TYPE
from deploy.issuer.oauth import EXCHANGE
from tests.support.issuer import CLIENT, Asking, issuing


@pytest.fixture
async def asking(secrets: Path) -> AsyncIterator[Asking]:
    """The issuer, and an honest system."""
    async with issuing(secrets) as asking:
        yield asking


async def exchanged(asking: Asking, subject: str | None = None, **other: str | None) -> httpx.Response:
    """A system asks for the human before it: it signs who that is, with its own key."""
    stated = {"subject_token": subject or asking.assertion(sub="petugas-17"), "subject_token_type": SUBJECT_TYPE}
    return await asking.ask(**{"grant_type": EXCHANGE, **stated, **other})


async def test_a_client_gets_a_token_for_the_human_for_whom_it_calls(asking: Asking) -> None:
    """RFC 8693: the human is the subject, and the client the actor."""
    told = (await exchanged(asking)).json()
    assert told["issued_token_type"] == "urn:ietf:params:oauth:token-type:access_token"
    claims = jwt.decode(told["access_token"], await asking.published(), ["ES256"]).claims
    assert (claims["sub"], claims["act"], claims["client_id"]) == ("petugas-17", {"sub": CLIENT}, CLIENT)
    assert (claims["roles"], claims["unit"]) == (["officer"], "polres-74.01")


@pytest.mark.parametrize(
    "subject",
    [
        lambda a: a.assertion(),  # itself
        lambda a: a.assertion(sub="ani\nbudi"),
        lambda a: a.assertion(sub="ani@rekaan.example"),
        lambda a: a.assertion(sub=["ani"]),
        lambda a: a.assertion(sub="ani", iss="police-supervisor"),
        lambda a: a.assertion(sub="ani", exp=int(a.clock().timestamp()) - 60),
        lambda a: a.assertion(sub="ani", aud="urn:other"),
        lambda a: a.assertion(a.key("police-supervisor"), sub="ani"),
        lambda a: "x",
    ],
)
async def test_a_client_says_for_whom_it_calls_itself_and_says_a_pseudonym(
    asking: Asking, subject: Callable[[Asking], str]
) -> None:
    refused = await exchanged(asking, subject(asking))
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_request")
    assert "ani" not in refused.text


async def test_a_word_about_a_human_counts_once_and_only_from_a_proven_client(asking: Asking) -> None:
    once = asking.assertion(sub="petugas-17")
    assert (await exchanged(asking, once)).status_code == 200
    assert (await exchanged(asking, once)).json()["error"] == "invalid_request"
    assert (await exchanged(asking, subject_token_type="urn:other")).json()["error"] == "invalid_request"
    assert (await exchanged(asking, subject_token=None)).json()["error"] == "invalid_request"
    assert (await exchanged(asking, client_assertion="x")).json()["error"] == "invalid_client"
