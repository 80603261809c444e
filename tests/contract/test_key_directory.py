"""Whose key is whose, until when, and who says so: the signed directory and the file it is read from."""

import base64
import json
import threading
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jws
from joserfc.jwk import OctKey, OKPKey

from shared.security.key_directory import (
    LOOK_AGAIN_SECONDS,
    DirectoryFile,
    load_root,
    newer,
    read_directory,
    sign_directory,
)
from shared.security.keys import EncryptionKey, KeyDirectory, SigningKey, Untrusted
from shared.security.public_keys import GRACE, DirectoryKey

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


# --- a key's span of life -------------------------------------------------------------------------------------------


def test_the_newest_key_that_is_valid_is_used_and_the_old_one_still_verifies() -> None:
    known = directory(listed(OLD), listed(NEW, valid_from=NOW))
    assert [key.kid for key in known.in_use("library", "sig", NOW)] == ["library-2", "library-1"]
    assert [key.kid for key in known.in_use("library", "sig", NOW - DAY)] == ["library-1"]
    for key in (OLD, NEW):
        assert known.verify(BODY, key.sign(BODY), NOW) == "library"


def test_a_key_verifies_before_its_owner_uses_it_as_clocks_differ() -> None:
    assert directory(listed(NEW, valid_from=NOW + DAY)).verify(BODY, NEW.sign(BODY), NOW) == "library"


def test_a_retired_key_is_used_no_more_and_verifies_what_was_under_way() -> None:
    known = directory(listed(OLD, retired_at=NOW))
    assert known.in_use("library", "sig", NOW) == []
    assert known.verify(BODY, OLD.sign(BODY), NOW + GRACE) == "library"
    late = NOW + GRACE + timedelta(microseconds=1)
    assert untrusted(lambda: known.verify(BODY, OLD.sign(BODY), late)) == "retired-key"
    assert known.verify_recorded(BODY, OLD.sign(BODY), NOW) == "library"


def test_a_revoked_key_proves_nothing_new_and_keeps_what_is_recorded() -> None:
    known = directory(listed(OLD, revoked_at=NOW, revoked_because="key-compromise"))
    assert known.in_use("library", "sig", NOW - DAY) == []
    for moment in (NOW - DAY, NOW, NOW + DAY, None):
        assert untrusted(lambda at=moment: known.verify(BODY, OLD.sign(BODY), at)) == "revoked-key"  # type: ignore[misc]
    assert known.verify_recorded(BODY, OLD.sign(BODY), NOW - DAY) == "library"
    assert untrusted(lambda: known.verify_recorded(BODY, OLD.sign(BODY), NOW)) == "revoked-key"


def test_whether_a_signature_is_right_is_asked_first() -> None:
    known = directory(listed(OLD, revoked_at=NOW))
    assert untrusted(lambda: known.verify(BODY + b" ", OLD.sign(BODY), NOW)) == "wrong-signature"


def test_without_a_moment_it_is_now() -> None:
    year = timedelta(days=365)
    lapsed, fresh = directory(listed(OLD, retired_at=datetime.now(UTC) - year)), directory(listed(OLD))
    assert fresh.verify(BODY, OLD.sign(BODY)) == "library"
    assert untrusted(lambda: lapsed.verify(BODY, OLD.sign(BODY))) == "retired-key"


def test_an_encryption_key_signs_nothing_and_a_signing_key_is_sealed_for_by_nobody() -> None:
    known = directory(listed(OLD), listed(SEALED_FOR))
    forged = OLD.sign(BODY).replace("library-1", "library-enc-1")
    assert untrusted(lambda: known.verify(BODY, forged, NOW)) == "unknown-key"
    assert known.to_seal_for("library", NOW).kid == "library-enc-1"
    assert untrusted(lambda: known.to_seal_for("archive", NOW)) == "no-encryption-key"


