"""Key directories of a library, signed for tests."""

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc import jws
from joserfc.jwk import OctKey, OKPKey

from shared.security.key_directory import read_directory, sign_directory
from shared.security.keys import EncryptionKey, KeyDirectory, SigningKey, Untrusted
from shared.security.public_keys import DirectoryKey

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
DAY = timedelta(days=1)
ROOT = SigningKey.generate("directory-1")
TRUSTED = OKPKey.import_key(ROOT.private.public_key())
OLD, NEW = SigningKey.generate("library-1"), SigningKey.generate("library-2")
SEALED_FOR = EncryptionKey.generate("library-enc-1")
BODY = b'{"specversion": "1.0"}'


def listed(key: SigningKey | EncryptionKey, agency: str = "library", **more: Any) -> DirectoryKey:
    return DirectoryKey.model_validate({**key.public_jwk(agency), **more})


def document(*keys: DirectoryKey, version: int = 1, root: SigningKey = ROOT) -> bytes:
    return sign_directory(keys, version, NOW, root)


def directory(*keys: DirectoryKey) -> KeyDirectory:
    return read_directory(document(*keys), TRUSTED)


def untrusted(work: Callable[[], object]) -> str:
    with pytest.raises(Untrusted) as refused:
        work()
    return refused.value.reason


def signed_as(header: dict[str, str], payload: bytes, key: Any = ROOT.private, **more: Any) -> bytes:
    imported = OctKey.import_key(key) if isinstance(key, bytes) else OKPKey.import_key(key)
    return json.dumps(
        {**jws.serialize_json({"protected": header}, payload, imported, [header["alg"]]), **more}
    ).encode()


RIGHT = {"alg": "Ed25519", "typ": "estafet-keys"}
CONTENT = b'{"version": 1, "issued_at": "2026-11-24T08:00:00Z", "keys": []}'


def protected(header: dict[str, str]) -> str:
    return base64.urlsafe_b64encode(json.dumps(header).encode()).rstrip(b"=").decode()


def tampered(**members: Any) -> bytes:
    return json.dumps({**json.loads(signed_as(RIGHT, CONTENT)), **members}).encode()


UNTRUSTED = {
    "a JWK set that nobody signed": json.dumps(KeyDirectory.of([OLD.public_jwk("library")]).as_jwks()).encode(),
    "its content alone": CONTENT,
    "signed by another": signed_as(RIGHT, CONTENT, Ed25519PrivateKey.generate()),
    "signed for something else": signed_as({**RIGHT, "typ": "JWT"}, CONTENT),
    "without a type": signed_as({"alg": "Ed25519"}, CONTENT),
    "alg none": tampered(protected=protected({**RIGHT, "alg": "none"}), signature=""),
    "the public key as a secret": signed_as(
        {**RIGHT, "alg": "HS256"}, CONTENT, ROOT.private.public_key().public_bytes_raw()
    ),
    "another payload": tampered(payload=protected({"version": "9"})),
    "an unprotected header": tampered(header={"typ": "estafet-keys"}),
    "with signatures": json.dumps({"payload": "", "signatures": []}).encode(),
    "not of texts": tampered(payload=7),
    "a list": b"[]",
}
