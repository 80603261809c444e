"""Access tokens: JWTs of RFC 9068, bound to a client certificate where there is one (RFC 8705)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from secrets import token_urlsafe
from typing import Any

from joserfc import jwt

from deploy.issuer import ISSUER
from deploy.issuer.keys import ALGORITHM, signing_keys
from deploy.issuer.profile import require_development
from deploy.issuer.registry import load_clients
from shared.security.tokens import AUDIENCE_PREFIX, thumbprint

LIFETIME_MINUTES = 10
LONGEST_MINUTES = 12 * 60

Clock = Callable[[], datetime]


def wall_clock() -> datetime:
    """Now, in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Grant:
    """What a token says: who acts in which role for which desk of which member, and on whose certificate."""

    client: str
    member: str
    role: str
    unit: str
    certificate: str | None = None
    """Thumbprint of the client certificate the token is bound to."""


def resource(member: str) -> str:
    """What a member's service is called in ``resource`` (RFC 8707) and ``aud``."""
    return AUDIENCE_PREFIX + member


def issue(folder: Path, grant: Grant, now: datetime, minutes: int = LIFETIME_MINUTES) -> str:
    """The signed token; ``folder`` is the issuer's own."""
    key, issued = signing_keys(folder)[0], int(now.timestamp())
    claims: dict[str, Any] = {
        "iss": ISSUER,
        "aud": resource(grant.member),
        "iat": issued,
        "exp": issued + int(timedelta(minutes=minutes).total_seconds()),
        "jti": token_urlsafe(16),
        "sub": grant.client,
        "client_id": grant.client,
        "roles": [grant.role],
        "unit": grant.unit,
    }
    if grant.certificate is not None:
        claims["cnf"] = {"x5t#S256": grant.certificate}
    return jwt.encode({"typ": "at+jwt", "alg": ALGORITHM, "kid": key.kid}, claims, key, [ALGORITHM])


def mint(
    folder: Path,
    member: str,
    role: str,
    unit: str,
    now: datetime,
    minutes: int = LIFETIME_MINUTES,
    certificate: str | None = None,
) -> str:
    """A token without asking the issuer, for whoever holds its key: any member, role and desk, registered or not.

    ``folder`` is the deployment's secrets, ``certificate`` a PEM. Raises OnlyForDevelopment; ValueError for a time
    beyond 12 hours.
    """
    require_development()
    if not 0 < minutes <= LONGEST_MINUTES:
        raise ValueError(f"a token lives 1 to {LONGEST_MINUTES} minutes, not {minutes}")
    clients, wanted = load_clients(folder / "issuer"), (member, role, unit)
    registered = (name for name, one in clients.items() if (one.member, one.role, one.unit) == wanted)
    client = next(registered, f"{member}-{role}-{unit}")
    bound = thumbprint(certificate) if certificate is not None else None
    return issue(folder / "issuer", Grant(client, member, role, unit, bound), now, minutes)
