"""One officer cannot flood a desk with urgent people, by lists or one by one: a supervisor sends more (TRUST 19)."""

import asyncio
import json
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlmodel import SQLModel

from shared.casework.people_list.tables import BatchRow
from shared.casework.referrals.tables import UrgentRow
from shared.domain.access import Role
from shared.domain.urgency import COUNTED_WITHIN, MOST_FORCED, MOST_URGENT
from tests.support.network import Client, Network, a_victim, asking, problem

KOLAKA = "polres-74.01"
HOSPITAL, OTHER = {"agency": "kemenkes", "unit": "rs-74.01"}, {"agency": "kemenkes", "unit": "rs-73.71"}
AID = {"service": "first-aid", "receiver": HOSPITAL, "basis": "vital-interest"}
CARE = {**AID, "service": "examination-and-treatment"}


async def a_case(client: Client) -> str:
    body = {"unit": KOLAKA, "channel": "spkt", "exploitation": "online-scam", "destination": "KH"}
    return str((await client.post("/v1/cases", body)).json()["id"])


async def send(client: Client, case: str, number: int, key: str | None = None, **more: Any) -> Any:
    """Somebody sends a list of urgent people. Answers the last line, or the refusal of the whole list."""
    body = {"refer": [AID], "people": [{"age_class": "adult", "sex": "male"}] * number, "note": key, **more}
    answer = await client.post(f"/v1/cases/{case}/batches", body, key=key)
    return json.loads(answer.text.splitlines()[-1]) if answer.status_code == 200 else answer.json()


async def ask(client: Client, victim: str, **more: Any) -> str:
    """Somebody asks for one person; answers ``made``, or why not. ``force`` is for a second request of one service."""
    answer = await client.post("/v1/referrals", asking(victim, "kemenkes", "first-aid", receiver=HOSPITAL, **more))
    return "made" if answer.status_code == 201 else problem(answer)


def people_found(at: datetime) -> list[dict[str, str]]:
    """As many people as one officer may hand over, each refused until that moment."""
    return [{"age_class": "adult", "sex": "male", "occurred_at": at.isoformat()}] * MOST_URGENT


async def officer_of(network: Network, **more: Any) -> Client:
    return await network.calling("police", Role.OFFICER, KOLAKA, **more)


def rows_of(network: Network, table: type[SQLModel]) -> int:
    counting = select(func.count()).select_from(table)
    return int(network.apps["police"].state.database.read(lambda session: session.scalar(counting)))


async def test_ten_lists_of_twenty_are_no_way_round_and_a_supervisor_sends_them(police_alone: Network) -> None:
    officer = await officer_of(police_alone)
    case = await a_case(officer)
    assert (await send(officer, case, MOST_URGENT - 1, "kapal-1"))["registered"] == MOST_URGENT - 1
    refused = await send(officer, case, 2, "kapal-2")
    assert refused["type"].endswith("urgent-needs-supervisor")
    assert refused["errors"][0]["field"] == "/refer/0/receiver"
    assert all(str(number) in refused["detail"] for number in (MOST_URGENT - 1, 2, MOST_URGENT))
    lists = (await officer.get(f"/v1/cases/{case}/batches"))["items"]
    assert [one["people"] for one in lists] == [MOST_URGENT - 1]  # nothing of the refused list is stored
    head = await police_alone.calling("police", Role.SUPERVISOR, KOLAKA)
    for number in (3, 4):
        assert (await send(head, case, MOST_URGENT + 1, f"kapal-{number}"))["registered"] == MOST_URGENT + 1


async def test_thirty_single_requests_are_counted_with_the_lists(police_alone: Network) -> None:
    officer = await officer_of(police_alone)
    case = await a_case(officer)
    await send(officer, case, MOST_URGENT - 5, "kapal-1")
    victims = [await a_victim(officer) for _ in range(30)]
    answers = await asyncio.gather(*(ask(officer, victim) for victim in victims))
    assert (answers.count("made"), answers.count("urgent-needs-supervisor")) == (5, 25)
    head = await police_alone.calling("police", Role.SUPERVISOR, KOLAKA)
    assert await ask(head, victims[answers.index("urgent-needs-supervisor")]) == "made"
    refused = await send(officer, case, 1, "kapal-2")
    assert refused["type"].endswith("urgent-needs-supervisor")


async def test_forced_requests_count_among_the_urgent_ones(police_alone: Network) -> None:
    officer = await officer_of(police_alone)
    victim = await a_victim(officer)
    assert [await ask(officer, victim, force=True) for _ in range(MOST_FORCED)] == ["made"] * MOST_FORCED
    assert await ask(officer, victim, force=True) == "forcing-needs-supervisor"
    case = await a_case(officer)
    assert (await send(officer, case, MOST_URGENT - MOST_FORCED, "kapal-1"))["refused"] == 0
    assert await ask(officer, await a_victim(officer)) == "urgent-needs-supervisor"


