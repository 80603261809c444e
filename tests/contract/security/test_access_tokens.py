"""Access tokens that must not be admitted, each tried on the real police service; and the one that does.

The answer never says which check failed; the log says it, as a code.
"""

import base64
import contextlib
import hashlib
import hmac
import json
import ssl
import statistics
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
import pytest_asyncio
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from fastapi import FastAPI
from joserfc.jwk import ECKey, KeySet

from services.police.main import MEMBER as POLICE
from shared.http.rate import Buckets
from shared.reference.office import new_id
from shared.security.issuer_keys import IssuerKeys
from shared.security.tokens import BadToken, Verifier
from shared.service.running import now_utc
from tests.support.ids import next_ids
from tests.support.network import TestClock, asked_of_the_database, offline, problem
from tests.support.served import police_at_work
from tests.support.tokens import ISSUER, Bearing, claims, human, issuer_key, machine, signed

ON_ONE_LOOP = pytest.mark.asyncio(loop_scope="module")
PATH = "/v1/agency"


def certificate(name: str) -> tuple[str, str]:
    """A certificate of somebody, as PEM, and its thumbprint as RFC 8705 writes it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    digest = hashlib.sha256(made.public_bytes(serialization.Encoding.DER)).digest()
    return made.public_bytes(serialization.Encoding.PEM).decode(), unpadded(digest)


def unpadded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


OURS, THEIRS = certificate("police"), certificate("kemenkes")
STRANGE_KEY = ECKey.generate_key("P-256", {"kid": "issuer-1"}, auto_kid=False)


def good(**changes: Any) -> dict[str, Any]:
    now = datetime.now(UTC)
    return {**claims("police", "officer", "polres-74.01", now), **changes}


def without(name: str) -> str:
    return signed({key: value for key, value in good().items() if key != name})


def by_hand(header: Mapping[str, Any], body: Mapping[str, Any], sign: Callable[[bytes], bytes]) -> str:
    """A token that no library would make."""
    said = ".".join(unpadded(json.dumps(part).encode()) for part in (header, body))
    return f"{said}.{unpadded(sign(said.encode()))}"


def with_the_public_key_as_secret(said: bytes) -> bytes:
    pem: bytes = issuer_key().as_pem(private=False)
    return hmac.new(pem, said, hashlib.sha256).digest()


def some_time(seconds: int) -> int:
    return int(time.time()) + seconds


@dataclass(frozen=True)
class Attack:
    """A token, and the certificate of the connection it comes over, if any."""

    token: Callable[[], str]
    reason: str
    certificate: str | None = None


KID = {"kid": "issuer-1", "typ": "at+jwt"}
ATTACKS: Mapping[str, Attack] = {
    "of another audience": Attack(lambda: signed(good(aud="urn:estafet:kemenkes")), "invalid-claim"),
    "of ours and another audience": Attack(
        lambda: signed(good(aud=["urn:estafet:police", "urn:estafet:kemenkes"])), "for-another-service-too"
    ),
    "of our audience twice": Attack(lambda: signed(good(aud=["urn:estafet:police"] * 2)), "for-another-service-too"),
    "of a human whose name breaks the line": Attack(lambda: signed(good(sub="ani\nbudi")), "claims-of-another-shape"),
    "of a human whose name ends the line": Attack(lambda: signed(good(sub="ani\n")), "claims-of-another-shape"),
    "of a human with a mailbox": Attack(lambda: signed(good(sub="ani@rekaan.example")), "claims-of-another-shape"),
    "of a human turned right to left": Attack(lambda: signed(good(sub="ani\u202ebudi")), "claims-of-another-shape"),
    "of nobody": Attack(lambda: signed(good(sub="")), "claims-of-another-shape"),
    "of a machine whose name breaks the line": Attack(
        lambda: signed(machine(good(client_id="mesin")) | {"sub": "mesin\n"}), "claims-of-another-shape"
    ),
    "of an actor whose name breaks the line": Attack(
        lambda: signed(good(act={"sub": "klien\nlain"})), "claims-of-another-shape"
    ),
    "of an actor without a name": Attack(lambda: signed(good(act={})), "claims-of-another-shape"),
    "of an actor that is a text": Attack(lambda: signed(good(act="klien")), "claims-of-another-shape"),
    "of an actor that is not the client": Attack(
        lambda: signed(good(act={"sub": "klien-lain"})), "not-the-client-of-a-person"
    ),
    "of a client that calls for itself as for a human": Attack(
        lambda: signed(good(sub=good()["client_id"])), "not-the-client-of-a-person"
    ),
    "of no audience": Attack(lambda: without("aud"), "missing-claim"),
    "of another issuer": Attack(lambda: signed(good(iss="urn:estafet:issuer:other")), "invalid-claim"),
    "of no issuer": Attack(lambda: without("iss"), "missing-claim"),
    "expired": Attack(lambda: signed(good(exp=some_time(-10), iat=some_time(-700))), "expired-token"),
    "that never expires": Attack(lambda: without("exp"), "missing-claim"),
    "from the future": Attack(lambda: signed(good(nbf=some_time(300))), "invalid-claim"),
    "that lives a year": Attack(lambda: signed(good(exp=some_time(365 * 86400))), "lives-too-long"),
    "alg none": Attack(lambda: by_hand({"alg": "none", **KID}, good(), lambda _: b""), "unsupported-algorithm"),
    "alg HS256 with the public key as the secret": Attack(
        lambda: by_hand({"alg": "HS256", **KID}, good(), with_the_public_key_as_secret), "unsupported-algorithm"
    ),
    "signed by somebody else under the issuer's key id": Attack(lambda: signed(good(), STRANGE_KEY), "bad-signature"),
    "signed by a key that nobody knows": Attack(lambda: signed(good(), kid="other"), "invalid-key-id"),
    "changed after signing": Attack(lambda: changed(signed(good())), "bad-signature"),
    "an ID token": Attack(lambda: signed(good(), typ="JWT"), "not-an-access-token"),
    "with a critical extension": Attack(
        lambda: by_hand({"alg": "ES256", **KID, "crit": ["b64"], "b64": False}, good(), lambda _: b"x" * 64), ""
    ),
    "with an embedded key": Attack(lambda: signed(good(), STRANGE_KEY, jwk=STRANGE_KEY.as_dict(private=False)), ""),
    "of no role": Attack(lambda: signed(good(roles=[])), "claims-of-another-shape"),
    "of two roles": Attack(lambda: signed(good(roles=["officer", "auditor"])), "claims-of-another-shape"),
    "of a role there is not": Attack(lambda: signed(good(roles=["root"])), "claims-of-another-shape"),
    "of a unit there is not": Attack(lambda: signed(good(unit="polres-99.99")), "unknown-unit"),
    "of another agency's unit": Attack(lambda: signed(good(unit="dinsos-74.01")), "unknown-unit"),
    "not JSON": Attack(lambda: f"{unpadded(b'[')}.{unpadded(b'[')}.{unpadded(b'[')}", ""),
    "without an end": Attack(lambda: "a." * 5000, "too-long"),
    "bound to a certificate, none shown": Attack(
        lambda: signed(good(cnf={"x5t#S256": OURS[1]})), "bound-to-another-certificate"
    ),
    "bound to ours, another agency's certificate shown": Attack(
        lambda: signed(good(cnf={"x5t#S256": OURS[1]})), "bound-to-another-certificate", THEIRS[0]
    ),
    "bound to something else": Attack(lambda: signed(good(cnf={"jkt": "x"})), "claims-of-another-shape", OURS[0]),
}


def changed(token: str) -> str:
    header, _, signature = token.split(".")
    return f"{header}.{unpadded(json.dumps(good(roles=['supervisor'])).encode())}.{signature}"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def police(tmp_path_factory: pytest.TempPathFactory, secrets: Path) -> AsyncIterator[FastAPI]:
    async with contextlib.AsyncExitStack() as stack:
        yield await offline(POLICE, tmp_path_factory.mktemp("tokens"), secrets, stack)


async def call(
    app: FastAPI, *authorization: str, shown: str | None = None, path: str = PATH, **more: str
) -> httpx.Response:
    async def over_tls(scope: Any, receive: Any, send: Any) -> None:
        chain = {"extensions": {"tls": {"client_cert_chain": [shown]}}} if shown else {}
        await app({**scope, **chain}, receive, send)

    headers = [*(("Authorization", value) for value in authorization), *more.items()]
    async with httpx.AsyncClient(transport=httpx.ASGITransport(over_tls), base_url="http://police") as http:
        return await http.get(path, headers=headers)


@pytest.fixture(autouse=True)
def forgiving(police: FastAPI) -> None:
    """A client that guesses tokens is soon refused unheard; these tests need an answer to every guess."""
    police.state.limits.addresses = Buckets()


@ON_ONE_LOOP
@pytest.mark.parametrize("attack", ATTACKS)
async def test_a_token_does_not_open_the_door(police: FastAPI, attack: str) -> None:
    tried = ATTACKS[attack]
    refused = await call(police, f"Bearer {tried.token()}", shown=tried.certificate)
    assert (refused.status_code, problem(refused)) == (401, "token-not-valid")
    assert refused.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'
    verifier: Verifier = police.state.admission.verifier
    if tried.reason and tried.reason != "unknown-unit":
        with pytest.raises(BadToken) as why:
            verifier.verify(tried.token(), now_utc(), THEIRS[1] if tried.certificate == THEIRS[0] else None)
        assert why.value.reason == tried.reason


@ON_ONE_LOOP
async def test_the_right_token_does_and_so_does_one_bound_to_the_certificate_shown(police: FastAPI) -> None:
    assert (await call(police, f"Bearer {signed(good())}")).status_code == 200
    assert (await call(police, f"bearer {signed(good(), typ='application/at+jwt')}")).status_code == 200
    bound = signed(good(cnf={"x5t#S256": OURS[1]}))
    assert (await call(police, f"Bearer {bound}", shown=OURS[0])).status_code == 200
    # what was verified once is still bound the next time
    assert (await call(police, f"Bearer {bound}", shown=THEIRS[0])).status_code == 401


@ON_ONE_LOOP
async def test_the_caller_is_the_human_and_the_client_together(police: FastAPI) -> None:
    """RFC 8693: ``sub`` is the human, ``act`` the client. Without ``act`` no ``sub`` is a human, whatever it holds."""
    verifier: Verifier = police.state.admission.verifier
    named = verifier.verify(signed(good(aud=["urn:estafet:police"])), now_utc(), None)
    assert (named.person, named.client) == (human("police", "officer", "polres-74.01"), "police-officer-polres-74.01")
    own = machine(good())
    for sub in (own["client_id"], "0b8f2c52-5d0e-4c9e-9f6e-1f8f6f9b9a10"):  # a service account of Keycloak
        assert verifier.verify(signed({**own, "sub": sub}), now_utc(), None).person == ""


@ON_ONE_LOOP
@pytest.mark.parametrize(
    "authorization",
    [(), ("Basic cG9saWNlOnBvbGljZQ==",), ("Bearer",), ("Bearer ",), ("Token x",)],
)
async def test_what_is_no_bearer_token_is_none(police: FastAPI, authorization: tuple[str, ...]) -> None:
    refused = await call(police, *authorization)
    assert (refused.status_code, problem(refused)) == (401, "token-required")
    assert refused.headers["WWW-Authenticate"] == "Bearer"


@ON_ONE_LOOP
async def test_of_two_tokens_neither_counts(police: FastAPI) -> None:
    assert problem(await call(police, f"Bearer {signed(good())}", "Bearer x")) == "malformed-request"


@ON_ONE_LOOP
async def test_a_token_in_the_query_is_none(police: FastAPI) -> None:
    assert (await call(police, path=f"{PATH}?access_token={signed(good())}")).status_code == 401


@ON_ONE_LOOP
async def test_the_door_comes_before_the_body(police: FastAPI) -> None:
    """An unknown caller learns nothing of the shape of a body."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(police), base_url="http://police") as http:
        for body in (b"{}", b'{"unit": 7}', b""):
            assert problem(await http.post("/v1/cases", content=body)) == "token-required"


