"""The agencies' keys, and the directory that names the owner of each key.

An agency has Ed25519 keys that sign and X25519 keys that others seal for. A receiver trusts a signature and a
registered key, never a subject or a header alone.
"""

import base64
import binascii
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from joserfc.jwk import OKPKey

from shared.security.public_keys import ALWAYS, CURVES, DirectoryKey, Use
from shared.security.public_keys import Untrusted as Untrusted
from shared.security.secret_files import read_secret, write_secret


def signature_header(key_id: str, raw: bytes) -> str:
    """The ``Estafet-Signature`` header: ``<key id>;<base64>``."""
    return f"{key_id};{base64.b64encode(raw).decode()}"


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key that signs, and the id under which its public half is registered."""

    key_id: str
    private: Ed25519PrivateKey

    @classmethod
    def generate(cls, key_id: str) -> "SigningKey":
        """A new key."""
        return cls(key_id, Ed25519PrivateKey.generate())

    @classmethod
    def load(cls, path: Path) -> "SigningKey":
        """Read a PKCS#8 PEM file named ``<key id>.pem``.

        Raises PermissionError when others than its owner may read it, ValueError when it is no Ed25519 key.
        """
        private = _read_pem(path)
        if not isinstance(private, Ed25519PrivateKey):
            raise ValueError(f"{path} holds no Ed25519 key")
        return cls(path.stem, private)

    def save(self, folder: Path) -> Path:
        """Write ``<key id>.pem`` into ``folder``, readable by its owner alone; never over an existing key."""
        return _write_pem(folder / f"{self.key_id}.pem", self.private)

    def sign(self, body: bytes) -> str:
        """The ``Estafet-Signature`` of exactly these bytes."""
        return signature_header(self.key_id, self.private.sign(body))

    def public_jwk(self, agency: str) -> dict[str, str]:
        """The public half as a JWK (RFC 8037) for the key directory."""
        return _jwk(self.key_id, agency, "sig", self.private.public_key().public_bytes_raw())


@dataclass(frozen=True, slots=True)
class EncryptionKey:
    """A private key that opens what was sealed for its public half."""

    key_id: str
    private: X25519PrivateKey

    @classmethod
    def generate(cls, key_id: str) -> "EncryptionKey":
        """A new key."""
        return cls(key_id, X25519PrivateKey.generate())

    @classmethod
    def load(cls, path: Path) -> "EncryptionKey":
        """Read a PKCS#8 PEM file named ``<key id>.pem``. Raises as ``SigningKey.load`` does."""
        private = _read_pem(path)
        if not isinstance(private, X25519PrivateKey):
            raise ValueError(f"{path} holds no X25519 key")
        return cls(path.stem, private)

    def save(self, folder: Path) -> Path:
        """Write ``<key id>.pem`` into ``folder``, readable by its owner alone; never over an existing key."""
        return _write_pem(folder / f"{self.key_id}.pem", self.private)

    def public_jwk(self, agency: str) -> dict[str, str]:
        """The public half as a JWK (RFC 8037) for the key directory."""
        return _jwk(self.key_id, agency, "enc", self.private.public_key().public_bytes_raw())


def _jwk(key_id: str, agency: str, use: Use, public: bytes) -> dict[str, str]:
    x = base64.urlsafe_b64encode(public).rstrip(b"=").decode()
    return {"kid": key_id, "agency": agency, "use": use, "kty": "OKP", "crv": CURVES[use], "x": x}


def _read_pem(path: Path) -> object:
    return serialization.load_pem_private_key(read_secret(path), password=None)


def _write_pem(path: Path, private: Ed25519PrivateKey | X25519PrivateKey) -> Path:
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    write_secret(path, private.private_bytes(encoding, form, serialization.NoEncryption()))
    return path


@dataclass(frozen=True, slots=True)
class KeyDirectory:
    """The owner of each key. ``version`` grows with each publication; ``root`` is the key that signs the directory."""

    keys: Mapping[str, DirectoryKey]
    version: int = 0
    issued_at: datetime = ALWAYS
    root: OKPKey | None = None

    @classmethod
    def of(cls, jwks: Iterable[Mapping[str, Any]]) -> "KeyDirectory":
        """The directory of JWKs as ``public_jwk`` writes them. No key signs it."""
        return cls({key.kid: key for key in map(DirectoryKey.model_validate, jwks)})

    def as_jwks(self) -> dict[str, list[dict[str, Any]]]:
        """The keys that verify signatures, as a JWK set (RFC 7517)."""
        signing = (key for _, key in sorted(self.keys.items()) if key.use == "sig")
        return {"keys": [key.model_dump(mode="json", exclude_none=True) for key in signing]}

    def in_use(self, agency: str, use: Use, at: datetime) -> list[DirectoryKey]:
        """The keys that an agency uses at this moment, newest first."""
        keys = (key for key in self.keys.values() if key.agency == agency and key.use == use and key.in_use(at))
        return sorted(keys, key=lambda key: (key.valid_from, len(key.kid), key.kid), reverse=True)

    def to_seal_for(self, agency: str, at: datetime) -> OKPKey:
        """The newest encryption key of an agency. Raises Untrusted ``no-encryption-key``."""
        for key in self.in_use(agency, "enc", at):
            return key.public
        raise Untrusted("no-encryption-key")

    def verify(self, body: bytes, signature: str | None, at: datetime | None = None) -> str:
        """The agency that signed exactly these bytes. ``at`` is the moment of receipt, by default now.

        Raises Untrusted: ``unsigned``, ``malformed-signature``, ``unknown-key``, ``wrong-signature``,
        ``revoked-key`` or ``retired-key``.
        """
        signer = self._signer(body, signature)
        signer.check(at or datetime.now(UTC))
        return signer.agency

    def verify_recorded(self, body: bytes, signature: str, recorded_at: datetime) -> str:
        """The agency that signed a body that a ledger recorded at ``recorded_at``. Raises as ``verify`` does.

        A later revocation of the key does not undo the signature.
        """
        signer = self._signer(body, signature)
        signer.check_recorded(recorded_at)
        return signer.agency

    def _signer(self, body: bytes, signature: str | None) -> DirectoryKey:
        if not signature:
            raise Untrusted("unsigned")
        key_id, _, encoded = signature.partition(";")
        try:
            raw = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError) as error:
            raise Untrusted("malformed-signature") from error
        key = self.keys.get(key_id)
        public = None if key is None else key.public.public_key
        if key is None or not isinstance(public, Ed25519PublicKey):
            raise Untrusted("unknown-key")
        try:
            public.verify(raw, body)
        except InvalidSignature as error:
            raise Untrusted("wrong-signature") from error
        return key
