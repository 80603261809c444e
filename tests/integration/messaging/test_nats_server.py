"""The broker as it is shipped: its configuration, its files on disk, and the secrets of its members."""

import asyncio
import http.client
import json
import re
from pathlib import Path

import pytest

from deploy.credentials.secrets import make_secrets, network
from deploy.local.embedded_nats import CONFIG, HOST
from services.members import SERVICES
from shared.security.key_directory import load_root, read_directory
from tests.support.brokers import SECONDS, Broker, event, running, take_all


def test_nobody_is_let_in_by_default_or_by_a_certificate_alone() -> None:
    said = [line.split("#")[0] for line in CONFIG.read_text().splitlines()]
    assert not re.search(r"no_auth_user|verify_and_map|verify_cert_and_check|allow_non_tls", "\n".join(said))


def test_the_server_runs_as_reviewed(broker: Broker) -> None:
    connection = http.client.HTTPConnection(HOST, broker.server.monitor_port, timeout=SECONDS)
    connection.request("GET", "/varz")
    varz = json.loads(connection.getresponse().read())
    connection.close()
    assert (varz["server_name"], varz["max_payload"]) == ("estafet", 72 * 1024)
    assert varz["jetstream"]["config"]["sync_always"] is True


async def test_what_was_acknowledged_outlives_a_crash(own_broker: Broker) -> None:
    async with own_broker.connected("police") as member:
        await member.js.publish(event("police", "kemenkes"), b"kept")
    own_broker.server.kill()
    own_broker.server.start()
    async with own_broker.connected("kemenkes") as member:
        assert [message.data for message in await take_all(member)] == [b"kept"]


MARKER = b"a marker that stands in no other file"


def files_with_the_marker(folder: Path, config: Path) -> list[str]:
    """The kinds of files in which what was published stands once the server has stopped."""

    async def say_it(own: Broker) -> None:
        async with own.connected("police") as member:
            await member.js.publish(event("police", "kemenkes"), MARKER)

    with running(folder, config=config) as own:
        asyncio.run(say_it(own))
    stored = [path for path in (folder / "store").rglob("*") if path.is_file()]
    assert any(path.suffix == ".blk" for path in stored)
    return [path.suffix for path in stored if MARKER in path.read_bytes()]


def test_what_is_stored_is_encrypted(tmp_path: Path) -> None:
    assert files_with_the_marker(tmp_path, CONFIG) == []


def test_without_the_cipher_it_would_be_found(tmp_path: Path) -> None:
    shipped = CONFIG.read_text()
    (in_clear := tmp_path / "in-clear.conf").write_text(re.sub(r"\n +(cipher: aes|key: .*)", "", shipped))
    assert files_with_the_marker(tmp_path, in_clear) == [".blk"]


async def test_the_rights_know_no_ministry(lending: Broker) -> None:
    async with lending.connected("library") as library:
        await library.js.publish(event("library", "archive"), b"said")
        await library.client.publish(event("archive", "library"), b"")
        assert await library.refused("publish", [event("archive", "library")])
    async with lending.connected("archive") as archive:
        assert len(await take_all(archive)) == 1


def test_secrets_are_made_once_and_stay_secret(tmp_path: Path) -> None:
    def files() -> dict[str, tuple[int, bytes]]:
        paths = [path for path in tmp_path.rglob("*") if path.is_file()]
        return {str(path.relative_to(tmp_path)): (path.stat().st_mode & 0o777, path.read_bytes()) for path in paths}

    make_secrets(tmp_path)
    made = files()
    make_secrets(tmp_path)
    assert files() == made
    public = {body for path, (_, body) in made.items() if path.startswith("public/")}
    private = {path: file for path, file in made.items() if not path.startswith("public/")}
    assert {mode for mode, _ in private.values()} == {0o600}
    assert not any(body in known for _, body in private.values() for known in public)
    directory = read_directory(
        (tmp_path / "public/keys.json").read_bytes(), load_root(tmp_path / "public/directory-root.json")
    )
    assert {key.agency for key in directory.keys.values()} == set(SERVICES)


def test_a_lost_signing_key_is_not_replaced_under_its_id(tmp_path: Path) -> None:
    make_secrets(tmp_path)
    (tmp_path / "police/keys/police-1.pem").unlink()
    with pytest.raises(ValueError, match="police-1"):
        make_secrets(tmp_path)


@pytest.mark.parametrize(
    "name", ["", "all", "public", "ca", "nats", "postgres", "Police", "a.b", "a*", 'a"', "../a", "a b"]
)
def test_a_member_has_a_plain_name(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="name of a member"):
        make_secrets(tmp_path, network([name]))
