"""The key directory as a document: signed by the task force, numbered, and read again while a service runs.

The document is a JWS (RFC 7515, flattened JSON) of ``{"version": n, "issued_at": …, "keys": [JWK, …]}``. The directory
key of the task force signs it with Ed25519 (RFC 9864). Every service gets the public half of that key separately, so
the document may travel over any channel.
"""

import json
import threading
import time
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import cast

import structlog
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey
from joserfc.jws import FlattenedJSONSerialization
from pydantic import AwareDatetime, BaseModel, Field, ValidationError

from shared.security.keys import KeyDirectory, SigningKey
from shared.security.public_keys import DirectoryKey, Untrusted

log = structlog.get_logger()

TYPE = "estafet-keys"
ALGORITHM = "Ed25519"
LOOK_AGAIN_SECONDS = 2.0
"""The interval between two checks of the file. A revocation must hold within 10 s; a check costs one ``stat``."""


class _Directory(BaseModel):
    """The signed content of the document."""

    version: int = Field(ge=1)
    issued_at: AwareDatetime
    keys: list[DirectoryKey]


def sign_directory(keys: Iterable[DirectoryKey], version: int, issued_at: datetime, root: SigningKey) -> bytes:
    """The directory as a signed document."""
    content = _Directory(version=version, issued_at=issued_at, keys=sorted(keys, key=lambda key: key.kid))
    protected = {"alg": ALGORITHM, "typ": TYPE, "kid": root.key_id}
    payload = content.model_dump_json(exclude_none=True)
    signed = jws.serialize_json({"protected": protected}, payload, OKPKey.import_key(root.private), [ALGORITHM])
    return json.dumps(signed, indent=1).encode() + b"\n"


def read_directory(document: bytes, root: OKPKey) -> KeyDirectory:
    """The directory in a document that ``root`` has signed.

    Raises Untrusted: ``malformed-directory`` or ``untrusted-directory``.
    """
    try:
        signed = json.loads(document)
    except (ValueError, RecursionError) as error:
        raise Untrusted("malformed-directory") from error
    if not isinstance(signed, dict) or set(signed) != {"payload", "protected", "signature"}:
        raise Untrusted("untrusted-directory")
    try:
        proven = jws.deserialize_json(cast(FlattenedJSONSerialization, signed), root, [ALGORITHM])
    except (JoseError, ValueError, TypeError, AttributeError, KeyError) as error:
        raise Untrusted("untrusted-directory") from error
    if proven.headers().get("typ") != TYPE or proven.payload is None:
        raise Untrusted("untrusted-directory")
    return _directory(proven.payload, root)


def _directory(payload: bytes, root: OKPKey) -> KeyDirectory:
    try:
        content = _Directory.model_validate_json(payload)
    except ValidationError as error:
        raise Untrusted("malformed-directory") from error
    keys = {key.kid: key for key in content.keys}
    if len(keys) != len(content.keys):
        raise Untrusted("malformed-directory")
    return KeyDirectory(keys, content.version, content.issued_at, root)


def newer(current: KeyDirectory, received: bytes) -> KeyDirectory:
    """The directory to use after this document was received, from a file or over the wire.

    Raises Untrusted: as ``read_directory``, ``older-directory`` for a version before ``current``,
    ``forked-directory`` for another directory of the same version.
    """
    if current.root is None:
        raise Untrusted("untrusted-directory")
    directory = read_directory(received, current.root)
    if directory.version < current.version:
        raise Untrusted("older-directory")
    if directory.version == current.version and directory != current:
        raise Untrusted("forked-directory")
    return directory


def load_root(path: Path) -> OKPKey:
    """The public directory key from its JWK file. Raises OSError, or ValueError if it is no public Ed25519 key."""
    key = OKPKey.import_key(json.loads(path.read_bytes()))
    if key.curve_name != ALGORITHM or key.is_private:
        raise ValueError(f"{path} holds no public {ALGORITHM} key")
    return key


class DirectoryFile:
    """The current directory: from its file, or a newer one that ``adopt`` received. Safe to share between threads.

    An untrusted or older document changes nothing: the directory in use stays, and the log records the refusal.
    """

    def __init__(self, path: Path, root: OKPKey, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Read the file. Raises Untrusted as ``read_directory`` does, OSError if there is no such file."""
        self._path, self._monotonic, self._lock = path, monotonic, threading.Lock()
        self._look_at = monotonic() + LOOK_AGAIN_SECONDS
        self._seen = self._state()
        self._take(document := path.read_bytes(), read_directory(document, root))

    def current(self) -> KeyDirectory:
        """The current directory. Checks the file if the last check is LOOK_AGAIN_SECONDS ago."""
        if self._monotonic() >= self._look_at:
            self._look()
        return self._directory

    def verify(self, body: bytes, signature: str | None, at: datetime) -> str:
        """As ``KeyDirectory.verify``. For an unknown key, checks the file at once and verifies again."""
        try:
            return self.current().verify(body, signature, at)
        except Untrusted as error:
            if error.reason != "unknown-key":
                raise
        self._look()
        return self._directory.verify(body, signature, at)

    def adopt(self, document: bytes) -> None:
        """Use a directory that did not come from the file. Raises Untrusted as ``newer`` does."""
        with self._lock:
            before = self._directory.version
            self._take(document, newer(self._directory, document))
            if before != self._directory.version:
                log.info("key-directory.received", version=self._directory.version)

    def document(self) -> tuple[int, str]:
        """The version of the current directory, and its signed document."""
        self.current()
        return self._document

    def _take(self, document: bytes, directory: KeyDirectory) -> None:
        self._directory = directory
        self._document = directory.version, json.dumps(json.loads(document))  # whatever the file's layout

    def _look(self) -> None:
        with self._lock:
            self._look_at = self._monotonic() + LOOK_AGAIN_SECONDS  # first: other threads do not wait for this read
            self._read()

    def _read(self) -> None:
        try:
            state = self._state()
            if state == self._seen:
                return
            document = self._path.read_bytes()
            directory = newer(self._directory, document)
        except OSError as error:
            log.error("key-directory.unreadable", error=type(error).__name__)
            return
        except Untrusted as error:
            log.error("key-directory.refused", reason=error.reason, version=self._directory.version)
        else:
            self._take(document, directory)
            log.info("key-directory.read", version=directory.version)
        self._seen = state  # a refused file is not read again until it changes

    def _state(self) -> tuple[int, int, int]:
        stat = self._path.stat()
        return stat.st_mtime_ns, stat.st_ino, stat.st_size
