"""The signed directory: the owner of each key, its end, and the signer of the claim."""

import base64
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import OKPKey

from shared.security.key_directory import load_root, newer, read_directory, sign_directory
from shared.security.keys import EncryptionKey, KeyDirectory
from shared.security.public_keys import GRACE
from tests.support.key_directories import (
    BODY,
    CONTENT,
    DAY,
    NEW,
    NOW,
    OLD,
    RIGHT,
    ROOT,
    SEALED_FOR,
    TRUSTED,
    UNTRUSTED,
    directory,
    document,
    listed,
    signed_as,
    untrusted,
)

# --- a key's span of life ---------------------------------------------------------------------------------------------


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


# --- who says so ------------------------------------------------------------------------------------------------------


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


def test_an_unsigned_directory_has_no_successor() -> None:
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
