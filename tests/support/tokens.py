"""Access tokens for tests: the right ones, and any that is a little wrong."""

import json
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import httpx
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

from shared.domain.access import Role
from shared.reference.office import new_id
from shared.security.tokens import AUDIENCE_PREFIX
from shared.storage.unit_of_work import Now

ISSUER = "urn:estafet:issuer:test"


@cache
def issuer_key() -> ECKey:
    """The key of the tests' issuer, one for a run."""
    return ECKey.generate_key("P-256", {"kid": "issuer-1", "use": "sig", "alg": "ES256"}, auto_kid=False)


def trusting(code: str, secrets: Path) -> dict[str, Any]:
    """The settings with which a member trusts its own keys, the network's directory, and the tests' issuer."""
    return {
        "key_folder": secrets / code / "keys",
        "key_directory_file": secrets / "public" / "keys.json",
        "key_directory_root_file": secrets / "public" / "directory-root.json",
        "issuer": ISSUER,
        "issuer_jwks": str(write_jwks(secrets)),
    }


def write_jwks(folder: Path) -> Path:
    """Publish the issuer's public key beside the other public files."""
    path = folder / "public" / "issuer-of-tests.json"
    path.write_text(json.dumps(KeySet([issuer_key()]).as_dict(private=False)))
    return path


def claims(member: str, role: str, unit: str, now: datetime, **more: Any) -> dict[str, Any]:
    """The claims of a good token for a member's service: its client there calls for a human."""
    moment, client = int(now.timestamp()), more.get("client_id", f"{member}-{role}-{unit}")
    return {
        "iss": ISSUER,
        "aud": AUDIENCE_PREFIX + member,
        "sub": human(member, role, unit),
        "act": {"sub": client},
        "client_id": client,
        "iat": moment,
        "exp": moment + 600,
        "jti": new_id(),
        "roles": [role],
        "unit": unit,
        **more,
    }


def human(member: str, role: str, unit: str) -> str:
    """The pseudonym of the human who works in this role at this desk."""
    return f"petugas-{member}-{role}-{unit}"


def machine(what: Mapping[str, Any]) -> dict[str, Any]:
    """The same claims without a human: the client calls for itself."""
    return {**{name: value for name, value in what.items() if name != "act"}, "sub": what["client_id"]}


def signed(what: Mapping[str, Any], key: ECKey | None = None, **header: Any) -> str:
    """A token that says this."""
    key = key or issuer_key()
    stated = {"alg": "ES256", "typ": "at+jwt", "kid": key.kid, **header}
    return jwt.encode(stated, dict(what), key, algorithms=[stated["alg"]])


@dataclass
class Bearing(httpx.Auth):
    """Bears a token that is good at the moment of the request. ``person`` "" is a machine; None the desk's human."""

    member: str
    role: Role
    unit: str
    now: Now
    client: str | None = None
    person: str | None = None
    _token: str = ""
    _until: float = 0.0

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Puts the token on."""
        now = self.now()
        if not self._until - 500 < now.timestamp() < self._until - 60:
            names = {"client_id": self.client, "sub": self.person}
            named = {claim: name for claim, name in names.items() if name}
            said = claims(self.member, self.role, self.unit, now, **named)
            self._token = signed(machine(said) if self.person == "" else said)
            self._until = now.timestamp() + 600
        request.headers["Authorization"] = f"Bearer {self._token}"
        yield request
