"""Events that a test puts on the wire in the name of a member."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from shared.contracts.codes import InformationKind
from shared.contracts.envelope import Draft, write
from shared.contracts.events import EventData, InformationProvided, ReferralEvent
from shared.messaging.broker import Incoming, Outgoing
from shared.reference.office import draft, new_id
from shared.security.keys import SigningKey
from shared.storage import referrals
from shared.storage.notifier import Topic
from shared.storage.unit_of_work import Transaction
from shared.victims.sealed import giving
from shared.victims.sealed.store import key_purpose
from tests.support.network import Network, a_victim, refer


def key_of(network: Network, code: str) -> SigningKey:
    """The signing key of a member."""
    return SigningKey.load(network.secrets / code / "keys" / f"{code}-1.pem")


async def publish(network: Network, code: str, subject: str, body: bytes, signature: str) -> None:
    """Put a message on the stream with the NATS identity of a member, which may send events of this type."""
    broker = network.nats.broker(code)
    await broker.connect()
    stored = await broker.publish([Outgoing(subject, new_id(), body, signature)])
    await broker.close()
    assert stored, f"the broker does not let {code} publish {subject}: see let_in"


def let_in(network: Network, to: str, subject: str, body: bytes, signature: str | None) -> None:
    """Give a member a message that our broker would refuse. The broker is not trusted: it may let anything in."""
    message = Incoming(subject, body, signature, None)  # type: ignore[arg-type]
    state = network.apps[to].state
    state.database.write(lambda tx: state.reception(tx, [message]))


def event(sender: str, receiver: str, data: EventData, linkseq: int, sequence: int | None = None) -> bytes:
    """The bytes of an event that says it is from ``sender``."""
    draft = Draft(new_id(), data, receiver, f"{sender}-desk", "74.01", getattr(data, "victim_id", None), sequence)
    return write(draft, sender, linkseq, datetime.now(UTC))


async def until_parked(network: Network, code: str, reason: str) -> dict[str, object]:
    """Wait until a member has parked something for this reason."""
    with network.apps[code].state.notifier.watching(Topic.PARKED) as watch:
        while True:
            for item in (await (await network.operator(code)).get("/v1/parked"))["items"]:
                if item["reason"] == reason:
                    return dict(item)
            assert await watch.next(20), f"nothing parked for {reason}"


async def a_referral(network: Network) -> dict[str, Any]:
    police, kemenkes = await network.start("police"), await network.start("kemenkes")
    referral = await refer(police, await a_victim(police), "kemenkes", "first-aid")
    await kemenkes.until_status(referral, "received")
    return await police.until_status(referral, "received")


def about(referral: Mapping[str, Any], kind: type[ReferralEvent]) -> ReferralEvent:
    return kind(referral_id=referral["id"], victim_id=referral["victim_id"], occurred_at=datetime.now(UTC))


def subject_of(sender: str, receiver: str, data: EventData) -> str:
    return f"tppo.{sender}.{receiver}.{data.entity}.{data.event}.74.01"


def tell_identity(
    network: Network,
    code: str,
    to: str,
    victim: str,
    referral: str,
    fields: Mapping[str, str],
    basis: str = "vital-interest",
) -> None:
    """Say anything of a victim with a referral of a member: signed and sealed, and past the member's own rules."""
    app = network.apps[code]

    def tell(tx: Transaction) -> None:
        row = referrals.load(tx.session, referral)
        given = giving.seal_for(tx, app.state.office, victim, to, key_purpose(referral), fields)
        assert row is not None and given is not None
        about = InformationKind.IDENTITY
        event = InformationProvided(
            referral_id=referral, victim_id=victim, occurred_at=tx.now, about=about, sealed=given.sealed
        )
        made = draft(event, to, app.state.office.speaker(tx.now.date()), victim_id=victim, basis=basis, key=given.key)
        tx.emit(replace(made, sequence=row.version))

    app.state.database.write(tell)


async def tell_coordination(network: Network, code: str, linkseq: int, *told: EventData) -> None:
    """Say something to coordination in a member's name, signed with its key."""
    for number, data in enumerate(told, linkseq):
        body = event(code, "coordination", data, number)
        subject = subject_of(code, "coordination", data)
        await publish(network, code, subject, body, key_of(network, code).sign(body))