def test_new_keys_are_sealed_for_and_ended_ones_are_not() -> None:
    later = EncryptionKey.generate("library-enc-2")
    both = directory(listed(SEALED_FOR), listed(later, valid_from=NOW))
    assert both.to_seal_for("library", NOW).kid == "library-enc-2"
    assert both.to_seal_for("library", NOW - DAY).kid == "library-enc-1"
    ended = directory(listed(SEALED_FOR, retired_at=NOW), listed(later, revoked_at=NOW))
    assert untrusted(lambda: ended.to_seal_for("library", NOW)) == "no-encryption-key"


def test_the_public_list_holds_the_signing_keys_with_their_spans() -> None:
    known = directory(listed(OLD, retired_at=NOW), listed(NEW, valid_from=NOW), listed(SEALED_FOR))
    first, second = known.as_jwks()["keys"]
    assert first["kid"] == "library-1" and first["retired_at"] == "2026-11-24T08:00:00Z" and "revoked_at" not in first
    assert second["kid"] == "library-2" and second["valid_from"] == "2026-11-24T08:00:00Z"
    assert OKPKey.import_key(first).public_key == OLD.private.public_key()


# --- who says so ----------------------------------------------------------------------------------------------------


def test_a_signed_directory_is_read_as_it_was_written() -> None:
    keys = [listed(OLD, retired_at=NOW), listed(NEW, valid_from=NOW), listed(SEALED_FOR, agency="library", note="x")]
    read = read_directory(document(*keys, version=7), TRUSTED)
    assert read.keys == {key.kid: key for key in keys}
    assert (read.version, read.issued_at) == (7, NOW)
    again = sign_directory(read.keys.values(), read.version, read.issued_at, ROOT)
    assert again == document(*keys, version=7)  # also what this version of ours does not know


def test_anyone_can_check_it_with_nothing_but_ed25519() -> None:
    signed = json.loads(document(listed(OLD)))
    raw = base64.urlsafe_b64decode(signed["signature"] + "==")
    ROOT.private.public_key().verify(raw, f"{signed['protected']}.{signed['payload']}".encode())


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


@pytest.mark.parametrize("received", UNTRUSTED.values(), ids=UNTRUSTED)
def test_nothing_else_is_believed(received: bytes) -> None:
    assert untrusted(lambda: read_directory(received, TRUSTED)) == "untrusted-directory"


