"""The issuer of tokens for development, over real HTTP: admitted clients, their tokens, and refusals."""

import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePublicNumbers
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from joserfc import jwt
from joserfc.jwk import ECKey
from starlette.types import Receive, Scope, Send

from deploy.issuer.app import create_issuer
from deploy.issuer.authentication import ASSERTION_TYPE
from deploy.issuer.clients import make_issuer
from deploy.issuer.failures import MOST
from deploy.issuer.keys import load_private_key, public_jwk
from deploy.issuer.oauth import MAX_BODY
from deploy.issuer.registry import load_clients, save_clients
from deploy.issuer.tokens import Grant, mint
from deploy.local.embedded_nats import HOST, free_port
from shared.security.development import DEVELOPMENT_ISSUER
from tests.support.certificates import self_signed
from tests.support.issuer import CLIENT, Asking, b64, command, issuing, unb64
from tests.support.listening import listening
from tests.support.network import TestClock

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def listening_issuer(secrets: Path) -> AsyncIterator[Asking]:
    """One issuer for all tests, with the keys and clients that are made for everyone."""
    async with issuing(secrets) as asking:
        yield asking


@pytest.fixture
def asking(listening_issuer: Asking) -> Asking:
    """The issuer a minute after the last test, so that its failures are forgotten, and an honest system."""
    listening_issuer.clock.advance(timedelta(minutes=1))
    listening_issuer.certificates.clear()
    listening_issuer.client = CLIENT
    return listening_issuer


@pytest_asyncio.fixture(loop_scope="module")
async def own(tmp_path: Path) -> AsyncIterator[Asking]:
    """An issuer whose keys and registry the test may change."""
    make_issuer(tmp_path, ["police"])
    async with issuing(tmp_path) as asking:
        yield asking


# --- what a token is --------------------------------------------------------------------------------------------------


async def test_a_client_gets_a_token_that_says_who_it_is_and_for_which_desk(asking: Asking) -> None:
    answer = await asking.ask(resource="urn:estafet:police")
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    told = answer.json()
    assert (told["token_type"], told["expires_in"]) == ("Bearer", 600)

    token = jwt.decode(told["access_token"], await asking.published(), ["ES256"])
    assert (token.header["typ"], token.header["alg"]) == ("at+jwt", "ES256")
    claims, now = token.claims, asking.clock().timestamp()
    assert now - 5 < claims.pop("iat") == claims.pop("exp") - 600 <= now
    assert len(claims.pop("jti")) >= 20
    assert claims == {
        "iss": "urn:estafet:issuer:development",
        "aud": "urn:estafet:police",
        "sub": CLIENT,
        "client_id": CLIENT,
        "roles": ["officer"],
        "unit": "polres-74.01",
    }


async def test_a_token_verifies_without_any_library_for_tokens(asking: Asking) -> None:
    head, body, signature = (await asking.token()).split(".")
    header = json.loads(b64(head))
    published = (await asking.http.get("/jwks")).json()["keys"]
    assert json.loads((asking.secrets / "public" / "issuer.json").read_text())["keys"] == published
    [jwk] = [jwk for jwk in published if jwk["kid"] == header["kid"]]
    assert jwk.keys() == {"kty", "crv", "x", "y", "kid", "use", "alg"}  # and no "d"
    x, y, r, s = (
        int.from_bytes(raw, "big") for raw in (b64(jwk["x"]), b64(jwk["y"]), b64(signature)[:32], b64(signature)[32:])
    )
    public = EllipticCurvePublicNumbers(x, y, SECP256R1()).public_key()
    public.verify(encode_dss_signature(r, s), f"{head}.{body}".encode(), ECDSA(SHA256()))  # or it raises
    assert json.loads(b64(body))["unit"] == "polres-74.01"


async def test_two_tokens_are_never_the_same(asking: Asking) -> None:
    keys = await asking.published()
    tokens = [jwt.decode(await asking.token(), keys, ["ES256"]).claims["jti"] for _ in range(2)]
    assert tokens[0] != tokens[1]


async def test_the_issuer_describes_itself(asking: Asking) -> None:
    told = (await asking.http.get("/.well-known/oauth-authorization-server")).raise_for_status().json()
    assert (told["issuer"], told["jwks_uri"]) == (DEVELOPMENT_ISSUER, f"{asking.url}/jwks")
    assert told["token_endpoint"] == f"{asking.url}/token"
    assert (await asking.ask(client_assertion=asking.assertion(aud=told["token_endpoint"]))).status_code == 200


async def test_a_client_may_name_what_is_registered_for_it(asking: Asking) -> None:
    answer = await asking.ask(scope="unit:polres-74.01 role:officer", client_id=CLIENT)
    assert answer.json()["scope"] == "role:officer unit:polres-74.01"


