"""Keys that change while services run: a new one is believed at once, a revoked one no more."""

import json
import shutil
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from deploy.credentials.keyring import Keyring
from deploy.credentials.secrets import make_secrets
from shared.contracts.events import Accepted, KeysPublished, ReferralEvent, Started
from shared.contracts.subjects import subject
from shared.security import key_directory
from shared.security.keys import SigningKey
from shared.security.public_keys import Revocation
from shared.storage.notifier import Topic
from tests.support.network import Client, Network, a_victim, problem, refer
from tests.support.wire import a_referral, about, event, key_of, let_in, publish, until_parked


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    """Keys of this test's own: it revokes some."""
    make_secrets(tmp_path / "secrets")
    return tmp_path / "secrets"


async def send(network: Network, key: SigningKey, data: ReferralEvent, linkseq: int, version: int) -> None:
    body = event("kemenkes", "police", data, linkseq, version)
    on = subject("kemenkes", "police", type(data), "74.01")
    await publish(network, "kemenkes", on, body, key.sign(body))


async def test_a_rotated_key_is_believed_and_a_revoked_one_is_not(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_directory, "LOOK_AGAIN_SECONDS", 0.0)
    referral = await a_referral(network)
    old, keyring, now = key_of(network, "kemenkes"), Keyring(network.secrets), datetime.now(UTC)
    await send(network, old, about(referral, Accepted), 2, 3)
    await network["police"].until_status(referral["id"], "accepted")
    key_id = keyring.rotate("kemenkes", "sig", now, now)
    keyring.revoke("kemenkes-1", Revocation.KEY_COMPROMISE, now)
    await send(network, old, about(referral, Started), 3, 4)
    parked = await until_parked(network, "police", "revoked-key")
    assert not parked["trusted"]
    new = SigningKey.load(network.secrets / "kemenkes" / "keys" / f"{key_id}.pem")
    await send(network, new, about(referral, Started), 3, 4)
    seen = await network["police"].until_status(referral["id"], "in-progress")
    assert seen["version"] == 4  # what was recorded before the revocation stands
    listed = {key["kid"]: key for key in (await network["police"].get("/v1/keys"))["keys"]}
    assert listed["kemenkes-1"]["revoked_because"] == "key-compromise" and "revoked_at" not in listed[key_id]


async def revoked(client: Client) -> set[str]:
    """The keys that a member knows to be revoked."""
    return {key["kid"] for key in (await client.get("/v1/keys"))["keys"] if "revoked_at" in key}


async def test_a_revocation_reaches_an_agency_whose_file_nobody_touches_and_stays_over_a_restart(
    network: Network, tmp_path: Path
) -> None:
    """The police keep their own copy of the directory on their own host. The task force publishes at coordination."""
    shutil.copy(network.secrets / "public" / "keys.json", here := tmp_path / "keys.json")
    as_published, network.extra = here.read_bytes(), {"key_directory_file": here}
    referral, police = await a_referral(network), network["police"]
    network.extra = {}
    await network.start("coordination")
    old, keyring, now = key_of(network, "kemenkes"), Keyring(network.secrets), datetime.now(UTC)
    keyring.rotate("kemenkes", "sig", now, now)
    with network.apps["police"].state.notifier.watching(Topic.KEYS) as watch:
        began = time.monotonic()
        keyring.revoke("kemenkes-1", Revocation.KEY_COMPROMISE, now)
        while await revoked(police) != {"kemenkes-1"}:
            assert await watch.next(20)
        assert time.monotonic() - began < 10
    assert here.read_bytes() == as_published
    await send(network, old, about(referral, Accepted), 2, 3)
    await until_parked(network, "police", "revoked-key")
    links = await (await network.operator("coordination")).get("/v1/links")
    told = {link["link"]: link["last"] - link["unconfirmed"] for link in links["items"] if link["direction"] == "sent"}
    assert told["coordination>police"] >= 2  # it has the receipts of both

    await network.stop("police")
    await network.stop("coordination")
    network.extra = {"key_directory_file": here}
    police = await network.start("police")
    assert await revoked(police) == {"kemenkes-1"}


async def test_nobody_but_the_coordinator_brings_keys_and_nothing_that_the_task_force_has_not_signed(
    network: Network, tmp_path: Path
) -> None:
    await a_referral(network)
    before = (await network["police"].get("/v1/keys"))["keys"]
    make_secrets(tmp_path / "another")  # with a task force of its own
    right = json.loads((network.secrets / "public" / "keys.json").read_bytes())
    forged = json.loads((tmp_path / "another" / "public" / "keys.json").read_bytes())
    for linkseq, (speaker, document, reason) in enumerate(
        [("kemenkes", right, "not-the-coordinator"), ("coordination", forged, "untrusted-directory")], start=2
    ):
        published = KeysPublished(version=1, **document)
        body = event(speaker, "police", published, linkseq, None)
        on = subject(speaker, "police", KeysPublished, "74.01")
        let_in(network, "police", on, body, key_of(network, speaker).sign(body))
        assert (await until_parked(network, "police", reason))["trusted"]
    assert (await network["police"].get("/v1/keys"))["keys"] == before


async def test_a_member_without_a_key_refuses_for_a_while_and_loses_nothing(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kemenkes revokes its only key: it can sign nothing, neither an answer nor a receipt, until it has another."""
    monkeypatch.setattr(key_directory, "LOOK_AGAIN_SECONDS", 0.0)
    police, kemenkes = await network.start("police"), await network.start("kemenkes")
    first = await refer(police, await a_victim(police), "kemenkes", "first-aid")
    await kemenkes.until_status(first, "received")
    keyring, now = Keyring(network.secrets), datetime.now(UTC)
    keyring.revoke("kemenkes-1", Revocation.KEY_COMPROMISE, now)
    refused = await kemenkes.act(first, "accept")
    assert (refused.status_code, problem(refused), refused.headers["Retry-After"]) == (503, "unavailable", "2")
    second = await refer(police, await a_victim(police), "kemenkes", "first-aid")
    keyring.rotate("kemenkes", "sig", now, now)
    await kemenkes.until_status(second, "received")
    await kemenkes.must(first, "accept")
    assert (await (await network.operator("kemenkes")).get("/v1/parked"))["items"] == []