async def test_a_verified_token_ends_with_its_time_and_with_its_key(secrets: Path) -> None:
    clock, keys = TestClock(), KeySet([issuer_key()])
    verifier = Verifier(ISSUER, "urn:estafet:police", lambda: keys)
    token = signed(claims("police", "officer", "bareskrim", clock()))
    assert verifier.verify(token, clock(), None).unit == "bareskrim"
    clock.advance(timedelta(minutes=11))
    with pytest.raises(BadToken, match="expired-token"):
        verifier.verify(token, clock(), None)

    token = signed(claims("police", "officer", "bareskrim", clock()))
    verifier.verify(token, clock(), None)
    keys = KeySet([])
    verifier.forget()
    with pytest.raises(BadToken):
        verifier.verify(token, clock(), None)


async def test_where_certificates_are_asked_for_only_a_bound_token_counts() -> None:
    verifier = Verifier(ISSUER, "urn:estafet:police", lambda: KeySet([issuer_key()]), bound=True)
    with pytest.raises(BadToken, match="not-bound"):
        verifier.verify(signed(good()), now_utc(), OURS[1])
    assert verifier.verify(signed(good(cnf={"x5t#S256": OURS[1]})), now_utc(), OURS[1]).role == "officer"


@pytest.fixture
async def asking_for_certificates(tmp_path: Path, secrets: Path) -> AsyncIterator[FastAPI]:
    """The police where every caller must show a certificate."""
    own = secrets / "police"
    asks = {"tls_client_ca_file": secrets / "public/ca.pem", "tls_certificate_file": own / "tls.pem"}
    async with police_at_work(tmp_path, secrets, **asks, tls_key_file=own / "tls-key.pem") as (app, _):
        yield app


