"""Keys are replaced: what is sealed opens as before and is found as before, by the new key alone."""

import os
from pathlib import Path

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from deploy.credentials.keyring import Keyring
from deploy.credentials.secrets import make_secrets
from shared.agency.commands import reindex, rewrap
from shared.domain.access import Role
from shared.security.sealing import Unopenable
from shared.service.commands import app, verify
from shared.victims.sealed.tables import BlindIndexRow, DataKeyRow
from tests.support.network import Network, a_victim
from tests.support.tokens import trusting


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    """Keys of this test's own: it destroys one."""
    make_secrets(tmp_path / "secrets")
    return tmp_path / "secrets"


def as_the_operator(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment of the police's service."""
    told = {**trusting("police", network.secrets), "database_url": network.database_url("police")}
    for name, value in told.items():
        monkeypatch.setenv(f"ESTAFET_{name.upper()}", str(value))


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
    as_the_operator(network, monkeypatch)
    rewrap("services.police.main")
    verify("services.police.main")
    os.remove(network.secrets / "police" / "keys" / "storage-1.key")

    police = await network.start("police", online=False)
    assert (await police.get(path, purpose="care"))["name"] == "Dahlia Contoh Rekaan"
    vault = network.apps["police"].state.office.vault
    with pytest.raises(Unopenable, match="unknown-key"):
        vault.unwrap_at_rest(backup[0].wrapped, victim)


async def test_the_key_of_the_index_is_replaced_and_whom_it_found_is_found_again(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    police = await network.start("police", online=False)
    by_nik = {"nik": "7401010101010009"}
    victim, _ = await a_victim(police, identity=by_nik), await a_victim(police, identity={"name": "Contoh Rekaan"})
    searched = {"field": "nik", "value": by_nik["nik"]}

    async def found() -> list[str]:
        answer = await (await network.calling("police", Role.OFFICER)).post("/v1/victim-search", searched)
        assert answer.status_code == 200, answer.text
        return [item["id"] for item in answer.json()["items"]]

    assert await found() == [victim]
    database = network.apps["police"].state.database
    before = {row.digest for row in database.read(lambda session: session.scalars(select(BlindIndexRow)).all())}
    await network.stop("police")

    os.remove(network.secrets / "police" / "keys" / "blind-index.key")
    make_secrets(network.secrets)
    police = await network.start("police", online=False)
    assert await found() == []  # its key is another
    await network.stop("police")
    as_the_operator(network, monkeypatch)
    reindex("services.police.main", stopped=True)
    reindex("services.police.main", stopped=True)

    police = await network.start("police", online=False)
    assert await found() == [victim]
    database = network.apps["police"].state.database
    after = {row.digest for row in database.read(lambda session: session.scalars(select(BlindIndexRow)).all())}
    assert len(before) == len(after) == 1 and before != after


def test_the_index_is_not_made_anew_under_a_service_that_may_run() -> None:
    refused = CliRunner().invoke(app, ["reindex", "services.police.main"])
    assert refused.exit_code == 2
    assert "Hentikan layanan itu dahulu" in refused.output and "Stop that service first" in refused.output