# --- who gets none ----------------------------------------------------------------------------------------------------


def unsigned(asking: Asking) -> str:
    head, body = ({"alg": "none", "typ": "JWT"}, asking.claims())
    return f"{unb64(json.dumps(head).encode())}.{unb64(json.dumps(body).encode())}."


def signed_with_the_public_key(asking: Asking, secret: bytes) -> str:
    head, body = ({"alg": "HS256", "typ": "JWT"}, asking.claims())
    content = f"{unb64(json.dumps(head).encode())}.{unb64(json.dumps(body).encode())}"
    return f"{content}.{unb64(hmac.new(secret, content.encode(), hashlib.sha256).digest())}"


def nested(asking: Asking) -> str:
    head = unb64(json.dumps({"alg": "ES256"}).encode())
    return f"{head}.{unb64(b'[' * 8000)}.{unb64(bytes(64))}"


def wrong(**claims: Any) -> Callable[[Asking], dict[str, str | None]]:
    """An assertion, well signed, with these claims; numbers are seconds from now."""

    def form(asking: Asking) -> dict[str, str | None]:
        now = int(asking.clock().timestamp())
        meant: dict[str, Any] = {n: value + now if isinstance(value, int) else value for n, value in claims.items()}
        return {"client_assertion": asking.assertion(**meant)}

    return form


def by(key: Callable[[Asking], ECKey]) -> Callable[[Asking], dict[str, str | None]]:
    return lambda asking: {"client_assertion": asking.assertion(key(asking))}


def sent(make: Callable[[Asking], str]) -> Callable[[Asking], dict[str, str | None]]:
    return lambda asking: {"client_assertion": make(asking)}


def form(**parameters: str | None) -> Callable[[Asking], dict[str, str | None]]:
    return lambda _: parameters


REFUSED: dict[str, tuple[Callable[[Asking], dict[str, str | None]], int, str]] = {
    "no grant": (form(grant_type=None), 400, "invalid_request"),
    "an empty grant": (form(grant_type=""), 400, "invalid_request"),
    "another grant": (form(grant_type="password"), 400, "unsupported_grant_type"),
    "another resource": (form(resource="urn:estafet:kemenkes"), 400, "invalid_target"),
    "a resource nobody has": (form(resource="https://canary.example/x"), 400, "invalid_target"),
    "another role": (form(scope="role:supervisor"), 400, "invalid_scope"),
    "another unit": (form(scope="unit:polres-73.71"), 400, "invalid_scope"),
    "its role and another": (form(scope="role:officer role:administrator"), 400, "invalid_scope"),
    "a role that is its unit": (form(scope="role:polres-74.01"), 400, "invalid_scope"),
    "no proof": (form(client_assertion=None, client_id=CLIENT), 401, "invalid_client"),
    "no proof, no name": (form(client_assertion=None), 401, "invalid_client"),
    "another kind of assertion": (form(client_assertion_type="urn:canary"), 401, "invalid_client"),
    "no kind of assertion": (form(client_assertion_type=None), 401, "invalid_client"),
    "another client's name beside it": (form(client_id="police-supervisor"), 401, "invalid_client"),
    "an unknown key": (by(lambda _: ECKey.generate_key("P-256")), 401, "invalid_client"),
    "the key of another client": (by(lambda a: a.key("police-supervisor")), 401, "invalid_client"),
    "the key of another agency": (by(lambda a: a.key("kemenkes-officer", "kemenkes")), 401, "invalid_client"),
    "the issuer's own key": (
        by(lambda a: load_private_key(a.secrets / "issuer" / "issuer-1.pem")),
        401,
        "invalid_client",
    ),
    "an unknown client": (wrong(iss="canary-client", sub="canary-client"), 401, "invalid_client"),
    "another's name in iss": (wrong(iss="police-supervisor"), 401, "invalid_client"),
    "another's name in sub": (wrong(sub="police-supervisor"), 401, "invalid_client"),
    "a sub that is a list": (wrong(sub=[CLIENT]), 401, "invalid_client"),
    "another audience": (wrong(aud="https://canary.example/token"), 401, "invalid_client"),
    "one more audience": (wrong(aud=[DEVELOPMENT_ISSUER, "https://canary.example/token"]), 401, "invalid_client"),
    "no audience": (wrong(aud=None), 401, "invalid_client"),
    "an empty audience": (wrong(aud=[]), 401, "invalid_client"),
    "expired": (wrong(exp=-15, iat=-75), 401, "invalid_client"),
    "good for too long": (wrong(exp=330), 401, "invalid_client"),
    "good for ever": (wrong(exp=None), 401, "invalid_client"),
    "of tomorrow": (wrong(iat=60, exp=120), 401, "invalid_client"),
    "not yet": (wrong(nbf=60), 401, "invalid_client"),
    "without a number": (wrong(jti=None), 401, "invalid_client"),
    "with a huge number": (wrong(jti="j" * 300), 401, "invalid_client"),
    "unsigned": (sent(unsigned), 401, "invalid_client"),
    "HS256 with the public PEM": (
        sent(lambda a: signed_with_the_public_key(a, a.key().as_pem(private=False))),
        401,
        "invalid_client",
    ),
    "HS256 with the public JWK": (
        sent(lambda a: signed_with_the_public_key(a, json.dumps(public_jwk(a.key())).encode())),
        401,
        "invalid_client",
    ),
    "an access token as proof": (
        sent(lambda a: mint(a.secrets, Grant(CLIENT, "police", "officer", "polres-74.01"), a.clock())),
        401,
        "invalid_client",
    ),
    "no token at all": (sent(lambda _: "canary"), 401, "invalid_client"),
    "not ASCII": (sent(lambda _: "é.ø.ü"), 401, "invalid_client"),
    "JSON of great depth": (sent(nested), 401, "invalid_client"),
}  # fmt: skip


