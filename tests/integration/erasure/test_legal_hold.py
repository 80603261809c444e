"""Data under a legal hold: hidden from people at work, shown to a break-glass for a court, and never overwritten."""

from typing import Any

import pytest

from shared.domain.access import Role
from tests.support.by_hand import deliver, posted, take_back
from tests.support.identities import NAMED, NOTE, WHO, consent, given_and_received, keys_left, look, notes
from tests.support.network import Client, Network, a_victim, refer


async def held(network: Network, code: str, victim: str) -> Client:
    head = await network.calling(code, Role.SUPERVISOR)
    assert (await head.post(f"/v1/victims/{victim}/legal-holds", {"basis": "trial"})).status_code == 201
    return head


async def for_a_court(client: Client, victim: str) -> Any:
    """The fields shown to a caller who opens a break-glass for a court."""
    glass = await client.post(f"/v1/victims/{victim}/break-glass", {"reason": "court-order", "minutes": 5})
    assert glass.status_code == 201, glass.text
    return await look(client, victim, "legal")


async def lifted(client: Client, victim: str) -> None:
    assert (await client.post(f"/v1/victims/{victim}/legal-holds/lifting")).status_code == 200


async def test_notes_are_kept_for_the_court_and_shown_to_nobody_else(two: Network) -> None:
    police, kemenkes = two["police"], two["kemenkes"]
    victim = await a_victim(police, identity=WHO)
    asked = await refer(police, victim, "kemenkes", "first-aid")
    deliver(two, *posted(two))
    await kemenkes.must(asked, "accept", note=NOTE)
    head = await held(two, "kemenkes", victim)
    await take_back(two, "erasure", victim)
    deliver(two, *posted(two)[1:])
    assert NOTE not in await notes(kemenkes, asked)
    assert await look(kemenkes, victim) == "no-identity"
    assert await for_a_court(head, victim) == NAMED
    assert NOTE in await notes(head, asked)
    await lifted(head, victim)
    assert keys_left(two, "kemenkes") == 0


@pytest.mark.parametrize("change", [{"name": "Kenanga Rekaan"}, dict.fromkeys(WHO)], ids=["another", "none"])
async def test_who_writes_over_a_name_takes_nothing_from_the_court(two: Network, change: dict[str, Any]) -> None:
    police = two["police"]
    victim = await a_victim(police, identity=WHO)
    head = await held(two, "police", victim)
    assert (await police.post(f"/v1/victims/{victim}/identity", change)).status_code == 200
    now = await look(police, victim)
    assert now == ({**WHO, **change} if change["name"] else "no-identity")
    assert await for_a_court(head, victim) == WHO
    await lifted(head, victim)
    assert await look(head, victim) == now  # what was held is gone, what was written since stays


async def test_what_is_given_anew_stands_beside_what_is_held_and_outlives_the_hold(two: Network) -> None:
    """The police have her erased while Kemenkes holds; later they tell Kemenkes another name of hers."""
    police, kemenkes = two["police"], two["kemenkes"]
    victim = await a_victim(police, identity=WHO)
    asked = await refer(police, victim, "kemenkes", "first-aid")
    deliver(two, *posted(two))
    await kemenkes.must(asked, "accept")
    deliver(two, *posted(two, "kemenkes", "police"), to="police")
    head = await held(two, "kemenkes", victim)
    await take_back(two, "erasure", victim)
    seen = len(posted(two))
    deliver(two, *posted(two)[1:])
    assert (await police.post(f"/v1/victims/{victim}/identity", {"name": "Kenanga Rekaan"})).status_code == 200
    await police.must(asked, "provide-information", about="identity")
    deliver(two, *posted(two)[seen:])
    assert await look(kemenkes, victim) == {"name": "Kenanga Rekaan"}
    assert await for_a_court(head, victim) == NAMED
    await lifted(head, victim)
    assert await look(kemenkes, victim) == {"name": "Kenanga Rekaan"}
    ends = [item["end"] for item in await given_and_received(kemenkes, victim)]
    assert ends.count(None) == 1
    await take_back(two, "erasure", victim)
    deliver(two, *posted(two))
    assert keys_left(two, "kemenkes") == 0


async def test_what_is_agreed_to_anew_outlives_the_hold_of_what_was_taken_back(two: Network) -> None:
    police, kemenkes = two["police"], two["kemenkes"]
    victim = await a_victim(police, identity=WHO)
    await consent(police, victim)
    asked = await refer(police, victim, "kemenkes", "first-aid", basis="consent")
    deliver(two, *posted(two))
    for action in ("accept", "start"):
        await kemenkes.must(asked, action)
    deliver(two, *posted(two, "kemenkes", "police"), to="police")
    head = await held(two, "kemenkes", victim)
    await take_back(two, "withdrawal", victim)
    await consent(police, victim)
    await police.must(asked, "provide-information", about="identity")
    deliver(two, *posted(two)[1:])
    assert await look(kemenkes, victim) == NAMED
    await lifted(head, victim)
    assert await look(kemenkes, victim) == NAMED


async def test_what_comes_in_the_place_of_another_word_leaves_that_to_the_court(two: Network) -> None:
    """The police correct, with the same request, a name that Kemenkes has to keep as it was told first."""
    police, kemenkes = two["police"], two["kemenkes"]
    victim = await a_victim(police, identity=WHO)
    asked = await refer(police, victim, "kemenkes", "first-aid")
    deliver(two, *posted(two))
    await kemenkes.must(asked, "accept")
    deliver(two, *posted(two, "kemenkes", "police"), to="police")
    head = await held(two, "kemenkes", victim)
    assert (await police.post(f"/v1/victims/{victim}/identity", {"name": "Kenanga Rekaan"})).status_code == 200
    await police.must(asked, "provide-information", about="identity")
    deliver(two, *posted(two)[1:])
    now = {**NAMED, "name": "Kenanga Rekaan"}
    assert await look(kemenkes, victim) == now
    assert await for_a_court(head, victim) == NAMED
    await lifted(head, victim)
    assert await look(head, victim) == now and await look(kemenkes, victim) == now


async def test_what_is_kept_for_a_court_is_sent_to_nobody_who_waits_for_it(two: Network) -> None:
    """Kemenkes referred her onward, and the network is down. The hold keeps her data here, but sends no key."""
    police, kemenkes = two["police"], two["kemenkes"]
    victim = await a_victim(police, identity=WHO)
    asked = await refer(police, victim, "kemenkes", "first-aid")
    deliver(two, *posted(two))
    await kemenkes.must(asked, "accept")
    await refer(kemenkes, victim, "kemenpppa", "case-management")
    assert [message.key is not None for message in posted(two, "kemenkes", "kemenpppa")] == [True]
    await held(two, "kemenkes", victim)
    await take_back(two, "erasure", victim)
    deliver(two, *posted(two)[1:])
    assert not any(message.key for message in posted(two, "kemenkes", "kemenpppa"))
