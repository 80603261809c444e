"""What a member does with its secret keys, wherever they lie: in files here, in a token behind PKCS#11, in a KMS.

The keys are the member's own: those that sign and open (their public halves are in the key directory), those that
wrap data keys at rest (``storage-<n>``), and the one of the blind index. One kind is shared by agencies: those by
which they know a person again (``matching-<n>``).
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
    """The keys cannot be used now: a token is away, or none of ours may sign. Trying again later may help."""


class Signer(Protocol):
    """Who signs events."""

    def sign(self, body: bytes) -> str:
        """The ``Estafet-Signature`` of exactly these bytes, by the newest key that is valid."""


class Vault(Signer, Protocol):
    """What needs a secret key. Every method may be called from any thread, and may raise VaultUnavailable."""

    def open_key(self, wrapped: str) -> bytes:
        """The data key in an ``Estafet-Key`` that was wrapped for one of our keys.

        Raises Unopenable: ``unknown-key`` for one that is not listed as ours, ``revoked-key``, ``retired-key``, or
        what ``unwrap_key`` raises; VaultUnavailable for a key that is listed and has not come here yet.
        """

    def wrap_at_rest(self, data_key: bytes, context: str) -> str:
        """A data key as it lies in our database: AES-256-GCM under the newest storage key, bound to ``context``."""

    def unwrap_at_rest(self, wrapped: str, context: str) -> bytes:
        """The data key that was wrapped. Raises Unopenable ``unknown-key``, ``malformed`` or ``not-authentic``."""

    def blind(self, value: str, purpose: str) -> str:
        """The keyed hash of a normalised value (HMAC-SHA-256, hex), another one for each purpose."""

    def matching_key(self) -> int | None:
        """The number of the newest key that agencies share to know a person again; None where there is none here."""

    def match(self, key: int, value: str, purpose: str) -> str:
        """The keyed hash of a normalised value (HMAC-SHA-256, hex) under a shared key: the same at every agency."""


# --- what every vault says in the same way: what one wrapped, another with the same keys unwraps ---------------------


def key_to_open(directory: KeyDirectory, member: str, key_id: str, now: datetime) -> DirectoryKey:
    """Our encryption key of that id. Raises Unopenable ``unknown-key``, ``revoked-key`` or ``retired-key``."""
    key = directory.keys.get(key_id)
    if key is None or key.agency != member or key.use != "enc":
        raise Unopenable("unknown-key")
    try:
        key.check(now)
    except Untrusted as error:
        raise Unopenable(error.reason) from None
    return key


def newest_storage_key(names: Iterable[str]) -> str:
    """The last of ``storage-<n>``. Raises VaultUnavailable when there is none."""
    numbers = [int(name.partition("-")[2]) for name in names if _STORAGE.fullmatch(name)]
    if not numbers:
        raise VaultUnavailable("there is no storage key")
    return f"storage-{max(numbers)}"


def matching_name(key: int) -> str:
    """The name of a shared key."""
    return f"matching-{key}"


def newest_matching_key(names: Iterable[str]) -> int | None:
    """The last number of ``matching-<n>``."""
    return max((int(found[1]) for found in map(_MATCHING.fullmatch, names) if found), default=None)


def at_rest(name: str, nonce: bytes, ciphertext: bytes) -> str:
    """A wrapped data key as text: ``<name of the storage key>.<base64url of nonce, ciphertext and tag>``."""
    return f"{name}.{base64.urlsafe_b64encode(nonce + ciphertext).decode()}"


def parse_at_rest(wrapped: str) -> tuple[str, bytes, bytes]:
    """Name, nonce, and ciphertext with tag. Raises Unopenable ``malformed``."""
    name, _, encoded = wrapped.partition(".")
    try:
        raw = base64.b64decode(encoded, altchars=b"-_", validate=True)
    except ValueError:
        raise Unopenable("malformed") from None
    if not _STORAGE.fullmatch(name) or len(raw) <= NONCE_BYTES:
        raise Unopenable("malformed")
    return name, raw[:NONCE_BYTES], raw[NONCE_BYTES:]


def bound(name: str, context: str) -> bytes:
    """What is authenticated with a wrapped data key."""
    return f"{name}\n{context}".encode()


def blinded(value: str, purpose: str) -> bytes:
    """What is hashed under a key. A purpose is a word of ours; a value may be anything."""
    return f"{purpose}\n{value}".encode()


# --- a number that is given to others to give back --------------------------------------------------------------------


def conceal(vault: Vault, number: int, purpose: str) -> bytes:
    """A number of up to 8 bytes as 24 bytes that nobody reads or makes but us; the same each time."""
    return AESSIV(bytes.fromhex(vault.blind("concealed", purpose))).encrypt(number.to_bytes(8), None)


def reveal(vault: Vault, concealed: bytes, purpose: str) -> int:
    """The number that was concealed for this purpose. Raises Unopenable ``not-authentic``."""
    try:
        return int.from_bytes(AESSIV(bytes.fromhex(vault.blind("concealed", purpose))).decrypt(concealed, None))
    except (InvalidTag, ValueError):
        raise Unopenable("not-authentic") from None
