"""Access tokens, by which a trusted issuer states the caller (RFC 9068). A certificate may bind them (RFC 8705).

A client that calls for a human has a token of RFC 8693: ``sub`` is the human, ``act`` the client. A token without
``act`` is a machine's own: its ``sub`` names no human, whatever it holds.
"""

import base64
import hashlib
import hmac
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
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
"""The algorithms that an issuer may sign with. All are public-key algorithms.

So a token with ``none`` proves nothing, and no public key can pass for a shared secret."""
AUDIENCE_PREFIX = "urn:estafet:"
"""The audience of the tokens for a member's service is this prefix and the member's code."""
PERSON = r"^[A-Za-z0-9][A-Za-z0-9._:/|~-]{0,99}$"
"""The pattern of ``sub``. It is a pseudonym: no space, no line break, and no ``@``, so no address of a mailbox."""
TYPES = ("at+jwt", "application/at+jwt")
LONGEST = 8 * 1024
"""The most characters of a token."""
LONGEST_LIFE_SECONDS = 12 * 3600
"""The longest time from issue to expiry."""
LEEWAY_SECONDS = 5
"""The allowed difference to the issuer's time."""
REMEMBERED = 1000
"""The number of tokens whose signature need not be verified again."""


class BadToken(Exception):
    """A token that proves nothing. ``reason`` is a code for the log; the caller never sees it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@lru_cache(maxsize=1000)
def thumbprint(pem: str) -> str:
    """The ``x5t#S256`` of a PEM certificate (RFC 8705 section 3.1), base64url. Raises ValueError if it is none."""
    digest = x509.load_pem_x509_certificate(pem.encode()).fingerprint(SHA256())
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


class CertificateBinding(BaseModel):
    """The binding of a token: the SHA-256 of a certificate (RFC 8705 section 3.1), base64url."""

    x5t: str = Field(alias="x5t#S256")


ClientId = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[!-~]+$")]


class Actor(BaseModel):
    """The actor of a token (RFC 8693 section 4.1): the client that calls for the human in ``sub``."""

    model_config = ConfigDict(frozen=True)

    sub: ClientId


class Claims(BaseModel):
    """The claims of an access token that the service uses. Other claims are ignored."""

    model_config = ConfigDict(frozen=True)

    aud: str | list[str]
    client_id: ClientId
    exp: int
    iat: int
    jti: Annotated[str, Field(min_length=1, max_length=200)]
    sub: Annotated[str, Field(pattern=PERSON)]
    act: Actor | None = None
    roles: Annotated[list[Role], Field(min_length=1, max_length=1)]
    unit: UnitId
    cnf: CertificateBinding | None = None

    @property
    def person(self) -> str:
        """The human for whom the client calls; empty for a machine's own token."""
        return "" if self.act is None else self.sub


@dataclass(slots=True)
class Verifier:
    """Verifies tokens of one issuer for one audience.

    ``keys`` gives the issuer's current keys. ``bound``: only tokens bound to a certificate are accepted. ``revoked``:
    whether a token is revoked, from its ``jti``, its client and its time of issue (seconds since 1970).
    """

    issuer: str
    audience: str
    keys: Callable[[], KeySet]
    bound: bool = False
    revoked: Callable[[str, str, int], bool] = lambda jti, client, issued: False
    _seen: "OrderedDict[bytes, Claims]" = field(default_factory=OrderedDict)

    def verify(self, token: str, now: datetime, certificate: str | None) -> Caller:
        """The caller of the token. ``certificate``: base64url SHA-256 of the certificate that the caller showed.

        Raises BadToken.
        """
        if len(token) > LONGEST:
            raise BadToken("too-long")
        digest = hashlib.sha256(token.encode()).digest()
        claims = self._seen.get(digest)
        if claims is None or claims.exp + LEEWAY_SECONDS < now.timestamp():
            claims = self._verified(token, int(now.timestamp()))
            self._remember(digest, claims)
        if self.revoked(claims.jti, claims.client_id, claims.iat):  # also a token that was verified before
            raise BadToken("revoked")
        self._check_binding(claims, certificate)
        return Caller(claims.client_id, claims.roles[0], claims.unit, claims.person, claims.exp, claims.jti)

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
        if claims.aud not in (self.audience, [self.audience]):  # a token for two services is good for the wrong one too
            raise BadToken("for-another-service-too")
        if claims.act is not None and (claims.act.sub != claims.client_id or claims.sub == claims.client_id):
            raise BadToken("not-the-client-of-a-person")
        return claims

    def _remember(self, digest: bytes, claims: Claims) -> None:
        self._seen[digest] = claims
        if len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)

    def forget(self) -> None:
        """Verify every token anew from now on, because the issuer's keys have changed."""
        self._seen.clear()

    def _check_binding(self, claims: Claims, certificate: str | None) -> None:
        if claims.cnf is None:
            if self.bound:
                raise BadToken("not-bound-to-a-certificate")
        elif certificate is None or not hmac.compare_digest(claims.cnf.x5t, certificate):
            raise BadToken("bound-to-another-certificate")
