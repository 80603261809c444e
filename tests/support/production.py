"""A police service as it should be in production, for tests that spoil one thing of it."""

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

from deploy.compose.provision import READERS
from deploy.credentials.secrets import PROVISIONER
from deploy.local.embedded_nats import CONFIG, EmbeddedNats, free_port
from services.police.main import MEMBER as POLICE
from shared.security.secret_files import write_secret
from shared.service.app import create_app
from shared.service.production.rules import Unsafe
from shared.service.running import now_utc, serving
from shared.service.settings import Settings
from tests.support.sources import ROOT

OWNERS, SERVICES = (f"{whose}-kata-sandi-rekaan-yang-panjang" for whose in ("pemilik", "layanan"))


async def provisioned(server: EmbeddedNats) -> None:
    """Let the provisioner do its work once."""
    provisioner = server.broker(PROVISIONER)
    await provisioner.connect()
    await provisioner.provision(READERS)
    await provisioner.close()


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
        """A separate copy of the file that a setting names; of a folder of keys, with one of its files."""
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
        """The PIN of an HSM that the keys are in, instead of a folder."""
        pin = self.secrets / "hsm.pin"
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
        app = create_app(POLICE, settings, now_utc)
        async with serving(app, POLICE, settings, now_utc):
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


# --- each fault alone, in a real start --------------------------------------------------------------------------------


def put(connection: psycopg.Connection, server: str, setting: str, value: str) -> None:
    """Set a setting of the server, and wait until new connections have it."""
    connection.execute(f"ALTER SYSTEM SET {setting} = {value}")
    connection.execute("SELECT pg_reload_conf()")
    while True:
        with asking(server) as new:
            if new.execute(f"SHOW {setting}").fetchone() == (value,):
                return


# --- what the broker allows -------------------------------------------------------------------------------------------


def wide_open(shipped: str) -> str:
    """One account for all, and no limits: what a broker is without a configuration of its own."""
    return shipped[: shipped.index("system_account")]


WIDE: dict[str, tuple[Callable[[str], str], Callable[[str], str], str]] = {
    "no accounts": (wide_open, str, "account $G, publish >, subscribe >"),
    "one more subject": (
        str,
        lambda members: members.replace(
            '        "$JS.API.CONSUMER.INFO.TPPO.police"\n',
            '        "$JS.API.CONSUMER.INFO.TPPO.police"\n        "tppo.police.>"\n        "tppo.>"\n',
        ),
        "publish tppo.>, publish tppo.police.>",
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


LOSING: dict[str, tuple[Callable[[str], str], str]] = {
    "the default": (lambda shipped: shipped.replace("  sync_interval: always\n", ""), "sync_interval: not always"),
    "each second": (lambda shipped: shipped.replace("always\n", '"1s"\n'), "sync_interval: not always"),
}


# --- as a process -----------------------------------------------------------------------------------------------------


def started(police: Police) -> "subprocess.Popen[str]":
    told = {f"ESTAFET_{name.upper()}": str(value) for name, value in police.told.items()}
    command = [sys.executable, "-m", "shared.http.serve", "services.police.main", "--port", str(free_port())]
    return subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, **told}, stderr=subprocess.PIPE, text=True, encoding="utf-8"
    )
