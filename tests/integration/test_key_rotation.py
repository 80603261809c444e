"""Keys that change while services run: a new one is believed at once, a revoked one no more."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from deploy.keyring import Keyring
from deploy.secrets import make_secrets
from shared.contracts.events import Accepted, ReferralEvent, Started
from shared.contracts.subjects import subject
from shared.security.keys import SigningKey
from shared.security.public_keys import Revocation
from tests.integration.test_hostile_wire import a_referral, about, event, key_of, publish, until_parked
from tests.network import Network, a_victim, problem, refer


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
    monkeypatch.setattr("shared.security.key_directory.LOOK_AGAIN_SECONDS", 0.0)
    referral = await a_referral(network)
    old, keyring, now = key_of(network, "kemenkes"), Keyring(network.secrets), datetime.now(UTC)
    await send(network, old, about(referral, Accepted), 2, 3)
    await network["police"].until_status(referral["id"], "accepted")
    key_id = keyring.rotate("kemenkes", "sig", now, now)
    keyring.revoke("kemenkes-1", Revocation.KEY_COMPROMISE, now)
    await send(network, old, about(referral, Started), 3, 4)
    parked = await until_parked(network, "police", "revoked-key")
    assert not parked["trusted"]
    new = SigningKey.load(network.secrets / "kemenkes" / f"{key_id}.pem")
    await send(network, new, about(referral, Started), 3, 4)
    seen = await network["police"].until_status(referral["id"], "in-progress")
    assert seen["version"] == 4  # what was recorded before the revocation stands
    listed = {key["kid"]: key for key in (await network["police"].get("/v1/keys"))["keys"]}
    assert listed["kemenkes-1"]["revoked_because"] == "key-compromise" and "revoked_at" not in listed[key_id]


async def test_a_member_without_a_key_refuses_for_a_while_and_loses_nothing(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kemenkes revokes its only key: it can sign nothing, neither an answer nor a receipt, until it has another."""
    monkeypatch.setattr("shared.security.key_directory.LOOK_AGAIN_SECONDS", 0.0)
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
