"""A supervisor continues a list that an officer of the same desk cannot send to its end. Nobody else does."""

import asyncio
import json
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import select
from sqlmodel import SQLModel

from shared.casework.people_list.tables import BatchRow
from shared.casework.referrals.tables import UrgentRow
from shared.domain.access import Role
from shared.domain.urgency import COUNTED_WITHIN, MOST_URGENT
from shared.victims.identity.tables import AccessRow
from tests.support.lists import AID, NUNUKAN, a_ship, person, victims_of
from tests.support.network import Client, Network, erase, problem

SOON = timedelta(minutes=10)


@pytest.fixture
async def ship(network: Network) -> str:
    """The case of a ship, at the desk of Nunukan."""
    await network.start("police", online=False)
    return await a_ship(await officer_of(network))


async def officer_of(network: Network) -> Client:
    return await network.calling("police", Role.OFFICER, NUNUKAN)


async def head_of(network: Network, unit: str | None = NUNUKAN) -> Client:
    return await network.calling("police", Role.SUPERVISOR, unit)


def people_of(network: Network, first: int, many: int, found: timedelta = SOON) -> list[Any]:
    """So many people, each refused until the moment at which the list says that they were found."""
    at = (network.clock() + found).isoformat()
    return [person(number, occurred_at=at) for number in range(first, first + many)]


async def send(client: Client, case: str, people: list[Any], key: str | None = None) -> httpx.Response:
    return await client.post(f"/v1/cases/{case}/batches", {"refer": [AID], "people": people}, key=key)


def taken_in(answer: httpx.Response) -> tuple[int, int]:
    """How many of a list are registered, and how many refused."""
    assert answer.status_code == 200, answer.text
    end = json.loads(answer.text.splitlines()[-1])
    return end["registered"], end["refused"]


def people_in(answer: httpx.Response) -> list[Any]:
    lines = [json.loads(line) for line in answer.text.splitlines()]
    return [line for line in lines if line["kind"] == "person"]


def rows_of(network: Network, table: type[SQLModel]) -> list[Any]:
    return list(network.apps["police"].state.database.read(lambda session: session.scalars(select(table)).all()))


async def a_list_that_needs_a_supervisor(network: Network, case: str) -> list[Any]:
    """A list is refused at first; an hour later its officer has sent the desk another one. Answers its people."""
    officer, waiting = await officer_of(network), people_of(network, 1, MOST_URGENT)
    assert taken_in(await send(officer, case, waiting, "kapal-1")) == (0, MOST_URGENT)
    network.clock.advance(COUNTED_WITHIN + timedelta(minutes=1))
    officer = await officer_of(network)
    others = people_of(network, 100, MOST_URGENT, -SOON)
    assert taken_in(await send(officer, case, others, "kapal-2")) == (MOST_URGENT, 0)
    assert problem(await send(officer, case, waiting, "kapal-1")) == "urgent-needs-supervisor"
    return waiting


@pytest.mark.parametrize("key", ["kapal-1", "kapal-1-penyelia"])
async def test_a_supervisor_sends_what_an_officer_may_not(network: Network, ship: str, key: str) -> None:
    people = await a_list_that_needs_a_supervisor(network, ship)
    counted = [row.times for row in rows_of(network, UrgentRow)]
    head = await head_of(network)
    sent = await send(head, ship, people, key)
    assert taken_in(sent) == (MOST_URGENT, 0)
    assert [row.times for row in rows_of(network, UrgentRow)] == counted  # it is the supervisor's word
    registered = {line["victim_id"] for line in people_in(sent)}
    told = [row for row in rows_of(network, AccessRow) if row.victim_id in registered]
    assert {row.role for row in told} == {Role.SUPERVISOR} and {row.victim_id for row in told} == registered
    again = await send(head, ship, people, key)
    by_officer = await send(await officer_of(network), ship, people, "kapal-1")
    assert people_in(again) == people_in(by_officer) == people_in(sent)
    assert len(await victims_of(head, ship)) == 2 * MOST_URGENT


