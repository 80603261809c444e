"""The key of the match tokens: without it nothing is told, and coordination never has it."""

import contextlib
import sqlite3

import pytest
from sqlmodel import col

from deploy.credentials.keyring import Keyring
from services.coordination.tables import MatchTokenRow
from shared.contracts.events import TokensTold
from shared.storage.tables import LedgerEntry, ParkedEvent
from shared.victims.matching.tables import ToldMatchTokensRow
from tests.support.matches import AGAIN, WHO, at_kemenpppa, keys_of, later, proposed, rows, until_heard, until_seen
from tests.support.network import Network, a_victim, erase


async def test_without_a_key_nothing_is_told_and_with_one_what_was_is_made_up_for(
    own_secrets: Network, capsys: pytest.CaptureFixture[str]
) -> None:
    network = own_secrets
    [key] = keys_of(network, "police")
    away = key.rename(network.folder / "away.key")
    network.extra = {"log_level": "warning"}
    await network.start("coordination")
    await network.start("police")
    assert capsys.readouterr().err.count('"matching.off"') == 1
    network.extra = {}
    await network.start("kemenpppa")
    theirs = await a_victim(network["police"], identity=WHO)
    await until_heard(network, await at_kemenpppa(network, identity=AGAIN), 1)
    assert rows(network, "police", ToldMatchTokensRow) == []
    assert rows(network, "police", LedgerEntry, col(LedgerEntry.type) == TokensTold.type()) == []
    await erase(network, "police", await a_victim(network["police"], identity=WHO))  # nor that there is nothing

    away.rename(key)
    later(network, "police")
    [found] = await until_seen(network["police"], lambda items: bool(items))
    assert found["victim_id"] == theirs


async def test_a_new_key_is_used_for_everybody_once_it_is_there(own_secrets: Network) -> None:
    network = own_secrets
    await network.start("coordination")
    await network.start("police")
    victim = await a_victim(network["police"], identity=WHO)
    await until_heard(network, victim, 1)
    before = {row.token for row in rows(network, "coordination", MatchTokenRow)}
    assert Keyring(network.secrets).rotate_matching() == "matching-2"
    assert {path.name for path in keys_of(network, "kemenpppa")} == {"matching-1.key", "matching-2.key"}
    later(network, "police")
    await until_heard(network, victim, 2)
    after = {row.token for row in rows(network, "coordination", MatchTokenRow)}
    assert len(before) == len(after) == 2 and all(match_token.startswith("2.") for match_token in after)


def every_byte(network: Network) -> dict[str, bytes]:
    """The contents of coordination's database, and the broker's files."""
    found = {}
    url = network.database_url("coordination")
    if url.startswith("sqlite"):
        with contextlib.closing(sqlite3.connect(network.folder / "coordination.db")) as source:
            found["dump"] = "\n".join(source.iterdump()).encode()
    for path in network.folder.rglob("*"):
        if path.is_file() and ("coordination" in path.name or path.suffix == ".blk"):
            found[str(path)] = path.read_bytes()
    return found


async def test_coordination_has_neither_a_number_nor_the_key_to_try_one(three: Network) -> None:
    *_, match = await proposed(three)
    [key] = {path.read_bytes() for code in ("police", "kemenpppa") for path in keys_of(three, code)}
    assert keys_of(three, "coordination") == [] and match
    for content in every_byte(three).values():
        for secret in (WHO["nik"].encode(), key, key.hex().encode(), b"Noerhaliza", b"nurhaliza"):
            assert secret not in content
    # what lies in its ledger opens to nobody: the key beside it was used and not kept
    told = rows(three, "coordination", LedgerEntry, col(LedgerEntry.type) == TokensTold.type())
    listed = [row.token for row in rows(three, "coordination", MatchTokenRow)]
    assert len(told) == 2 and len(listed) == 3
    assert not [one for one in listed for entry in told if one.encode() in entry.body]
    assert rows(three, "coordination", ParkedEvent) == []
