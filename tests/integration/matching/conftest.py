"""The networks on which persons are matched."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from deploy.local.embedded_nats import EmbeddedNats
from tests.support.databases import Databases
from tests.support.network import Network, provisioning


@pytest.fixture
async def three(network: Network) -> Network:
    """Two agencies and coordination."""
    for code in ("coordination", "police", "kemenpppa"):
        await network.start(code)
    return network


@pytest.fixture
async def own_secrets(
    tmp_path: Path, secrets: Path, nats: EmbeddedNats, database_url: Databases
) -> AsyncIterator[Network]:
    """The network on secrets of its own, which a test may change."""
    copy = shutil.copytree(secrets, tmp_path / "own-secrets")
    async with provisioning(nats):
        network = Network(tmp_path, copy, nats, database_url)
        yield network
        await network.stop_all()