@pytest.mark.parametrize("how", REFUSED)
async def test_who_is_refused_learns_the_error_and_no_more(
    asking: Asking, how: str, capfd: pytest.CaptureFixture[str]
) -> None:
    make, status, error = REFUSED[how]
    form = asking.form(**make(asking))
    answer = await asking.http.post("/token", data=form)
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert answer.json().keys() == {"error", "error_description"}
    assert answer.headers["cache-control"] == "no-store"
    assert all(" " <= sign <= "~" and sign not in '"\\' for sign in answer.json()["error_description"])
    said = answer.text + str(answer.headers) + "".join(capfd.readouterr())
    known = {"client_credentials", ASSERTION_TYPE, CLIENT}
    assert not [value for value in form.values() if value and value not in known and value in said]
    assert "canary" not in said
    # and the same client, asking properly, is served
    assert (await asking.ask()).status_code == 200


async def test_all_who_prove_nothing_get_the_same_answer(asking: Asking) -> None:
    hows = ["no proof", "an unknown key", "an unknown client", "another audience", "expired", "unsigned"]
    answers = {(await asking.ask(**REFUSED[how][0](asking))).content for how in hows}
    assert len(answers) == 1


async def test_an_assertion_is_good_once(asking: Asking) -> None:
    assertion = asking.assertion(jti="once")
    answers = [(await asking.ask(client_assertion=assertion)).status_code for _ in range(2)]
    assert answers == [200, 401]
    # not by its text but by its number, and that is the client's own
    assert (await asking.ask(client_assertion=asking.assertion(jti="once"))).status_code == 401
    asking.client = "police-officer"
    assert (await asking.ask(client_assertion=asking.assertion(jti="once"))).status_code == 200


async def test_an_assertion_is_remembered_until_it_has_expired(asking: Asking) -> None:
    assertion = asking.assertion(jti="remembered", exp=int(asking.clock().timestamp()) + 300)
    assert (await asking.ask(client_assertion=assertion)).status_code == 200
    for _ in range(11):
        assert (await asking.ask(client_assertion=assertion)).status_code == 401
        asking.clock.advance(timedelta(seconds=30))
        assert (await asking.ask()).status_code == 200  # each of which clears away what is over


MALFORMED: dict[str, tuple[dict[str, Any], str]] = {
    "JSON": ({"json": {"grant_type": "client_credentials"}}, "invalid_request"),
    "no body": ({}, "invalid_request"),
    "too much": ({"data": {"grant_type": "x" * MAX_BODY}}, "invalid_request"),
    "too many": ({"data": {f"p{n}": "x" for n in range(40)}}, "invalid_request"),
    "a parameter twice": ({"data": {"grant_type": ["client_credentials"] * 2}}, "invalid_request"),
    "two resources": ({"data": {"resource": ["urn:estafet:police", "urn:estafet:kemenkes"]}}, "invalid_target"),
    "broken UTF-8": (
        {"content": b"grant_type=%ff", "headers": {"Content-Type": "application/x-www-form-urlencoded"}},
        "invalid_request",
    ),
}


@pytest.mark.parametrize("how", MALFORMED)
async def test_a_form_that_is_none_is_refused(asking: Asking, how: str) -> None:
    body, error = MALFORMED[how]
    answer = await asking.http.post("/token", **body)
    assert (answer.status_code, answer.json()["error"]) == (400, error)


