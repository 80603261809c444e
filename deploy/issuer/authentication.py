"""Client authentication: ``private_key_jwt`` (RFC 7523) or the registered certificate (RFC 8705 2.1).

A client may also name the human for whom it calls: in a ``subject_token`` (RFC 8693), signed with the same key.
"""

import hmac
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey
from starlette.types import Scope

from deploy.issuer.keys import ALGORITHM
from deploy.issuer.oauth import OAuthError
from deploy.issuer.registry import Clients, Registration, load_clients
from deploy.issuer.tokens import Now
from shared.security.tokens import PERSON, thumbprint

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
SUBJECT_TYPE = "urn:ietf:params:oauth:token-type:jwt"
LONGEST_ASSERTION_SECONDS = 300
LEEWAY_SECONDS = 10
"""Largest difference allowed between the client's time and ours."""
LONGEST_JTI = 256


class Authentication:
    """Authenticates clients. It remembers each assertion until its expiry, so that none is used twice."""

    def __init__(self, folder: Path, audiences: frozenset[str], now: Now) -> None:
        self._folder = folder
        self._audiences = audiences
        self._now = now
        self._seen: dict[tuple[str, str], float] = {}

    def client(self, form: Mapping[str, str], shown: str | None) -> tuple[str, Registration]:
        """The client's id and registration; ``shown`` is the thumbprint of the connection's client certificate.

        Raises OAuthError("invalid_client") for every failure, so that a guesser cannot tell one from another.
        """
        clients = load_clients(self._folder)
        client = self._by_assertion(form, clients) if "client_assertion" in form else _by_certificate(form, clients)
        registered = clients[client].certificate
        if registered is not None and not hmac.compare_digest(registered, shown or ""):
            raise OAuthError("invalid_client", "certificate")
        return client, clients[client]

    def _by_assertion(self, form: Mapping[str, str], clients: Clients) -> str:
        if form.get("client_assertion_type") != ASSERTION_TYPE:
            raise OAuthError("invalid_client", "assertion-type")
        assertion = form["client_assertion"]
        try:
            client = _named(assertion)
            claims = self._claims(assertion, client, clients[client], client)
        # hostile input may break the parser in any of these ways
        except (JoseError, ValueError, TypeError, KeyError, RecursionError) as error:
            raise OAuthError("invalid_client", type(error).__name__) from None
        if form.get("client_id", client) != client:
            raise OAuthError("invalid_client", "other-client-id")
        self._remember(client, claims["jti"], claims["exp"])
        return client

    def person(self, form: Mapping[str, str], name: str, client: Registration) -> str:
        """The human that ``subject_token`` names (RFC 8693 2.1): a JWT that the authenticated client signed itself.

        A ministry's issuer takes its own token of the human's sign-in instead. Raises OAuthError("invalid_request").
        """
        if form.get("subject_token_type") != SUBJECT_TYPE:
            raise OAuthError("invalid_request", "subject-token-type")
        try:
            claims = self._claims(form["subject_token"], name, client, None)
            if claims["sub"] == name or not re.fullmatch(PERSON, claims["sub"]):
                raise ValueError("not a person")
            self._remember(name, claims["jti"], claims["exp"])
        # hostile input may break the parser in any of these ways
        except (JoseError, ValueError, TypeError, KeyError, RecursionError, OAuthError) as error:
            raise OAuthError("invalid_request", type(error).__name__) from None
        subject: str = claims["sub"]
        return subject

    def _claims(self, assertion: str, name: str, client: Registration, subject: str | None) -> dict[str, Any]:
        """The claims that the client signed. Raises JoseError, ValueError, TypeError or KeyError."""
        claims = jwt.decode(assertion, ECKey.import_key({**client.jwk}), [ALGORITHM]).claims
        self._check(claims, name, subject)
        return claims

    def _check(self, claims: dict[str, Any], client: str, subject: str | None) -> None:
        """Check the claims by RFC 7523 section 3, with lifetime and ``jti`` of OpenID Connect Core section 9.

        ``subject``: the only ``sub`` that is good; None: any.

        Raises JoseError, ValueError or TypeError.
        """
        now = int(self._now().timestamp())
        jwt.JWTClaimsRegistry(
            now=now,
            leeway=LEEWAY_SECONDS,
            iss={"essential": True, "value": client},
            sub={"essential": True} if subject is None else {"essential": True, "value": subject},
            aud={"essential": True},
            exp={"essential": True},
            jti={"essential": True},
        ).validate(claims)
        audiences = {claims["aud"]} if isinstance(claims["aud"], str) else set(claims["aud"])
        # every audience must be this issuer: another server that accepts the assertion could replay it here
        if not audiences or not audiences <= self._audiences:
            raise ValueError("audience")
        if claims["exp"] > now + LONGEST_ASSERTION_SECONDS + LEEWAY_SECONDS:
            raise ValueError("lives too long")
        if len(claims["jti"]) > LONGEST_JTI:
            raise ValueError("jti too long")

    def _remember(self, client: str, jti: str, until: float) -> None:
        now = self._now().timestamp()
        self._seen = {one: end for one, end in self._seen.items() if end + LEEWAY_SECONDS > now}
        if (client, jti) in self._seen:
            raise OAuthError("invalid_client", "replayed")
        self._seen[client, jti] = until


def _named(assertion: str) -> str:
    """The client that the assertion names in ``sub``. It is not verified yet: the name only selects the key."""
    name: str = json.loads(jws.extract_compact(assertion.encode()).payload)["sub"]
    return name


def _by_certificate(form: Mapping[str, str], clients: Clients) -> str:
    """The client named by ``client_id``, if it is registered with a certificate. The caller checks the certificate."""
    client = form.get("client_id", "")
    if client not in clients or clients[client].certificate is None:
        raise OAuthError("invalid_client", "no-assertion")
    return client


def shown_certificate(scope: Scope) -> str | None:
    """The SHA-256 thumbprint of a connection's verified client certificate (ASGI TLS extension), or None."""
    tls = scope.get("extensions", {}).get("tls") or {}
    chain = tls.get("client_cert_chain")
    return thumbprint(chain[0]) if chain and not tls.get("client_cert_error") else None
