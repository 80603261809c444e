"""Sealing: only agencies that were given the key can read a victim's identity.

An agency has one data key for each victim. From it, the agency derives a separate key for each recipient and
key purpose. So a recipient opens only the fields sealed for it. The sealed text (JWE, RFC 7516) stays in ledgers for
ever. The key travels beside the event, wrapped for its recipient (shared/decisions/0016). Without keys nobody reads
the sealed text.
"""

import base64
import hashlib
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwe import CompactEncryption, JWERegistry
from joserfc.jwk import OctKey, OKPKey
from joserfc.registry import HeaderParameter

KEY_BYTES = 32
NONCE_BYTES = 12
BLOCK = 256
"""The block of padding, in bytes. Without padding, the length would show whether there is a name."""
LARGEST = 40 * 1024
"""The most bytes of one padded plaintext. A longer one would not fit into an event of 64 KiB."""
IDENTITY = "identity"
KEY_TYPE = "data-key"

_NAMES = {name: HeaderParameter(name, "str", True) for name in ("kid", "typ", "victim", "for")}
_SEALED = JWERegistry(_NAMES, algorithms=["dir", "A256GCM"])
_WRAPPED = JWERegistry({name: _NAMES[name] for name in ("kid", "typ")}, algorithms=["ECDH-ES+A256KW", "A256GCM"])
_NOT_A_JWE = (JoseError, ValueError, TypeError, KeyError, AttributeError, AssertionError, RecursionError)
"""The errors that joserfc raises, or lets through, when a text is no JWE that opens with this key."""


class Unopenable(Exception):
    """A sealed text or a wrapped key does not open with the key at hand. ``reason`` is a code without any content."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True, eq=False)
class DataKey:
    """A data key of 32 secret bytes. Its public ``kid`` commits to the bytes, so a wrong key is found before use."""

    secret: bytes

    def __post_init__(self) -> None:
        if len(self.secret) != KEY_BYTES:
            raise ValueError(f"a data key has {KEY_BYTES} bytes")

    def __repr__(self) -> str:
        return f"DataKey({self.kid})"

    @classmethod
    def generate(cls) -> "DataKey":
        """A new key."""
        return cls(os.urandom(KEY_BYTES))

    @classmethod
    def committed(cls, secret: bytes, kid: str) -> "DataKey":
        """The key of these bytes. Raises Unopenable ``wrong-key`` if ``kid`` is not the id of these bytes."""
        if len(secret) != KEY_BYTES or (key := cls(secret)).kid != kid:
            raise Unopenable("wrong-key")
        return key

    @property
    def kid(self) -> str:
        """The public id of the key: ``dk-`` and 132 bits of the key's SHA-256, base64url."""
        return "dk-" + base64.urlsafe_b64encode(hashlib.sha256(self.secret).digest())[:22].decode()

    def for_recipient(self, victim_id: str, recipient: str, key_purpose: str = IDENTITY) -> "DataKey":
        """The key for one recipient and key purpose (HKDF-SHA-256, RFC 5869). It reveals nothing of this key."""
        return DataKey(self._derived("for", victim_id, recipient, key_purpose))

    def _derived(self, *info: str) -> bytes:
        # as JSON, two different lists of names never give the same text
        return HKDF(SHA256(), KEY_BYTES, None, json.dumps(["estafet", *info]).encode()).derive(self.secret)


def seal(fields: Mapping[str, str], key: DataKey, victim_id: str, recipient: str, key_purpose: str = IDENTITY) -> str:
    """Fields of a victim as a JWE for one recipient, under the key that ``DataKey.for_recipient`` gives.

    Raises ValueError if the padded fields are longer than LARGEST, and would not fit into an event.
    """
    plain = json.dumps(dict(fields), ensure_ascii=False, separators=(",", ":")).encode()
    padded = plain + b" " * (-len(plain) % BLOCK)  # JSON allows blanks after the value
    if len(padded) > LARGEST:
        raise ValueError(f"more than {LARGEST} bytes to seal")
    header = {"alg": "dir", "enc": "A256GCM", "kid": key.kid, "typ": key_purpose, "victim": victim_id, "for": recipient}
    return jwe.encrypt_compact(header, padded, OctKey(key.secret, None), registry=_SEALED)


