"""A public key as the key directory of the network lists it, and when the key is valid."""

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cached_property
from typing import Literal

from joserfc.jwk import OKPKey
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

GRACE = timedelta(days=30)
"""Time during which a retired key serves events under way: as long as the broker keeps a message."""
ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)
KEY_ID = r"^[a-z][a-z0-9-]{0,63}$"
"""The form of a key's id. The id is also a file name, a label in an HSM, and the start of a header."""
CURVES = {"sig": "Ed25519", "enc": "X25519"}

Use = Literal["sig", "enc"]


class Untrusted(Exception):
    """A signature or a directory that proves nothing, or a key that may not be used. ``reason`` is a code."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Revocation(StrEnum):
    """Why a key is revoked (RFC 5280, 5.3.1)."""

    KEY_COMPROMISE = "key-compromise"
    AFFILIATION_CHANGED = "affiliation-changed"
    CESSATION_OF_OPERATION = "cessation-of-operation"
    UNSPECIFIED = "unspecified"


class DirectoryKey(BaseModel):
    """A JWK (RFC 8037) with its owner and its period of validity."""

    model_config = ConfigDict(frozen=True, extra="allow")

    kid: str = Field(pattern=KEY_ID)
    agency: str
    use: Use
    kty: Literal["OKP"]
    crv: Literal["Ed25519", "X25519"]
    x: str
    valid_from: AwareDatetime = ALWAYS
    """When the owner starts to use the key. It verifies before that too: it is in the directory, and clocks differ."""
    retired_at: AwareDatetime | None = None
    """When the key stops signing, and nobody seals for it any more. Events under way are still accepted for GRACE."""
    revoked_at: AwareDatetime | None = None
    revoked_because: str | None = None

    @model_validator(mode="after")
    def _is_a_public_key(self) -> "DirectoryKey":
        if self.crv != CURVES[self.use]:
            raise ValueError(f"a key for {self.use} is on {CURVES[self.use]}")
        if "d" in (self.model_extra or {}):
            raise ValueError("a private key has no place in a directory")
        _ = self.public  # parse now, so that a bad key fails when the directory is read
        return self

    @cached_property
    def public(self) -> OKPKey:
        """The key itself, parsed once."""
        return OKPKey.import_key({"kid": self.kid, "kty": self.kty, "crv": self.crv, "use": self.use, "x": self.x})

    def in_use(self, at: datetime) -> bool:
        """Whether the owner signs with the key at that moment, or others seal for it."""
        ended = self.revoked_at is not None or (self.retired_at is not None and at >= self.retired_at)
        return self.valid_from <= at and not ended

    def check(self, at: datetime) -> None:
        """Raise Untrusted ``revoked-key`` or ``retired-key`` unless the key may verify or open an event received now.

        A revocation counts as soon as it is known, whatever moment ``revoked_at`` states.
        """
        if self.revoked_at is not None:
            raise Untrusted("revoked-key")
        self._check_retired(at)

    def check_recorded(self, at: datetime) -> None:
        """Raise Untrusted, as ``check`` does, unless the key proves an event recorded at that moment.

        A revocation counts from ``revoked_at`` on.
        """
        if self.revoked_at is not None and at >= self.revoked_at:
            raise Untrusted("revoked-key")
        self._check_retired(at)

    def _check_retired(self, at: datetime) -> None:
        if self.retired_at is not None and at > self.retired_at + GRACE:
            raise Untrusted("retired-key")
