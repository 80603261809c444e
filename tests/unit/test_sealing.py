"""Sealed data is read by its recipient alone, hides its length, and breaks at any change."""

import base64
import hashlib
import hmac
import json
import os
import traceback
import zlib
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.concatkdf import ConcatKDFHash
from cryptography.hazmat.primitives.keywrap import aes_key_unwrap, aes_key_wrap
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwe
from joserfc.jwk import OctKey, OKPKey

from shared.security.sealing import (
    BLOCK,
    LARGEST,
    DataKey,
    Unopenable,
    key_id_of,
    open_at_rest,
    open_sealed,
    seal,
    seal_at_rest,
    unwrap_key,
    wrap_key,
)

VICTIM, OTHER = "0193f0a2-7a10-7000-8000-000000000002", "0193f0a2-7a10-7000-8000-000000000003"
MASTER = DataKey.generate()
KEY = MASTER.for_recipient(VICTIM, "clinic")
WHO = {"name": "Siti Rahmawati", "nik": "7401014107990001", "statement": "Dijanjikan kerja di luar negeri."}
PRIVATE = OKPKey.import_key(X25519PrivateKey.generate())
PUBLIC = OKPKey.import_key({**PRIVATE.as_dict(private=False), "kid": "clinic-enc-1", "use": "enc"})

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


def reason(work: Callable[[], object]) -> str:
    with pytest.raises(Unopenable) as refused:
        work()
    return refused.value.reason


def unwrapped(wrapped: str) -> bytes:
    return unwrap_key(wrapped, lambda _: PRIVATE)


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


# --- for whom, and for whom not -----------------------------------------------------------------------------------


@given(st.dictionaries(texts, texts, max_size=6))
def test_what_is_sealed_is_opened_as_it_was(fields: dict[str, str]) -> None:
    assert open_sealed(seal(fields, KEY, VICTIM, "clinic"), KEY, VICTIM, "clinic") == fields


@pytest.mark.parametrize(
    "context", [(OTHER, "clinic", "identity"), (VICTIM, "shelter", "identity"), (VICTIM, "clinic", "address")]
)
def test_sealed_data_opens_only_for_its_victim_recipient_and_key_purpose(context: tuple[str, str, str]) -> None:
    sealed = seal(WHO, KEY, VICTIM, "clinic")
    assert reason(lambda: open_sealed(sealed, KEY, *context)) == "wrong-context"


def test_a_recipient_opens_only_what_was_sealed_for_it() -> None:
    keys = [
        MASTER.for_recipient(victim, recipient, key_purpose)
        for victim in (VICTIM, OTHER)
        for recipient in ("clinic", "shelter")
        for key_purpose in ("identity", "address")
    ]
    assert len({key.kid for key in [*keys, MASTER]}) == 9
    sealed = seal(WHO, keys[0], VICTIM, "clinic")
    for key in keys[1:]:
        assert reason(partial(open_sealed, sealed, key, VICTIM, "clinic")) == "wrong-key"


def test_a_key_that_only_says_it_is_the_right_one_opens_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    sealed, wrong = seal(WHO, KEY, VICTIM, "clinic"), DataKey.generate()
    monkeypatch.setattr(DataKey, "kid", KEY.kid)
    assert reason(lambda: open_sealed(sealed, wrong, VICTIM, "clinic")) == "not-authentic"


def test_a_wrapped_key_is_checked_against_what_was_sealed_with_it() -> None:
    sealed, wrapped, other = seal(WHO, KEY, VICTIM, "clinic"), wrap_key(KEY, PUBLIC), wrap_key(MASTER, PUBLIC)
    key = DataKey.committed(unwrapped(wrapped), key_id_of(sealed))
    assert open_sealed(sealed, key, VICTIM, "clinic") == WHO
    assert reason(lambda: DataKey.committed(unwrapped(other), key_id_of(sealed))) == "wrong-key"
    assert reason(lambda: DataKey.committed(b"short", key_id_of(sealed))) == "wrong-key"


def test_a_key_wrapped_for_another_is_not_unwrapped() -> None:
    stranger = OKPKey.import_key(X25519PrivateKey.generate())
    assert reason(lambda: unwrap_key(wrap_key(KEY, PUBLIC), lambda _: stranger)) == "not-authentic"


