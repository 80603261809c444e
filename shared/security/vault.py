"""The vault: the operations with a member's secret keys, in files, in an HSM behind PKCS#11 or in a KMS.

Most keys are the member's own. Some sign and open; their public halves are in the key directory. Some wrap data keys
at rest (``storage-<n>``). One makes the blind index. Agencies share only the keys by which they recognise a person
(``matching-<n>``).
"""

import base64
import re
from collections.abc import Iterable
from datetime import datetime
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from shared.security.keys import KeyDirectory
from shared.security.public_keys import DirectoryKey, Untrusted
from shared.security.sealing import NONCE_BYTES, Unopenable

BLIND_INDEX = "blind-index"
_STORAGE = re.compile(r"storage-[1-9][0-9]{0,5}")
_MATCHING = re.compile(r"matching-([1-9][0-9]{0,5})")


class VaultUnavailable(Exception):
    """The keys cannot be used now: an HSM is away, or no key of the member may sign. A later retry may succeed."""


class Signer(Protocol):
    """Signs events."""

    def sign(self, body: bytes) -> str:
        """The ``Estafet-Signature`` header of exactly these bytes, by the newest valid key."""


class Vault(Signer, Protocol):
    """The operations with secret keys. Every method may be called from any thread, and may raise VaultUnavailable."""

    def open_key(self, wrapped: str) -> bytes:
        """The data key in an ``Estafet-Key`` header that was wrapped for a key of this member.

        Raises Unopenable: ``unknown-key`` for a key not listed for this member, ``revoked-key``, ``retired-key``, or
        as ``unwrap_key`` does. Raises VaultUnavailable for a listed key that has not come here yet.
        """

    def wrap_at_rest(self, data_key: bytes, context: str) -> str:
        """A data key for the member's database: AES-256-GCM under the newest storage key, bound to ``context``."""

    def unwrap_at_rest(self, wrapped: str, context: str) -> bytes:
        """The data key in ``wrapped``. Raises Unopenable ``unknown-key``, ``malformed`` or ``not-authentic``."""

    def blind(self, value: str, key_purpose: str) -> str:
        """The keyed hash of a normalised value (HMAC-SHA-256, hex), a different hash for each key purpose."""

    def matching_key(self) -> int | None:
        """The number of the newest shared key by which agencies recognise a person; None if there is none here."""

    def match(self, key: int, value: str, key_purpose: str) -> str:
        """The keyed hash of a normalised value (HMAC-SHA-256, hex) under a shared key: the same at every agency."""


# --- common to all vaults: one vault unwraps the data keys that another with the same keys wrapped --------------------


def key_to_open(directory: KeyDirectory, member: str, key_id: str, now: datetime) -> DirectoryKey:
    """The member's encryption key of that id. Raises Unopenable ``unknown-key``, ``revoked-key`` or ``retired-key``."""
    key = directory.keys.get(key_id)
    if key is None or key.agency != member or key.use != "enc":
        raise Unopenable("unknown-key")
    try:
        key.check(now)
    except Untrusted as error:
        raise Unopenable(error.reason) from None
    return key


def newest_storage_key(names: Iterable[str]) -> str:
    """The name ``storage-<n>`` with the highest number. Raises VaultUnavailable if there is none."""
    numbers = [int(name.partition("-")[2]) for name in names if _STORAGE.fullmatch(name)]
    if not numbers:
        raise VaultUnavailable("there is no storage key")
    return f"storage-{max(numbers)}"


def matching_name(key: int) -> str:
    """The name of a shared key from its number."""
    return f"matching-{key}"


def newest_matching_key(names: Iterable[str]) -> int | None:
    """The highest number of ``matching-<n>``, or None."""
    return max((int(found[1]) for found in map(_MATCHING.fullmatch, names) if found), default=None)


def at_rest(name: str, nonce: bytes, ciphertext: bytes) -> str:
    """A wrapped data key as text: ``<name of the storage key>.<base64url of nonce, ciphertext and tag>``."""
    return f"{name}.{base64.urlsafe_b64encode(nonce + ciphertext).decode()}"


def parse_at_rest(wrapped: str) -> tuple[str, bytes, bytes]:
    """The name, the nonce, and the ciphertext with tag of a wrapped data key. Raises Unopenable ``malformed``."""
    name, _, encoded = wrapped.partition(".")
    try:
        raw = base64.b64decode(encoded, altchars=b"-_", validate=True)
    except ValueError:
        raise Unopenable("malformed") from None
    if not _STORAGE.fullmatch(name) or len(raw) <= NONCE_BYTES:
        raise Unopenable("malformed")
    return name, raw[:NONCE_BYTES], raw[NONCE_BYTES:]


def bound(name: str, context: str) -> bytes:
    """The associated data that AES-GCM authenticates with a wrapped data key."""
    return f"{name}\n{context}".encode()


def hash_input(value: str, key_purpose: str) -> bytes:
    """The bytes to hash under a key. A key purpose is a fixed word of the code; a value may be any text."""
    return f"{key_purpose}\n{value}".encode()


# --- numbers that a client gets, and gives back -----------------------------------------------------------------------


def conceal(vault: Vault, number: int, key_purpose: str) -> bytes:
    """A number of up to 8 bytes as 24 bytes (AES-SIV), the same each time. Only this member can read or make them."""
    return AESSIV(bytes.fromhex(vault.blind("concealed", key_purpose))).encrypt(number.to_bytes(8), None)


def reveal(vault: Vault, concealed: bytes, key_purpose: str) -> int:
    """The number that ``conceal`` concealed for this key purpose. Raises Unopenable ``not-authentic``."""
    try:
        return int.from_bytes(AESSIV(bytes.fromhex(vault.blind("concealed", key_purpose))).decrypt(concealed, None))
    except (InvalidTag, ValueError):
        raise Unopenable("not-authentic") from None
