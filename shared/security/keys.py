"""Ed25519 signing keys of the agencies and the directory of their public halves.

A receiver trusts a signature and a registered key, never a subject or a header alone.
"""

import base64
import binascii
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from joserfc.jwk import OKPKey


class Untrusted(Exception):
    """A signature that proves nothing. ``reason`` is a code."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class SigningKey:
    """An agency's private key and the id under which its public half is registered."""

    key_id: str
    private: Ed25519PrivateKey

    @classmethod
    def generate(cls, key_id: str) -> "SigningKey":
        """A new key."""
        return cls(key_id, Ed25519PrivateKey.generate())

    @classmethod
    def load(cls, path: Path) -> "SigningKey":
        """Read a PKCS#8 PEM file named ``<key id>.pem``.

        Raises PermissionError when others than the owner and group may read it, ValueError when it is no Ed25519 key.
        """
        if path.stat().st_mode & 0o007:
            raise PermissionError(f"{path} may be read by anyone: chmod 600 {path}")
        private = serialization.load_pem_private_key(path.read_bytes(), password=None)
        if not isinstance(private, Ed25519PrivateKey):
            raise ValueError(f"{path} holds no Ed25519 key")
        return cls(path.name.removesuffix(".pem"), private)

    def save(self, folder: Path) -> Path:
        """Write ``<key id>.pem`` into ``folder``, readable by its owner alone; never over an existing key."""
        path = folder / f"{self.key_id}.pem"
        pem = self.private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(pem)
        return path

    def sign(self, body: bytes) -> str:
        """The ``Estafet-Signature`` of exactly these bytes: ``<key id>;<base64>``."""
        return f"{self.key_id};{base64.b64encode(self.private.sign(body)).decode()}"

    def public_jwk(self, agency: str) -> dict[str, str]:
        """The public half as a JWK (RFC 8037) for the key directory."""
        return _jwk(self.key_id, agency, self.private.public_key())


@dataclass(frozen=True, slots=True)
class KeyDirectory:
    """Whose key is whose: key id → (agency, public key)."""

    keys: Mapping[str, tuple[str, Ed25519PublicKey]]
    encryption: Mapping[str, OKPKey] = field(default_factory=dict)
    """Agency → the X25519 key that data keys for it are wrapped to."""

    @classmethod
    def of(cls, jwks: Iterable[Mapping[str, str]]) -> "KeyDirectory":
        """From JWKs as ``SigningKey.public_jwk`` writes them."""
        known = list(jwks)
        signing = {jwk["kid"]: (jwk["agency"], _public(jwk["x"])) for jwk in known if jwk["use"] == "sig"}
        encrypting = sorted((jwk for jwk in known if jwk["use"] == "enc"), key=lambda jwk: _number(jwk["kid"]))
        return cls(signing, {jwk["agency"]: _wrapping_key(jwk) for jwk in encrypting})

    @classmethod
    def load(cls, path: Path) -> "KeyDirectory":
        """Read a JWK set file ``{"keys": [...]}``."""
        return cls.of(json.loads(path.read_bytes())["keys"])

    def as_jwks(self) -> dict[str, list[dict[str, str]]]:
        """The directory as the JWK set that it was read from."""
        return {"keys": [_jwk(key_id, agency, public) for key_id, (agency, public) in sorted(self.keys.items())]}

    def verify(self, body: bytes, signature: str | None) -> str:
        """The agency that signed exactly these bytes.

        Raises Untrusted: ``unsigned``, ``malformed-signature``, ``unknown-key`` or ``wrong-signature``.
        """
        if not signature:
            raise Untrusted("unsigned")
        key_id, _, encoded = signature.partition(";")
        try:
            raw = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError) as error:
            raise Untrusted("malformed-signature") from error
        if key_id not in self.keys:
            raise Untrusted("unknown-key")
        agency, public = self.keys[key_id]
        try:
            public.verify(raw, body)
        except InvalidSignature as error:
            raise Untrusted("wrong-signature") from error
        return agency


def _jwk(key_id: str, agency: str, public: Ed25519PublicKey) -> dict[str, str]:
    x = base64.urlsafe_b64encode(public.public_bytes_raw()).rstrip(b"=").decode()
    return {"kid": key_id, "agency": agency, "kty": "OKP", "crv": "Ed25519", "use": "sig", "x": x}


def encryption_jwk(key: OKPKey, agency: str) -> dict[str, str]:
    """The public half of an agency's X25519 key as a JWK (RFC 8037) for the key directory."""
    return {"kid": str(key.kid), "agency": agency, "kty": "OKP", "crv": "X25519", "use": "enc", "x": str(key["x"])}


def _wrapping_key(jwk: Mapping[str, str]) -> OKPKey:
    return OKPKey.import_key({name: jwk[name] for name in ("kty", "crv", "x", "kid")})


def _number(key_id: str) -> int:
    return int(key_id.rpartition("-")[2])


def _public(x: str) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(x + "=" * (-len(x) % 4)))
