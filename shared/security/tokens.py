"""Access tokens: who calls, by the word of a trusted issuer (RFC 9068), bound to a certificate where there is one
(RFC 8705)."""

import base64
import hashlib
import hmac
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shared.contracts.types import UnitId
from shared.domain.access import Caller, Role

ALGORITHMS = ("ES256", "Ed25519", "EdDSA", "PS256", "RS256")
"""What an issuer may sign with: public-key algorithms alone, so no ``none`` and no public key taken for a secret."""
AUDIENCE_PREFIX = "urn:estafet:"
"""Before a member's code: the audience of the tokens for its service."""
TYPES = ("at+jwt", "application/at+jwt")
LONGEST = 8 * 1024
"""Characters of a token, at most."""
LONGEST_LIFE_SECONDS = 12 * 3600
LEEWAY_SECONDS = 5
"""By how much the issuer's clock may differ."""
REMEMBERED = 1000
"""Tokens whose signature need not be verified again."""


class BadToken(Exception):
    """A token that proves nothing. ``reason`` is a code for the log; a caller is told nothing of it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def thumbprint(pem: str) -> str:
    """The ``x5t#S256`` of a PEM certificate (RFC 8705 section 3.1), base64url. Raises ValueError when it is none."""
    digest = x509.load_pem_x509_certificate(pem.encode()).fingerprint(SHA256())
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


class Confirmation(BaseModel):
    """To what a token is bound: the SHA-256 of a certificate (RFC 8705 section 3.1), base64url."""

    x5t: str = Field(alias="x5t#S256")


class Claims(BaseModel):
    """The claims of an access token that we use; what else it says is ignored."""

    model_config = ConfigDict(frozen=True)

    client_id: Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[!-~]+$")]
    exp: int
    iat: int
    jti: Annotated[str, Field(min_length=1, max_length=200)]
    sub: Annotated[str, Field(min_length=1, max_length=200)]
    roles: Annotated[list[Role], Field(min_length=1, max_length=1)]
    unit: UnitId
    cnf: Confirmation | None = None


@dataclass(slots=True)
class Verifier:
    """Verifies tokens of one issuer for one audience.

    ``keys`` gives the issuer's keys of the moment. ``bound``: only tokens that are bound to a certificate count.
    ``revoked``: whether a token counts no more, by its ``jti``, its client and when it was issued.
    """

    issuer: str
    audience: str
    keys: Callable[[], KeySet]
    bound: bool = False
    revoked: Callable[[str, str, int], bool] = lambda jti, client, issued: False
    _seen: "OrderedDict[bytes, Claims]" = field(default_factory=OrderedDict)

    def verify(self, token: str, now: datetime, certificate: str | None) -> Caller:
        """Who the token speaks for. ``certificate``: base64url SHA-256 of the caller's, if it showed one.

        Raises BadToken.
        """
        if len(token) > LONGEST:
            raise BadToken("too-long")
        digest = hashlib.sha256(token.encode()).digest()
        claims = self._seen.get(digest)
        if claims is None or claims.exp + LEEWAY_SECONDS < now.timestamp():
            claims = self._verified(token, int(now.timestamp()))
            self._remember(digest, claims)
        if self.revoked(claims.jti, claims.client_id, claims.iat):  # also one that was verified before
            raise BadToken("revoked")
        self._check_binding(claims, certificate)
        return Caller(claims.client_id, claims.roles[0], claims.unit, claims.sub, claims.exp, claims.jti)

    def _verified(self, token: str, now: int) -> Claims:
        try:
            signed = jwt.decode(token, self.keys(), algorithms=ALGORITHMS)
            if signed.header.get("typ", "").lower() not in TYPES:
                raise BadToken("not-an-access-token")
            jwt.JWTClaimsRegistry(
                now=now,
                leeway=LEEWAY_SECONDS,
                iss={"essential": True, "value": self.issuer},
                aud={"essential": True, "value": self.audience},
                exp={"essential": True},
                iat={"essential": True},
            ).validate(signed.claims)
            claims = Claims.model_validate(signed.claims)
        except JoseError as error:
            raise BadToken(error.error.replace("_", "-")) from None
        except (ValidationError, ValueError, AttributeError) as error:
            raise BadToken("claims-of-another-shape") from error
        if claims.exp - claims.iat > LONGEST_LIFE_SECONDS:
            raise BadToken("lives-too-long")
        return claims

    def _remember(self, digest: bytes, claims: Claims) -> None:
        self._seen[digest] = claims
        if len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)

    def forget(self) -> None:
        """Trust nothing that was verified before: the issuer's keys have changed."""
        self._seen.clear()

    def _check_binding(self, claims: Claims, certificate: str | None) -> None:
        if claims.cnf is None:
            if self.bound:
                raise BadToken("not-bound-to-a-certificate")
        elif certificate is None or not hmac.compare_digest(claims.cnf.x5t, certificate):
            raise BadToken("bound-to-another-certificate")
