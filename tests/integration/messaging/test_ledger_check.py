"""``verify`` proves a ledger: untouched it is whole, and whatever is changed behind the service's back is found."""

from pathlib import Path
from typing import Any

import pytest
import typer
from sqlalchemy import Connection, text

from shared.messaging.ledger_check import LedgerFault, check_ledger
from shared.service.commands import verify
from tests.support.network import Network, a_victim, refer
from tests.support.tokens import trusting

MEMBERS = ("police", "kemenkes", "coordination")


async def a_journey(network: Network) -> None:
    police, kemenkes, coordination = [await network.start(code) for code in MEMBERS]
    victim = await a_victim(police, identity={"name": "Kenanga Contoh Rekaan"})
    referral = await refer(police, victim, "kemenkes", "first-aid")
    await kemenkes.until_status(referral, "received")
    await kemenkes.must(referral, "accept")
    await police.until_status(referral, "accepted")
    await coordination.until(f"/v1/journeys/{victim}", lambda seen: bool(seen["handovers"]))


def faults(network: Network, code: str) -> list[LedgerFault]:
    app = network.apps[code]
    found = list(check_ledger(app.state.database, app.state.office.keys.current()))
    assert found
    return [fault for fault in found if fault is not None]


def meddle(network: Network, statement: str) -> None:
    """Change the police's ledger with the owner's rights, after the triggers that forbid it are removed."""
    engine = network.apps["police"].state.database.engine
    with engine.execution_options(writes=True).begin() as connection:  # waits for other writers
        _disarm(connection, "ledger")
        assert connection.execute(text(statement)).rowcount == 1


def _disarm(connection: Connection, table: str) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER ALL"))
        return
    named = text("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = :table")
    for (trigger,) in connection.execute(named, {"table": table}).all():
        connection.execute(text(f'DROP TRIGGER "{trigger}"'))


async def test_a_ledger_that_nobody_touched_is_whole_at_every_member(network: Network) -> None:
    await a_journey(network)
    assert [faults(network, code) for code in MEMBERS] == [[], [], []]


FIRST = "(SELECT min(position) FROM ledger WHERE link = 'police>kemenkes')"
MEDDLING = {
    "another body": (f"UPDATE ledger SET body = CAST('x' AS {{bytes}}) WHERE position = {FIRST}", "body-changed"),
    "another victim": (
        f"UPDATE ledger SET victim_id = '0193f0a2-7a10-7000-8000-000000000099' WHERE position = {FIRST}",
        "columns-are-not-the-body",
    ),
    "another signature": (
        f"UPDATE ledger SET signature = (SELECT signature FROM ledger WHERE position = 1) WHERE position = {FIRST}",
        "wrong-signature",
    ),
    "one that is gone": (f"DELETE FROM ledger WHERE position = {FIRST}", "number-missing"),
}


@pytest.mark.parametrize("what", MEDDLING)
async def test_what_was_changed_behind_its_back_is_found(network: Network, what: str) -> None:
    await a_journey(network)
    statement, reason = MEDDLING[what]
    kind = {"sqlite": "BLOB", "postgresql": "BYTEA"}[network.apps["police"].state.database.engine.dialect.name]
    meddle(network, statement.format(bytes=kind))
    assert {fault.reason for fault in faults(network, "police")} == {reason}


async def test_the_command_says_how_many_and_ends_with_1_if_one_fails(
    network: Network, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], secrets: Path
) -> None:
    await a_journey(network)
    told: dict[str, Any] = {**trusting("police", secrets), "database_url": network.database_url("police")}
    for name, value in told.items():
        monkeypatch.setenv(f"ESTAFET_{name.upper()}", str(value))
    verify("services.police.main")
    assert "entries, 0 of them unproven" in capsys.readouterr().out
    meddle(network, MEDDLING["another signature"][0])
    with pytest.raises(typer.Exit) as ended:
        verify("services.police.main")
    said = capsys.readouterr()
    assert ended.value.exit_code == 1 and " 1 of them unproven" in said.out
    assert "wrong-signature" in said.err and "Rekaan" not in said.err + said.out
