"""Access tokens for an agency's system: OAuth 2.0 client credentials with ``private_key_jwt`` (RFC 7523).

A system that calls for a human signs who that is, and gets a token for that human (RFC 8693).

A ``TokenSource`` is the ``auth`` of an httpx client. It requests tokens through the same client, and so with the same
client certificate as the calls. A bound token (RFC 8705) is bound to that certificate.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, Generator
from datetime import datetime, timedelta
from pathlib import Path

import httpx
from joserfc import jwt
from joserfc.jwk import ECKey

from deploy.client.agency_system import CallRefused, new_id
from deploy.issuer.authentication import ASSERTION_TYPE, SUBJECT_TYPE
from deploy.issuer.clients import COORDINATION, working_client
from deploy.issuer.keys import ALGORITHM, load_private_key
from deploy.issuer.oauth import EXCHANGE, GRANT_TYPE
from deploy.issuer.tokens import Now, now_utc, resource
from services.members import SERVICES
from shared.domain.access import Role
from shared.security.development import DEVELOPMENT_ISSUER

EARLY = timedelta(seconds=30)
"""A new token is requested this long before the old one expires, so that no token expires during a call."""
ASSERTION_SECONDS = 60


class IssuerAway(httpx.TransportError):
    """The issuer is temporarily unavailable (429 or 5xx). As a TransportError, it is worth another try."""


class TokenSource(httpx.Auth):
    """Adds a valid token to every request of an ``httpx.AsyncClient``, and replaces a refused token once.

    ``audience``: the issuer's own name; ``member``: the member whose service is called. ``person``: the pseudonym of
    the human for whom the system calls; empty for the system itself. Raises CallRefused when the issuer refuses a
    token, httpx.TransportError when it cannot be reached.
    """

    def __init__(
        self,
        token_url: str,
        client: str,
        key: ECKey,
        member: str,
        now: Now = now_utc,
        audience: str = DEVELOPMENT_ISSUER,
        person: str = "",
    ) -> None:
        self._token_url = token_url
        self._client = client
        key.ensure_kid()
        self._key = key
        self._member = member
        self._now = now
        self._audience = audience
        self._person = person
        self._one_at_a_time = asyncio.Lock()
        self._token = ""
        self._until: datetime | None = None

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Send the request with a token. After a 401, send it once more with a new token."""
        refused = ""
        for _ in range(2):
            async with self._one_at_a_time:
                if not self._holds(refused):
                    asked_at = self._now()
                    answer = yield self._token_request(request, asked_at)
                    await self._keep(answer, asked_at)
                refused = self._token
            request.headers["Authorization"] = f"Bearer {refused}"
            response = yield request
            if response.status_code != httpx.codes.UNAUTHORIZED:
                return

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Raises RuntimeError. Without this method a synchronous client would silently send no token."""
        raise RuntimeError("TokenSource is for httpx.AsyncClient")

    def _holds(self, refused: str) -> bool:
        """Whether there is a token, other than ``refused``, that is valid for at least EARLY."""
        return self._token != refused and self._until is not None and self._now() < self._until - EARLY

    async def _keep(self, answer: httpx.Response, asked_at: datetime) -> None:
        if answer.status_code == httpx.codes.TOO_MANY_REQUESTS or answer.is_server_error:
            raise IssuerAway(f"issuer: {answer.status_code}", request=answer.request)
        body = await answer.aread()
        if answer.status_code != httpx.codes.OK:
            raise CallRefused(answer)
        told = json.loads(body)
        self._token, self._until = told["access_token"], asked_at + timedelta(seconds=told["expires_in"])

    def _token_request(self, request: httpx.Request, now: datetime) -> httpx.Request:
        """The token request (RFC 6749 4.4.2, RFC 7523 2.2, RFC 8707 2), with the timeouts of ``request``."""
        moment = int(now.timestamp())
        form = {
            "grant_type": EXCHANGE if self._person else GRANT_TYPE,
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": self._assertion(self._client, moment),
            "resource": resource(self._member),
        }
        if self._person:
            form |= {"subject_token": self._assertion(self._person, moment), "subject_token_type": SUBJECT_TYPE}
        return httpx.Request("POST", self._token_url, data=form, extensions=dict(request.extensions))

    def _assertion(self, subject: str, now: int) -> str:
        """A JWT that the client signs: about itself, or about the human for whom it calls."""
        who = {"iss": self._client, "sub": subject, "aud": self._audience}
        claims = {**who, "jti": new_id(), "iat": now, "exp": now + ASSERTION_SECONDS}
        return jwt.encode({"alg": ALGORITHM, "kid": self._key.kid}, claims, self._key, [ALGORITHM])


def token_sources(issuer_url: str, secrets: Path) -> dict[str, TokenSource]:
    """Member → the token source of its own system, as the client of its daily work at the national desk.

    Each calls for an invented human, as a system does in production.
    An agency's supervisor stands under ``supervisor_of(member)``: the second person of an act that needs two.
    ``secrets``: the deployment's folder, with the clients' keys. Raises OSError or ValueError for an unreadable key.
    """
    own = {member: working_client(member) for member in SERVICES}
    above = {supervisor_of(member): supervisor_of(member) for member in SERVICES if member != COORDINATION}
    return {
        system: _source(f"{issuer_url}/token", secrets, system.removesuffix(f"-{Role.SUPERVISOR}"), client)
        for system, client in {**own, **above}.items()
    }


def supervisor_of(member: str) -> str:
    """The name of the system of an agency's supervisor, and of its client."""
    return f"{member}-{Role.SUPERVISOR}"


def _source(token_url: str, secrets: Path, member: str, client: str) -> TokenSource:
    key = load_private_key(secrets / member / "clients" / f"{client}.pem")
    return TokenSource(token_url, client, key, member, person=f"petugas-{client}")