async def test_a_list_names_the_person_whose_own_request_floods_a_desk(police_alone: Network) -> None:
    officer = await officer_of(police_alone)
    case = await a_case(officer)
    await send(officer, case, MOST_URGENT, "kapal-1")
    one, urgent = {"age_class": "adult", "sex": "female"}, {**CARE, "priority": "asap"}
    people = [one, {**one, "refer": [CARE, urgent]}]
    refused = await send(officer, case, 0, "kapal-2", refer=[], people=people)
    assert refused["errors"][0]["field"] == "/people/1/refer/1/receiver"
    checked = await send(officer, case, 0, "kapal-3", refer=[], people=people, check=True)
    assert checked["type"].endswith("urgent-needs-supervisor")
    elsewhere = {**urgent, "receiver": OTHER}
    assert (await send(officer, case, 2, "kapal-4", refer=[CARE, elsewhere]))["registered"] == 2


async def test_a_repeated_list_counts_once_and_a_checked_one_never(police_alone: Network) -> None:
    officer = await officer_of(police_alone)
    case = await a_case(officer)
    for _ in range(3):
        assert (await send(officer, case, MOST_URGENT, "cek", check=True))["registered"] == MOST_URGENT
    for _ in range(3):
        assert (await send(officer, case, MOST_URGENT - 1, "kapal-1"))["registered"] == MOST_URGENT - 1
    assert await ask(officer, await a_victim(officer)) == "made"
    assert await ask(officer, await a_victim(officer)) == "urgent-needs-supervisor"


async def test_one_person_is_counted_at_any_client_and_an_hour_ends_it(police_alone: Network) -> None:
    tablet = await officer_of(police_alone, person="petugas-1", client="tablet")
    case = await a_case(tablet)
    await send(tablet, case, MOST_URGENT, "kapal-1")
    desk = await officer_of(police_alone, person="petugas-1", client="meja")
    victim = await a_victim(desk)
    assert await ask(desk, victim) == "urgent-needs-supervisor"
    colleague = await officer_of(police_alone, person="petugas-2", client="meja")
    assert await ask(colleague, victim) == "made"
    police_alone.clock.advance(COUNTED_WITHIN + timedelta(minutes=1))
    later = await officer_of(police_alone, person="petugas-1", client="meja")
    assert await ask(later, await a_victim(later)) == "made"


async def test_lists_at_once_are_counted_too(police_alone: Network) -> None:
    officer = await officer_of(police_alone)
    case = await a_case(officer)
    ends = await asyncio.gather(*(send(officer, case, MOST_URGENT // 2, f"kapal-{number}") for number in range(6)))
    assert sum(end.get("registered", 0) for end in ends) == MOST_URGENT
    assert rows_of(police_alone, BatchRow) == 2


async def test_what_may_wait_and_what_a_supervisor_sends_is_not_counted(police_alone: Network) -> None:
    officer = await officer_of(police_alone)
    head = await police_alone.calling("police", Role.SUPERVISOR, KOLAKA)
    case = await a_case(officer)
    await send(officer, case, MOST_URGENT + 1, "kapal-1", refer=[CARE])
    await send(head, case, MOST_URGENT + 1, "kapal-2")
    assert rows_of(police_alone, UrgentRow) == 0


async def test_a_list_counts_again_when_its_people_are_handed_over_in_a_later_hour(police_alone: Network) -> None:
    """Its people are refused at first, since they are "found" this evening. In the evening all lists come again."""
    officer, hours = await officer_of(police_alone), 4
    case = await a_case(officer)
    found = people_found(police_alone.clock() + timedelta(hours=6))
    for hour in range(hours):
        assert (await send(officer, case, MOST_URGENT, f"kapal-{hour}", people=found))["refused"] == MOST_URGENT
        police_alone.clock.advance(COUNTED_WITHIN + timedelta(minutes=1))
    police_alone.clock.advance(timedelta(hours=3))
    officer = await officer_of(police_alone)
    again = [await send(officer, case, MOST_URGENT, f"kapal-{hour}", people=found) for hour in range(hours)]
    assert [end.get("registered", 0) for end in again] == [MOST_URGENT, 0, 0, 0]
    assert all(end["type"].endswith("urgent-needs-supervisor") for end in again[1:])
    assert (await send(officer, case, MOST_URGENT, "kapal-0", people=found))["registered"] == MOST_URGENT


async def test_a_list_that_comes_again_within_the_hour_counts_once_and_from_then_on(police_alone: Network) -> None:
    """So no second list is handed over a minute after it, when the hour of its first coming has ended."""
    officer = await officer_of(police_alone)
    case = await a_case(officer)
    found = people_found(police_alone.clock() + timedelta(minutes=50))
    for _ in range(2):
        assert (await send(officer, case, MOST_URGENT, "kapal-1", people=found))["refused"] == MOST_URGENT
    police_alone.clock.advance(COUNTED_WITHIN - timedelta(minutes=1))
    officer = await officer_of(police_alone)
    assert (await send(officer, case, MOST_URGENT, "kapal-1", people=found))["registered"] == MOST_URGENT
    police_alone.clock.advance(timedelta(minutes=2))
    assert (await send(officer, case, 1, "kapal-2"))["type"].endswith("urgent-needs-supervisor")
    police_alone.clock.advance(COUNTED_WITHIN)
    officer = await officer_of(police_alone)
    assert (await send(officer, case, MOST_URGENT, "kapal-2"))["registered"] == MOST_URGENT
