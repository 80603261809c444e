"""Events that a test delivers by hand: those of one member, given to another in an order of the test."""

from sqlalchemy import select
from sqlmodel import col

from shared.messaging.broker import Incoming
from shared.storage.tables import LedgerEntry, OutboxEntry, ParkedEvent
from tests.support.network import Network, erase


def posted(network: Network, by: str = "police", to: str = "kemenkes") -> list[Incoming]:
    """A member's messages to another so far, as they would arrive if published now, keys included."""
    columns = (OutboxEntry.subject, LedgerEntry.body, LedgerEntry.signature, OutboxEntry.key)
    sent = (
        select(*map(col, columns))
        .join(LedgerEntry, col(LedgerEntry.event_id) == col(OutboxEntry.event_id))
        .where(col(OutboxEntry.peer) == to)
        .order_by(col(OutboxEntry.position))
    )
    rows = network.apps[by].state.database.read(lambda s: s.execute(sent).all())
    return [Incoming(subject, body, signature, None, key) for subject, body, signature, key in rows]  # type: ignore[arg-type]


def deliver(network: Network, *messages: Incoming, to: str = "kemenkes") -> None:
    app = network.apps[to]
    for message in messages:
        app.state.database.write(lambda tx, m=message: app.state.reception(tx, [m]))


def parked(network: Network, code: str = "kemenkes") -> list[tuple[str, bool, bool]]:
    """Of everything that was ever parked: why, whether it has been applied since, whether a key is kept with it."""
    rows = network.apps[code].state.database.read(lambda s: s.scalars(select(ParkedEvent)).all())
    return [(row.reason, row.resolved_at is not None, row.key is not None) for row in rows]


async def take_back(network: Network, how: str, victim: str) -> None:
    """The police take back what they gave: the consent is withdrawn, or the person erased."""
    if how == "erasure":
        await erase(network, "police", victim)
    else:
        answer = await network["police"].post(f"/v1/victims/{victim}/consents/withdrawal")
        assert answer.status_code == 200, answer.text
