"""The keys in a folder of secrets, and the signed directory of their public halves.

FOLDER/directory/directory-1.pem            the task force's key: it signs the directory
FOLDER/<agency>/keys/<agency>-<n>.pem       signs the agency's events (Ed25519)
FOLDER/<agency>/keys/<agency>-enc-<n>.pem   opens what others seal for the agency (X25519)
FOLDER/<agency>/keys/storage-<n>.key        wraps data keys in the agency's database (AES-256)
FOLDER/<agency>/keys/blind-index.key        makes the agency's keyed hashes (HMAC-SHA-256)
FOLDER/<agency>/keys/matching-<n>.key       makes the match tokens: the same key at every agency, and never at
                                            coordination, which only compares the match tokens
FOLDER/public/keys.json                     the directory: a signed document with a number that only grows
FOLDER/public/directory-root.json           the public half of the key that signs it (a JWK)

An agency's keys have a folder of their own. So a service finds a new key there without knowing its name.
"""

import fcntl
import json
import os
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from joserfc.jwk import OKPKey

from deploy.files import PUBLIC, replace_file, sync_folder
from shared.security.key_directory import read_directory, sign_directory
from shared.security.keys import EncryptionKey, KeyDirectory, SigningKey
from shared.security.public_keys import ALWAYS, GRACE, DirectoryKey, Revocation, Use
from shared.security.sealing import KEY_BYTES
from shared.security.secret_files import read_secret, write_secret
from shared.security.vault import BLIND_INDEX

ROOT = "directory-1"
KEYS = "keys"
"""Name of the folder of keys inside an agency's folder."""

_KINDS: Mapping[Use, type[SigningKey] | type[EncryptionKey]] = {"sig": SigningKey, "enc": EncryptionKey}


