"""What a service refuses to start on in production: it starts as it should be, and each fault alone stops it."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import make_url
from sqlalchemy.exc import OperationalError

from deploy import x509_forms
from deploy.databases import make_database, service_role
from deploy.embedded_nats import CONFIG, EmbeddedNats, free_port
from deploy.provision import READERS
from deploy.secrets import AGENCIES, PROVISIONER, make_secrets, network
from services.police.main import MEMBER as POLICE
from shared.messaging.rights import Durability, most_rights
from shared.security.development import DEVELOPMENT_ISSUER, lies_in_development, mark_for_development
from shared.security.secret_files import write_secret
from shared.service.app import create_app, serving, wall_clock
from shared.service.profile import (
    CERTIFICATE_FILES,
    NEEDED,
    RULES,
    SECRET_FILES,
    TRUST_FILES,
    Facts,
    Fault,
    Unsafe,
    faults,
)
from shared.service.settings import Settings
from shared.storage.append_only import grant
from shared.storage.database import open_engine
from shared.storage.migrate import migrate
from tests.support.sources import ROOT
from tests.support.tokens import trusting

OWNERS, SERVICES = (f"{whose}-kata-sandi-rekaan-yang-panjang" for whose in ("pemilik", "layanan"))


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


async def provisioned(server: EmbeddedNats) -> None:
    """Let the provisioner do its work once."""
    provisioner = server.broker(PROVISIONER)
    await provisioner.connect()
    await provisioner.provision(READERS)
    await provisioner.close()


@pytest.fixture(scope="module")
def database(own_postgres_url: str) -> Iterator[str]:
    """The database of the police, with its two roles, migrated; the URL of the service's role."""
    server = make_url(own_postgres_url)
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


@contextmanager
def asking(server: str) -> Iterator[psycopg.Connection]:
    plain = make_url(server).set(drivername="postgresql").render_as_string(False)
    with psycopg.connect(plain, autocommit=True) as connection:
        yield connection


@dataclass
class Police:
    """The police's service as it should be in production; a test spoils one thing of it."""

    secrets: Path
    told: dict[str, Any]

    def file(self, setting: str) -> Path:
        """A copy of its own of the file that a setting names; of a folder of keys, with one of its files."""
        if setting == "key_token_pin_file":
            return self.pin()
        named = Path(self.told[setting])
        if named.is_dir():
            (folder := self.secrets / named.name).mkdir(mode=0o700)
            for key in (*named.glob("*.key"), *named.glob("police-*.pem")):
                shutil.copy(key, folder)
            self.told[setting] = folder
            return folder / "blind-index.key"
        copied = self.secrets / Path(self.told[setting]).name
        copied.write_bytes(Path(self.told[setting]).read_bytes())
        copied.chmod(0o600)
        self.told[setting] = copied
        return copied

    def pin(self) -> Path:
        """The PIN of a token that the keys are in, instead of a folder."""
        pin = self.secrets / "token.pin"
        write_secret(pin, b"7401-1407")
        self.told |= {"key_folder": None, "key_token_module": Path("libsofthsm2.so"), "key_token_pin_file": pin}
        return pin

    def url(self, **parts: Any) -> None:
        """The database's address with other parts."""
        query = parts.pop("query", {})
        changed = make_url(self.told["database_url"]).set(**parts).update_query_dict(query)
        self.told["database_url"] = changed.render_as_string(hide_password=False)

    async def start(self) -> None:
        """Start it for real, and stop it again. Raises Unsafe."""
        settings = Settings(**self.told)
        app = create_app(POLICE, settings, wall_clock)
        async with serving(app, POLICE, settings, wall_clock):
            pass

    async def refusal(self, capfd: pytest.CaptureFixture[str]) -> str:
        """The settings it names when it refuses to start, having told the operator of each in both languages."""
        with pytest.raises(Unsafe) as refused:
            await self.start()
        said = capfd.readouterr().err
        [line] = [json.loads(line) for line in said.splitlines() if "service.unsafe" in line]
        for fault in refused.value.faults:
            assert f"✗ {fault.variable}" in said and f": {fault.id} · {fault.en}" in said
        assert line["settings"] == [fault.setting for fault in refused.value.faults]
        return " ".join(refused.value.settings)


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


async def test_it_starts_as_it_should_be(police: Police, capfd: pytest.CaptureFixture[str]) -> None:
    await police.start()
    assert "ESTAFET_" not in capfd.readouterr().err


