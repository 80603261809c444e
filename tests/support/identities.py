"""The identity of a victim: an invented person, the fields told to members, and the traces left."""

import base64
import json
from collections.abc import Callable
from typing import Any

from sqlalchemy import select
from sqlmodel import col

from shared.security.sealing import DataKey, Unopenable, open_sealed
from shared.storage.tables import LedgerEntry, OutboxEntry
from shared.victims.sealed.tables import DataKeyRow
from tests.support.network import Client, Network, a_victim, problem, refer

WHO = {
    "name": "Cempaka Contoh Rekaan",
    "nik": "7401010101010009",
    "born_on": "2001-02-03",
    "phone": "+628000000009",
    "address": "Jalan Rekaan 9",
    "statement": "Cerita rekaan: dijanjikan pekerjaan di luar negeri.",
    "safe_house": "Rumah rekaan 9",
}
PATIENT = {"name", "nik", "born_on", "phone"}
"""Fields that Kemenkes needs to examine and treat."""
SOURCES = {"from_others", "differing"}
UNTIL = "2099-01-01T00:00:00+07:00"


async def look(client: Client, victim: str, purpose: str = "care") -> dict[str, Any] | str:
    """The fields somebody is shown, or the code of the refusal."""
    answer = await client.http.get(f"/v1/victims/{victim}/identity", params={"purpose": purpose})
    if answer.status_code != 200:
        return problem(answer)
    return known(answer.json())


def known(answer: dict[str, Any]) -> dict[str, Any]:
    """The fields of an identity, without who states them."""
    return {name: value for name, value in answer.items() if value is not None and name not in SOURCES}


async def consent(client: Client, victim: str, **changes: Any) -> dict[str, Any]:
    """The victim agrees that Kemenkes is given a name and a date of birth."""
    body = {
        "notice": "2026-1",
        "purposes": ["medical"],
        "fields": ["name", "born_on"],
        "recipients": ["kemenkes"],
        "valid_until": UNTIL,
        "manner": "written",
        "agrees": True,
        **changes,
    }
    answer = await client.post(f"/v1/victims/{victim}/consents", body)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def until_disclosure(client: Client, victim: str, referral: str, fits: Callable[[dict[str, Any]], bool]) -> Any:
    """Wait, by the change of the victim, until what was given of them stands as it should."""
    while True:
        with client.http._transport.app.state.notifier.watching(victim) as watch:  # type: ignore[attr-defined]
            items = (await client.get(f"/v1/victims/{victim}/disclosures"))["items"]
            found = [item for item in items if item["referral_id"] == referral]
            if found and fits(found[0]):
                return found[0]
            assert await watch.next(20), items


def everything_in(network: Network, code: str) -> str:
    """The contents of a member's database, as text."""
    engine = network.apps[code].state.database.engine
    with engine.connect() as connection:
        from sqlalchemy import MetaData

        tables = MetaData()
        tables.reflect(engine)
        return "\n".join(
            repr(dict(row._mapping)) for table in tables.tables.values() for row in connection.execute(table.select())
        )


async def found_by(client: Client, nik: str) -> list[str]:
    answer = await client.post("/v1/victim-search", {"field": "nik", "value": nik})
    return [item["id"] for item in answer.json()["items"]]


def ledger(network: Network, code: str) -> list[LedgerEntry]:
    database = network.apps[code].state.database
    return list(database.read(lambda s: s.scalars(select(LedgerEntry).order_by(col(LedgerEntry.position))).all()))


def keys_left(network: Network, code: str) -> int:
    database = network.apps[code].state.database
    return len(database.read(lambda s: s.scalars(select(DataKeyRow)).all()))


def opens_anything(network: Network, code: str, sealed: list[str]) -> bool:
    """Whether a member can open any of this with its keys, its database, and the messages in its outbox."""
    app = network.apps[code]
    vault, database = app.state.office.vault, app.state.database
    rows = database.read(lambda s: s.scalars(select(DataKeyRow)).all())
    keys = [vault.unwrap_at_rest(row.wrapped, row.subject_id) for row in rows]
    beside = database.read(lambda s: s.scalars(select(OutboxEntry).where(col(OutboxEntry.key).is_not(None))).all())
    for waiting in beside:
        try:
            keys.append(vault.open_key(waiting.key or ""))
        except Unopenable:
            continue
    for text in sealed:
        for key in keys:
            try:
                header = json.loads(base64.urlsafe_b64decode(text.split(".")[0] + "=="))
                open_sealed(text, DataKey(key), header["victim"], header["for"], header["typ"])
            except Unopenable:
                continue
            return True
    return False


def receipts_of(network: Network, code: str) -> list[dict[str, Any]]:
    """Receipts of other members for the events that a member has sent."""
    received = [entry for entry in ledger(network, code) if not entry.sent]
    return [json.loads(e.body)["data"] for e in received if e.type == "id.tppo.receipt.recorded.v1"]


async def until_forgotten(network: Network, code: str, victim: str) -> None:
    with network.apps[code].state.notifier.watching(victim) as watch:
        while keys_left(network, code):
            assert await watch.next(20)


async def three(network: Network) -> tuple[Client, Client, Client]:
    return await network.start("police"), await network.start("kemenpppa"), await network.start("kemenkes")


async def known_twice(police: Client, kemenpppa: Client, kemenkes: Client) -> tuple[str, str, str]:
    """A victim known to Kemenkes from the police and from KemenPPPA, which has custody: her id, both referrals."""
    victim = await a_victim(police, identity=WHO)
    first = await refer(police, victim, "kemenkes", "examination-and-treatment")
    await kemenkes.until_status(first, "received")
    await kemenkes.must(first, "accept")
    transfer = await refer(police, victim, "kemenpppa", "case-management", kind="transfer")
    await kemenpppa.until_status(transfer, "received")
    await kemenpppa.must(transfer, "accept")
    second = await refer(kemenpppa, victim, "kemenkes", "first-aid")
    await kemenkes.until_status(second, "received")
    await kemenkes.must(second, "accept")
    return victim, first, second


async def given_and_received(client: Client, victim: str) -> list[dict[str, Any]]:
    return list((await client.get(f"/v1/victims/{victim}/disclosures"))["items"])


NAMED = {"name": WHO["name"], "born_on": WHO["born_on"]}
"""Fields that Kemenkes is told for first aid."""
BY_PAPER = {"name": "Melati Contoh Rekaan"}
"""Fields that a hospital writes down by itself."""
NOTE = "Ibu Melati Rekaan sudah pernah ke sini."


async def notes(client: Client, referral: str) -> str:
    answer = await client.http.get(f"/v1/referrals/{referral}/notes", params={"purpose": "care"})
    assert answer.status_code == 200, answer.text
    return answer.text
