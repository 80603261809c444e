"""A member's keys in files that only their owner may read."""

import hmac
import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from joserfc.jwk import OKPKey

from shared.security.keys import EncryptionKey, KeyDirectory, SigningKey
from shared.security.public_keys import DirectoryKey
from shared.security.sealing import KEY_BYTES, NONCE_BYTES, Unopenable, unwrap_key
from shared.security.secret_files import read_secret
from shared.security.vault import (
    BLIND_INDEX,
    VaultUnavailable,
    at_rest,
    bound,
    hash_input,
    key_to_open,
    matching_name,
    newest_matching_key,
    newest_storage_key,
    parse_at_rest,
)


class FileVault:
    """A Vault whose keys lie in one folder.

    The files: ``<key id>.pem``, ``storage-<n>.key``, ``blind-index.key``, and ``matching-<n>.key`` if there is one.
    """

    def __init__(
        self, folder: Path, member: str, directory: Callable[[], KeyDirectory], now: Callable[[], datetime]
    ) -> None:
        """``directory`` is called at every use. So a key serves as soon as it is listed and its file is here.

        Raises PermissionError if others than its owner may read a file. Raises FileNotFoundError or VaultUnavailable
        if a key is missing, ValueError if a file holds no key. The methods raise the same when they need such a key.
        """
        self._folder, self._member, self._directory, self._now = folder, member, directory, now
        self._signing: dict[str, SigningKey] = {}
        self._opening: dict[str, OKPKey] = {}
        self._blinding = self._secret(BLIND_INDEX)
        self._wrapping: dict[str, AESGCM] = {}
        self._matching: dict[int, bytes] = {}
        self._storage_key(self._newest())

    def sign(self, body: bytes) -> str:
        """See Vault."""
        for listed in self._directory().in_use(self._member, "sig", self._now()):
            key = self._signing.get(listed.kid) or self._load_signing(listed)
            if key is not None:
                return key.sign(body)
        raise VaultUnavailable(f"{self._member} has no key here that signs now")

    def open_key(self, wrapped: str) -> bytes:
        """See Vault."""
        return unwrap_key(wrapped, self._private_key)

    def wrap_at_rest(self, data_key: bytes, context: str) -> str:
        """See Vault."""
        nonce, name = os.urandom(NONCE_BYTES), self._newest()
        return at_rest(name, nonce, self._storage_key(name).encrypt(nonce, data_key, bound(name, context)))

    def unwrap_at_rest(self, wrapped: str, context: str) -> bytes:
        """See Vault."""
        name, nonce, sealed = parse_at_rest(wrapped)
        try:
            return self._storage_key(name).decrypt(nonce, sealed, bound(name, context))
        except FileNotFoundError:
            raise Unopenable("unknown-key") from None
        except InvalidTag:
            raise Unopenable("not-authentic") from None

    def blind(self, value: str, key_purpose: str) -> str:
        """See Vault."""
        return hmac.digest(self._blinding, hash_input(value, key_purpose), "sha256").hex()

    def matching_key(self) -> int | None:
        """See Vault."""
        return newest_matching_key(path.stem for path in self._folder.glob("matching-*.key"))

    def match(self, key: int, value: str, key_purpose: str) -> str:
        """See Vault."""
        secret = self._matching.get(key) or self._matching.setdefault(key, self._secret(matching_name(key)))
        return hmac.digest(secret, hash_input(value, key_purpose), "sha256").hex()

    def _newest(self) -> str:
        return newest_storage_key(path.stem for path in self._folder.glob("storage-*.key"))

    def _storage_key(self, name: str) -> AESGCM:
        return self._wrapping.get(name) or self._wrapping.setdefault(name, AESGCM(self._secret(name)))

    def _secret(self, name: str) -> bytes:
        secret = read_secret(self._folder / f"{name}.key")
        if len(secret) != KEY_BYTES:
            raise ValueError(f"{name}.key has not {KEY_BYTES} bytes")
        return secret

    def _load_signing(self, listed: DirectoryKey) -> SigningKey | None:
        try:
            key = SigningKey.load(self._folder / f"{listed.kid}.pem")
        except FileNotFoundError:
            return None  # listed before its file came here: the key before it still signs
        if key.private.public_key() != listed.public.public_key:
            raise ValueError(f"{listed.kid}.pem is not the key that the directory lists")
        return self._signing.setdefault(listed.kid, key)

    def _private_key(self, key_id: str) -> OKPKey:
        key_to_open(self._directory(), self._member, key_id, self._now())
        known = self._opening.get(key_id)
        if known is not None:
            return known
        try:
            private = EncryptionKey.load(self._folder / f"{key_id}.pem").private
        except FileNotFoundError:  # listed before its file came here, or lost: the event waits for the key
            raise VaultUnavailable(f"{key_id} is listed and not here") from None
        return self._opening.setdefault(key_id, OKPKey.import_key(private))
