"""A storage key is replaced: what is sealed opens as before, and a backup from before opens no more."""

import os
from pathlib import Path

import pytest
from sqlalchemy import select

from deploy.keyring import Keyring
from deploy.secrets import make_secrets
from shared.security.sealing import Unopenable
from shared.service.commands import rewrap, verify
from shared.storage.privacy_tables import DataKeyRow
from tests.network import Network, a_victim
from tests.tokens import trusting


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    """Keys of this test's own: it destroys one."""
    make_secrets(tmp_path / "secrets")
    return tmp_path / "secrets"


async def test_a_storage_key_is_replaced_and_the_old_one_opens_nothing_any_more(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    police = await network.start("police", online=False)
    victim = await a_victim(police, identity={"name": "Dahlia Contoh Rekaan"})
    path = f"/v1/victims/{victim}/identity"
    database = network.apps["police"].state.database
    backup = database.read(lambda session: session.scalars(select(DataKeyRow)).all())
    assert backup[0].wrapped.startswith("storage-1.")
    await network.stop("police")

    Keyring(network.secrets).rotate_storage("police")
    told = {**trusting("police", network.secrets), "database_url": network.database_url("police")}
    for name, value in told.items():
        monkeypatch.setenv(f"ESTAFET_{name.upper()}", str(value))
    rewrap("services.police.main")
    verify("services.police.main")
    os.remove(network.secrets / "police" / "keys" / "storage-1.key")

    police = await network.start("police", online=False)
    assert (await police.get(path, purpose="care"))["name"] == "Dahlia Contoh Rekaan"
    vault = network.apps["police"].state.office.vault
    with pytest.raises(Unopenable, match="unknown-key"):
        vault.unwrap_at_rest(backup[0].wrapped, victim)
