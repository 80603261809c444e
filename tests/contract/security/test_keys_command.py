"""The operator's commands for keys: what they publish, and that no private key is ever written over or lost."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from deploy.credentials.keyring import Keyring
from deploy.credentials.keys import app
from deploy.credentials.secrets import COORDINATION, BrokerRole, make_secrets, network
from shared.security import key_directory
from shared.security.file_vault import FileVault
from shared.security.key_directory import DirectoryFile, load_root
from shared.security.keys import KeyDirectory, SigningKey
from shared.security.public_keys import GRACE, Revocation, Untrusted
from shared.security.sealing import DataKey, wrap_key
from shared.security.secret_files import write_secret
from tests.support.sources import ROOT

MEMBERS = {"library": BrokerRole.AGENCY, "archive": BrokerRole.AGENCY, "reader": BrokerRole.FOLLOWER}
MONTH = GRACE + timedelta(days=1)


def now() -> datetime:
    return datetime.now(UTC)


class Operator:
    """An operator with a folder of secrets, who runs the commands."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.keyring = folder, Keyring(folder)

    def says(self, *words: str) -> str:
        """The output of a command that succeeds."""
        done = CliRunner().invoke(app, [*words, "--folder", str(self.folder)], env={"COLUMNS": "160"})
        assert done.exit_code == 0, done.output
        return done.output

    def is_refused(self, *words: str) -> str:
        """The output of a command that refuses, and changes nothing."""
        before = self.everything()
        done = CliRunner().invoke(app, [*words, "--folder", str(self.folder)], env={"COLUMNS": "160"})
        assert done.exit_code != 0 and "Traceback" not in done.output, done.output
        assert self.everything() == before
        return done.output

    def everything(self) -> dict[str, tuple[int, bytes]]:
        paths = [path for path in self.folder.rglob("*") if path.is_file()]
        return {str(p.relative_to(self.folder)): (p.stat().st_mode & 0o777, p.read_bytes()) for p in paths}

    def private(self) -> dict[str, tuple[int, bytes]]:
        return {path: kept for path, kept in self.everything().items() if not path.startswith("public/")}

    def service(self) -> DirectoryFile:
        """The directory as a service reads it."""
        public = self.folder / "public"
        return DirectoryFile(public / "keys.json", load_root(public / "directory-root.json"))

    def directory(self) -> KeyDirectory:
        return self.service().current()

    def vault(self, agency: str = "library") -> FileVault:
        return FileVault(self.folder / agency / "keys", agency, self.directory, now)


