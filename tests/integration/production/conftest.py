"""A broker, a database and a police service as they should be in production."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import make_url

from deploy.credentials import x509_forms
from deploy.credentials.secrets import make_secrets
from deploy.local.databases import make_database, service_role
from deploy.local.embedded_nats import EmbeddedNats
from services.police.main import MEMBER as POLICE
from shared.storage.append_only import grant
from shared.storage.engine import open_engine
from shared.storage.migrate import migrate
from tests.support.databases import wait_for_the_disk
from tests.support.production import OWNERS, SERVICES, Police, asking, provisioned
from tests.support.tokens import trusting


@pytest.fixture(scope="module")
def ministry(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Secrets with certificates of a CA that is not the development CA."""
    folder = tmp_path_factory.mktemp("ministry") / "secrets"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ESTAFET_PROFILE", "production")
        patch.setattr(x509_forms, "DEVELOPMENT_CA", "Balai Sertifikasi Rekaan")
        make_secrets(folder)
    return folder


@pytest.fixture(scope="module")
def broker(ministry: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedNats]:
    """The broker as shipped."""
    with EmbeddedNats(tmp_path_factory.mktemp("broker"), ministry) as server:
        asyncio.run(provisioned(server))
        yield server


@pytest.fixture(scope="module")
def database(own_postgres_url: str) -> Iterator[str]:
    """The database of the police, with its two roles, migrated; the URL of the service's role."""
    server = make_url(own_postgres_url)
    wait_for_the_disk(own_postgres_url, "on")
    with asking(own_postgres_url) as connection:
        make_database(connection, "police", OWNERS, SERVICES)
    owner = open_engine(server.set(username="police", password=OWNERS, database="police").render_as_string(False))
    migrate(owner, POLICE.lineages)
    grant(owner, service_role("police"))
    owner.dispose()
    service = server.set(username=service_role("police"), password=None, database="police")
    yield service.update_query_dict({"sslmode": "verify-full"}).render_as_string(False)
    with asking(own_postgres_url) as connection:
        connection.execute("DROP DATABASE police WITH (FORCE)")
        connection.execute("DROP ROLE police_service; DROP ROLE police")
    wait_for_the_disk(own_postgres_url, "off")


@pytest.fixture
def police(ministry: Path, broker: EmbeddedNats, database: str, tmp_path: Path) -> Police:
    own, tls = ministry / "police", broker.tls("police")
    (tmp_path / "own").mkdir(mode=0o700)
    (password := tmp_path / "own" / "service.password").write_text(SERVICES)
    password.chmod(0o600)
    told = {
        "profile": "production",
        "database_url": database,
        "database_password_file": password,
        **trusting("police", ministry),
        "tls_certificate_file": own / "tls.pem",
        "tls_key_file": own / "tls-key.pem",
        "tls_client_ca_file": tls.ca,
        "tls_client_crl_file": ministry / "public" / "crl.pem",
        "revoked_tokens_file": ministry / "public" / "revoked-tokens.json",
        "nats_url": broker.url,
        "nats_seed_file": own / "nats.seed",
        "nats_ca_file": tls.ca,
        "nats_certificate_file": tls.certificate,
        "nats_key_file": tls.key,
        "issuer": "https://sso.polri.example",
        "issuer_jwks": "https://sso.polri.example/jwks",
        "log_level": "critical",
    }
    return Police(tmp_path / "own", told)