def open_sealed(
    sealed: str, key: DataKey, victim_id: str, recipient: str, key_purpose: str = IDENTITY
) -> dict[str, str]:
    """The fields that ``seal`` sealed.

    Raises Unopenable: ``malformed``, ``wrong-key``, ``not-authentic``, or ``wrong-context`` for another victim,
    recipient or key purpose.
    """
    if key_id_of(sealed) != key.kid:
        raise Unopenable("wrong-key")
    opened = _decrypted(sealed, lambda _: OctKey(key.secret, None), _SEALED)
    bound = [opened.protected[name] for name in ("typ", "victim", "for")]
    if bound != [key_purpose, victim_id, recipient]:
        raise Unopenable("wrong-context")
    fields = _json(opened.plaintext or b"")
    if not isinstance(fields, dict) or not all(isinstance(value, str) for value in fields.values()):
        raise Unopenable("malformed")
    return fields


def key_id_of(sealed: str) -> str:
    """The id of the key of a sealed text, from a header that nothing proves. Raises Unopenable ``malformed``."""
    header = _json(_base64(sealed.partition(".")[0]))
    if not isinstance(header, dict) or not isinstance(kid := header.get("kid"), str):
        raise Unopenable("malformed")
    return kid


def wrap_key(key: DataKey, recipient_key: OKPKey) -> str:
    """The ``Estafet-Key`` header: a data key, as a JWE for the recipient's key in the directory."""
    header = {"alg": "ECDH-ES+A256KW", "enc": "A256GCM", "kid": recipient_key.kid, "typ": KEY_TYPE}
    return jwe.encrypt_compact(header, key.secret, recipient_key, registry=_WRAPPED)


def unwrap_key(wrapped: str, private_key: Callable[[str], OKPKey]) -> bytes:
    """The bytes that ``wrap_key`` wrapped. ``DataKey.committed`` then checks that they are the expected key.

    ``private_key`` gives the key of an id, or raises Unopenable. Raises Unopenable: the one of ``private_key``,
    ``malformed`` or ``not-authentic``.
    """
    opened = _decrypted(wrapped, lambda recipient: private_key(recipient.headers().get("kid", "")), _WRAPPED)
    if opened.protected["typ"] != KEY_TYPE or opened.plaintext is None:
        raise Unopenable("malformed")
    return opened.plaintext


def seal_at_rest(plain: bytes, key: DataKey, context: str) -> bytes:
    """``plain`` as ciphertext for the agency's own database: AES-256-GCM under the victim's data key.

    The ciphertext is padded, and bound to ``context``.
    """
    padded = plain + b"\x80"  # padding after ISO/IEC 7816-4
    padded += bytes(-len(padded) % BLOCK)
    nonce = os.urandom(NONCE_BYTES)
    return nonce + AESGCM(key._derived("at-rest")).encrypt(nonce, padded, context.encode())


def open_at_rest(sealed: bytes, key: DataKey, context: str) -> bytes:
    """The bytes that ``seal_at_rest`` sealed. Raises Unopenable ``not-authentic``."""
    try:
        nonce, rest = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
        padded = AESGCM(key._derived("at-rest")).decrypt(nonce, rest, context.encode())
    except (InvalidTag, ValueError):
        raise Unopenable("not-authentic") from None
    return padded[: padded.rindex(b"\x80")]


def _decrypted(sealed: str, key: Callable[[Any], OctKey | OKPKey], registry: JWERegistry) -> CompactEncryption:
    try:
        return jwe.decrypt_compact(sealed, key, registry=registry)
    except _NOT_A_JWE:
        raise Unopenable("not-authentic") from None


def _base64(text: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        return b""


def _json(text: bytes) -> Any:
    """The parsed JSON, or None. The error must not leave this function, because it holds the text."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
