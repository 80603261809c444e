"""A token behind PKCS#11: what goes in never comes out, and it may go away and come back."""

from pathlib import Path
from typing import Any

import pkcs11
import pytest
from pkcs11 import Attribute

from deploy.credentials.into_token import copy_keys
from deploy.credentials.secrets import Role, make_secrets
from shared.security.pkcs11_token import NotInToken, RefusedByToken, Token
from shared.security.vault import VaultUnavailable
from tests.support import softhsm

MODULE = softhsm.FOUND[0]


@pytest.fixture
def pin(tmp_path: Path) -> Path:
    return softhsm.new_token(tmp_path)


@pytest.fixture
def own(tmp_path: Path) -> Path:
    make_secrets(tmp_path / "secrets", {"library": Role.AGENCY})
    return tmp_path / "secrets" / "library" / "keys"


def copied(own: Path) -> list[str]:
    with pkcs11.lib(str(MODULE)).get_token(token_label=softhsm.LABEL).open(rw=True, user_pin=softhsm.PIN) as session:
        return copy_keys(own, "library", session)


@pytest.fixture
def token(own: Path, pin: Path) -> Token:
    copied(own)
    return Token(MODULE, softhsm.LABEL, pin)


def test_every_key_of_the_folder_goes_in_once(own: Path, pin: Path) -> None:
    assert copied(own) == ["library-1", "library-enc-1", "storage-1", "matching-1", "blind-index"]
    assert copied(own) == []


def test_no_secret_comes_out(token: Token, own: Path) -> None:
    assert token.sign("library-1", b"x")
    token.close()
    with pkcs11.lib(str(MODULE)).get_token(token_label=softhsm.LABEL).open() as anyone:
        assert list(anyone.get_objects()) == []  # private: without the PIN there is nothing to see
    with pkcs11.lib(str(MODULE)).get_token(token_label=softhsm.LABEL).open(user_pin=softhsm.PIN) as session:
        keys: list[Any] = list(session.get_objects())
        assert len(keys) == 5
        for key in keys:
            with pytest.raises(pkcs11.AttributeSensitive):
                key[Attribute.VALUE]
    assert token.sign("library-1", b"x")  # and the one that was logged out logs in again


def test_a_token_that_was_away_is_used_again(token: Token) -> None:
    before = token.sign("library-1", b"x")
    softhsm.restart()  # every session and every handle is void
    assert token.sign("library-1", b"x") == before
    softhsm.restart()
    assert token.hmac("blind-index", b"x")  # also when it must look for the key first


def test_a_token_that_is_away_is_unavailable(own: Path, pin: Path) -> None:
    with pytest.raises(VaultUnavailable, match="another says NoSuchToken"):
        Token(MODULE, "another", pin).sign("library-1", b"x")


def test_what_is_not_in_the_token_is_said(token: Token) -> None:
    with pytest.raises(NotInToken):
        token.sign("library-9", b"x")
    with pytest.raises(NotInToken):
        token.hmac("storage-9", b"x")


def test_what_does_not_fit_a_key_is_told_from_a_token_in_trouble(token: Token, own: Path) -> None:
    nonce = bytes(12)
    sealed = token.encrypt("storage-1", nonce, b"plain", b"bound")
    assert token.decrypt("storage-1", nonce, sealed, b"bound") == b"plain"
    for wrong in (sealed[:-1] + bytes([sealed[-1] ^ 1]), sealed[:3], b""):
        with pytest.raises(RefusedByToken):
            token.decrypt("storage-1", nonce, wrong, b"bound")
    with pytest.raises(RefusedByToken):
        token.decrypt("storage-1", nonce, sealed, b"another")


def test_a_wrong_pin_is_tried_once_and_not_until_the_token_locks_itself(token: Token, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.pin"
    wrong.touch(0o600)
    wrong.write_text("0000")
    with pytest.raises(PermissionError, match="refuses the PIN"):
        Token(MODULE, softhsm.LABEL, wrong).sign("library-1", b"x")
    assert token.sign("library-1", b"x")


def test_a_pin_that_others_may_read_is_refused(pin: Path) -> None:
    pin.chmod(0o640)
    with pytest.raises(PermissionError, match="chmod 600"):
        Token(MODULE, softhsm.LABEL, pin)
