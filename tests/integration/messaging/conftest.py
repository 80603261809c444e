"""Brokers that members connect to."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.credentials.secrets import network
from shared.contracts.subjects import addressed_to
from tests.support.brokers import Broker, running


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    with running(tmp_path_factory.mktemp("broker")) as made:
        yield made


@pytest.fixture
def own_broker(tmp_path: Path) -> Iterator[Broker]:
    """A server for one test, which may break it."""
    with running(tmp_path) as made:
        yield made


@pytest.fixture
def lending(tmp_path: Path) -> Iterator[Broker]:
    """The broker of a network of libraries."""
    readers = {name: addressed_to(name) for name in ("library", "archive")}
    with running(tmp_path, network(readers), readers=readers) as made:
        yield made
