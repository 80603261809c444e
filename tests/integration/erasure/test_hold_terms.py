"""A legal hold has an end, takes two people, is listed and told: TRUST item 27, over HTTP alone."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from shared.contracts.codes import HoldBasis
from shared.domain.access import Role
from shared.domain.erasure import CONFIRM_WITHIN, HOLD_TERMS
from shared.storage.notifier import Topic
from shared.victims.erasure.holds import lapse_due
from tests.support.identities import WHO, look
from tests.support.network import Client, Network, a_victim, problem

KOLAKA, ABOVE, STRANGER = "polres-74.01", "polda-sultra", "polres-11.01"
HOUR = timedelta(hours=1)


async def supervisor(network: Network, unit: str = KOLAKA, person: str = "ani", client: str | None = None) -> Client:
    return await network.calling("police", Role.SUPERVISOR, unit, person, client)


async def placed(client: Client, victim: str, **more: Any) -> Any:
    return await client.post(f"/v1/victims/{victim}/legal-holds", {"basis": "trial", **more})


async def confirmed(client: Client, victim: str, basis: str = "trial") -> Any:
    return await client.post(f"/v1/victims/{victim}/legal-holds/confirmation", {"basis": basis})


async def told(client: Client, victim: str) -> list[dict[str, Any]]:
    """The legal holds in the person's own report."""
    return list((await client.get(f"/v1/victims/{victim}/access-report"))["holds"])


async def when_it_is(network: Network, client: Client, victim: str, moment: datetime) -> list[str | None]:
    """How each hold of the victim has ended, once the timer has seen this moment."""
    network.clock.advance(moment - network.clock())
    database, office = network.apps["police"].state.database, network.apps["police"].state.office
    database.write(lambda tx: lapse_due(tx, office))
    return [hold["end"] for hold in await told(client, victim)]


def end_of(hold: Any, name: str = "until") -> datetime:
    return datetime.fromisoformat(hold.json()[name])


@pytest.fixture
async def police(network: Network) -> Client:
    return await network.start("police", online=False)


async def test_a_hold_that_no_second_person_confirms_lapses_after_a_fortnight(network: Network, police: Client) -> None:
    victim = await a_victim(police, KOLAKA, identity=WHO)
    ani = await supervisor(network)
    hold = await placed(ani, victim)
    assert (hold.status_code, hold.json()["person"], hold.json()["confirmed_at"]) == (201, "ani", None)
    assert end_of(hold, "stands_until") - end_of(hold, "placed_at") == CONFIRM_WITHIN
    assert await when_it_is(network, police, victim, end_of(hold, "stands_until") - HOUR) == [None]
    assert problem(await ani.post(f"/v1/victims/{victim}/erasure")) == "legal-hold"
    assert await when_it_is(network, police, victim, end_of(hold, "stands_until")) == ["unconfirmed"]
    assert (await ani.post(f"/v1/victims/{victim}/erasure")).status_code == 202


async def test_who_placed_it_neither_confirms_it_nor_places_the_next(network: Network, police: Client) -> None:
    """Else one supervisor could hold for ever, a fortnight at a time."""
    victim = await a_victim(police, KOLAKA)
    ani, also_ani = await supervisor(network), await supervisor(network, ABOVE, "ani", "klien-lain")
    hold = await placed(ani, victim)
    assert problem(await confirmed(also_ani, victim)) == "second-person-needed"
    for client in (ani, also_ani):
        assert problem(await placed(client, victim, basis="audit")) == "hold-unconfirmed"
    await when_it_is(network, police, victim, end_of(hold, "stands_until"))
    assert problem(await placed(also_ani, victim)) == "hold-unconfirmed"
    assert problem(await confirmed(await supervisor(network, KOLAKA, "budi"), victim)) == "unknown-hold"
    assert (await placed(await supervisor(network, KOLAKA, "budi"), victim)).status_code == 201


