"""Members that a test connects by hand."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from deploy.local.embedded_nats import EmbeddedNats
from tests.support.databases import Databases
from tests.support.network import Network


@pytest.fixture
async def two(tmp_path: Path, secrets: Path, database_url: Databases) -> AsyncIterator[Network]:
    """The police and Kemenkes with no broker between them: the test is the post."""
    network = Network(tmp_path, secrets, EmbeddedNats(tmp_path / "nats", secrets), database_url)
    for code in ("police", "kemenkes"):
        await network.start(code, online=False)
    yield network
    await network.stop_all()


@pytest.fixture
async def police_alone(tmp_path: Path, secrets: Path, database_url: Databases) -> AsyncIterator[Network]:
    """The police alone; no broker is needed for what desks of one agency do to each other."""
    network = Network(tmp_path, secrets, EmbeddedNats(tmp_path / "nats", secrets), database_url)
    await network.start("police", online=False)
    yield network
    await network.stop_all()