@pytest.fixture(scope="module")
def as_made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files that ``make secrets`` makes, made once: each test has a copy."""
    folder = tmp_path_factory.mktemp("keys") / "secrets"
    make_secrets(folder, MEMBERS)
    return folder


@pytest.fixture
def operator(tmp_path: Path, as_made: Path) -> Operator:
    return Operator(shutil.copytree(as_made, tmp_path / "secrets"))


def test_every_agency_is_given_its_keys_and_nobody_else(operator: Operator) -> None:
    keys = {"library-1.pem", "library-enc-1.pem", "storage-1.key", "blind-index.key", "matching-1.key"}
    assert {path.name for path in (operator.folder / "library" / "keys").iterdir()} == keys
    own = {"keys", "database.password", "service.password", "nats.seed"}
    own |= {"tls.pem", "tls-key.pem", "client.pem", "client-key.pem"}
    assert {path.name for path in (operator.folder / "library").iterdir()} == own
    assert {path.name for path in (operator.folder / "reader").iterdir()} == {
        "nats.seed",
        "client.pem",
        "client-key.pem",
    }
    directory = operator.directory()
    assert sorted(directory.keys) == ["archive-1", "archive-enc-1", "library-1", "library-enc-1"]
    assert directory.version == 1
    assert {mode for mode, _ in operator.private().values()} == {0o600}
    folders = [path for path in operator.folder.iterdir() if path.name != "public"]
    assert {path.stat().st_mode & 0o777 for path in [operator.folder, *folders]} == {0o700}


def test_no_two_agencies_have_a_secret_in_common_but_the_one_by_which_they_know_a_person(operator: Operator) -> None:
    private = operator.private()
    shared = {private.pop(f"{agency}/keys/matching-1.key")[1] for agency in ("library", "archive")}
    bodies = [*(body for _, body in private.values()), *shared]
    assert len(shared) == 1 and len(set(bodies)) == len(bodies)


def test_who_compares_what_was_made_with_the_shared_key_has_it_not(tmp_path: Path) -> None:
    make_secrets(tmp_path, network(["library", COORDINATION]))
    assert [path.parent.parent.name for path in tmp_path.glob("*/keys/matching-*.key")] == ["library"]


def test_a_shared_key_is_replaced_at_every_agency_and_given_to_one_that_joins(operator: Operator) -> None:
    assert "matching-2 dibuat" in operator.says("rotate-matching")
    make_secrets(operator.folder, {**MEMBERS, "museum": BrokerRole.AGENCY})
    for number in (1, 2):
        found = {path.read_bytes() for path in operator.folder.glob(f"*/keys/matching-{number}.key")}
        assert len(found) == 1
        assert len(list(operator.folder.glob(f"*/keys/matching-{number}.key"))) == 3


def test_two_shared_keys_of_one_name_are_refused(operator: Operator) -> None:
    (operator.folder / "archive" / "keys" / "matching-1.key").write_bytes(bytes(32))
    assert "matching-1.key" in operator.is_refused("rotate-matching")
    with pytest.raises(ValueError, match="other agencies"):
        make_secrets(operator.folder, MEMBERS)


def test_a_rotation_adds_keys_and_leaves_the_old_ones(operator: Operator) -> None:
    before, signed = operator.private(), operator.vault().sign(b"x")
    assert "library-2 dibuat" in operator.says("rotate", "library", "--after", "0")
    after = operator.private()
    assert after.keys() - before.keys() == {"library/keys/library-2.pem", "library/keys/library-enc-2.pem"}
    assert {path: after[path] for path in before} == before
    assert {mode for mode, _ in after.values()} == {0o600}
    assert operator.vault().sign(b"x").startswith("library-2;")
    for signature in (signed, operator.vault().sign(b"x")):
        assert operator.directory().verify(b"x", signature) == "library"
    assert operator.directory().to_seal_for("library", now()).kid == "library-enc-2"


def test_a_new_key_is_listed_before_it_is_used(operator: Operator) -> None:
    operator.says("rotate", "library", "--use", "sig")
    assert "library-2" in operator.directory().keys
    assert operator.vault().sign(b"x").startswith("library-1;")
    [used] = [key for key in operator.directory().keys.values() if key.kid == "library-2"]
    assert timedelta(seconds=50) < used.valid_from - now() < timedelta(seconds=61)


def test_a_storage_key_is_rotated_without_a_word_to_others(operator: Operator) -> None:
    kept = operator.vault().wrap_at_rest(b"k" * 32, "victim")
    operator.says("rotate", "library", "--use", "storage")
    assert operator.directory().version == 1
    assert operator.vault().wrap_at_rest(b"k" * 32, "victim").startswith("storage-2.")
    assert operator.vault().unwrap_at_rest(kept, "victim") == b"k" * 32


def test_a_retired_key_is_used_no_more(operator: Operator) -> None:
    assert "last of its kind" in operator.is_refused("retire", "library-1")
    operator.says("rotate", "library", "--after", "0")
    before = operator.private()
    operator.says("retire", "library-1")
    assert operator.private() == before
    assert [key.kid for key in operator.directory().in_use("library", "sig", now())] == ["library-2"]
    assert "not in use" in operator.is_refused("retire", "library-1")


def test_a_revoked_key_is_trusted_no_more_by_who_runs_already(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_directory, "LOOK_AGAIN_SECONDS", 0.0)
    running, signature = operator.service(), operator.vault().sign(b"x")
    assert running.verify(b"x", signature, now()) == "library"
    said = operator.says("revoke", "library-1", "--reason", "key-compromise")
    assert "dicabut" in said and "rotate" in said  # and nothing signs now
    with pytest.raises(Untrusted, match="revoked-key"):
        running.verify(b"x", signature, now())
    assert running.current().keys["library-1"].revoked_because == "key-compromise"
    assert "revoked since" in operator.is_refused("revoke", "library-1", "--reason", "unspecified")


@pytest.mark.parametrize("words", [["revoke", "library-1"], ["revoke", "library-1", "--reason", "Siti took it"]])
def test_a_revocation_has_a_reason_of_the_list(operator: Operator, words: list[str]) -> None:
    operator.is_refused(*words)


@pytest.mark.parametrize(
    "words",
    [
        ["retire", "library-9"],
        ["revoke", "library-9", "--reason", "unspecified"],
        ["destroy", "library-9"],
        ["rotate", "museum"],
        ["rotate", "../library"],
        ["rotate", "reader"],
        ["rotate", "museum", "--use", "storage"],
    ],
)
def test_an_unknown_key_or_agency_is_refused(operator: Operator, words: list[str]) -> None:
    assert "Ditolak" in operator.is_refused(*words)


def test_only_an_encryption_key_past_its_time_is_destroyed(operator: Operator) -> None:
    operator.says("rotate", "library", "--after", "0")
    for refused in ("library-1", "library-enc-1"):
        operator.is_refused("destroy", refused)
        operator.says("retire", refused)
        operator.is_refused("destroy", refused)
    with pytest.raises(ValueError, match="library-1"):
        operator.keyring.destroy("library-1", now() + MONTH)
    before = operator.private()
    operator.keyring.destroy("library-enc-1", now() + MONTH)
    assert before.keys() - operator.private().keys() == {"library/keys/library-enc-1.pem"}
    assert "library-enc-1" in operator.directory().keys


def test_a_stolen_encryption_key_is_destroyed_at_once_and_its_id_is_never_given_again(operator: Operator) -> None:
    wrapped = wrap_key(DataKey.generate(), operator.directory().to_seal_for("library", now()))
    assert operator.vault().open_key(wrapped)
    operator.says("revoke", "library-enc-1", "--reason", "key-compromise")
    operator.says("destroy", "library-enc-1")
    assert not (operator.folder / "library" / "keys" / "library-enc-1.pem").exists()
    operator.is_refused("destroy", "library-enc-1")
    operator.says("rotate", "library", "--use", "enc", "--after", "0")
    assert operator.directory().to_seal_for("library", now()).kid == "library-enc-2"


def test_a_directory_can_be_signed_anew(operator: Operator) -> None:
    keys = operator.directory().keys
    assert "versi 2" in operator.says("publish")
    assert (operator.directory().version, operator.directory().keys) == (2, keys)


def test_the_list_shows_every_key_in_both_languages(operator: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")  # a narrow window cuts nothing short
    operator.says("rotate", "library")
    operator.says("revoke", "archive-1", "--reason", "cessation-of-operation")
    said = operator.says("list")
    assert all(key_id in said for key_id in operator.directory().keys)
    for words in ("dipakai · in use", "menunggu · not yet", "dicabut · revoked (cessation-of-operation)", "versi 4"):
        assert words in said


@pytest.mark.parametrize("path", ["directory/directory-1.pem", "library/keys/library-1.pem"])
def test_a_key_that_others_may_read_is_not_worked_with(operator: Operator, path: str) -> None:
    (operator.folder / path).chmod(0o640)
    if path.startswith("directory"):
        assert "chmod 600" in " ".join(operator.is_refused("rotate", "library").split())
    with pytest.raises(PermissionError, match="chmod 600"):
        make_secrets(operator.folder, MEMBERS)


def test_two_operators_at_once_do_not_undo_each_other(operator: Operator) -> None:
    with ThreadPoolExecutor(8) as threads:
        made = list(threads.map(lambda _: Keyring(operator.folder).rotate("library", "sig", now(), now()), range(8)))
    assert sorted(made) == [f"library-{number}" for number in range(2, 10)]
    assert set(made) < operator.directory().keys.keys() and operator.directory().version == 9


def test_a_rotation_that_was_cut_short_is_taken_up(operator: Operator) -> None:
    SigningKey.generate("library-2").save(operator.folder / "library" / "keys")  # written, and never listed
    make_secrets(operator.folder, MEMBERS)
    assert operator.vault().sign(b"x").startswith("library-2;")
    assert operator.keyring.rotate("library", "sig", now(), now()) == "library-3"


def test_nothing_new_is_published_when_nothing_changed(operator: Operator) -> None:
    before = operator.everything()
    make_secrets(operator.folder, MEMBERS)
    assert operator.everything() == before
    make_secrets(operator.folder, {**MEMBERS, "museum": BrokerRole.AGENCY})
    assert operator.directory().version == 2 and "museum-enc-1" in operator.directory().keys


def test_a_network_without_agencies_has_a_directory_too(tmp_path: Path) -> None:
    make_secrets(tmp_path, {"reader": BrokerRole.FOLLOWER})
    assert Keyring(tmp_path).directory().version == 1


def test_a_list_that_nobody_signed_is_never_signed(operator: Operator) -> None:
    keys = [
        SigningKey.load(operator.folder / name / "keys" / f"{name}-1.pem").public_jwk(name)
        for name in ("library", "archive")
    ]
    retired = SigningKey.generate("library-0").public_jwk("library")
    document = operator.folder / "public" / "keys.json"
    document.write_text(json.dumps({"keys": [*keys, retired]}))
    slipped_in = document.read_bytes()
    with pytest.raises(Untrusted):
        make_secrets(operator.folder, MEMBERS)
    assert document.read_bytes() == slipped_in


def test_a_new_key_appears_whole_and_is_its_services(operator: Operator) -> None:
    """The operator may be root; the service is not, and looks at any moment."""
    own = operator.folder / "library" / "keys"
    if os.geteuid() == 0:
        os.chown(own, 10001, 10001)
    operator.says("rotate", "library", "--use", "storage")
    new = own / "storage-2.key"
    assert (new.stat().st_uid, new.stat().st_gid) == (own.stat().st_uid, own.stat().st_gid)
    assert new.stat().st_size == 32 and sorted(own.glob(".*")) == []
    with pytest.raises(FileExistsError):
        write_secret(new, b"another")
    assert new.stat().st_size == 32 and sorted(own.glob(".*")) == []


LOST: dict[str, Callable[[Path], None]] = {
    "the directory key": lambda folder: (folder / "directory" / "directory-1.pem").unlink(),
    "a signing key": lambda folder: (folder / "library" / "keys" / "library-1.pem").unlink(),
    "an encryption key": lambda folder: (folder / "archive" / "keys" / "archive-enc-1.pem").unlink(),
}


@pytest.mark.parametrize("lose", LOST.values(), ids=LOST)
def test_what_was_lost_is_not_made_anew_in_silence(operator: Operator, lose: Callable[[Path], None]) -> None:
    lose(operator.folder)
    before = operator.everything()
    with pytest.raises(ValueError, match=r"not here|bring it back"):
        make_secrets(operator.folder, MEMBERS)
    assert operator.everything() == before


def test_another_key_under_a_listed_id_is_refused(operator: Operator) -> None:
    (operator.folder / "library" / "keys" / "library-1.pem").unlink()
    SigningKey.generate("library-1").save(operator.folder / "library" / "keys")
    with pytest.raises(ValueError, match="another key library-1"):
        make_secrets(operator.folder, MEMBERS)


def test_a_member_whose_name_would_take_anothers_key_ids_is_refused(operator: Operator) -> None:
    with pytest.raises(ValueError, match="another key library-enc-1"):
        make_secrets(operator.folder, {**MEMBERS, "library-enc": BrokerRole.AGENCY})


def test_the_directory_key_is_the_task_forces_alone(operator: Operator) -> None:
    root = json.loads((operator.folder / "public" / "directory-root.json").read_text())
    assert root["kid"] == "directory-1" and root["crv"] == "Ed25519" and "d" not in root
    assert "directory-1" not in operator.directory().keys
    with pytest.raises(ValueError, match="name of a member"):
        make_secrets(operator.folder, {"directory": BrokerRole.AGENCY})


def test_the_commands_run_as_the_readme_says(operator: Operator) -> None:
    words = [
        sys.executable,
        "-m",
        "deploy.credentials.keys",
        "revoke",
        "library-1",
        "--reason",
        Revocation.KEY_COMPROMISE.value,
    ]
    subprocess.run([*words, "--folder", str(operator.folder)], cwd=ROOT, check=True, capture_output=True)
    assert operator.directory().keys["library-1"].revoked_at is not None


def test_a_folder_without_secrets_is_answered_with_what_to_do(tmp_path: Path) -> None:
    missing = tmp_path / "secrets"
    told = CliRunner().invoke(app, ["list", "--folder", str(missing)], env={"COLUMNS": "300"})
    assert told.exit_code == 1 and "Errno" not in told.output
    assert str(missing) in told.output.replace("\n", "")
    assert "make secrets" in told.output and "--folder .run/secrets" in told.output