async def test_a_service_that_asks_for_certificates_takes_no_token_without_one(
    asking_for_certificates: FastAPI,
) -> None:
    """A stolen token is then of no use, not even to another agency with a certificate of its own."""
    for stolen in (signed(good()), signed(good(cnf={"x5t#S256": OURS[1]}))):
        assert (await call(asking_for_certificates, f"Bearer {stolen}", shown=THEIRS[0])).status_code == 401
    bound = signed(good(cnf={"x5t#S256": OURS[1]}))
    assert (await call(asking_for_certificates, f"Bearer {bound}", shown=OURS[0])).status_code == 200


CERTIFICATE_HEADERS = (
    *("Client-Cert", "Client-Cert-Chain", "X-Client-Cert", "X-SSL-Cert", "X-SSL-Client-Cert", "SSL-Client-Cert"),
    *("X-Forwarded-Client-Cert", "X-Forwarded-Tls-Client-Cert", "X-ARR-ClientCert", "X-Amzn-Mtls-Clientcert"),
    *("X-Client-Certificate", "X-SSL-Client-SHA256", "X-Client-Cert-Thumbprint"),
)


@ON_ONE_LOOP
@pytest.mark.parametrize("header", CERTIFICATE_HEADERS)
async def test_a_certificate_that_a_header_tells_of_is_none(police: FastAPI, header: str) -> None:
    """A proxy may pass a certificate on in such a header, but any caller could write it too. A certificate is
    public."""
    bound = f"Bearer {signed(good(cnf={'x5t#S256': OURS[1]}))}"
    der = base64.b64encode(ssl.PEM_cert_to_DER_cert(OURS[0])).decode()
    for said in (quote(OURS[0]), der, f":{der}:", f'Cert="{quote(OURS[0])}"', OURS[1], "".join(OURS[0].split("\n"))):
        for shown in (None, THEIRS[0]):
            assert (await call(police, bound, shown=shown, **{header: said})).status_code == 401, said[:20]
        police.state.limits.addresses = Buckets()