class Keyring:
    """The keys of a folder of secrets. A forbidden change raises ValueError with a message for the operator.

    No private key is ever overwritten, and only ``destroy`` removes one. Moments are in UTC.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._own = folder / "directory"
        self._document = folder / "public" / "keys.json"

    def directory(self) -> KeyDirectory:
        """The published directory, empty before the first. Raises Untrusted when another key has signed it."""
        root = self._root()
        if not self._document.exists():
            return KeyDirectory({}, root=root)
        return read_directory(self._document.read_bytes(), root)

    def make(self, agencies: Iterable[str], now: datetime, matching: Collection[str] = ()) -> None:
        """Make the missing keys of these agencies and publish the new ones.

        ``matching``: the agencies that share a matching key. Raises ValueError where files and directory disagree.
        """
        self._make_root()
        with self._changing(now) as keys:
            for agency in agencies:
                self._make_folder(agency)
                if not self._numbers(agency, "storage-(.+)[.]key"):
                    self._write_key(agency, "storage-1")
                if not (self._keys(agency) / f"{BLIND_INDEX}.key").exists():
                    self._write_key(agency, BLIND_INDEX)
                for use in _KINDS:
                    self._make_keys(keys, agency, use)
            self._share(self._shared(matching) or {"matching-1": os.urandom(KEY_BYTES)}, matching)

    def rotate(self, agency: str, use: Use, valid_from: datetime, now: datetime) -> str:
        """Make a new key, in use from ``valid_from`` on. Older keys still verify and open. Returns its id.

        Raises ValueError where the agency has no key of this use.
        """
        with self._changing(now) as keys:
            listed = [key for key in keys.values() if key.agency == agency and key.use == use]
            if not listed:
                raise ValueError(f"{agency} has no key of this kind to follow")
            names = [f"{key.kid}.pem" for key in listed] + self._files(agency)
            key_id = _key_id(agency, use, 1 + max(_numbers(names, _pattern(agency, use))))
            _KINDS[use].generate(key_id).save(self._keys(agency))
            self._list(keys, agency, use, key_id, valid_from)
        return key_id

    def rotate_storage(self, agency: str) -> str:
        """Make a new storage key, which the agency's service uses from now on. Returns its name. Raises ValueError."""
        numbers = self._numbers(agency, "storage-(.+)[.]key")
        if not numbers:
            raise ValueError(f"{agency} has no storage key to follow")
        name = f"storage-{1 + max(numbers)}"
        self._write_key(agency, name)
        return name

    def rotate_matching(self) -> str:
        """Make a new matching key at every agency that has one. Returns its name. Raises ValueError."""
        with self._alone():
            sharing = {path.parent.parent.name for path in self._folder.glob(f"*/{KEYS}/matching-*.key")}
            known = self._shared(sharing)
            if not known:
                raise ValueError("there is no matching key to follow")
            name = f"matching-{1 + max(_numbers(known, 'matching-(.+)'))}"
            self._share({name: os.urandom(KEY_BYTES)}, sharing)
        return name

    def retire(self, key_id: str, now: datetime) -> None:
        """Stop the use of a key for signing or sealing. It is still trusted for GRACE.

        Raises ValueError where the key is unknown, not in use, or the last of its kind in use.
        """
        with self._changing(now) as keys:
            key = _found(keys, key_id)
            if not key.in_use(now):
                raise ValueError(f"{key_id} is not in use")
            if len(KeyDirectory(keys).in_use(key.agency, key.use, now)) == 1:
                raise ValueError(f"{key_id} is the last of its kind in use: rotate first")
            keys[key_id] = key.model_copy(update={"retired_at": now})

    def revoke(self, key_id: str, reason: Revocation, now: datetime) -> None:
        """End all trust in a key from ``now`` on. Raises ValueError where it is unknown or revoked."""
        with self._changing(now) as keys:
            key = _found(keys, key_id)
            if key.revoked_at is not None:
                raise ValueError(f"{key_id} is revoked since {key.revoked_at:%Y-%m-%d}")
            keys[key_id] = key.model_copy(update={"revoked_at": now, "revoked_because": reason.value})

    def destroy(self, key_id: str, now: datetime) -> None:
        """Delete a private encryption key for ever.

        Raises ValueError unless it is revoked, or was retired longer than GRACE ago: events under way may need it.
        """
        with self._alone():
            key = _found(self.directory().keys, key_id)
            past = key.revoked_at is not None or (key.retired_at is not None and now > key.retired_at + GRACE)
            if key.use != "enc" or not past:
                raise ValueError(f"{key_id} is no encryption key that is revoked, or retired {GRACE.days} days ago")
            (self._keys(key.agency) / f"{key_id}.pem").unlink()
            sync_folder(self._keys(key.agency))

    def publish(self, now: datetime) -> int:
        """Sign the directory again with the next version number. Returns the number."""
        with self._alone():
            directory = self.directory()
            self._publish(directory.keys, directory.version + 1, now)
            return directory.version + 1

    @contextmanager
    def _changing(self, now: datetime) -> Iterator[dict[str, DirectoryKey]]:
        with self._alone():
            directory = self.directory()
            keys = dict(directory.keys)
            yield keys
            if keys != directory.keys or directory.version == 0:
                self._publish(keys, directory.version + 1, now)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Lock the folder against other commands. The kernel releases the lock when the process ends."""
        folder = os.open(self._own, os.O_RDONLY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            yield
        finally:
            os.close(folder)

    def _publish(self, keys: Mapping[str, DirectoryKey], version: int, now: datetime) -> None:
        signer = SigningKey.load(self._own / f"{ROOT}.pem")
        _publish_file(self._document, sign_directory(keys.values(), version, now, signer))

    def _root(self) -> OKPKey:
        return OKPKey.import_key(SigningKey.load(self._own / f"{ROOT}.pem").private.public_key())

    def _make_root(self) -> None:
        self._own.mkdir(exist_ok=True)
        self._own.chmod(0o700)
        if not (self._own / f"{ROOT}.pem").exists():
            if self._document.exists() and "payload" in json.loads(self._document.read_bytes()):
                raise ValueError(f"{self._document} is signed by a key that is not in {self._own}: bring it back")
            SigningKey.generate(ROOT).save(self._own)
        public = json.dumps(self._root().as_dict(private=False, kid=ROOT, use="sig"), indent=2) + "\n"
        _publish_file(self._folder / "public" / "directory-root.json", public.encode())

    def _make_keys(self, keys: dict[str, DirectoryKey], agency: str, use: Use) -> None:
        numbers = self._numbers(agency, _pattern(agency, use))
        if not numbers:
            listed = sorted(key.kid for key in keys.values() if key.agency == agency and key.use == use)
            if listed:
                raise ValueError(f"{self._document} lists {', '.join(listed)} of {agency}, and its file is not here")
            _KINDS[use].generate(_key_id(agency, use, 1)).save(self._keys(agency))
        for number in sorted(numbers or [1]):
            self._list(keys, agency, use, _key_id(agency, use, number), ALWAYS)

    def _list(self, keys: dict[str, DirectoryKey], agency: str, use: Use, key_id: str, valid_from: datetime) -> None:
        jwk = _KINDS[use].load(self._keys(agency) / f"{key_id}.pem").public_jwk(agency)
        listed = keys.setdefault(key_id, DirectoryKey.model_validate({**jwk, "valid_from": valid_from}))
        if (listed.agency, listed.x) != (agency, jwk["x"]):
            raise ValueError(f"{self._document} lists another key {key_id}: give the new key a new id")

    def _keys(self, agency: str) -> Path:
        return self._folder / agency / KEYS

    def _make_folder(self, agency: str) -> None:
        own = self._keys(agency)
        own.mkdir(exist_ok=True)
        own.chmod(0o700)

    def _files(self, agency: str) -> list[str]:
        return [path.name for path in self._keys(agency).iterdir()]

    def _numbers(self, agency: str, pattern: str) -> list[int]:
        return _numbers(self._files(agency), pattern)

    def _write_key(self, agency: str, name: str) -> None:
        write_secret(self._keys(agency) / f"{name}.key", os.urandom(KEY_BYTES))

    def _shared(self, agencies: Iterable[str]) -> dict[str, bytes]:
        """Name → matching key, of all these agencies. Raises ValueError where two agencies have different keys."""
        found: dict[str, bytes] = {}
        for agency in agencies:
            for path in self._keys(agency).glob("matching-*.key"):
                if found.setdefault(path.stem, secret := read_secret(path)) != secret:
                    raise ValueError(f"{path} differs from the other agencies' key: copy theirs")
        return found

    def _share(self, keys: Mapping[str, bytes], agencies: Iterable[str]) -> None:
        for agency in agencies:
            for name, secret in keys.items():
                if not (path := self._keys(agency) / f"{name}.key").exists():
                    write_secret(path, secret)


def _key_id(agency: str, use: Use, number: int) -> str:
    return f"{agency}-{number}" if use == "sig" else f"{agency}-{use}-{number}"


def _pattern(agency: str, use: Use) -> str:
    return f"{agency}-(.+)[.]pem" if use == "sig" else f"{agency}-{use}-(.+)[.]pem"


def _numbers(names: Iterable[str], pattern: str) -> list[int]:
    found = (re.fullmatch(pattern, name) for name in names)
    return [int(match[1]) for match in found if match and match[1].isdecimal()]


def _found(keys: Mapping[str, DirectoryKey], key_id: str) -> DirectoryKey:
    if key_id not in keys:
        raise ValueError(f"there is no key {key_id}")
    return keys[key_id]


def _publish_file(path: Path, content: bytes) -> None:
    if not (path.exists() and path.read_bytes() == content):
        replace_file(path, content, PUBLIC)
