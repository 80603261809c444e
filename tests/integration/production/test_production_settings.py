"""Settings that stop a start in production: with good settings a service starts, and each fault alone stops it."""

import shutil
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from deploy.credentials.secrets import make_secrets, network
from services import members
from services.police.main import MEMBER as POLICE
from shared.security.development import DEVELOPMENT_ISSUER, lies_in_development, mark_for_development
from shared.service.production.rules import CERTIFICATE_FILES, SECRET_FILES, TRUST_FILES, Unsafe
from shared.service.settings import Settings
from shared.storage.engine import open_engine
from shared.storage.migrate import migrate
from tests.support.production import OWNERS, SERVICES, Police, asking, put
from tests.support.tokens import trusting


async def test_a_service_with_good_settings_starts(police: Police, capfd: pytest.CaptureFixture[str]) -> None:
    await police.start()
    assert "ESTAFET_" not in capfd.readouterr().err


TLS, NATS_TLS = (
    ("certificate_file", "key_file", "client_ca_file", "client_crl_file"),
    ("ca_file", "certificate_file", "key_file"),
)


@pytest.mark.parametrize(
    "missing",
    [
        ("tls_client_ca_file", "tls_client_crl_file"),
        ("tls_client_crl_file",),
        ("revoked_tokens_file",),
        tuple(f"tls_{name}" for name in TLS),
        tuple(f"nats_{name}" for name in NATS_TLS),
        *((name,) for name in ("database_password_file", "nats_url", "nats_seed_file")),
    ],
    ids=lambda names: names[0],
)
async def test_what_is_not_set_is_named(
    police: Police, missing: tuple[str, ...], capfd: pytest.CaptureFixture[str]
) -> None:
    for name in missing:
        del police.told[name]
    assert set((await police.refusal(capfd)).split()) == set(missing)