# --- each fault alone, in a real start --------------------------------------------------------------------------

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


def put(connection: psycopg.Connection, server: str, setting: str, value: str) -> None:
    """Set a setting of the server, and wait until new connections have it."""
    connection.execute(f"ALTER SYSTEM SET {setting} = {value}")
    connection.execute("SELECT pg_reload_conf()")
    while True:
        with asking(server) as new:
            if new.execute(f"SHOW {setting}").fetchone() == (value,):
                return


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
    """Also where an operator forgets to say so the next time."""
    shutil.copytree(ministry, tmp_path / "own")
    make_secrets(tmp_path / "own", network(AGENCIES))
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


# --- what the broker allows -------------------------------------------------------------------------------------


@pytest.mark.parametrize("agency", AGENCIES)
async def test_the_shipped_broker_allows_each_agency_what_it_needs_and_no_more(
    broker: EmbeddedNats, agency: str
) -> None:
    connection = broker.broker(agency)
    await connection.connect()
    assert await connection.rights() == most_rights(agency)
    await connection.close()


def wide_open(shipped: str) -> str:
    """One account for all, and no limits: what a broker is without a configuration of its own."""
    return shipped[: shipped.index("system_account")]


WIDE: dict[str, tuple[Callable[[str], str], Callable[[str], str], str]] = {
    "no accounts": (wide_open, str, "account $G, publish >, subscribe >"),
    "one more subject": (
        str,
        lambda members: members.replace(
            '"tppo.police.>"\n        "$JS', '"tppo.police.>"\n        "tppo.>"\n        "$JS'
        ),
        "publish tppo.>",
    ),
    "every inbox": (str, lambda members: members.replace('"_INBOX.police.>"', '"_INBOX.>"'), "subscribe _INBOX.>"),
    "nothing said": (str, lambda members: members.replace('        "$SYS.REQ.USER.INFO"\n', ""), "account ?"),
}


@contextmanager
def configured(kind: str, ministry: Path, folder: Path, port: int | None = None) -> Iterator[EmbeddedNats]:
    """A broker with these rights of the police; it does not run yet."""
    configure, members, _ = WIDE[kind]
    (config := folder / "another.conf").write_text(configure(CONFIG.read_text()))
    file = ministry / "public" / "nats" / "members.conf"
    before = file.read_text()
    file.write_text(members(before))
    try:
        assert configure(CONFIG.read_text()) != CONFIG.read_text() or members(before) != before
        yield EmbeddedNats(folder / "another", ministry, port, config=config)
    finally:
        file.write_text(before)


@pytest.mark.parametrize("kind", WIDE)
async def test_a_broker_that_allows_more_is_refused(
    police: Police, ministry: Path, tmp_path: Path, kind: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with configured(kind, ministry, tmp_path) as wide, wide:
        police.told["nats_url"] = wide.url
        with pytest.raises(Unsafe) as refused:
            await police.start()
    [fault] = refused.value.faults
    assert (fault.variable, ", ".join(fault.found)) == ("ESTAFET_NATS_SEED_FILE", WIDE[kind][2])
    assert f"✗ ESTAFET_NATS_SEED_FILE ({WIDE[kind][2]}): broker mengizinkan lebih" in capfd.readouterr().err


LOSING: dict[str, tuple[Callable[[str], str], str]] = {
    "the default": (lambda shipped: shipped.replace("  sync_interval: always\n", ""), "sync_interval: not always"),
    "each second": (lambda shipped: shipped.replace("always\n", '"1s"\n'), "sync_interval: not always"),
}


@pytest.mark.parametrize("kind", LOSING)
async def test_a_broker_that_may_lose_messages_is_refused(
    police: Police, ministry: Path, tmp_path: Path, kind: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """One that is as shipped but acknowledges before it has written."""
    configure, found = LOSING[kind]
    (config := tmp_path / "another.conf").write_text(configure(CONFIG.read_text()))
    assert config.read_text() != CONFIG.read_text()
    with EmbeddedNats(tmp_path / "another", ministry, config=config) as losing:
        await provisioned(losing)
        police.told["nats_url"] = losing.url
        assert await police.refusal(capfd) == "nats_url"
    assert f"ESTAFET_NATS_URL ({found})" in str(Fault("nats_url", (found,), "", ""))


def test_a_broker_of_before_is_refused() -> None:
    """A single nats-server before 2.15.1 does not hold to what it promises (DESIGN section 8)."""
    assert Durability((2, 15, 1), "always").faults() == Durability((2, 16, 0), "always").faults() == []
    assert Durability((2, 15, 0), "always").faults() == ["nats-server 2.15.0 < 2.15.1"]
    assert Durability((2, 15, 1), None).faults() == ["sync_interval: ?"]  # nobody has asked it


async def test_the_broker_says_which_version_it_is(broker: EmbeddedNats) -> None:
    connection = broker.broker("police")
    await connection.connect()
    assert await connection.durability() == Durability((2, 15, 1), "always")
    await connection.close()


async def test_a_broker_that_is_provisioned_later_is_judged_then(
    police: Police, ministry: Path, tmp_path: Path
) -> None:
    """The service is up meanwhile, and ends when it hears that the broker may lose messages."""
    (config := tmp_path / "another.conf").write_text(LOSING["the default"][0](CONFIG.read_text()))
    police.told["log_level"] = "info"
    with EmbeddedNats(tmp_path / "another", ministry, config=config) as losing:
        police.told["nats_url"] = losing.url
        with started(police) as running:
            assert running.stderr is not None
            assert await asyncio.to_thread(lambda: any("service.started" in line for line in running.stderr or ()))
            await provisioned(losing)
            said = (await asyncio.to_thread(running.communicate, timeout=30))[1]
    assert "✗ ESTAFET_NATS_URL (sync_interval: not always)" in said and running.returncode != 0


# --- as a process -----------------------------------------------------------------------------------------------


def started(police: Police) -> "subprocess.Popen[str]":
    told = {f"ESTAFET_{name.upper()}": str(value) for name, value in police.told.items()}
    command = [sys.executable, "-m", "shared.service.serve", "services.police.main", "--port", str(free_port())]
    return subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, **told}, stderr=subprocess.PIPE, text=True, encoding="utf-8"
    )


