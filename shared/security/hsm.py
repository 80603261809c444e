"""An HSM behind PKCS#11, or SoftHSM: the few operations with the keys in it.

Needs the extra ``estafet[pkcs11]``. Each object is found by its label. PKCS#11 calls an HSM's store of keys a token;
here a token is an access token only.
"""

import contextlib
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import pkcs11
from pkcs11 import Attribute, Mechanism, ObjectClass

from shared.security.secret_files import read_secret
from shared.security.vault import VaultUnavailable

TAG_BITS = 128
SHARED_BITS = 256

_Result = TypeVar("_Result")


class NotInHsm(LookupError):
    """The HSM has no key of that label."""


class RefusedByHsm(ValueError):
    """The HSM works, but refuses the input: a wrong tag, or a public key that gives no shared secret."""


class Hsm:
    """An HSM. It logs in at the first use, and again after its session broke.

    Every method may be called from any thread. Every method may raise NotInHsm, VaultUnavailable, and
    PermissionError when the HSM refuses the PIN.
    """

    def __init__(self, module: Path, label: str, pin_file: Path) -> None:
        """``module`` is the PKCS#11 library. Raises PermissionError if others than the owner may read the PIN."""
        self._module, self._label, self._pin = str(module), label, read_secret(pin_file).decode().strip()
        self._lock = threading.Lock()  # a session does one operation at a time
        self._session: Any = None
        self._keys: dict[tuple[ObjectClass, str], Any] = {}

    def sign(self, label: str, body: bytes) -> bytes:
        """The Ed25519 signature of ``body`` by a private key."""
        return self._with_key(
            ObjectClass.PRIVATE_KEY, label, lambda key: bytes(key.sign(body, mechanism=Mechanism.EDDSA))
        )

    def exchange(self, label: str, own_public: bytes, public: bytes) -> bytes:
        """The X25519 secret of a private key with another's public key. Raises RefusedByHsm if there is none."""

        def work(key: Any) -> bytes:
            try:
                return _derive(key, public)
            except pkcs11.PKCS11Error:
                _derive(key, own_public)  # HSMs raise different errors; if this works, the other key is at fault
                raise RefusedByHsm from None

        return self._with_key(ObjectClass.PRIVATE_KEY, label, work)

    def encrypt(self, label: str, nonce: bytes, plain: bytes, bound: bytes) -> bytes:
        """The ciphertext and tag of AES-256-GCM. ``bound`` is the associated data."""
        return self._with_key(ObjectClass.SECRET_KEY, label, lambda key: _encrypt(key, nonce, plain, bound))

    def decrypt(self, label: str, nonce: bytes, sealed: bytes, bound: bytes) -> bytes:
        """The plaintext of ``encrypt``. Raises RefusedByHsm if the tag is wrong."""

        def work(key: Any) -> bytes:
            try:
                parameters = pkcs11.GCMParams(nonce, bound, TAG_BITS)
                return bytes(key.decrypt(sealed, mechanism=Mechanism.AES_GCM, mechanism_param=parameters))
            except pkcs11.PKCS11Error:
                _encrypt(key, os.urandom(len(nonce)), b"", b"")  # as in exchange
                raise RefusedByHsm from None

        return self._with_key(ObjectClass.SECRET_KEY, label, work)

    def hmac(self, label: str, said: bytes) -> bytes:
        """The HMAC-SHA-256 of ``said``."""
        return self._with_key(
            ObjectClass.SECRET_KEY, label, lambda key: bytes(key.sign(said, mechanism=Mechanism.SHA256_HMAC))
        )

    def secret_labels(self) -> list[str]:
        """The labels of all secret keys in the HSM."""
        secret = {Attribute.CLASS: ObjectClass.SECRET_KEY}
        return self._do(lambda: [key.label for key in self._searching().get_objects(secret)])

    def close(self) -> None:
        """Log out; the next use logs in again."""
        with self._lock:
            self._forget()

    def _with_key(self, kind: ObjectClass, label: str, work: Callable[[Any], _Result]) -> _Result:
        return self._do(lambda: work(self._key(kind, label)))

    def _key(self, kind: ObjectClass, label: str) -> Any:
        if (kind, label) not in self._keys:
            self._keys[kind, label] = self._searching().get_key(object_class=kind, label=label)
        return self._keys[kind, label]

    def _searching(self) -> Any:
        """The session, proven alive. python-pkcs11 leaves a search open for ever if a dead session refused it."""
        self._session.generate_random(8)
        return self._session

    def _do(self, work: Callable[[], _Result]) -> _Result:
        with self._lock:
            try:
                return self._once(work)
            except pkcs11.PKCS11Error:
                self._forget()
            try:
                return self._once(work)
            except pkcs11.PKCS11Error as error:
                self._forget()
                raise VaultUnavailable(f"the HSM {self._label} says {type(error).__name__}") from error

    def _once(self, work: Callable[[], _Result]) -> _Result:
        try:
            if self._session is None:
                self._session = pkcs11.lib(self._module).get_token(token_label=self._label).open(user_pin=self._pin)
            return work()
        except pkcs11.PinIncorrect:
            # no second try: an HSM locks itself after a few wrong PINs
            raise PermissionError(f"the HSM {self._label} refuses the PIN") from None
        except pkcs11.NoSuchKey:
            raise NotInHsm from None

    def _forget(self) -> None:
        session, self._session = self._session, None
        self._keys.clear()
        with contextlib.suppress(pkcs11.PKCS11Error):  # a broken session leaves nothing to close
            if session is not None:
                session.close()


def _encrypt(key: Any, nonce: bytes, plain: bytes, bound: bytes) -> bytes:
    parameters = pkcs11.GCMParams(nonce, bound, TAG_BITS)
    return bytes(key.encrypt(plain, mechanism=Mechanism.AES_GCM, mechanism_param=parameters))


def _derive(key: Any, public: bytes) -> bytes:
    shared = key.derive_key(
        pkcs11.KeyType.GENERIC_SECRET,
        SHARED_BITS,
        mechanism=Mechanism.ECDH1_DERIVE,
        mechanism_param=(pkcs11.KDF.NULL, None, public),
        template={Attribute.SENSITIVE: False, Attribute.EXTRACTABLE: True, Attribute.TOKEN: False},
    )
    try:
        return bytes(shared[Attribute.VALUE])
    finally:
        shared.destroy()
