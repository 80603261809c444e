"""Demands of a service on its broker in production: the reviewed rights, and no loss of messages."""

import asyncio
from pathlib import Path

import pytest

from deploy.credentials.secrets import COORDINATION
from deploy.local.embedded_nats import CONFIG, EmbeddedNats
from services.members import SERVICES
from shared.contracts.senders import MemberKind
from shared.messaging.rights import Durability, most_rights
from shared.service.production.rules import SettingFault, Unsafe
from tests.support.production import LOSING, WIDE, Police, configured, provisioned, started


@pytest.mark.parametrize("agency", SERVICES)
async def test_the_shipped_broker_allows_each_agency_what_it_needs_and_no_more(
    broker: EmbeddedNats, agency: str
) -> None:
    connection = broker.broker(agency)
    await connection.connect()
    kind = MemberKind.COORDINATOR if agency == COORDINATION else MemberKind.AGENCY
    assert await connection.rights() == most_rights(agency, kind)
    await connection.close()


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
    assert f"ESTAFET_NATS_URL ({found})" in str(SettingFault("nats_url", (found,), "", ""))


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
