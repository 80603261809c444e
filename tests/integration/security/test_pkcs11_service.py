"""A service with keys in an HSM behind PKCS#11 works like one with key files, by its settings alone."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from deploy.credentials.secrets import make_secrets
from shared.http.listening import at_fault
from shared.service.settings import Keeping
from tests.support import softhsm
from tests.support.identities import look
from tests.support.network import Network, a_victim, refer
from tests.support.tokens import trusting

NAME, BY_NIK = "Kenanga Contoh Rekaan", "7401010101010009"
LIBRARY = Path("/usr/lib/softhsm/libsofthsm2.so")


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    """Keys of this test's own: those of the police go into the HSM, and no file of them stays."""
    make_secrets(tmp_path / "secrets")
    return tmp_path / "secrets"


if softhsm.FOUND:  # make test says so when it is not

    @pytest.fixture
    def in_hsm(secrets: Path, tmp_path: Path) -> Iterator[dict[str, Any]]:
        """The keys of the police are in an HSM, and in no file; the settings that say so."""
        import pkcs11

        from deploy.credentials.into_hsm import copy_keys

        pin, own = softhsm.new_hsm(tmp_path), secrets / "police" / "keys"
        library = pkcs11.lib(str(softhsm.FOUND[0]))
        with library.get_token(token_label=softhsm.LABEL).open(rw=True, user_pin=softhsm.PIN) as session:
            assert len(copy_keys(own, "police", session)) == 5
        softhsm.restart()
        for path in own.iterdir():
            path.unlink()
        yield {
            "key_folder": None,
            "key_token_module": softhsm.FOUND[0],
            "key_token_label": softhsm.LABEL,
            "key_token_pin_file": pin,
        }
        softhsm.restart()

    async def test_a_service_with_an_hsm_signs_seals_opens_and_finds(network: Network, in_hsm: dict[str, Any]) -> None:
        network.extra = in_hsm
        police = await network.start("police")
        network.extra = {}
        kemenkes = await network.start("kemenkes")
        victim = await a_victim(police, identity={"name": NAME, "nik": BY_NIK})
        referral = await refer(police, victim, "kemenkes", "first-aid")
        await kemenkes.until_status(referral, "received")
        await kemenkes.must(referral, "accept")
        await police.until_status(referral, "accepted")
        assert await look(kemenkes, victim) == {"name": NAME}
        assert await look(police, victim) == {"name": NAME, "nik": BY_NIK}
        found = await police.post("/v1/victim-search", {"field": "nik", "value": BY_NIK})
        assert [item["id"] for item in found.json()["items"]] == [victim]


@pytest.mark.parametrize(
    ("told", "named"),
    [
        ({"key_folder": None}, ["key_folder", "key_token_module"]),
        ({"key_token_module": LIBRARY, "key_token_pin_file": Path("pin")}, ["key_folder", "key_token_module"]),
        ({"key_folder": None, "key_token_module": LIBRARY}, ["key_token_module", "key_token_pin_file"]),
        ({"key_token_pin_file": Path("pin")}, ["key_token_module", "key_token_pin_file"]),
    ],
    ids=["nowhere", "in two places", "no PIN", "a PIN for nothing"],
)
def test_keys_are_in_one_place_or_the_settings_are_named(secrets: Path, told: dict[str, Any], named: list[str]) -> None:
    with pytest.raises(ValidationError) as refused:
        Keeping(**{**trusting("police", secrets), "database_url": "sqlite://", **told})
    assert at_fault(refused.value) == named
