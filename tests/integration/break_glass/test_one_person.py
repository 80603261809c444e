"""Break-glass is one person's: one open at a time at any victim and client, and another desk reviews it.

These are TRUST items 14 and 15, over HTTP alone. Counts live in the database, so a new start forgets none.
"""

import asyncio

from shared.domain.access import Role
from tests.support.network import Client, Network, a_victim, problem

OWNER, NEIGHBOUR, ABOVE, STRANGER, TOP = "polres-74.01", "polres-74.02", "polda-sultra", "polres-11.01", "bareskrim"
URGENT = {"reason": "life-in-danger", "minutes": 60}
JUSTIFIED = {"verdict": "justified"}


async def victims_of(network: Network, number: int) -> list[str]:
    """Victims of Kolaka, each in a case of its own, with an invented name."""
    owner = await network.calling("police", Role.OFFICER, OWNER)
    return [await a_victim(owner, OWNER, identity={"name": f"Anggrek Rekaan {one}"}) for one in "abcdefghij"[:number]]


async def opened(client: Client, victim: str) -> str:
    """The id of the break-glass, or the code of the refusal."""
    answer = await client.post(f"/v1/victims/{victim}/break-glass", URGENT)
    return str(answer.json()["id"]) if answer.status_code == 201 else problem(answer)


async def reviewed(client: Client, glass: str) -> str:
    """``200``, or the code of the refusal."""
    answer = await client.post(f"/v1/break-glass/{glass}/review", JUSTIFIED)
    return "200" if answer.status_code == 200 else problem(answer)


async def seen(client: Client, victim: str) -> bool:
    """Whether the identity of a victim is shown."""
    path = f"/v1/victims/{victim}/identity"
    return (await client.http.get(path, params={"purpose": "emergency"})).status_code == 200


async def open_and_end(client: Client, victim: str) -> str:
    glass = await opened(client, victim)
    assert (await client.post(f"/v1/break-glass/{glass}/end")).status_code == 200, glass
    return glass


async def test_one_person_opens_one_of_ten_with_any_client_of_the_desk(network: Network) -> None:
    await network.start("police", online=False)
    ten = await victims_of(network, 10)
    ani = await network.calling("police", Role.OFFICER, NEIGHBOUR, "ani")
    also_ani = await network.calling("police", Role.SUPERVISOR, NEIGHBOUR, "ani", "klien-lain")
    first, *others = [await opened(ani, victim) for victim in ten]
    assert others == ["already-open"] * 9
    assert [await seen(ani, victim) for victim in ten] == [True, *[False] * 9]
    assert {await opened(also_ani, victim) for victim in ten} == {"already-open"}
    assert [await seen(also_ani, victim) for victim in ten] == [False] * 10
    assert await reviewed(also_ani, first) == "second-person-needed"
    # another human has one of their own, at the same client too
    budi = await network.calling("police", Role.OFFICER, NEIGHBOUR, "budi")
    assert "-" in await opened(budi, ten[1]) and await seen(budi, ten[1])


async def test_two_at_once_with_two_clients_are_one(network: Network) -> None:
    await network.start("police", online=False)
    two = await victims_of(network, 2)
    clients = [await network.calling("police", Role.OFFICER, NEIGHBOUR, "ani", client) for client in ("satu", "dua")]
    answers = await asyncio.gather(*(opened(client, victim) for client, victim in zip(clients, two, strict=True)))
    assert sorted(answer == "already-open" for answer in answers) == [False, True]


async def test_three_without_a_review_block_a_fourth_also_after_a_new_start(network: Network) -> None:
    await network.start("police", online=False)
    four = await victims_of(network, 4)
    ani = await network.calling("police", Role.OFFICER, NEIGHBOUR, "ani")
    glasses = [await open_and_end(ani, victim) for victim in four[:3]]
    assert await opened(ani, four[3]) == "reviews-pending"
    await network.stop("police")
    await network.start("police", online=False)
    elsewhere = await network.calling("police", Role.OFFICER, STRANGER, "ani", "klien-lain")
    assert await opened(elsewhere, four[3]) == "reviews-pending"
    above = await network.calling("police", Role.SUPERVISOR, ABOVE)
    assert await reviewed(above, glasses[0]) == "200"
    assert "-" in await opened(elsewhere, four[3]) and await seen(elsewhere, four[3])


