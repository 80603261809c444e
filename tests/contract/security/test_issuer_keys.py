"""The issuer's keys: which of them verify, where they may come from, and what happens when they do not come."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric import rsa
from fastapi import FastAPI
from joserfc.jwk import ECKey, KeySet, OctKey, OKPKey, RSAKey
from starlette.types import Receive, Scope, Send

from services.police.main import MEMBER as POLICE
from shared.security.issuer_key_set import key_set
from shared.security.issuer_keys import STALE_SECONDS, IssuerKeys, WrongAddress
from shared.security.tokens import ALGORITHMS, BadToken, Verifier
from shared.service.running import now_utc
from tests.support.listening import listening
from tests.support.network import offline, problem
from tests.support.served import PATIENCE
from tests.support.tokens import ISSUER, claims, issuer_key, signed

PUBLISHED = json.dumps(KeySet([issuer_key()]).as_dict(private=False))
KEY: Mapping[str, Any] = issuer_key().as_dict(private=False)


def rsa_key(bits: int) -> RSAKey:
    return RSAKey.import_key(rsa.generate_private_key(65537, bits), {"kid": f"rsa-{bits}"})


def published(*keys: Any) -> str:
    return json.dumps({"keys": [key if isinstance(key, dict) else key.as_dict(private=False) for key in keys]})


# --- which keys verify ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", ["PS256", "RS256"])
def test_an_rsa_key_verifies_from_3072_bits_on(algorithm: str) -> None:
    for bits, verifies in ((2048, False), (3071, False), (3072, True)):
        key = rsa_key(bits)
        stated = claims("police", "officer", "bareskrim", now_utc())
        token = signed(stated, key, alg=algorithm)  # type: ignore[arg-type]
        keys = key_set(published(key, issuer_key()))
        verifier = Verifier(ISSUER, "urn:estafet:police", lambda keys=keys: keys)  # type: ignore[misc]
        assert len(keys.keys) == 1 + verifies
        if verifies:
            assert verifier.verify(token, now_utc(), None).unit == "bareskrim"
        else:
            with pytest.raises(BadToken, match="invalid-key-id"):
                verifier.verify(token, now_utc(), None)


LEFT_OUT: Mapping[str, Any] = {
    "of a curve below P-256": {"kty": "EC", "crv": "P-192", "x": "AAAA", "y": "AAAA"},
    "of another curve": ECKey.generate_key("secp256k1"),
    "that agrees and does not sign": OKPKey.generate_key("X25519"),
    "that is secret": OctKey.generate_key(256).as_dict(private=True),
    "whose secret half is shown": issuer_key().as_dict(private=True),
    "that is for something else": {**KEY, "use": "enc"},
    "of a kind nobody knows": {"kty": "AKP", "alg": "ML-DSA-65", "pub": "AAAA"},
    "of no kind": {"crv": "P-256"},
    "of a kind that is a list": {**KEY, "kty": ["EC"]},
    "off its curve": {**KEY, "y": KEY["x"]},
    "with a number where text should be": {"kty": "RSA", "n": 7, "e": "AQAB"},
    "without a modulus": {"kty": "RSA", "e": "AQAB"},
    "whose exponent is 1": {**rsa_key(3072).as_dict(private=False), "e": "AQ"},
}


@pytest.mark.parametrize("which", LEFT_OUT)
def test_a_key_is_left_out_and_spoils_no_other(which: str) -> None:
    assert [key.kid for key in key_set(published(LEFT_OUT[which], issuer_key()))] == ["issuer-1"]


@pytest.mark.parametrize("key", [ECKey.generate_key("P-384"), OKPKey.generate_key("Ed25519")], ids=["P-384", "Ed25519"])
def test_a_strong_one_is_not(key: Any) -> None:
    assert len(key_set(published(key)).keys) == 1


def test_only_algorithms_with_public_keys_are_accepted() -> None:
    assert set(ALGORITHMS) == {"ES256", "Ed25519", "EdDSA", "PS256", "RS256"}


# --- where they come from ---------------------------------------------------------------------------------------------


NOWHERE = [
    *("ftp://issuer.example/keys", "file:///etc/keys.json", "data:application/json,{}", "HTTP://elsewhere.example/"),
    *("http://elsewhere.example/keys", "http://127.0.0.1.elsewhere.example/keys", "http://localhost@elsewhere.example"),
    *("http://127.0.0.1:80@elsewhere.example/", "https://somebody:secret@issuer.example/", "https://", "https:///keys"),
    *("//elsewhere.example/keys", "https://[::1/keys", "https://issuer.example:port/keys"),
    *("http://169.254.169.254/keys", "http://2130706433/keys", "http://0.0.0.0/keys"),
]


@pytest.mark.parametrize("where", NOWHERE)
def test_keys_come_from_no_such_place(where: str) -> None:
    with pytest.raises(WrongAddress):
        IssuerKeys(where)


@pytest.mark.parametrize("where", ["https://issuer.example/keys", "http://127.0.0.1:8000/k", "http://localhost/keys"])
def test_keys_come_from_there(where: str) -> None:
    assert list(IssuerKeys(where)()) == []  # nobody has been asked yet, and nobody is trusted


# --- kept fresh -------------------------------------------------------------------------------------------------------


@dataclass
class Issuer:
    """An issuer on this machine that answers as it is told, and whose caller's time passes as it is told."""

    said: list[tuple[int, str]]
    asked: int = 0
    seconds: float = 0.0
    step: float | None = None
    """Seconds that pass at each wait; None: the seconds that were asked for."""
    waits: list[float] = field(default_factory=list)
    over: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the next thing (ASGI)."""
        self.asked += 1
        status, body = self.said.pop(0)
        moved = [(b"location", b"/elsewhere")] if status == 302 else []
        await send({"type": "http.response.start", "status": status, "headers": moved})
        await send({"type": "http.response.body", "body": body.encode()})

    def clock(self) -> float:
        """Seconds."""
        return self.seconds

    async def wait(self, seconds: float) -> None:
        """Let them pass at once, until there is nothing more to say."""
        self.waits.append(seconds)
        self.seconds += seconds if self.step is None else self.step
        if not self.said:
            self.over.set()
            await asyncio.Event().wait()


@contextlib.asynccontextmanager
async def until(over: asyncio.Event, running: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    """A task that runs until ``over`` is set, and must not end by itself."""
    task, done = asyncio.ensure_future(running()), asyncio.ensure_future(over.wait())
    await asyncio.wait((task, done), timeout=PATIENCE, return_when=asyncio.FIRST_COMPLETED)
    assert over.is_set() and not task.done()
    yield
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def after(issuer: Issuer) -> tuple[IssuerKeys, int]:
    """The keys when the issuer has said everything, and how often they were told to have changed."""
    changes = 0

    def changed() -> None:
        nonlocal changes
        changes += 1

    async with listening(issuer) as url:
        keys = IssuerKeys(f"{url}/keys", issuer.clock, issuer.wait)
        keys.on_change = changed
        async with until(issuer.over, keys.keep_fresh):
            return keys, changes


MALFORMED = [
    *("", "{}", "[]", "7", "null", '"keys"', '{"keys": null}', '{"keys": {"a": 1}}', '{"keys": [7]}', "{", "\0"),
    *('{"keys": [], "keys": []}', '{"keys": ' + "[" * 5000 + "]" * 5000 + "}", '{"keys": ["' + "x" * 300_000 + '"]}'),
]


async def test_no_answer_ends_the_asking_and_none_that_is_no_key_set_counts() -> None:
    wrong = [(200, said) for said in MALFORMED] + [(status, PUBLISHED) for status in (302, 404, 500, 503)]
    issuer = Issuer([(200, PUBLISHED), *wrong, (200, published(rsa_key(3072)))])
    expected = len(issuer.said)
    keys, changes = await after(issuer)
    assert (issuer.asked, changes) == (expected, 2)  # the first and the last; nobody was redirected
    assert [key.kid for key in keys()] == ["rsa-3072"]
    assert issuer.waits == [300.0, *[5.0] * len(wrong), 300.0]


@pytest.mark.parametrize("said", MALFORMED, ids=range(len(MALFORMED)))
async def test_what_is_known_stays_when_an_answer_is_no_key_set(said: str) -> None:
    keys, changes = await after(Issuer([(200, PUBLISHED), (200, said)]))
    assert ([key.kid for key in keys()], changes) == (["issuer-1"], 1)


async def test_an_issuer_that_is_away_is_asked_again() -> None:
    issuer = Issuer([(200, PUBLISHED)])
    async with listening(issuer) as url:
        pass
    waited = asyncio.Event()

    async def wait(seconds: float) -> None:
        issuer.waits.append(seconds)
        if len(issuer.waits) == 3:
            waited.set()
            await asyncio.Event().wait()

    keys = IssuerKeys(f"{url}/keys", issuer.clock, wait)
    async with until(waited, keys.keep_fresh):
        assert (issuer.waits, issuer.asked, list(keys())) == ([5.0, 5.0, 5.0], 0, [])


async def test_keys_that_cannot_be_read_again_verify_nothing_after_a_day() -> None:
    """A token that was verified before is refused too."""
    issuer = Issuer([(200, PUBLISHED), (503, ""), (503, "")], step=STALE_SECONDS / 2)
    changes: list[float] = []
    async with listening(issuer) as url:
        keys = IssuerKeys(f"{url}/keys", issuer.clock, issuer.wait)
        verifier = Verifier(ISSUER, "urn:estafet:police", keys)
        token = signed(claims("police", "officer", "bareskrim", now_utc()))

        def changed() -> None:
            changes.append(issuer.seconds)
            verifier.forget()

        keys.on_change = changed
        async with until(issuer.over, keys.keep_fresh):
            issuer.seconds = STALE_SECONDS
            assert verifier.verify(token, now_utc(), None)
            issuer.said, issuer.step, issuer.seconds = [(503, "")], 0, STALE_SECONDS + 1
            assert list(keys()) == []
        issuer.over.clear()
        async with until(issuer.over, keys.keep_fresh):
            assert changes == [0.0, STALE_SECONDS + 1]
            with pytest.raises(BadToken):
                verifier.verify(token, now_utc(), None)
        issuer.said = [(200, PUBLISHED)]
        issuer.over.clear()
        async with until(issuer.over, keys.keep_fresh):
            assert verifier.verify(token, now_utc(), None)


# --- what a token says of keys ----------------------------------------------------------------------------------------


@pytest_asyncio.fixture
async def police(tmp_path: Path, secrets: Path) -> AsyncIterator[FastAPI]:
    async with contextlib.AsyncExitStack() as stack:
        yield await offline(POLICE, tmp_path, secrets, stack)


async def test_a_token_that_names_keys_makes_us_ask_nobody(police: FastAPI) -> None:
    """``jku`` and ``x5u`` lead to keys that would verify it, on this machine; ``jwk`` and ``x5c`` bring one along."""
    theirs = ECKey.generate_key("P-256", {"kid": "issuer-1"}, auto_kid=False)
    listener = Issuer([(200, published(theirs))] * 20)
    async with listening(listener) as url, httpx.AsyncClient() as browser:
        assert (await browser.get(url)).status_code == 200 and listener.asked == 1  # it hears
        headers: list[dict[str, Any]] = [
            *({name: f"{url}/keys"} for name in ("jku", "x5u")),
            {"jwk": theirs.as_dict(private=False)},
            {"kid": f"{url}/keys", "jku": f"{url}/keys"},
        ]
        transport = httpx.ASGITransport(police)
        async with httpx.AsyncClient(transport=transport, base_url="http://police") as http:
            for header in headers:
                token = signed(claims("police", "officer", "bareskrim", now_utc()), theirs, **header)
                refused = await http.get("/v1/agency", headers={"Authorization": f"Bearer {token}"})
                assert (refused.status_code, problem(refused)) == (401, "token-not-valid")
    assert listener.asked == 1