def test_the_same_seals_and_wraps_differently_each_time() -> None:
    assert len({seal(WHO, KEY, VICTIM, "clinic") for _ in range(20)}) == 20
    assert len({wrap_key(KEY, PUBLIC) for _ in range(20)}) == 20


# --- what shows ---------------------------------------------------------------------------------------------------


@given(st.dictionaries(st.sampled_from(["name", "nik", "address"]), st.text("abcdefgh -", max_size=60), max_size=3))
def test_the_length_does_not_tell_a_name_from_no_name(fields: dict[str, str]) -> None:
    assert len(seal(fields, KEY, VICTIM, "clinic")) == len(seal({}, KEY, VICTIM, "clinic"))
    named, unnamed = (seal_at_rest(plain, MASTER, VICTIM) for plain in (json.dumps(fields).encode()[: BLOCK - 1], b""))
    assert len(named) == len(unnamed)


@given(st.binary(max_size=3 * BLOCK))
def test_lengths_go_in_steps(plain: bytes) -> None:
    sealed = seal_at_rest(plain, MASTER, VICTIM)
    assert (len(sealed) - 12 - 16) % BLOCK == 0
    assert open_at_rest(sealed, MASTER, VICTIM) == plain


def test_nothing_of_the_content_is_in_what_is_shown_or_raised() -> None:
    sealed, secret = seal(WHO, KEY, VICTIM, "clinic"), KEY.secret
    assert repr(KEY) == str(KEY) == f"DataKey({KEY.kid})"
    no_fields = jwe_by_hand(header_for(KEY), f"not JSON: {WHO['name']}".encode(), KEY.secret)
    for attempt in (
        lambda: open_sealed(sealed, MASTER, VICTIM, "clinic"),
        lambda: open_sealed(sealed, KEY, OTHER, "clinic"),
        lambda: open_sealed(no_fields, KEY, VICTIM, "clinic"),
        lambda: open_at_rest(WHO["name"].encode() * 40, KEY, VICTIM),
        lambda: DataKey.committed(secret, "dk-another"),
    ):
        with pytest.raises(Unopenable) as refused:
            attempt()
        said = "".join(traceback.format_exception(refused.value, chain=True))
        held = [str(vars(error)) for error in causes(refused.value)]
        assert not any("Siti" in text or repr(secret) in text for text in [said, *held])


def causes(error: BaseException | None) -> list[BaseException]:
    return [] if error is None else [error, *causes(error.__context__)]


# --- what was changed on the way ----------------------------------------------------------------------------------

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."


@given(for_somebody=st.booleans(), place=st.integers(0, 10_000), other=st.sampled_from(ALPHABET))
def test_one_changed_character_is_refused(for_somebody: bool, place: int, other: str) -> None:
    # What is drawn never depends on the sealed text, another every time: Hypothesis must be able to repeat a draw.
    sealed = wrap_key(KEY, PUBLIC) if for_somebody else seal(WHO, KEY, VICTIM, "clinic")
    at = place % len(sealed)
    changed = sealed[:at] + (other if other != sealed[at] else "~") + sealed[at + 1 :]
    assert reason(lambda: unwrapped(changed) if for_somebody else open_sealed(changed, KEY, VICTIM, "clinic"))