@given(st.data())
def test_one_flipped_bit_is_refused(data: st.DataObject) -> None:
    received = bytearray(json.dumps(json.loads(document(listed(OLD)))).encode())  # without the blanks between members
    at = data.draw(st.integers(0, len(received) * 8 - 1))
    received[at // 8] ^= 1 << at % 8
    assert untrusted(lambda: read_directory(bytes(received), TRUSTED)) in ("untrusted-directory", "malformed-directory")


MALFORMED = {
    "no JSON": b"Siti",
    "too deep": b"[" * 100_000,
    "no directory": signed_as(RIGHT, b"{}"),
    "version 0": signed_as(RIGHT, CONTENT.replace(b": 1", b": 0")),
    "a moment without a zone": signed_as(RIGHT, CONTENT.replace(b"00Z", b"00")),
}
WRONG_KEYS: dict[str, dict[str, Any]] = {
    "a path for an id": {"kid": "../library-1"},
    "a separator in an id": {"kid": "library;1"},
    "the wrong curve for its use": {"use": "enc"},
    "no point": {"x": "AAAA"},
    "a private key": {"d": "AAAA"},
    "another kind": {"kty": "EC"},
}


def directory_of(*keys: dict[str, Any]) -> bytes:
    return signed_as(RIGHT, json.dumps({**json.loads(CONTENT), "keys": keys}).encode())


@pytest.mark.parametrize("received", MALFORMED.values(), ids=MALFORMED)
def test_what_cannot_be_read_is_refused(received: bytes) -> None:
    assert untrusted(lambda: read_directory(received, TRUSTED)) == "malformed-directory"


@pytest.mark.parametrize("wrong", WRONG_KEYS.values(), ids=WRONG_KEYS)
def test_a_directory_with_one_key_that_is_none_is_refused(wrong: dict[str, Any]) -> None:
    right = OLD.public_jwk("library")
    assert "library-1" in read_directory(directory_of(right), TRUSTED).keys
    assert untrusted(lambda: read_directory(directory_of({**right, **wrong}), TRUSTED)) == "malformed-directory"


def test_an_id_stands_for_one_key() -> None:
    twice = directory_of(OLD.public_jwk("library"), OLD.public_jwk("archive"))
    assert untrusted(lambda: read_directory(twice, TRUSTED)) == "malformed-directory"


@given(st.integers(1, 50), st.integers(1, 50))
def test_the_version_never_goes_back(ours: int, theirs: int) -> None:
    current = read_directory(document(listed(OLD), version=ours), TRUSTED)
    received = document(listed(OLD), version=theirs)
    if theirs < ours:
        assert untrusted(lambda: newer(current, received)) == "older-directory"
    else:
        assert newer(current, received).version == theirs


def test_there_are_no_two_directories_of_one_version() -> None:
    current = directory(listed(OLD))
    assert newer(current, document(listed(OLD))) == current
    assert untrusted(lambda: newer(current, document(listed(NEW)))) == "forked-directory"


def test_what_nobody_vouches_for_is_followed_by_nothing() -> None:
    made_up = KeyDirectory.of([OLD.public_jwk("library")])
    assert untrusted(lambda: newer(made_up, document(listed(OLD)))) == "untrusted-directory"


def test_the_root_is_a_public_ed25519_key(tmp_path: Path) -> None:
    path = tmp_path / "root.json"
    for wrong in (OKPKey.import_key(ROOT.private).as_dict(private=True), SEALED_FOR.public_jwk("library")):
        path.write_text(json.dumps(wrong))
        with pytest.raises(ValueError, match="no public Ed25519 key"):
            load_root(path)
    path.write_text(json.dumps(TRUSTED.as_dict(private=False)))
    assert read_directory(document(listed(OLD)), load_root(path)).version == 1


# --- the file while a service runs ----------------------------------------------------------------------------------


class Ticks:
    """A monotonic clock that goes on when it is told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Published:
    """A directory's file, as ``deploy.keys`` replaces it."""

    def __init__(self, folder: Path) -> None:
        self.path, self.ticks = folder / "keys.json", Ticks()

    def replace(self, content: bytes) -> None:
        new = self.path.with_suffix(".new")
        new.write_bytes(content)
        new.replace(self.path)

    def opened(self) -> DirectoryFile:
        return DirectoryFile(self.path, TRUSTED, self.ticks)

    def later(self) -> None:
        self.ticks.now += LOOK_AGAIN_SECONDS


@pytest.fixture
def published(tmp_path: Path) -> Published:
    published = Published(tmp_path)
    published.replace(document(listed(OLD)))
    return published


@pytest.fixture
def logged() -> Iterator[list[Any]]:
    structlog.reset_defaults()  # whatever level a service before this test was silent at
    with structlog.testing.capture_logs() as entries:
        yield entries


def test_a_revocation_holds_within_ten_seconds_and_is_not_looked_for_all_the_time(published: Published) -> None:
    file, signature = published.opened(), OLD.sign(BODY)
    assert file.verify(BODY, signature, NOW) == "library"
    published.replace(document(listed(OLD, revoked_at=NOW), version=2))
    published.ticks.now += LOOK_AGAIN_SECONDS - 0.01
    assert file.current().version == 1
    published.ticks.now += 0.01
    assert untrusted(lambda: file.verify(BODY, signature, NOW)) == "revoked-key"
    assert LOOK_AGAIN_SECONDS < 10


def test_a_key_that_is_not_known_is_looked_for_at_once(published: Published) -> None:
    file = published.opened()
    assert untrusted(lambda: file.verify(BODY, NEW.sign(BODY), NOW)) == "unknown-key"
    published.replace(document(listed(OLD), listed(NEW), version=2))
    assert file.verify(BODY, NEW.sign(BODY), NOW) == "library"


REFUSED = {
    "older": (lambda: document(listed(NEW), version=1), "older-directory"),
    "another of this version": (lambda: document(listed(NEW), version=2), "forked-directory"),
    "signed by another": (lambda: document(version=9, root=NEW), "untrusted-directory"),
    "half of it": (lambda: document(listed(OLD), version=9)[:100], "malformed-directory"),
}


@pytest.mark.parametrize(("received", "reason"), REFUSED.values(), ids=REFUSED)
def test_a_document_that_is_refused_changes_nothing_and_is_said_once(
    published: Published, logged: list[Any], received: Callable[[], bytes], reason: str
) -> None:
    published.replace(document(listed(OLD), version=2))
    file = published.opened()
    before = file.current()
    published.replace(received())
    for _ in range(3):
        published.later()
        assert file.current() is before
    [said] = logged
    assert said["event"] == "key-directory.refused" and said["reason"] == reason
    published.replace(document(listed(OLD), listed(NEW), version=3))
    published.later()
    assert file.current().version == 3


def test_a_file_that_is_gone_leaves_what_was_read(published: Published, logged: list[Any]) -> None:
    file = published.opened()
    published.path.unlink()
    published.later()
    assert file.current().version == 1
    assert [said["event"] for said in logged] == ["key-directory.unreadable"]
    published.replace(document(listed(OLD), version=2))
    published.later()
    assert file.current().version == 2


def test_no_service_starts_on_what_it_cannot_trust(published: Published) -> None:
    for received in UNTRUSTED.values():
        published.replace(received)
        assert untrusted(published.opened) == "untrusted-directory"
    published.path.unlink()
    with pytest.raises(FileNotFoundError):
        published.opened()


def test_threads_see_whole_directories_and_never_an_older_one(published: Published) -> None:
    published.ticks = Always()
    file, done, wrong = published.opened(), threading.Event(), []

    def look() -> None:
        last = 0
        while not done.is_set():
            seen = file.current()
            if seen.version < last or seen.keys.keys() != {"library-1"}:
                wrong.append(seen)
            last = seen.version

    threads = [threading.Thread(target=look) for _ in range(4)]
    start(threads)
    for version in range(2, 60):
        published.replace(document(listed(OLD), version=version))
    done.set()
    for thread in threads:
        thread.join()
    assert not wrong and file.current().version == 59


class Always(Ticks):
    """A clock by which it is always time to look."""

    def __call__(self) -> float:
        self.now += LOOK_AGAIN_SECONDS
        return self.now


def start(threads: Iterable[threading.Thread]) -> None:
    for thread in threads:
        thread.start()


def test_what_came_otherwise_counts_until_the_file_is_newer(published: Published) -> None:
    file = published.opened()
    file.adopt(document(listed(OLD, revoked_at=NOW), version=3))
    assert untrusted(lambda: file.verify(BODY, OLD.sign(BODY), NOW)) == "revoked-key"
    published.replace(document(listed(OLD), version=2))
    published.later()
    assert file.current().version == 3
    published.replace(newest := document(listed(NEW), version=4))
    published.later()
    assert file.verify(BODY, NEW.sign(BODY), NOW) == "library"
    assert file.document() == (4, json.dumps(json.loads(newest)))


@pytest.mark.parametrize(("make", "reason"), REFUSED.values(), ids=REFUSED)
def test_what_came_otherwise_is_believed_no_more_than_a_file(
    published: Published, make: Callable[[], bytes], reason: str
) -> None:
    published.replace(document(listed(OLD), version=2))
    file = published.opened()
    assert untrusted(lambda: file.adopt(make())) == reason
    assert file.document()[0] == 2 and file.verify(BODY, OLD.sign(BODY), NOW) == "library"
