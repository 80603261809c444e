"""Events that a test delivers by hand: those of one member, given to another in an order of the test."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlmodel import col

from shared.contracts.codes import AgeClass, Sex
from shared.contracts.events import EventData, Requested
from shared.contracts.types import VictimFacts
from shared.domain.routing import NATION
from shared.messaging.broker import Incoming
from shared.reference.office import draft, new_id
from shared.security.sealing import DataKey, seal, wrap_key
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


def said(network: Network, by: str, to: str, event: EventData, basis: str | None = None, key: str = "") -> Incoming:
    """What a member says to another, with its own valid keys, whether that is its to say or not."""
    app = network.apps[by]

    def tell(tx: Any) -> None:
        unit = app.state.office.speaker(tx.now.date())
        victim = getattr(event, "victim_id", None)
        made = draft(event, to, unit, victim_id=victim, basis=basis, key=key or None)
        tx.emit(replace(made, sequence=1 if isinstance(event, Requested) else None))

    app.state.database.write(tell)
    return posted(network, by, to)[-1]


def request_of(
    network: Network, by: str, to: str, victim: str, given: Mapping[str, str] | None = None, **more: Any
) -> Incoming:
    """A member's request for a victim, whether it knows the victim or not. ``given``: identity fields that go along."""
    app = network.apps[by]
    office, at = app.state.office, network.clock()
    fields: dict[str, Any] = {
        "referral_id": new_id(),
        "victim_id": victim,
        "case_id": new_id(),
        "occurred_at": at,
        "kind": "referral",
        "service": "investigation",
        "priority": "routine",
        "sender": office.speaker(at.date()),
        "receiver": office.units.desk_for(to, NATION, at.date()).as_ref(),
        "facts": VictimFacts(age_class=AgeClass.ADULT, sex=Sex.MALE),
        "due_at": at + timedelta(days=7),
        **more,
    }
    key, purpose = DataKey.generate(), f"referral:{fields['referral_id']}"
    if given is not None:
        fields["sealed"] = seal(given, key, victim, to, purpose)
    wrapped = wrap_key(key, office.keys.current().to_seal_for(to, at))
    return said(network, by, to, Requested(**fields), "vital-interest", wrapped if given is not None else "")
