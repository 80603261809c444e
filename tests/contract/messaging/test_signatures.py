"""The possible signers of an event."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.contracts.envelope import write
from shared.security.keys import KeyDirectory, SigningKey, Untrusted
from tests.support.events import NOW, a_body, a_draft


@pytest.fixture(scope="module")
def keys() -> dict[str, SigningKey]:
    return {agency: SigningKey.generate(f"{agency}-1") for agency in ("one", "two")}


@pytest.fixture(scope="module")
def directory(keys: dict[str, SigningKey]) -> KeyDirectory:
    return KeyDirectory.of(key.public_jwk(agency) for agency, key in keys.items())


def untrusted(directory: KeyDirectory, body: bytes, signature: str | None) -> str:
    with pytest.raises(Untrusted) as refused:
        directory.verify(body, signature)
    return refused.value.reason


def test_a_signature_names_the_agency_that_signed_these_bytes(
    keys: dict[str, SigningKey], directory: KeyDirectory
) -> None:
    for agency, key in keys.items():
        assert directory.verify(a_body(), key.sign(a_body())) == agency


@given(st.data())
def test_one_flipped_bit_breaks_the_signature(
    keys: dict[str, SigningKey], directory: KeyDirectory, data: st.DataObject
) -> None:
    body = a_body()
    signature = keys["one"].sign(body)
    at = data.draw(st.integers(0, len(body) * 8 - 1))
    flipped = bytearray(body)
    flipped[at // 8] ^= 1 << at % 8
    assert untrusted(directory, bytes(flipped), signature) == "wrong-signature"


def test_the_same_json_in_other_bytes_is_not_what_was_signed(
    keys: dict[str, SigningKey], directory: KeyDirectory
) -> None:
    body = write(a_draft(), "one", 7, NOW)
    again = json.dumps(json.loads(body)).encode()
    assert json.loads(again) == json.loads(body)
    assert untrusted(directory, again, keys["one"].sign(body)) == "wrong-signature"


def test_one_agencys_key_does_not_speak_for_another(keys: dict[str, SigningKey], directory: KeyDirectory) -> None:
    forged = keys["two"].sign(a_body()).replace("two-1;", "one-1;")
    assert untrusted(directory, a_body(), forged) == "wrong-signature"
    stranger = SigningKey.generate("one-1").sign(a_body())
    assert untrusted(directory, a_body(), stranger) == "wrong-signature"
    assert untrusted(directory, a_body(), SigningKey.generate("one-2").sign(a_body())) == "unknown-key"


GOOD = base64.b64encode(bytes(64)).decode()


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        (None, "unsigned"),
        ("", "unsigned"),
        ("one-1;not base64!", "malformed-signature"),
        ("one-1;AAA", "malformed-signature"),
        ("one-1;Siti é", "malformed-signature"),
        ("one-1", "wrong-signature"),
        ("one-1;", "wrong-signature"),
        ("one-1;AAAA", "wrong-signature"),
        (f"one-1;{GOOD}", "wrong-signature"),
        (f"one-1;{GOOD};{GOOD}", "malformed-signature"),
        (f";{GOOD}", "unknown-key"),
        (f"ONE-1;{GOOD}", "unknown-key"),
    ],
)
def test_a_malformed_header_proves_nothing(directory: KeyDirectory, header: str | None, reason: str) -> None:
    assert untrusted(directory, a_body(), header) == reason
