"""Sealing: what identifies a victim, in a form that only whoever holds the key can read (DESIGN section 6).

A victim has one data key at each holder. From it follows, for every place and recipient, a key of its own (HKDF,
RFC 5869), so that what is opened in one place opens nothing in another. What is sealed is a JWE (RFC 7516, ``dir`` and
``A256GCM``) whose ``kid`` commits to its key. The key itself travels beside it and never in it, wrapped for one
recipient (``ECDH-ES+A256KW`` on X25519): ledgers keep what is sealed for ever, and deleting the wrapped key erases it.
"""

import base64
import hashlib
import json
import secrets
from collections.abc import Mapping

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import OctKey, OKPKey

KEY_BYTES = 32
BLOCK = 256
"""What is sealed is filled up to a multiple of this, so that its length tells little."""
_SEAL = ["dir", "A256GCM"]
_WRAP = ["ECDH-ES+A256KW", "A256GCM"]


class Unopenable(Exception):
    """Something sealed that does not open: ``reason`` is a code, never a part of what is in it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def new_key() -> bytes:
    """A new data key."""
    return secrets.token_bytes(KEY_BYTES)


def key_id(key: bytes) -> str:
    """The id of a key, which nobody can give to another key."""
    digest = hashlib.sha256(b"estafet data key\n" + key).digest()
    return "dk-" + base64.urlsafe_b64encode(digest)[:22].decode()


def derived(key: bytes, *place: str) -> bytes:
    """The key that follows from a data key for one place: a recipient, a record."""
    info = json.dumps(["estafet", *place]).encode()
    return HKDF(SHA256(), KEY_BYTES, salt=None, info=info).derive(key)


def seal(what: Mapping[str, str], key: bytes) -> str:
    """``what`` (field → text), readable with ``key`` alone."""
    plain = json.dumps(dict(what), ensure_ascii=False, separators=(",", ":")).encode()
    plain += b" " * (-len(plain) % BLOCK)
    header = {"alg": "dir", "enc": "A256GCM", "kid": key_id(key)}
    return jwe.encrypt_compact(header, plain, OctKey.import_key(key), algorithms=_SEAL)


def key_id_of(sealed: str) -> str:
    """The id of the key that opens something sealed. Raises Unopenable."""
    try:
        header = json.loads(base64.urlsafe_b64decode(sealed.partition(".")[0] + "=="))
        return str(header["kid"])
    except (ValueError, KeyError, TypeError) as error:
        raise Unopenable("not-sealed") from error


def open_sealed(sealed: str, key: bytes) -> dict[str, str]:
    """What is sealed. Raises Unopenable."""
    if key_id_of(sealed) != key_id(key):
        raise Unopenable("another-key")
    try:
        plain = jwe.decrypt_compact(sealed, OctKey.import_key(key), algorithms=_SEAL).plaintext
        opened = json.loads(plain or b"")
    except (JoseError, ValueError) as error:
        raise Unopenable("does-not-open") from error
    if not isinstance(opened, dict) or not all(isinstance(value, str) for value in opened.values()):
        raise Unopenable("not-fields")
    return opened


def wrap(key: bytes, recipient: OKPKey) -> str:
    """A key that only the holder of the private half of ``recipient`` can unwrap."""
    header = {"alg": "ECDH-ES+A256KW", "enc": "A256GCM", "kid": recipient.kid}
    return jwe.encrypt_compact(header, key, recipient, algorithms=_WRAP)


def unwrap(wrapped: str, private: OKPKey) -> bytes:
    """The key that was wrapped for us. Raises Unopenable."""
    try:
        key = jwe.decrypt_compact(wrapped, private, algorithms=_WRAP).plaintext
    except (JoseError, ValueError) as error:
        raise Unopenable("does-not-unwrap") from error
    if key is None or len(key) != KEY_BYTES:
        raise Unopenable("not-a-key")
    return key
