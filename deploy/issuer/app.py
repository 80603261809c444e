"""The issuer over HTTP: ``POST /token``, ``GET /jwks`` (RFC 7517) and its metadata (RFC 8414).

A client gets a token for itself (RFC 6749 4.4), or for the human for whom it calls (RFC 8693).
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from deploy.issuer.authentication import Authentication, shown_certificate
from deploy.issuer.failures import Failures
from deploy.issuer.keys import ALGORITHM, public_jwks, signing_keys
from deploy.issuer.oauth import ACCESS_TOKEN_TYPE, EXCHANGE, GRANT_TYPE, NO_STORE, OAuthError, read_form
from deploy.issuer.profile import require_development
from deploy.issuer.registry import Registration, load_clients
from deploy.issuer.tokens import LIFETIME_MINUTES, Grant, Now, issue, now_utc, resource
from shared.domain.access import Role
from shared.security.development import DEVELOPMENT_ISSUER

log = structlog.get_logger()


def create_issuer(secrets: Path, url: str, now: Now = now_utc) -> FastAPI:
    """The issuer as an ASGI app. ``secrets``: the deployment's folder; ``url``: its address, without a final slash.

    Every answer reads keys and registry again, so that a rotation or a new client takes effect at once.
    Raises OnlyForDevelopment; OSError or ValueError when keys or registry cannot be read.
    """
    require_development()
    issuer = Issuer(secrets / "issuer", url, now)
    app = FastAPI(title="Estafet · issuer", openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    app.add_api_route("/token", issuer.token, methods=["POST"])
    app.add_api_route("/jwks", issuer.jwks, methods=["GET"])
    app.add_api_route("/.well-known/oauth-authorization-server", issuer.metadata, methods=["GET"])
    return app


class Issuer:
    """The handlers of the issuer's routes. ``folder`` holds the signing keys and the registry."""

    def __init__(self, folder: Path, url: str, now: Now) -> None:
        # read both now: an unreadable file must fail the start, not the first request
        signing_keys(folder)
        load_clients(folder)
        self._folder = folder
        self._url = url
        self._now = now
        self._authentication = Authentication(folder, frozenset({DEVELOPMENT_ISSUER, f"{url}/token"}), now)
        self._failures = Failures(now)

    async def token(self, request: Request) -> JSONResponse:
        """Answer a token request (RFC 6749 4.4, RFC 8693 2.1) with a token, or with an error of RFC 6749 5.2."""
        address = request.client.host if request.client else ""
        try:
            if wait := self._failures.wait(address):
                raise OAuthError("temporarily_unavailable", "too-many-failures", wait)
            grant = self._grant(await read_form(request), shown_certificate(request.scope))
        except OAuthError as refusal:
            if refusal.retry_after is None:
                self._failures.record(address)
            log.warning("token.refused", error=refusal.error, reason=refusal.reason)
            return refusal.response("authorization" in request.headers)
        token = issue(self._folder, grant, self._now())
        log.info("token.issued", client=grant.client, bound=grant.certificate is not None)
        granted: dict[str, Any] = {
            "expires_in": LIFETIME_MINUTES * 60,
            "scope": f"role:{grant.role} unit:{grant.unit}",
        }
        if grant.person:
            granted["issued_token_type"] = ACCESS_TOKEN_TYPE
        return JSONResponse({"access_token": token, "token_type": "Bearer", **granted}, headers=NO_STORE)

    def _grant(self, form: Mapping[str, str], shown: str | None) -> Grant:
        """The grant that the form asks for, if the client is registered for it. Raises OAuthError."""
        if "grant_type" not in form:
            raise OAuthError("invalid_request", "no-grant-type")
        name, client = self._authentication.client(form, shown)
        if form["grant_type"] not in (GRANT_TYPE, EXCHANGE):
            raise OAuthError("unsupported_grant_type", "grant-type")
        if form.get("resource", resource(client.member)) != resource(client.member):
            raise OAuthError("invalid_target", "resource")
        if not set(form.get("scope", "").split()) <= _scope(client):
            raise OAuthError("invalid_scope", "scope")
        person = self._authentication.person(form, name, client) if form["grant_type"] == EXCHANGE else ""
        return Grant(name, client.member, client.role, client.unit, shown, person)

    async def jwks(self) -> JSONResponse:
        """The public halves of all the issuer's keys, as a JWK set."""
        return JSONResponse(public_jwks(signing_keys(self._folder)), headers={"Cache-Control": "max-age=60"})

    async def metadata(self) -> JSONResponse:
        """The issuer's metadata (RFC 8414)."""
        return JSONResponse(
            {
                "issuer": DEVELOPMENT_ISSUER,
                "token_endpoint": f"{self._url}/token",
                "jwks_uri": f"{self._url}/jwks",
                "response_types_supported": [],
                "grant_types_supported": [GRANT_TYPE, EXCHANGE],
                "token_endpoint_auth_methods_supported": ["private_key_jwt", "tls_client_auth"],
                "token_endpoint_auth_signing_alg_values_supported": [ALGORITHM],
                "tls_client_certificate_bound_access_tokens": True,
                "scopes_supported": [f"role:{role}" for role in Role],
            }
        )


def _scope(client: Registration) -> set[str]:
    """The values that a client may name in ``scope``: its role and its desk."""
    return {f"role:{client.role}", f"unit:{client.unit}"}