def test_the_process_ends_and_names_the_setting(police: Police) -> None:
    del police.told["tls_client_crl_file"]
    with started(police) as running:
        said = running.communicate(timeout=30)[1]
    assert running.returncode == 3
    assert "✗ ESTAFET_TLS_CLIENT_CRL_FILE: belum diisi · is not set" in said


def test_a_broker_that_comes_later_and_allows_too_much_ends_the_process(
    police: Police, ministry: Path, tmp_path: Path
) -> None:
    with configured("no accounts", ministry, tmp_path) as wide:
        police.told |= {"nats_url": wide.url, "log_level": "info"}
        with started(police) as running:
            assert running.stderr is not None
            assert any("service.started" in line for line in running.stderr)  # an agency works without a broker
            with wide:
                said = running.communicate(timeout=30)[1]
    assert "✗ ESTAFET_NATS_SEED_FILE (account $G, publish >, subscribe >)" in said
    assert running.returncode != 0


# --- the table --------------------------------------------------------------------------------------------------


def test_every_rule_names_a_setting_and_is_said_in_two_languages() -> None:
    assert {rule.setting for rule in RULES} <= set(Settings.model_fields)
    assert {*NEEDED, *SECRET_FILES, *CERTIFICATE_FILES, *TRUST_FILES, "issuer", "issuer_jwks", "database_url"} == {
        rule.setting for rule in RULES
    }
    assert all(rule.id and rule.en and rule.id != rule.en for rule in RULES)


def test_without_the_profile_there_is_no_fault(police: Police) -> None:
    spoilt = Facts(exposed=frozenset(SECRET_FILES), not_durable=("fsync=off",))
    assert len(faults(Settings(**police.told), spoilt)) == len(SECRET_FILES) + 1
    assert faults(Settings(**police.told | {"profile": "development"}), spoilt) == []


def test_a_fault_says_what_was_found() -> None:
    assert str(Fault("nats_url", ("nats",), "pakai tls://", "use tls://")) == (
        "✗ ESTAFET_NATS_URL (nats): pakai tls:// · use tls://"
    )


def test_half_set_tls_is_named_and_not_what_it_holds() -> None:
    env = {"ESTAFET_TLS_CERTIFICATE_FILE": "/tidak/ada", "PATH": os.environ["PATH"]}
    command = [sys.executable, "-m", "shared.service.serve", "services.police.main"]
    ended = subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 3
    [said] = ended.stderr.splitlines()
    assert "ESTAFET_TLS_CERTIFICATE_FILE, ESTAFET_TLS_KEY_FILE" in said and "/tidak/ada" not in said