async def test_a_token_of_a_key_that_the_issuer_has_taken_back_counts_no_more(tmp_path: Path, secrets: Path) -> None:
    """A token that was verified before is refused too."""
    async with police_at_work(tmp_path, secrets) as (app, _):
        keys: IssuerKeys = app.state.admission.verifier.keys
        token = f"Bearer {signed(good())}"
        assert (await call(app, token)).status_code == 200
        keys._take(json.dumps(KeySet([STRANGE_KEY]).as_dict(private=False)))
        assert (await call(app, token)).status_code == 401


async def test_a_secret_in_the_published_keys_verifies_nothing(tmp_path: Path) -> None:
    published = tmp_path / "issuer.json"
    secret = {"kty": "oct", "k": unpadded(b"0" * 32), "kid": "s"}
    published.write_text(json.dumps({"keys": [secret, issuer_key().as_dict(private=True)]}))
    assert list(IssuerKeys(str(published))()) == []


CASE, VICTIM, NOBODY = (f"0193f0a2-7a10-7000-8000-0000000000{number}" for number in ("31", "32", "ff"))


@ON_ONE_LOOP
async def test_neither_time_nor_work_tells_hidden_from_not_there(police: FastAPI) -> None:
    """A hidden object and a missing one run the same statements, in the same time."""
    owner = Bearing("police", "officer", "polres-74.01", now_utc)  # type: ignore[arg-type]
    stranger = Bearing("police", "officer", "polres-11.01", now_utc)  # type: ignore[arg-type]
    transport = httpx.ASGITransport(police)
    async with httpx.AsyncClient(transport=transport, base_url="http://police", auth=owner) as http:
        case = {"unit": "polres-74.01", "channel": "spkt", "exploitation": "sexual"}
        victim = {"age_class": "child", "sex": "female"}
        with next_ids(CASE, VICTIM):
            await http.post("/v1/cases", json=case, headers={"Idempotency-Key": new_id()})
            await http.post(f"/v1/cases/{CASE}/victims", json=victim, headers={"Idempotency-Key": new_id()})

    spent: dict[str, list[float]] = {VICTIM: [], NOBODY: []}
    run: dict[str, list[str]] = {}
    with asked_of_the_database(police) as statements:
        async with httpx.AsyncClient(transport=transport, base_url="http://police", auth=stranger) as http:
            for _ in range(150):
                for asked, times in spent.items():
                    statements.clear()
                    began = time.perf_counter()
                    refused = await http.get(f"/v1/victims/{asked}")
                    times.append(time.perf_counter() - began)
                    run[asked] = list(statements)
                    assert (refused.status_code, problem(refused)) == (404, "unknown-victim")
    assert run[VICTIM] == run[NOBODY] != []
    hidden, absent = (statistics.median(times) for times in spent.values())
    assert 0.5 < hidden / absent < 2.0