async def test_who_is_registered_already_is_not_registered_again(network: Network, ship: str) -> None:
    people = [*people_of(network, 1, 2, -SOON), *people_of(network, 3, 2)]
    first = await send(await officer_of(network), ship, people, "kapal-1")
    assert taken_in(first) == (2, 2)
    network.clock.advance(2 * SOON)
    head = await head_of(network)
    sent = await send(head, ship, people)
    assert taken_in(sent) == (4, 0) and people_in(sent)[:2] == people_in(first)[:2]
    assert await victims_of(head, ship) == [line["victim_id"] for line in people_in(sent)]


async def test_the_officer_counts_once_though_a_supervisor_sent_the_list_meanwhile(network: Network, ship: str) -> None:
    people = people_of(network, 1, MOST_URGENT, 2 * SOON)
    assert taken_in(await send(await officer_of(network), ship, people, "kapal-1")) == (0, MOST_URGENT)
    assert taken_in(await send(await head_of(network), ship, people)) == (0, MOST_URGENT)
    network.clock.advance(3 * SOON)
    assert taken_in(await send(await officer_of(network), ship, people, "kapal-1")) == (MOST_URGENT, 0)


async def test_everybody_else_is_refused(network: Network, ship: str) -> None:
    people = people_of(network, 1, 3)
    officer = await officer_of(network)
    await send(officer, ship, people, "kapal-1")
    colleague = await network.calling("police", Role.OFFICER, NUNUKAN, person="petugas-2", client="meja")
    for client in (officer, colleague, await head_of(network, None)):
        refused = await send(client, ship, people)
        assert problem(refused) == "batch-already-taken-in" and NUNUKAN in refused.json()["detail"]
    assert problem(await send(await head_of(network, "polres-74.01"), ship, people)) == "unknown-case"
    auditor = await network.calling("police", Role.AUDITOR, NUNUKAN)
    assert problem(await send(auditor, ship, people)) == "role-not-allowed"
    assert await victims_of(officer, ship) == []


async def test_a_supervisors_key_serves_one_list(network: Network, ship: str) -> None:
    people = people_of(network, 1, 3)
    await send(await officer_of(network), ship, people, "kapal-1")
    network.clock.advance(2 * SOON)
    head = await head_of(network)
    sent = await send(head, ship, people, "kapal-1-penyelia")
    assert problem(await send(head, ship, people[1:], "kapal-1-penyelia")) == "idempotency-key-reused"
    await erase(network, "police", people_in(sent)[0]["victim_id"])
    # the fingerprint of the list went with the person, who so does not come back
    assert problem(await send(head, ship, people, "kapal-1-penyelia")) == "idempotency-key-reused"
    assert len(await victims_of(head, ship)) == 3


async def test_an_officer_and_a_supervisor_continue_a_list_at_once(network: Network, ship: str) -> None:
    people = people_of(network, 1, 8)
    officer, head = await officer_of(network), await head_of(network)
    await send(officer, ship, people, "kapal-1")
    network.clock.advance(2 * SOON)
    clients = ((officer, "kapal-1"), (head, "kapal-1-penyelia"), (officer, "kapal-1"), (head, "kapal-1-penyelia"))
    answers = await asyncio.gather(*(send(client, ship, people, key) for client, key in clients))
    assert [taken_in(answer) for answer in answers] == [(8, 0)] * 4
    assert all(people_in(answer) == people_in(answers[0]) for answer in answers)
    assert len(await victims_of(head, ship)) == 8


async def test_an_officer_and_a_supervisor_begin_the_same_list_at_once(network: Network, ship: str) -> None:
    """One of them begins it. If that is the supervisor, the officer learns that it is taken in."""
    people = people_of(network, 1, 8, -SOON)
    officer, head = await officer_of(network), await head_of(network)
    by_officer, by_head = await asyncio.gather(send(officer, ship, people), send(head, ship, people))
    assert taken_in(by_head) == (8, 0)
    assert by_officer.status_code == 200 or problem(by_officer) == "batch-already-taken-in"
    assert len(rows_of(network, BatchRow)) == 1 and len(await victims_of(head, ship)) == 8
