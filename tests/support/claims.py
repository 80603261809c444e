"""Lawful-looking claims of a member with valid keys, said on the wire."""

from datetime import UTC, datetime, timedelta
from typing import Any

from shared.contracts import events as e
from shared.contracts.codes import AgeClass, Kind, Priority, Sex
from shared.contracts.types import UnitRef, VictimFacts
from shared.reference.office import new_id
from tests.support.network import Network
from tests.support.wire import event, key_of, publish, subject_of

HERE = UnitRef(agency="kemensos", unit="dinsos-74.01", region="74.01")
THERE = UnitRef(agency="kemensos", unit="dinsos-73.71", region="73.71")
PPA = UnitRef(agency="kemenpppa", unit="uptd-ppa-74.01", region="74.01")
RS = UnitRef(agency="kemenkes", unit="rs-74.01", region="74.01")
CHILD = VictimFacts(age_class=AgeClass.CHILD, sex=Sex.FEMALE)


async def say(
    network: Network, data: e.EventData, to: str, linkseq: int, version: int | None = None, by: str = "kemensos"
) -> None:
    """A member says something to another, signed with its own key."""
    body = event(by, to, data, linkseq, version)
    await publish(network, by, subject_of(by, to, data), body, key_of(network, by).sign(body))


def an_offer(victim: str, receiver: UnitRef, seq: int | None = 2, **changes: Any) -> e.Requested:
    """A transfer of a victim by Kemensos, which never had her."""
    now = datetime.now(UTC)
    fields: dict[str, Any] = {
        "referral_id": new_id(),
        "victim_id": victim,
        "case_id": new_id(),
        "kind": Kind.TRANSFER if seq else Kind.REFERRAL,
        "service": "case-management",
        "priority": Priority.ROUTINE,
        "sender": HERE,
        "receiver": receiver,
        "facts": CHILD,
        "due_at": now + timedelta(days=7),
        "custody_seq": seq,
        "occurred_at": now,
    }
    return e.Requested.model_validate({**fields, **changes})


async def parked_reasons(network: Network, code: str, many: int) -> list[str]:
    """The reasons of what a member has parked, as soon as there are so many."""
    operator = await network.operator(code)
    with network.apps[code].state.notifier.watching("parked") as watch:
        while len(items := (await operator.get("/v1/parked"))["items"]) < many:
            assert await watch.next(20)
    return sorted(item["reason"] for item in items)