async def test_sqlite_is_not_for_production(police: Police, capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    police.told["database_url"] = f"sqlite:///{tmp_path}/police.db"
    assert await police.refusal(capfd) == "database_url"


@pytest.mark.parametrize("mode", ["prefer", "require", "verify-ca"])
async def test_a_connection_that_does_not_verify_the_database_is_refused(
    police: Police, mode: str, capfd: pytest.CaptureFixture[str]
) -> None:
    police.url(query={"sslmode": mode})
    assert await police.refusal(capfd) == "database_url"


async def test_a_password_in_the_address_is_refused(police: Police, capfd: pytest.CaptureFixture[str]) -> None:
    police.url(password=SERVICES)
    assert await police.refusal(capfd) == "database_url"


async def test_a_commit_that_does_not_wait_for_the_disk_is_refused(
    police: Police, capfd: pytest.CaptureFixture[str]
) -> None:
    police.url(query={"options": "-c synchronous_commit=off"})
    assert await police.refusal(capfd) == "database_url"


@pytest.mark.parametrize("setting", ["fsync", "full_page_writes"])
async def test_a_server_that_may_lose_commits_is_refused(
    police: Police, own_postgres_url: str, setting: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with asking(own_postgres_url) as connection:
        before = connection.execute(f"SHOW {setting}").fetchone()
        try:
            put(connection, own_postgres_url, setting, "off")
            assert await police.refusal(capfd) == "database_url"
        finally:
            put(connection, own_postgres_url, setting, str(before and before[0]))


async def test_the_owner_of_the_tables_is_refused_for_it_could_rewrite_them(
    police: Police, capfd: pytest.CaptureFixture[str]
) -> None:
    police.url(username="police")
    police.file("database_password_file").write_text(OWNERS)
    assert await police.refusal(capfd) == "database_url"


async def test_a_broker_without_tls_is_refused(police: Police, capfd: pytest.CaptureFixture[str]) -> None:
    police.told["nats_url"] = police.told["nats_url"].replace("tls://", "nats://")
    assert await police.refusal(capfd) == "nats_url"


@pytest.mark.parametrize("mode", [0o640, 0o604])
@pytest.mark.parametrize("setting", SECRET_FILES)
async def test_a_secret_that_others_may_read_is_refused(
    police: Police, setting: str, mode: int, capfd: pytest.CaptureFixture[str]
) -> None:
    police.file(setting).chmod(mode)
    assert await police.refusal(capfd) == setting


@pytest.mark.parametrize("name", ["police-1.pem", "police-enc-1.pem", "storage-1.key"])
async def test_each_key_of_the_folder_is_looked_at(
    police: Police, name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    (police.file("key_folder").parent / name).chmod(0o644)
    assert await police.refusal(capfd) == "key_folder"


@pytest.mark.parametrize("password", ["services", "police", "kata-sandi-pendek", "a" * 40])
async def test_a_password_that_somebody_thought_of_is_refused(
    police: Police, password: str, capfd: pytest.CaptureFixture[str]
) -> None:
    police.file("database_password_file").write_text(password)
    with pytest.raises((Unsafe, OperationalError)) as refused:
        await police.start()
    assert isinstance(refused.value, Unsafe)
    assert refused.value.settings == ["database_password_file"]


@pytest.mark.parametrize("setting", [*SECRET_FILES, *CERTIFICATE_FILES, *TRUST_FILES])
async def test_a_file_that_holds_nothing_is_named(
    police: Police, setting: str, capfd: pytest.CaptureFixture[str]
) -> None:
    police.file(setting).write_text("")
    assert await police.refusal(capfd) == setting


@pytest.mark.parametrize("setting", CERTIFICATE_FILES)
async def test_a_certificate_of_the_development_ca_is_refused(
    police: Police, secrets: Path, setting: str, capfd: pytest.CaptureFixture[str]
) -> None:
    police.file(setting).write_bytes((secrets / "police" / "tls.pem").read_bytes())
    assert await police.refusal(capfd) == setting


async def test_a_folder_made_for_development_is_refused(police: Police, capfd: pytest.CaptureFixture[str]) -> None:
    files = {*SECRET_FILES, *TRUST_FILES}
    for setting in files - {"key_token_pin_file"}:
        police.file(setting)
    await police.start()
    mark_for_development(police.secrets)
    assert set((await police.refusal(capfd)).split()) == files - {"key_token_pin_file"}
    police.pin()
    assert set((await police.refusal(capfd)).split()) == files - {"key_folder"}


def test_what_make_secrets_makes_for_development_is_marked_where_containers_see_it(tmp_path: Path) -> None:
    """Compose shows a container the public folder, and of the others single files elsewhere."""
    make_secrets(tmp_path / "own")
    assert lies_in_development(tmp_path / "own" / "police" / "keys" / "storage-1.key")
    shutil.copytree(tmp_path / "own" / "public", tmp_path / "mounted")
    assert lies_in_development(tmp_path / "mounted" / "keys.json")


def test_what_was_made_for_production_is_never_marked(ministry: Path, tmp_path: Path) -> None:
    """The second run names no profile, as when an operator forgets it."""
    shutil.copytree(ministry, tmp_path / "own")
    make_secrets(tmp_path / "own", network(members.SERVICES))
    assert not lies_in_development(tmp_path / "own" / "public" / "keys.json")


async def test_the_development_issuer_is_refused(police: Police, capfd: pytest.CaptureFixture[str]) -> None:
    police.told["issuer"] = DEVELOPMENT_ISSUER
    assert await police.refusal(capfd) == "issuer"


@pytest.mark.parametrize("where", ["http://sso.polri.example/jwks", "/run/secrets/issuer.json"])
async def test_keys_of_an_issuer_come_over_https(police: Police, where: str, capfd: pytest.CaptureFixture[str]) -> None:
    police.told["issuer_jwks"] = where
    assert await police.refusal(capfd) == "issuer_jwks"


async def test_all_faults_are_told_at_once(police: Police, capfd: pytest.CaptureFixture[str]) -> None:
    police.told["issuer"] = DEVELOPMENT_ISSUER
    police.url(username="police", query={"options": "-c synchronous_commit=off"})
    police.file("database_password_file").write_text(OWNERS)
    with pytest.raises(Unsafe) as refused:
        await police.start()
    assert [fault.found for fault in refused.value.faults] == [
        ("synchronous_commit=off",),
        ("ledger", "access_log"),
        (DEVELOPMENT_ISSUER,),
    ]
    assert str(refused.value) == "ESTAFET_DATABASE_URL, ESTAFET_ISSUER"
    assert "ESTAFET_DATABASE_URL (ledger, access_log): masuk sebagai" in capfd.readouterr().err


async def test_in_development_none_of_it_matters(tmp_path: Path, secrets: Path) -> None:
    police = Police(
        tmp_path,
        trusting("police", secrets) | {"database_url": f"sqlite:///{tmp_path}/police.db", "log_level": "critical"},
    )
    engine = open_engine(police.told["database_url"])
    migrate(engine, POLICE.lineages)
    engine.dispose()
    await police.start()


def test_a_misspelt_profile_is_no_profile(police: Police) -> None:
    with pytest.raises(ValueError, match="profile"):
        Settings(**police.told | {"profile": "produksi"})