async def test_a_confirmed_hold_stands_until_its_end_and_lapses_then(network: Network, police: Client) -> None:
    victim = await a_victim(police, KOLAKA, identity=WHO)
    ani, budi = await supervisor(network), await supervisor(network, KOLAKA, "budi")
    hold = await placed(ani, victim)
    assert problem(await confirmed(budi, victim, "audit")) == "unknown-hold"
    second = await confirmed(budi, victim)
    assert (second.json()["confirmed_person"], second.json()["stands_until"]) == ("budi", hold.json()["until"])
    assert problem(await confirmed(budi, victim)) == "unknown-hold"
    assert await when_it_is(network, police, victim, end_of(hold) - HOUR) == [None]
    assert problem(await ani.post(f"/v1/victims/{victim}/erasure")) == "legal-hold"
    assert await when_it_is(network, police, victim, end_of(hold)) == ["term"]
    assert (await ani.post(f"/v1/victims/{victim}/erasure")).status_code == 202


async def test_who_needs_more_time_places_the_next_before_the_end(network: Network, police: Client) -> None:
    victim = await a_victim(police, KOLAKA, identity=WHO)
    ani, budi = await supervisor(network), await supervisor(network, KOLAKA, "budi")
    first = await placed(ani, victim)
    await confirmed(budi, victim)
    network.clock.advance(end_of(first) - network.clock() - timedelta(days=1))
    ani, budi = await supervisor(network), await supervisor(network, KOLAKA, "budi")
    assert (await placed(ani, victim)).status_code == 201
    assert (await confirmed(budi, victim)).status_code == 200
    assert await when_it_is(network, police, victim, end_of(first)) == ["term", None]
    assert problem(await ani.post(f"/v1/victims/{victim}/erasure")) == "legal-hold"


@pytest.mark.parametrize("basis", HoldBasis)
async def test_a_hold_is_no_longer_than_the_term_of_its_basis(
    network: Network, police: Client, basis: HoldBasis
) -> None:
    victim = await a_victim(police, KOLAKA)
    ani, now, term = await supervisor(network), network.clock(), HOLD_TERMS[basis]
    for until in (now, now - HOUR, now + term + HOUR):
        assert problem(await placed(ani, victim, basis=basis, until=until.isoformat())) == "hold-end-not-allowed"
    hold = await placed(ani, victim, basis=basis, until=(now + timedelta(days=3)).isoformat())
    assert end_of(hold) == end_of(hold, "stands_until") == now + timedelta(days=3)
    whole = await placed(await supervisor(network, KOLAKA, "budi"), victim, basis=basis)
    assert end_of(whole) - end_of(whole, "placed_at") == term


async def test_the_timer_lapses_it_with_nobody_logged_in_also_after_a_new_start(
    network: Network, police: Client
) -> None:
    victim = await a_victim(police, KOLAKA, identity=WHO)
    hold = await placed(await supervisor(network), victim)
    await network.stop("police")
    network.clock.advance(end_of(hold, "stands_until") - network.clock())
    police = await network.start("police", online=False)
    notifier = network.apps["police"].state.notifier
    with notifier.watching(Topic.RETENTION) as watch:
        while (await told(police, victim))[0]["end"] is None:
            assert await watch.next(20)
    assert await look(police, victim) == WHO  # nothing was to be erased: nobody had asked


async def test_holds_are_listed_and_told_to_the_person(network: Network, police: Client) -> None:
    victim = await a_victim(police, KOLAKA)
    ani = await supervisor(network)
    hold = (await placed(ani, victim)).json()
    assert (await told(ani, victim)) == [hold]
    auditor = await network.calling("police", Role.AUDITOR, ABOVE)
    for client in (ani, auditor):
        assert (await client.get("/v1/legal-holds"))["items"] == [hold]
    assert (await (await supervisor(network, STRANGER)).get("/v1/legal-holds"))["items"] == []
    assert (await ani.post(f"/v1/victims/{victim}/legal-holds/lifting")).status_code == 200
    [lifted] = (await auditor.get("/v1/legal-holds"))["items"]
    assert lifted["end"] == "lifted" and lifted["lifted_at"]
