"""Selects the keys of an issuer's published set that may verify a token."""

import json
from collections.abc import Mapping
from typing import Any

import structlog
from joserfc.errors import JoseError
from joserfc.jwk import Key, KeySet, import_key
from joserfc.util import to_bytes, urlsafe_b64decode

from shared.contracts.strict_json import check

RSA_BITS = 3072
"""The shortest RSA modulus, in bits. It gives 128 bits of security (NIST SP 800-57 part 1, table 2)."""
CURVES: Mapping[str, tuple[str, ...]] = {"EC": ("P-256", "P-384", "P-521"), "OKP": ("Ed25519", "Ed448")}
"""Type of key → the curves of at least that strength that sign."""

log = structlog.get_logger()


def key_set(text: str) -> KeySet:
    """The keys of a JWK set (RFC 7517) that may verify a token. Raises ValueError if ``text`` is no such set.

    One bad key must not spoil the others (RFC 7517 section 5). So a key that is unknown, broken, weak, secret or for
    another use is left out.
    """
    check(text.encode())
    document: Any = json.loads(text)
    keys = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(keys, list) or not all(isinstance(key, dict) for key in keys):
        raise ValueError("not a key set")
    sound = [key for stated in keys if (key := _verifying(stated)) is not None]
    if len(sound) < len(keys):
        log.warning("issuer-keys.left-out", keys=len(keys) - len(sound))
    return KeySet(sound)


def _verifying(stated: dict[str, Any]) -> Key | None:
    # a private or symmetric key has no place in a published set; such a key must not verify anything
    if "d" in stated or stated.get("use", "sig") != "sig":
        return None
    try:
        return import_key(stated) if _strong(stated) else None
    except (JoseError, KeyError, TypeError, ValueError):
        return None


def _strong(stated: Mapping[str, Any]) -> bool:
    if stated.get("kty") == "RSA":
        return int.from_bytes(urlsafe_b64decode(to_bytes(stated["n"]))).bit_length() >= RSA_BITS
    return stated.get("crv") in CURVES.get(str(stated.get("kty")), ())