@given(st.data())
def test_one_flipped_bit_at_rest_is_refused(data: st.DataObject) -> None:
    sealed = bytearray(seal_at_rest(b"Siti", MASTER, VICTIM))
    at = data.draw(st.integers(0, len(sealed) * 8 - 1))
    sealed[at // 8] ^= 1 << at % 8
    assert reason(lambda: open_at_rest(bytes(sealed), MASTER, VICTIM)) == "not-authentic"


@pytest.mark.parametrize("sealed", [b"", b"x", bytes(12), bytes(28), bytes(300)])
def test_what_was_never_sealed_is_refused(sealed: bytes) -> None:
    assert reason(lambda: open_at_rest(sealed, MASTER, VICTIM)) == "not-authentic"


def test_a_record_at_rest_is_bound_to_its_place() -> None:
    sealed = seal_at_rest(b"Siti", MASTER, VICTIM)
    assert reason(lambda: open_at_rest(sealed, MASTER, OTHER)) == "not-authentic"
    assert reason(lambda: open_at_rest(sealed, KEY, VICTIM)) == "not-authentic"


@given(st.text(max_size=300))
def test_any_text_is_refused_with_a_reason(text: str) -> None:
    assert reason(lambda: open_sealed(text, KEY, VICTIM, "clinic"))
    assert reason(lambda: unwrapped(text))
    assert reason(lambda: key_id_of(text)) == "malformed"


# --- against an implementation of its own: RFC 7516 and 7518 by hand, with nothing but primitives -------------------


def header_for(key: DataKey, **more: Any) -> dict[str, Any]:
    names = {"typ": "identity", "victim": VICTIM, "for": "clinic"}
    return {"alg": "dir", "enc": "A256GCM", "kid": key.kid, **names, **more}


def jwe_by_hand(header: dict[str, Any], plain: bytes, content_key: bytes, encrypted_key: bytes = b"") -> str:
    protected, nonce = b64(json.dumps(header).encode()), os.urandom(12)
    sealed = AESGCM(content_key).encrypt(nonce, plain, protected.encode())
    return ".".join([protected, b64(encrypted_key), b64(nonce), b64(sealed[:-16]), b64(sealed[-16:])])


def opened_by_hand(sealed: str, content_key: Callable[[dict[str, Any], bytes], bytes]) -> bytes:
    protected, encrypted_key, nonce, text, tag = sealed.split(".")
    key = content_key(json.loads(unb64(protected)), unb64(encrypted_key))
    return AESGCM(key).decrypt(unb64(nonce), unb64(text) + unb64(tag), protected.encode())


def agreed(shared: bytes) -> bytes:
    """The key of ECDH-ES+A256KW from the shared secret (RFC 7518, 4.6.2): no apu, no apv, 256 bits."""
    name = b"ECDH-ES+A256KW"
    info = len(name).to_bytes(4, "big") + name + bytes(4) + bytes(4) + (256).to_bytes(4, "big")
    return ConcatKDFHash(SHA256(), 32, info).derive(shared)


def test_a_jwe_made_by_hand_opens() -> None:
    sealed = jwe_by_hand(header_for(KEY), json.dumps(WHO).encode(), KEY.secret)
    assert open_sealed(sealed, KEY, VICTIM, "clinic") == WHO


def test_our_jwe_opens_by_hand() -> None:
    plain = opened_by_hand(seal(WHO, KEY, VICTIM, "clinic"), lambda header, _: KEY.secret)
    assert json.loads(plain) == WHO and len(plain) == BLOCK


def test_a_key_wrapped_by_hand_is_unwrapped() -> None:
    recipient, ephemeral, content_key = PUBLIC.public_key, X25519PrivateKey.generate(), os.urandom(32)
    assert isinstance(recipient, X25519PublicKey)
    epk = {"kty": "OKP", "crv": "X25519", "x": b64(ephemeral.public_key().public_bytes_raw())}
    header = {"alg": "ECDH-ES+A256KW", "enc": "A256GCM", "kid": "clinic-enc-1", "typ": "data-key", "epk": epk}
    encrypted_key = aes_key_wrap(agreed(ephemeral.exchange(recipient)), content_key)
    assert unwrapped(jwe_by_hand(header, KEY.secret, content_key, encrypted_key)) == KEY.secret


def test_the_key_we_wrap_is_unwrapped_by_hand() -> None:
    private = PRIVATE.private_key
    assert isinstance(private, X25519PrivateKey)

    def content_key(header: dict[str, Any], encrypted_key: bytes) -> bytes:
        assert header["kid"] == "clinic-enc-1"
        ephemeral = X25519PublicKey.from_public_bytes(unb64(header["epk"]["x"]))
        return aes_key_unwrap(agreed(private.exchange(ephemeral)), encrypted_key)

    assert opened_by_hand(wrap_key(KEY, PUBLIC), content_key) == KEY.secret


def test_derived_keys_and_their_ids_are_what_the_rfc_says() -> None:
    master = DataKey(bytes(range(32)))
    extracted = hmac.digest(bytes(32), master.secret, "sha256")
    info = f'["estafet", "for", "{VICTIM}", "clinic", "identity"]'.encode()
    derived = master.for_recipient(VICTIM, "clinic")
    assert derived.secret == hmac.digest(extracted, info + b"\x01", "sha256")
    assert derived.kid == "dk-" + b64(hashlib.sha256(derived.secret).digest())[:22]


# --- a JWE that is well made, and still not one of ours -------------------------------------------------------------

INSIDE = {
    "no object": b"[]",
    "a number for a text": b'{"name": 7}',
    "no JSON": b"Siti",
    "too deep": b'{"name":' + b"[" * 10_000 + b"]" * 10_000 + b"}",
    "no UTF-8": b'{"name": "\xff"}',
}


@pytest.mark.parametrize("plain", INSIDE.values(), ids=INSIDE)
def test_sealed_content_of_another_shape_is_refused(plain: bytes) -> None:
    assert reason(lambda: open_sealed(jwe_by_hand(header_for(KEY), plain, KEY.secret), KEY, VICTIM, "clinic"))


@pytest.mark.parametrize("missing", ["typ", "victim", "for", "alg", "enc"])
def test_every_name_in_the_header_must_be_there(missing: str) -> None:
    header = {name: value for name, value in header_for(KEY).items() if name != missing}
    assert reason(lambda: open_sealed(jwe_by_hand(header, b"{}", KEY.secret), KEY, VICTIM, "clinic"))


@pytest.mark.parametrize(
    "more", [{"enc": "A128GCM"}, {"alg": "A256KW"}, {"crit": ["b64"]}, {"stranger": "x"}, {"victim": 7}]
)
def test_no_other_algorithm_and_no_other_header_is_taken(more: dict[str, Any]) -> None:
    sealed = jwe_by_hand(header_for(KEY, **more), b"{}", KEY.secret)
    assert reason(lambda: open_sealed(sealed, KEY, VICTIM, "clinic"))


@pytest.mark.parametrize("length", [10, 30_000_000])
def test_a_compressed_one_is_not_inflated(length: int) -> None:
    deflated = zlib.compress(b'{"name": "' + b"a" * length + b'"}')[2:-4]
    sealed = jwe_by_hand(header_for(KEY, zip="DEF"), deflated, KEY.secret)
    assert reason(lambda: open_sealed(sealed, KEY, VICTIM, "clinic")) == "not-authentic"


def test_a_jwe_for_something_else_is_no_wrapped_key() -> None:
    header = {"alg": "ECDH-ES+A256KW", "enc": "A256GCM", "kid": "clinic-enc-1", "typ": "identity"}
    assert reason(lambda: unwrapped(jwe.encrypt_compact(header, KEY.secret, PUBLIC))) == "malformed"
    symmetric = OctKey.import_key(KEY.secret)
    header = {"alg": "dir", "enc": "A256GCM", "kid": "clinic-enc-1", "typ": "data-key"}
    assert reason(lambda: unwrapped(jwe.encrypt_compact(header, KEY.secret, symmetric))) == "not-authentic"


def test_a_point_that_gives_the_same_secret_to_everyone_is_refused() -> None:
    epk = {"kty": "OKP", "crv": "X25519", "x": b64(bytes(32))}
    header = {"alg": "ECDH-ES+A256KW", "enc": "A256GCM", "kid": "clinic-enc-1", "typ": "data-key", "epk": epk}
    content_key = os.urandom(32)
    wrapped = jwe_by_hand(header, KEY.secret, content_key, aes_key_wrap(agreed(bytes(32)), content_key))
    assert reason(lambda: unwrapped(wrapped)) == "not-authentic"


def test_data_over_the_largest_size_is_not_sealed() -> None:
    most = {"statement": "a" * (LARGEST - 20)}
    assert open_sealed(seal(most, KEY, VICTIM, "clinic"), KEY, VICTIM, "clinic") == most
    with pytest.raises(ValueError, match="bytes to seal") as refused:
        seal({"statement": "a" * LARGEST}, KEY, VICTIM, "clinic")
    assert "aaaa" not in str(refused.value)


@pytest.mark.parametrize("length", [0, 16, 31, 33])
def test_a_data_key_has_256_bits(length: int) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        DataKey(bytes(length))
