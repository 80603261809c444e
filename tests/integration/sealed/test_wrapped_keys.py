"""A wrapped data key lies nowhere longer than it is needed, and nowhere that nobody opens it."""

from dataclasses import replace

from sqlalchemy import update

from shared.storage.tables import ParkedEvent
from shared.storage.unit_of_work import Transaction
from tests.support.by_hand import deliver, parked, posted
from tests.support.identities import NAMED, WHO, look
from tests.support.network import Network, a_victim, refer


async def test_the_sender_keeps_the_key_until_the_receipt_and_no_longer(two: Network) -> None:
    police, kemenkes = two["police"], two["kemenkes"]
    victim = await a_victim(police, identity=WHO)
    asked = await refer(police, victim, "kemenkes", "first-aid")
    [request] = posted(two)
    assert request.key
    deliver(two, request)
    assert posted(two)[0].key == request.key  # it may still have to be sent again
    deliver(two, *posted(two, "kemenkes", "police"), to="police")
    assert posted(two)[0].key is None
    await kemenkes.must(asked, "accept")
    assert await look(kemenkes, victim) == NAMED


async def test_what_was_parked_keeps_its_key_until_it_is_applied(two: Network) -> None:
    """A key that comes with what cannot be applied yet; the broker does not give it a second time."""
    police, kemenkes = two["police"], two["kemenkes"]
    victim = await a_victim(police, identity=WHO)
    asked = await refer(police, victim, "kemenkes", "first-aid")
    await police.must(asked, "remind")
    [request, reminder] = posted(two)
    deliver(two, replace(reminder, key=request.key))
    assert parked(two) == [("unknown-referral", False, True)]
    deliver(two, request)
    assert parked(two) == [("unknown-referral", True, False)]
    await kemenkes.must(asked, "accept")
    assert await look(kemenkes, victim) == NAMED


async def test_so_does_what_an_operator_replays(two: Network) -> None:
    police, database = two["police"], two.apps["kemenkes"].state.database
    victim = await a_victim(police, identity=WHO)
    asked = await refer(police, victim, "kemenkes", "first-aid")
    await police.must(asked, "remind")
    [request, reminder] = posted(two)
    deliver(two, replace(reminder, key=request.key))
    operator = await two.operator("kemenkes")
    refused = await operator.post("/v1/parked/1/replay")
    assert refused.status_code == 409 and parked(two) == [("unknown-referral", False, True)]
    database.write(lambda tx: tx.session.execute(update(ParkedEvent).values(reason="apply-failed")))
    deliver(two, request)  # what a fault of ours has parked waits for an operator
    assert parked(two) == [("apply-failed", False, True)]
    assert (await operator.post("/v1/parked/1/replay")).status_code == 200
    assert parked(two) == [("apply-failed", True, False)]


async def test_a_follower_takes_no_key(two: Network) -> None:
    coordination = await two.start("coordination", online=False)
    victim = await a_victim(two["police"], identity=WHO)
    await refer(two["police"], victim, "kemenkes", "first-aid")
    deliver(two, *posted(two, to="coordination"), to="coordination")
    [request] = posted(two)
    assert request.key
    app = two.apps["coordination"]

    def taken(tx: Transaction) -> dict[str, str]:
        app.state.reception(tx, [request])
        return dict(tx.deliveries.keys)

    assert app.state.database.write(taken) == {}
    assert (await coordination.get(f"/v1/journeys/{victim}"))["handovers"]
