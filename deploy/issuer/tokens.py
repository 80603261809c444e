"""Access tokens: JWTs of RFC 9068, bound to a client certificate where there is one (RFC 8705)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from secrets import token_urlsafe
from typing import Any

from joserfc import jwt

from deploy.issuer.keys import ALGORITHM, signing_keys
from deploy.issuer.profile import require_development
from deploy.issuer.registry import load_clients
from shared.security.development import DEVELOPMENT_ISSUER
from shared.security.tokens import AUDIENCE_PREFIX

LIFETIME_MINUTES = 10
LONGEST_MINUTES = 12 * 60

Now = Callable[[], datetime]


def now_utc() -> datetime:
    """Now, in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Grant:
    """The contents of a token: the client, its member, role and desk, the certificate it is bound to, the human."""

    client: str
    member: str
    role: str
    unit: str
    certificate: str | None = None
    """SHA-256 thumbprint of the client certificate that the token is bound to (RFC 8705); None: unbound."""
    person: str = ""
    """The human for whom the client calls (RFC 8693); empty: the client calls for itself."""


def resource(member: str) -> str:
    """The name of a member's service in ``resource`` (RFC 8707) and ``aud``."""
    return AUDIENCE_PREFIX + member


def issue(folder: Path, grant: Grant, now: datetime, minutes: int = LIFETIME_MINUTES) -> str:
    """Sign a token that expires ``minutes`` after ``now`` (UTC). ``folder`` is the issuer's own.

    Raises what ``signing_keys`` raises.
    """
    key, issued = signing_keys(folder)[0], int(now.timestamp())
    claims: dict[str, Any] = {
        "iss": DEVELOPMENT_ISSUER,
        "aud": resource(grant.member),
        "iat": issued,
        "exp": issued + int(timedelta(minutes=minutes).total_seconds()),
        "jti": token_urlsafe(16),
        "sub": grant.person or grant.client,
        "client_id": grant.client,
        "roles": [grant.role],
        "unit": grant.unit,
    }
    if grant.person:
        claims["act"] = {"sub": grant.client}
    if grant.certificate is not None:
        claims["cnf"] = {"x5t#S256": grant.certificate}
    return jwt.encode({"typ": "at+jwt", "alg": ALGORITHM, "kid": key.kid}, claims, key, [ALGORITHM])


def client_at(folder: Path, member: str, role: str, unit: str) -> str:
    """The client that is registered for a member, role and desk; an invented name where none is.

    ``folder``: the deployment's secrets. Raises what ``load_clients`` raises.
    """
    clients, wanted = load_clients(folder / "issuer"), (member, role, unit)
    registered = (name for name, one in clients.items() if (one.member, one.role, one.unit) == wanted)
    return next(registered, f"{member}-{role}-{unit}")


def mint(folder: Path, grant: Grant, now: datetime, minutes: int = LIFETIME_MINUTES) -> str:
    """Make a token without a request to the issuer, for any member, role and desk, registered or not.

    Only an owner of the issuer's key can do so. ``folder``: the deployment's secrets. Raises OnlyForDevelopment;
    ValueError for ``minutes`` outside 1 to LONGEST_MINUTES (12 hours).
    """
    require_development()
    if not 0 < minutes <= LONGEST_MINUTES:
        raise ValueError(f"a token lives 1 to {LONGEST_MINUTES} minutes, not {minutes}")
    return issue(folder / "issuer", grant, now, minutes)
