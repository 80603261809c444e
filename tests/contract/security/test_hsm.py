"""An HSM behind PKCS#11: what goes in never comes out, and it may go away and come back."""

from pathlib import Path
from typing import Any

import pkcs11
import pytest
from pkcs11 import Attribute

from deploy.credentials.into_hsm import copy_keys
from deploy.credentials.secrets import BrokerRole, make_secrets
from shared.security.hsm import Hsm, NotInHsm, RefusedByHsm
from shared.security.vault import VaultUnavailable
from tests.support import softhsm

MODULE = softhsm.FOUND[0]


@pytest.fixture
def pin(tmp_path: Path) -> Path:
    return softhsm.new_hsm(tmp_path)


@pytest.fixture
def own(tmp_path: Path) -> Path:
    make_secrets(tmp_path / "secrets", {"library": BrokerRole.AGENCY})
    return tmp_path / "secrets" / "library" / "keys"


def copied(own: Path) -> list[str]:
    with pkcs11.lib(str(MODULE)).get_token(token_label=softhsm.LABEL).open(rw=True, user_pin=softhsm.PIN) as session:
        return copy_keys(own, "library", session)


@pytest.fixture
def hsm(own: Path, pin: Path) -> Hsm:
    copied(own)
    return Hsm(MODULE, softhsm.LABEL, pin)


def test_every_key_of_the_folder_goes_in_once(own: Path, pin: Path) -> None:
    assert copied(own) == ["library-1", "library-enc-1", "storage-1", "matching-1", "blind-index"]
    assert copied(own) == []


def test_no_secret_comes_out(hsm: Hsm, own: Path) -> None:
    assert hsm.sign("library-1", b"x")
    hsm.close()
    with pkcs11.lib(str(MODULE)).get_token(token_label=softhsm.LABEL).open() as anyone:
        assert list(anyone.get_objects()) == []  # private: without the PIN there is nothing to see
    with pkcs11.lib(str(MODULE)).get_token(token_label=softhsm.LABEL).open(user_pin=softhsm.PIN) as session:
        keys: list[Any] = list(session.get_objects())
        assert len(keys) == 5
        for key in keys:
            with pytest.raises(pkcs11.AttributeSensitive):
                key[Attribute.VALUE]
    assert hsm.sign("library-1", b"x")  # and the one that was logged out logs in again


def test_an_hsm_that_was_away_is_used_again(hsm: Hsm) -> None:
    before = hsm.sign("library-1", b"x")
    softhsm.restart()  # every session and every handle is void
    assert hsm.sign("library-1", b"x") == before
    softhsm.restart()
    assert hsm.hmac("blind-index", b"x")  # also when it must look for the key first


def test_an_hsm_that_is_away_is_unavailable(own: Path, pin: Path) -> None:
    with pytest.raises(VaultUnavailable, match="another says NoSuchToken"):
        Hsm(MODULE, "another", pin).sign("library-1", b"x")


def test_what_is_not_in_the_hsm_is_said(hsm: Hsm) -> None:
    with pytest.raises(NotInHsm):
        hsm.sign("library-9", b"x")
    with pytest.raises(NotInHsm):
        hsm.hmac("storage-9", b"x")


def test_what_does_not_fit_a_key_is_told_from_an_hsm_in_trouble(hsm: Hsm, own: Path) -> None:
    nonce = bytes(12)
    sealed = hsm.encrypt("storage-1", nonce, b"plain", b"bound")
    assert hsm.decrypt("storage-1", nonce, sealed, b"bound") == b"plain"
    for wrong in (sealed[:-1] + bytes([sealed[-1] ^ 1]), sealed[:3], b""):
        with pytest.raises(RefusedByHsm):
            hsm.decrypt("storage-1", nonce, wrong, b"bound")
    with pytest.raises(RefusedByHsm):
        hsm.decrypt("storage-1", nonce, sealed, b"another")


def test_a_wrong_pin_is_tried_once_and_not_until_the_hsm_locks_itself(hsm: Hsm, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.pin"
    wrong.touch(0o600)
    wrong.write_text("0000")
    with pytest.raises(PermissionError, match="refuses the PIN"):
        Hsm(MODULE, softhsm.LABEL, wrong).sign("library-1", b"x")
    assert hsm.sign("library-1", b"x")


def test_a_pin_that_others_may_read_is_refused(pin: Path) -> None:
    pin.chmod(0o640)
    with pytest.raises(PermissionError, match="chmod 600"):
        Hsm(MODULE, softhsm.LABEL, pin)
