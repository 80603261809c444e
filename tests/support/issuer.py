"""The issuer of tokens on a free port, and a system that asks it, honestly or not."""

import base64
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet
from starlette.types import ASGIApp, Receive, Scope, Send

from deploy.issuer.app import create_issuer
from deploy.issuer.authentication import ASSERTION_TYPE
from deploy.issuer.keys import load_private_key
from deploy.local.embedded_nats import HOST, free_port
from shared.security.development import DEVELOPMENT_ISSUER
from tests.support.listening import listening
from tests.support.network import TestClock
from tests.support.sources import ROOT

CLIENT = "police-officer-polres-74.01"


@dataclass
class Asking:
    """A police system at the token endpoint: honest, unless told otherwise."""

    secrets: Path
    url: str
    clock: TestClock
    http: httpx.AsyncClient
    client: str = CLIENT
    number: int = 0
    certificates: list[str] = field(default_factory=list)
    """The chain that its connection shows."""

    def key(self, client: str = "", member: str = "police") -> ECKey:
        return load_private_key(self.secrets / member / "clients" / f"{client or self.client}.pem")

    def claims(self, **other: Any) -> dict[str, Any]:
        """The claims of an assertion; a claim that is None is left out."""
        now, self.number = int(self.clock().timestamp()), self.number + 1
        usual = {"iss": self.client, "sub": self.client, "aud": DEVELOPMENT_ISSUER, "iat": now, "exp": now + 60}
        every = {**usual, "jti": f"assertion-{self.number}", **other}
        return {name: value for name, value in every.items() if value is not None}

    def assertion(self, key: ECKey | None = None, **other: Any) -> str:
        return jwt.encode({"alg": "ES256"}, self.claims(**other), key or self.key(), ["ES256"])

    def form(self, **other: str | None) -> dict[str, str]:
        """The form that the client sends; a parameter that is None is left out."""
        usual = {"grant_type": "client_credentials", "client_assertion_type": ASSERTION_TYPE}
        every = {**usual, "client_assertion": other.get("client_assertion") or self.assertion(), **other}
        return {name: value for name, value in every.items() if value is not None}

    async def ask(self, **other: str | None) -> httpx.Response:
        return await self.http.post("/token", data=self.form(**other))

    async def token(self, **other: str | None) -> str:
        answer = await self.ask(**other)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])

    async def published(self) -> KeySet:
        return KeySet.import_key_set((await self.http.get("/jwks")).raise_for_status().json())


def with_certificates(app: ASGIApp, chain: list[str]) -> ASGIApp:
    """The app as it is called by a server that speaks TLS: what the client showed is in the scope."""

    async def called(scope: Scope, receive: Receive, send: Send) -> None:
        extensions = {**scope.get("extensions", {}), **({"tls": {"client_cert_chain": chain}} if chain else {})}
        await app({**scope, "extensions": extensions}, receive, send)

    return called


@asynccontextmanager
async def issuing(secrets: Path) -> AsyncIterator[Asking]:
    """The issuer on a free port, and a system that asks it."""
    clock, port, shown = TestClock(), free_port(), list[str]()
    app = create_issuer(secrets, f"http://{HOST}:{port}", clock)
    async with listening(with_certificates(app, shown), port) as url, httpx.AsyncClient(base_url=url) as http:
        yield Asking(secrets, url, clock, http, certificates=shown)


def command(*words: str, profile: str = "development") -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "ESTAFET_PROFILE": profile, "PYTHONIOENCODING": "utf-8"}
    return subprocess.run(
        [sys.executable, "-m", *words], cwd=ROOT, env=environment, capture_output=True, encoding="utf-8", timeout=60
    )


def b64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def unb64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