async def test_a_password_is_not_tried(asking: Asking) -> None:
    secret = {"grant_type": "client_credentials", "client_id": CLIENT, "client_secret": "x"}
    assert (await asking.http.post("/token", data=secret)).status_code == 401
    del secret["client_id"], secret["client_secret"]
    answer = await asking.http.post("/token", data=secret, auth=(CLIENT, "x"))
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, 'Basic realm="estafet"')


async def test_who_fails_too_often_is_not_listened_to_for_a_minute(asking: Asking) -> None:
    for _ in range(MOST):
        assert (await asking.ask(client_assertion="x")).status_code == 401
    answer = await asking.ask()
    assert (answer.status_code, answer.json()["error"]) == (429, "temporarily_unavailable")
    assert 50 < int(answer.headers["retry-after"]) <= 61
    asking.clock.advance(timedelta(seconds=int(answer.headers["retry-after"])))
    assert (await asking.ask()).status_code == 200


# --- certificates (RFC 8705) ------------------------------------------------------------------------------------------


async def test_a_token_is_bound_to_the_certificate_that_the_client_shows(asking: Asking) -> None:
    leaf, other = self_signed("police-system"), self_signed("issuing-ca")
    asking.certificates[:] = [leaf.pem, other.pem]
    claims = jwt.decode(await asking.token(), await asking.published(), ["ES256"]).claims
    assert claims["cnf"] == {"x5t#S256": unb64(hashlib.sha256(leaf.der).digest())}
    asking.certificates.clear()
    assert "cnf" not in jwt.decode(await asking.token(), await asking.published(), ["ES256"]).claims


def register_certificate(asking: Asking, der: bytes) -> None:
    clients = load_clients(asking.secrets / "issuer")
    clients[CLIENT] = clients[CLIENT].model_copy(update={"certificate": unb64(hashlib.sha256(der).digest())})
    save_clients(asking.secrets / "issuer", clients)


async def test_a_registered_certificate_is_asked_for_whatever_else_is_shown(own: Asking) -> None:
    registered, other = self_signed("police-system"), self_signed("police-system")
    register_certificate(own, registered.der)
    assert (await own.ask()).status_code == 401
    own.certificates[:] = [other.pem, registered.pem]
    assert (await own.ask()).status_code == 401
    own.certificates[:] = [registered.pem]
    assert (await own.ask()).status_code == 200


async def test_a_registered_certificate_is_proof_enough(own: Asking) -> None:
    registered = self_signed("police-system")
    own.certificates[:] = [registered.pem]
    alone = {"grant_type": "client_credentials", "client_id": CLIENT}
    assert (await own.http.post("/token", data=alone)).status_code == 401  # it is not registered yet
    register_certificate(own, registered.der)
    answer = await own.http.post("/token", data=alone)
    claims = jwt.decode(answer.json()["access_token"], await own.published(), ["ES256"]).claims
    assert claims["cnf"] == {"x5t#S256": unb64(hashlib.sha256(registered.der).digest())}
    other = await own.http.post("/token", data={**alone, "client_id": "police-officer"})
    assert (other.status_code, other.json()["error"]) == (401, "invalid_client")


async def test_a_certificate_that_the_server_could_not_verify_counts_as_none(secrets: Path) -> None:
    failed = {"tls": {"client_cert_chain": [self_signed("stranger").pem], "client_cert_error": "unknown authority"}}
    clock, port = TestClock(), free_port()
    app = create_issuer(secrets, f"http://{HOST}:{port}", clock)

    async def called(scope: Scope, receive: Receive, send: Send) -> None:
        await app({**scope, "extensions": failed}, receive, send)

    async with listening(called, port) as url, httpx.AsyncClient(base_url=url) as http:
        asking = Asking(secrets, url, clock, http)
        assert "cnf" not in jwt.decode(await asking.token(), await asking.published(), ["ES256"]).claims


# --- keys and clients -------------------------------------------------------------------------------------------------


async def test_after_a_rotation_the_new_key_signs_and_the_old_one_still_verifies(own: Asking) -> None:
    before = await own.token()
    rotated = command("deploy.issuer", "rotate", "--folder", str(own.secrets))
    assert rotated.returncode == 0, rotated.stderr
    after, keys = await own.token(), await own.published()
    kids = [jwt.decode(token, keys, ["ES256"]).header["kid"] for token in (before, after)]
    assert kids[0] != kids[1] and {key.kid for key in keys} == set(kids)
    assert json.loads((own.secrets / "public" / "issuer.json").read_text()) == (await own.http.get("/jwks")).json()


async def test_a_client_that_is_struck_off_gets_nothing_more(own: Asking) -> None:
    assert (await own.ask()).status_code == 200
    clients = load_clients(own.secrets / "issuer")
    del clients[CLIENT]
    save_clients(own.secrets / "issuer", clients)
    assert (await own.ask()).status_code == 401
