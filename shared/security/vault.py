"""What an agency does with its private keys for sealing, and the only place that holds them.

``Vault`` is what an HSM or a KMS must do; ``FileVault`` does it with key files in a folder that nobody else may read.
"""

import base64
import hmac
import json
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Protocol, Self

from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import OctKey, OKPKey

from shared.security.sealing import KEY_BYTES, Unopenable, derived, key_id_of, unwrap

_AT_REST = ["dir", "A256GCM"]


class Vault(Protocol):
    """The private keys of one agency, at work."""

    def unwrap(self, wrapped: str) -> bytes:
        """A data key that another agency wrapped for us. Raises Unopenable."""

    def lock(self, key: bytes, victim_id: str) -> str:
        """A data key as it may lie in our database: for this victim, readable by us alone."""

    def unlock(self, locked: str, victim_id: str) -> bytes:
        """A data key that we locked for this victim. Raises Unopenable."""

    def blind(self, value: str, field: str) -> str:
        """A keyed hash of a number, to search by: 64 hexadecimal digits, of no use without our key."""


class FileVault:
    """A vault of key files: ``<member>-enc-<n>.pem`` (X25519), ``storage-<n>.key`` and ``blind-index.key`` (32 bytes in
    base64). The highest number is used for what is new; all of them open what is old."""

    def __init__(self, encryption: Mapping[str, OKPKey], storage: Mapping[str, bytes], blind: bytes) -> None:
        self._encryption = encryption
        self._storage = storage
        self._current = max(storage, key=_number)
        self._blind = blind

    @classmethod
    def load(cls, folder: Path, member: str) -> Self:
        """Raises PermissionError where others may read a key, OSError or ValueError where one is missing or none."""
        encryption = {path.stem: _encryption_key(path) for path in folder.glob(f"{member}-enc-*.pem")}
        storage = {path.stem: _secret(path) for path in folder.glob("storage-*.key")}
        if not encryption or not storage:
            raise ValueError(f"{folder} lacks {member}-enc-1.pem or storage-1.key")
        return cls(encryption, storage, _secret(folder / "blind-index.key"))

    def unwrap(self, wrapped: str) -> bytes:
        """See ``Vault``."""
        private = self._encryption.get(key_id_of(wrapped))
        if private is None:
            raise Unopenable("unknown-recipient-key")
        return unwrap(wrapped, private)

    def lock(self, key: bytes, victim_id: str) -> str:
        """See ``Vault``."""
        locker = OctKey.import_key(derived(self._storage[self._current], "storage", victim_id))
        header = {"alg": "dir", "enc": "A256GCM", "kid": self._current}
        return jwe.encrypt_compact(header, key, locker, algorithms=_AT_REST)

    def unlock(self, locked: str, victim_id: str) -> bytes:
        """See ``Vault``."""
        secret = self._storage.get(key_id_of(locked))
        if secret is None:
            raise Unopenable("unknown-storage-key")
        locker = OctKey.import_key(derived(secret, "storage", victim_id))
        try:
            key = jwe.decrypt_compact(locked, locker, algorithms=_AT_REST).plaintext
        except (JoseError, ValueError) as error:
            raise Unopenable("does-not-unlock") from error
        return key or b""

    def blind(self, value: str, field: str) -> str:
        """See ``Vault``."""
        return hmac.new(self._blind, json.dumps([field, value]).encode(), sha256).hexdigest()


def _number(name: str) -> int:
    return int(name.rpartition("-")[2])


def _guarded(path: Path) -> bytes:
    if path.stat().st_mode & 0o007:
        raise PermissionError(f"{path} may be read by anyone: chmod 600 {path}")
    return path.read_bytes()


def _encryption_key(path: Path) -> OKPKey:
    key = OKPKey.import_key(_guarded(path), {"kid": path.stem})
    if key.curve_name != "X25519" or not key.is_private:
        raise ValueError(f"{path} holds no X25519 key")
    return key


def _secret(path: Path) -> bytes:
    secret = base64.b64decode(_guarded(path).strip(), validate=True)
    if len(secret) != KEY_BYTES:
        raise ValueError(f"{path} holds no key of {KEY_BYTES} bytes")
    return secret
