"""The rules of every vault, wherever its keys are; each vault opens the wrapped keys of another."""

import base64
import hmac
import itertools
import json
import os
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from joserfc.jwk import OKPKey

from deploy.credentials.secrets import BrokerRole, make_secrets
from shared.security.keys import EncryptionKey, SigningKey
from shared.security.public_keys import GRACE, DirectoryKey, Revocation, Untrusted
from shared.security.sealing import DataKey, Unopenable, wrap_key
from shared.security.vault import Vault, VaultUnavailable
from tests.support.vaults import BODY, DAY, IMPLEMENTATIONS, NOW, OTHER, SECRET, VICTIM, InFiles, InHsm, Library


@pytest.fixture(scope="module")
def as_made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The secrets of two members, made once: each test has a copy."""
    folder = tmp_path_factory.mktemp("vaults") / "secrets"
    make_secrets(folder, {"library": BrokerRole.AGENCY, "archive": BrokerRole.AGENCY})
    return folder


@pytest.fixture
def library(tmp_path: Path, as_made: Path) -> Library:
    return Library(shutil.copytree(as_made, tmp_path / "secrets"))


@pytest.fixture(params=IMPLEMENTATIONS)
def kept(request: pytest.FixtureRequest, library: Library) -> InFiles | InHsm:
    return IMPLEMENTATIONS[request.param](library)


@pytest.fixture
def vault(kept: InFiles | InHsm) -> Vault:
    return kept.vault


def wrapped_for(library: Library, key: DataKey = SECRET) -> str:
    return wrap_key(key, library.directory.to_seal_for("library", library.now))


def strange(key_id: str) -> OKPKey:
    """A key that nobody listed under this id."""
    return DirectoryKey.model_validate(EncryptionKey.generate(key_id).public_jwk("library")).public


def reason(work: Callable[[], object]) -> str:
    with pytest.raises(Unopenable) as refused:
        work()
    return refused.value.reason


# --- signing ----------------------------------------------------------------------------------------------------------


def test_the_directory_verifies_a_signature_of_the_vault(library: Library, vault: Vault) -> None:
    for body in (b"", BODY, os.urandom(64 * 1024)):
        assert library.directory.verify(body, vault.sign(body), NOW) == "library"


def test_the_newest_valid_key_signs_while_it_runs(library: Library, kept: InFiles | InHsm) -> None:
    before = kept.vault.sign(BODY)
    second = library.rotated("sig", NOW + DAY)
    kept.take_in()
    assert kept.vault.sign(BODY).startswith("library-1;")
    library.now += DAY
    assert kept.vault.sign(BODY).startswith(f"{second};")
    for signature in (before, kept.vault.sign(BODY)):
        assert library.directory.verify(BODY, signature, library.now) == "library"


def test_a_key_that_is_listed_and_not_here_yet_leaves_the_one_before(library: Library, vault: Vault) -> None:
    second = library.rotated("sig")
    here, elsewhere = library.own / f"{second}.pem", library.folder / "elsewhere.pem"
    here.rename(elsewhere)
    assert vault.sign(BODY).startswith("library-1;")


@pytest.mark.parametrize("ended", ["retired", "revoked"])
def test_an_ended_key_signs_no_more(library: Library, kept: InFiles | InHsm, ended: str) -> None:
    assert kept.vault.sign(BODY).startswith("library-1;")
    library.rotated("sig")
    kept.take_in()
    if ended == "retired":
        library.keyring.retire("library-2", NOW)
    else:
        library.keyring.revoke("library-2", Revocation.KEY_COMPROMISE, NOW)
    library.read()
    assert kept.vault.sign(BODY).startswith("library-1;")
    library.keyring.revoke("library-1", Revocation.KEY_COMPROMISE, NOW)
    library.read()
    with pytest.raises(VaultUnavailable, match="no key"):
        kept.vault.sign(BODY)


def test_a_key_that_is_not_the_listed_one_signs_nothing(library: Library, tmp_path: Path) -> None:
    (library.own / "library-1.pem").unlink()
    SigningKey.generate("library-1").save(library.own)
    for implementation in IMPLEMENTATIONS.values():
        with pytest.raises(ValueError, match="library-1"):
            implementation(library).vault.sign(BODY)


# --- opening ----------------------------------------------------------------------------------------------------------


def test_a_vault_opens_a_key_wrapped_for_it(library: Library, vault: Vault) -> None:
    assert vault.open_key(wrapped_for(library)) == SECRET.secret


def test_old_keys_open_and_new_keys_are_wrapped_for(library: Library, kept: InFiles | InHsm) -> None:
    old = wrapped_for(library)
    second = library.rotated("enc")
    kept.take_in()
    new = wrapped_for(library)
    assert json.loads(base64.urlsafe_b64decode(new.partition(".")[0] + "=="))["kid"] == second
    assert kept.vault.open_key(old) == kept.vault.open_key(new) == SECRET.secret


def test_a_retired_key_opens_what_was_under_way_and_a_revoked_one_nothing(
    library: Library, kept: InFiles | InHsm
) -> None:
    old = wrapped_for(library)
    library.rotated("enc")
    library.keyring.retire("library-enc-1", NOW)
    library.read()
    library.now = NOW + GRACE
    assert kept.vault.open_key(old) == SECRET.secret
    library.now += timedelta(seconds=1)
    assert reason(lambda: kept.vault.open_key(old)) == "retired-key"
    library.now = NOW
    library.keyring.revoke("library-enc-1", Revocation.KEY_COMPROMISE, NOW)
    library.read()
    assert reason(lambda: kept.vault.open_key(old)) == "revoked-key"


def test_a_vault_opens_no_key_wrapped_for_another(library: Library, vault: Vault) -> None:
    theirs = wrap_key(SECRET, library.directory.to_seal_for("archive", NOW))
    its_key = library.folder / "archive" / "keys" / "archive-enc-1.pem"
    shutil.copy(its_key, library.own)  # it may lie here, and is not ours
    listed_nowhere, for_a_signing_key = (wrap_key(SECRET, strange(key_id)) for key_id in ("library-enc-9", "library-1"))
    for wrapped in (theirs, listed_nowhere, for_a_signing_key):
        assert reason(lambda wrapped=wrapped: vault.open_key(wrapped)) == "unknown-key"  # type: ignore[misc]


def test_what_is_wrapped_for_a_key_that_is_listed_and_not_here_yet_waits_for_it(
    library: Library, kept: InFiles | InHsm
) -> None:
    """No word on the event: it is not broken, we are."""
    second, elsewhere = library.rotated("enc"), library.folder / "elsewhere.pem"
    (library.own / f"{second}.pem").rename(elsewhere)
    wrapped = wrapped_for(library)
    with pytest.raises(VaultUnavailable):
        kept.vault.open_key(wrapped)
    elsewhere.rename(library.own / f"{second}.pem")
    kept.take_in()
    assert kept.vault.open_key(wrapped) == SECRET.secret


def test_a_key_of_that_id_that_is_another_opens_nothing(library: Library, vault: Vault) -> None:
    wrapped = wrap_key(SECRET, strange("library-enc-1"))
    assert reason(lambda: vault.open_key(wrapped)) == "not-authentic"


@pytest.mark.parametrize("point", [bytes(32), b"\x01" + bytes(31), b"\xff" * 32], ids=["zero", "one", "ones"])
def test_a_point_to_exchange_nothing_with_is_refused_and_the_vault_lives(
    library: Library, vault: Vault, point: bytes
) -> None:
    header, *rest = wrapped_for(library).split(".")
    names = json.loads(base64.urlsafe_b64decode(header + "=="))
    names["epk"]["x"] = base64.urlsafe_b64encode(point).rstrip(b"=").decode()
    forged = base64.urlsafe_b64encode(json.dumps(names).encode()).rstrip(b"=").decode()
    assert reason(lambda: vault.open_key(".".join([forged, *rest]))) == "not-authentic"
    assert vault.open_key(wrapped_for(library)) == SECRET.secret


@given(at_rest=st.booleans(), place=st.integers(0, 10_000), other=st.sampled_from("ABab01-_.="))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=60)
def test_one_changed_character_opens_nothing(
    library: Library, vault: Vault, at_rest: bool, place: int, other: str
) -> None:
    # What is drawn never depends on the wrapped key, another every time: Hypothesis must be able to repeat a draw.
    wrapped = vault.wrap_at_rest(SECRET.secret, VICTIM) if at_rest else wrapped_for(library)
    at = place % len(wrapped)
    new = other if other != wrapped[at] else "~"
    changed = wrapped[:at] + new + wrapped[at + 1 :]
    assert reason(lambda: vault.unwrap_at_rest(changed, VICTIM) if at_rest else vault.open_key(changed))


# --- at rest, and the blind index -------------------------------------------------------------------------------------


def test_a_data_key_at_rest_is_bound_to_its_victim(vault: Vault) -> None:
    kept = vault.wrap_at_rest(SECRET.secret, VICTIM)
    assert SECRET.secret not in base64.urlsafe_b64decode(kept.partition(".")[2])
    assert vault.wrap_at_rest(SECRET.secret, VICTIM) != kept
    assert vault.unwrap_at_rest(kept, VICTIM) == SECRET.secret
    assert reason(lambda: vault.unwrap_at_rest(kept, OTHER)) == "not-authentic"


def test_a_new_storage_key_wraps_and_the_old_one_still_unwraps(library: Library, kept: InFiles | InHsm) -> None:
    old = kept.vault.wrap_at_rest(SECRET.secret, VICTIM)
    assert library.keyring.rotate_storage("library") == "storage-2"
    kept.take_in()
    new = kept.vault.wrap_at_rest(SECRET.secret, VICTIM)  # with no start in between
    assert (old.partition(".")[0], new.partition(".")[0]) == ("storage-1", "storage-2")
    for vault, wrapped in itertools.product((kept.vault, kept.again()), (old, new)):
        assert vault.unwrap_at_rest(wrapped, VICTIM) == SECRET.secret


@pytest.mark.parametrize(
    ("kept_as", "expected"),
    [
        ("storage-9.{}", "unknown-key"),
        ("storage-01.{}", "malformed"),
        ("../storage-1.{}", "malformed"),
        ("blind-index.{}", "malformed"),
        ("{}", "malformed"),
        ("storage-1.", "malformed"),
        ("storage-1.AAAA", "malformed"),
        ("storage-1.AAAAAAAAAAAAAAAAAAAA", "not-authentic"),
    ],
)
def test_what_was_never_wrapped_is_refused(vault: Vault, kept_as: str, expected: str) -> None:
    body = vault.wrap_at_rest(SECRET.secret, VICTIM).partition(".")[2]
    assert reason(lambda: vault.unwrap_at_rest(kept_as.format(body), VICTIM)) == expected


def test_the_blind_index_is_a_keyed_hash_for_one_key_purpose(library: Library, vault: Vault) -> None:
    key = (library.own / "blind-index.key").read_bytes()
    nik = "7401014107990001"
    assert vault.blind(nik, "nik") == hmac.new(key, b"nik\n" + nik.encode(), "sha256").hexdigest()
    assert (
        len(
            {vault.blind(value, key_purpose) for value in (nik, "7401014107990002") for key_purpose in ("nik", "phone")}
        )
        == 4
    )


def test_a_shared_key_makes_the_hash_that_other_agencies_make(library: Library, kept: InFiles | InHsm) -> None:
    key, nik = (library.own / "matching-1.key").read_bytes(), "7401014107990001"
    expected = hmac.new(key, b"nik\n" + nik.encode(), "sha256").hexdigest()
    assert (kept.vault.matching_key(), kept.vault.match(1, nik, "nik")) == (1, expected)
    assert kept.vault.match(1, nik, "phone") != expected != kept.vault.blind(nik, "nik")
    library.keyring.rotate_matching()
    kept.take_in()
    assert kept.vault.matching_key() == 2  # with no start in between
    assert kept.vault.match(2, nik, "nik") != expected == kept.vault.match(1, nik, "nik")


def test_an_agency_may_have_no_shared_key(library: Library) -> None:
    (library.own / "matching-1.key").unlink()
    assert library.files().matching_key() is None


# --- all of them ------------------------------------------------------------------------------------------------------


def test_many_threads_use_one_vault(library: Library, vault: Vault) -> None:
    wrapped, kept, blind = wrapped_for(library), vault.wrap_at_rest(SECRET.secret, VICTIM), vault.blind("1", "nik")

    def use(_: int) -> bool:
        signed = library.directory.verify(BODY, vault.sign(BODY), NOW) == "library"
        opened = vault.open_key(wrapped) == vault.unwrap_at_rest(kept, VICTIM) == SECRET.secret
        return signed and opened and vault.blind("1", "nik") == blind

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(use, range(80)))


def test_what_one_vault_wraps_the_others_unwrap(library: Library) -> None:
    vaults = [implementation(library).vault for implementation in IMPLEMENTATIONS.values()]
    wrapped = wrapped_for(library)
    for one, another in itertools.product(vaults, vaults):
        assert another.unwrap_at_rest(one.wrap_at_rest(SECRET.secret, VICTIM), VICTIM) == SECRET.secret
        assert one.open_key(wrapped) == another.open_key(wrapped)
        assert one.blind("1", "nik") == another.blind("1", "nik")
        assert one.sign(BODY) == another.sign(BODY)  # Ed25519 is deterministic


SECRETS = ["library-1.pem", "library-enc-1.pem", "storage-1.key", "blind-index.key"]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o644, 0o777])
@pytest.mark.parametrize("name", SECRETS)
def test_a_file_that_others_may_touch_is_refused(library: Library, name: str, mode: int) -> None:
    wrapped = wrapped_for(library)
    (library.own / name).chmod(mode)
    with pytest.raises(PermissionError, match=name):
        vault = library.files()
        vault.sign(BODY)
        vault.open_key(wrapped)
    (library.own / name).chmod(0o600)
    vault = library.files()
    assert vault.sign(BODY) and vault.open_key(wrapped)


@pytest.mark.parametrize("name", ["storage-1.key", "blind-index.key"])
def test_a_secret_of_the_wrong_length_is_refused(library: Library, name: str) -> None:
    (library.own / name).write_bytes(b"secret")
    with pytest.raises(ValueError, match="32 bytes"):
        library.files()


def test_a_folder_without_its_secrets_is_no_vault(library: Library) -> None:
    (library.own / "storage-1.key").unlink()
    with pytest.raises(VaultUnavailable, match="no storage key"):
        library.files()
    (library.own / "blind-index.key").unlink()
    with pytest.raises(FileNotFoundError):
        library.files()


def test_the_directory_has_the_last_word_on_what_may_be_signed(library: Library, vault: Vault) -> None:
    signature = vault.sign(BODY)
    library.keyring.revoke("library-1", Revocation.KEY_COMPROMISE, NOW)
    library.read()
    with pytest.raises(Untrusted, match="revoked-key"):
        library.directory.verify(BODY, signature, NOW)
