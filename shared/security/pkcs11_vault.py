"""A member's keys in an HSM behind PKCS#11. The HSM uses the keys; they never leave it.

Labels: the key id, ``storage-<n>``, ``blind-index``, ``matching-<n>``.
``python -m deploy.credentials.into_hsm`` brings keys into an HSM.
"""

import os
from collections.abc import Callable
from datetime import datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from joserfc.jwk import OKPKey

from shared.security.hsm import Hsm, NotInHsm, RefusedByHsm
from shared.security.keys import KeyDirectory, signature_header
from shared.security.public_keys import DirectoryKey
from shared.security.sealing import NONCE_BYTES, Unopenable, unwrap_key
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


class Pkcs11Vault:
    """A Vault whose keys lie in one HSM."""

    def __init__(
        self, hsm: Hsm, member: str, directory: Callable[[], KeyDirectory], now: Callable[[], datetime]
    ) -> None:
        """``directory`` is called at every use. So a key serves as soon as it is listed and in the HSM.

        Raises VaultUnavailable if the HSM is away or has no storage key.
        """
        self._hsm, self._member, self._directory, self._now = hsm, member, directory, now
        self._as_listed: set[str] = set()
        newest_storage_key(hsm.secret_labels())

    def sign(self, body: bytes) -> str:
        """See Vault. Also raises ValueError if a key in the HSM is not the key that the directory lists."""
        for listed in self._directory().in_use(self._member, "sig", self._now()):
            try:
                signature = self._hsm.sign(listed.kid, body)
            except NotInHsm:
                continue  # listed before it came into the HSM: the key before it still signs
            if listed.kid not in self._as_listed:
                _check(listed, signature, body)
                self._as_listed.add(listed.kid)
            return signature_header(listed.kid, signature)
        raise VaultUnavailable(f"{self._member} has no key in the HSM that signs now")

    def open_key(self, wrapped: str) -> bytes:
        """See Vault."""
        try:
            return unwrap_key(wrapped, self._private_key)
        except NotInHsm:  # listed before it came into the HSM, or lost: the event waits for the key
            raise VaultUnavailable("a key that is listed is not in the HSM") from None

    def wrap_at_rest(self, data_key: bytes, context: str) -> str:
        """See Vault."""
        nonce, name = os.urandom(NONCE_BYTES), newest_storage_key(self._hsm.secret_labels())
        return at_rest(name, nonce, self._hsm.encrypt(name, nonce, data_key, bound(name, context)))

    def unwrap_at_rest(self, wrapped: str, context: str) -> bytes:
        """See Vault."""
        name, nonce, sealed = parse_at_rest(wrapped)
        try:
            return self._hsm.decrypt(name, nonce, sealed, bound(name, context))
        except NotInHsm:
            raise Unopenable("unknown-key") from None
        except RefusedByHsm:
            raise Unopenable("not-authentic") from None

    def blind(self, value: str, key_purpose: str) -> str:
        """See Vault."""
        return self._hsm.hmac(BLIND_INDEX, hash_input(value, key_purpose)).hex()

    def matching_key(self) -> int | None:
        """See Vault."""
        return newest_matching_key(self._hsm.secret_labels())

    def match(self, key: int, value: str, key_purpose: str) -> str:
        """See Vault."""
        return self._hsm.hmac(matching_name(key), hash_input(value, key_purpose)).hex()

    def _private_key(self, key_id: str) -> OKPKey:
        listed = key_to_open(self._directory(), self._member, key_id, self._now())
        own = _raw(listed.public)
        key = _KeyInHsm.import_key(listed.public.public_key)
        key.exchange = lambda public: self._hsm.exchange(key_id, own, public)
        return key


class _KeyInHsm(OKPKey):
    """A public key whose private half is in an HSM. joserfc handles the JWE; the HSM does the key exchange."""

    exchange: Callable[[bytes], bytes]

    def exchange_derive_key(self, key: OKPKey) -> bytes:
        """The shared secret of the private half and an ephemeral key."""
        return self.exchange(_raw(key))


def _raw(key: OKPKey) -> bytes:
    public = key.public_key
    if not isinstance(public, X25519PublicKey):
        raise ValueError("not a key to exchange on X25519")
    return public.public_bytes_raw()


def _check(listed: DirectoryKey, signature: bytes, body: bytes) -> None:
    public = listed.public.public_key
    assert isinstance(public, Ed25519PublicKey)
    try:
        public.verify(signature, body)
    except InvalidSignature:
        raise ValueError(f"{listed.kid} in the HSM is not the key that the directory lists") from None