async def test_what_is_open_is_open_after_a_new_start(network: Network) -> None:
    await network.start("police", online=False)
    two = await victims_of(network, 2)
    glass = await opened(await network.calling("police", Role.OFFICER, NEIGHBOUR, "ani"), two[0])
    await network.stop("police")
    await network.start("police", online=False)
    ani = await network.calling("police", Role.OFFICER, NEIGHBOUR, "ani", "klien-lain")
    assert await opened(ani, two[1]) == "already-open"
    assert (await ani.post(f"/v1/break-glass/{glass}/end")).status_code == 200  # the human ends it with any client
    assert await opened(ani, two[1]) != "already-open"


async def test_the_opened_of_an_hour_are_counted_by_person_and_after_a_new_start(network: Network) -> None:
    network.extra = {"break_glasses_per_hour": 2}
    await network.start("police", online=False)
    [victim] = await victims_of(network, 1)
    above = await network.calling("police", Role.SUPERVISOR, ABOVE)
    ani = await network.calling("police", Role.OFFICER, NEIGHBOUR, "ani")
    for _ in range(2):
        assert await reviewed(above, await open_and_end(ani, victim)) == "200"
    await network.stop("police")
    await network.start("police", online=False)
    again = await network.calling("police", Role.OFFICER, NEIGHBOUR, "ani", "klien-lain")
    refused = await again.post(f"/v1/victims/{victim}/break-glass", URGENT)
    assert (problem(refused), 3500 < int(refused.headers["retry-after"]) <= 3600) == ("too-many-requests", True)


async def test_another_desk_reviews(network: Network) -> None:
    """Never the opener's own desk, not even another human there; the desk above may, and the desk responsible."""
    await network.start("police", online=False)
    two = await victims_of(network, 2)
    ani = await network.calling("police", Role.OFFICER, NEIGHBOUR, "ani")
    first, second = [await open_and_end(ani, victim) for victim in two]
    colleague = await network.calling("police", Role.SUPERVISOR, NEIGHBOUR, "budi", "klien-lain")
    assert await reviewed(colleague, first) == "other-desk-needed"
    promoted = await network.calling("police", Role.SUPERVISOR, ABOVE, "ani")  # the same human, at the desk above
    assert await reviewed(promoted, first) == "second-person-needed"
    assert await reviewed(await network.calling("police", Role.SUPERVISOR, STRANGER), first) == "unknown-break-glass"
    assert await reviewed(await network.calling("police", Role.SUPERVISOR, ABOVE, "citra"), first) == "200"
    assert await reviewed(await network.calling("police", Role.SUPERVISOR, OWNER, "dewi"), second) == "200"


async def test_the_topmost_desk_has_none_above_so_another_human_there_reviews(network: Network) -> None:
    await network.start("police", online=False)
    [victim] = await victims_of(network, 1)
    glass = await open_and_end(await network.calling("police", Role.OFFICER, TOP, "ani"), victim)
    same = await network.calling("police", Role.SUPERVISOR, TOP, "ani", "klien-lain")
    assert await reviewed(same, glass) == "second-person-needed"
    assert await reviewed(await network.calling("police", Role.SUPERVISOR, TOP, "budi"), glass) == "200"


async def test_a_machine_counts_as_its_client_in_development(network: Network) -> None:
    await network.start("police", online=False)
    two = await victims_of(network, 2)
    machine = await network.calling("police", Role.OFFICER, NEIGHBOUR, "", "mesin")
    glass = await opened(machine, two[0])
    assert await opened(machine, two[1]) == "already-open"
    other = await network.calling("police", Role.OFFICER, NEIGHBOUR, "", "mesin-lain")
    assert "-" in await opened(other, two[1])
    assert problem(await other.post(f"/v1/break-glass/{glass}/end")) == "unknown-break-glass"


async def test_the_access_log_and_the_lists_name_the_human(network: Network) -> None:
    await network.start("police", online=False)
    [victim] = await victims_of(network, 1)
    ani = await network.calling("police", Role.OFFICER, NEIGHBOUR, "ani")
    glass = await opened(ani, victim)
    assert await seen(ani, victim)
    above = await network.calling("police", Role.SUPERVISOR, ABOVE)
    [listed] = (await above.get("/v1/break-glass"))["items"]
    assert (listed["id"], listed["person"]) == (glass, "ani")
    [row, *_] = (await above.get("/v1/access-log"))["items"]
    assert (row["through"], row["person"]) == (glass, "ani")
