"""One person whom two agencies know, and how tests follow the proposals."""

from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, SQLModel

from shared.contracts.events import TokensTold
from shared.storage.notifier import Topic
from shared.victims.matching import match_tokens
from tests.support.network import Client, Network, a_victim

WHO = {"name": "Siti Noerhaliza Rekaan", "nik": "7401014107990001", "born_on": "1999-07-01"}
AGAIN = {"name": "REKAAN, Hj. St. Nurhaliza", "born_on": "1999-07-01"}
OTHER_NAME = {"name": "Melati Rekaan", "born_on": "1999-07-01"}


async def at_kemenpppa(network: Network, **facts: Any) -> str:
    """A case with one victim, found by KemenPPPA. Answers the victim's id."""
    client = network["kemenpppa"]
    channel = next(iter(network.members["kemenpppa"].agency.channels))
    units = network.apps["kemenpppa"].state.office.units
    unit = units.desk_for("kemenpppa", "74.01", network.clock().date()).id
    opened = await client.post("/v1/cases", {"unit": unit, "channel": channel, "exploitation": "sexual"})
    assert opened.status_code == 201, opened.text
    registered = await client.post(
        f"/v1/cases/{opened.json()['id']}/victims", {"age_class": "adult", "sex": "female", **facts}
    )
    assert registered.status_code == 201, registered.text
    return str(registered.json()["id"])


async def until_seen(client: Client, fits: Any) -> list[dict[str, Any]]:
    """Hold the list of proposals open until it fits."""
    page = await client.until("/v1/matches", lambda page: fits(page["items"]))
    return list(page["items"])


async def decide(client: Client, match_id: str, decision: str) -> dict[str, Any]:
    answer = await client.post(f"/v1/matches/{match_id}/decision", {"decision": decision})
    assert answer.status_code == 200, answer.text
    [side] = answer.json()["items"]
    return dict(side)


async def until_asked(client: Client) -> None:
    """Wait until the proposal asks this side for its decision."""
    await until_seen(client, lambda items: bool(items) and items[0]["turn"] == "this-side")


async def linked(network: Network, match_id: str) -> None:
    """Both sides say that it is one person; the police are asked first."""
    for code in ("police", "kemenpppa"):
        await until_asked(network[code])
        await decide(network[code], match_id, "same-person")
    for code in ("police", "kemenpppa"):
        await until_seen(network[code], lambda items: items[0]["other_id"] is not None)


def rows(network: Network, code: str, table: type[SQLModel], *conditions: Any) -> list[Any]:
    def look(session: Session) -> list[Any]:
        return list(session.scalars(select(table).where(*conditions)))

    found: list[Any] = network.apps[code].state.database.read(look)
    return found


def later(network: Network, code: str) -> None:
    """A minute passes, and the next look: what was written down in a list is told."""
    network.clock.advance(match_tokens.QUIET)
    network.apps[code].state.notifier.wake(Topic.MATCH_TOKENS)


async def until_heard(network: Network, victim: str, tokens: int) -> None:
    """Wait until coordination has heard so many words on match tokens of a victim."""

    def told(journey: dict[str, Any]) -> bool:
        return [event["type"] for event in journey["events"]].count(TokensTold.type()) == tokens

    await network["coordination"].until(f"/v1/journeys/{victim}", told)


async def proposed(network: Network) -> tuple[str, str, str]:
    """The police and KemenPPPA have registered one person, in two spellings. Answers both victims and the proposal."""
    theirs = await a_victim(network["police"], identity=WHO)
    ours = await at_kemenpppa(network, identity=AGAIN)
    [at_police] = await until_seen(network["police"], lambda items: len(items) == 1)
    [at_pppa] = await until_seen(network["kemenpppa"], lambda items: len(items) == 1)
    assert at_police["match_id"] == at_pppa["match_id"]
    return theirs, ours, str(at_police["match_id"])


def keys_of(network: Network, code: str) -> list[Path]:
    return sorted((network.secrets / code / "keys").glob("matching-*.key"))
