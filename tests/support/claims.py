"""Lawful-looking claims of a member with valid keys, said on the wire."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlmodel import col

from shared.contracts import events as e
from shared.contracts.codes import AgeClass, Kind, Priority, Sex
from shared.contracts.envelope import Envelope
from shared.contracts.types import UnitRef, VictimFacts
from shared.domain.access import Role
from shared.messaging.broker import Incoming
from shared.reference.office import new_id
from shared.storage.tables import LedgerEntry
from tests.support.network import Client, Network, refer
from tests.support.wire import event, key_of, publish, subject_of

HERE = UnitRef(agency="kemensos", unit="dinsos-74.01", region="74.01")
THERE = UnitRef(agency="kemensos", unit="dinsos-73.71", region="73.71")
PPA = UnitRef(agency="kemenpppa", unit="uptd-ppa-74.01", region="74.01")
RS = UnitRef(agency="kemenkes", unit="rs-74.01", region="74.01")
POLRES = UnitRef(agency="police", unit="polres-74.01", region="74.01")
DINSOS = UnitRef(agency="kemensos", unit="dinsos-74.01", region="74.01")
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


def letter(network: Network, by: str, to: str, data: e.EventData, linkseq: int, version: int | None = None) -> Incoming:
    body = event(by, to, data, linkseq, version)
    return Incoming(subject_of(by, to, data), body, key_of(network, by).sign(body), None)  # type: ignore[arg-type]


def arrive(network: Network, at: str, *letters: Incoming) -> None:
    """Let messages arrive in one batch, as the consumer fetches them."""
    state = network.apps[at].state
    state.database.write(lambda tx: state.reception(tx, list(letters)))


async def a_transfer(sender: Client, victim: str, to: Client, service: str = "case-management") -> str:
    """A transfer that has arrived at its receiver."""
    referral = await refer(sender, victim, to.code, service, kind="transfer")
    await to.until_status(referral, "received")
    return referral


async def until_custody(client: Client, referral: str, known: str) -> dict[str, Any]:
    """Wait until a receiver knows this about the sender's custody."""
    return await client.until(f"/v1/referrals/{referral}", lambda seen: seen["sender_custody"] == known)


def findings(history: Any) -> list[str]:
    """The findings of coordination in the history of a referral."""
    return [one["data"]["finding"] for one in history["items"] if one["type"] == e.CustodyChecked.type()]


def said_to(network: Network, agency: str) -> list[str]:
    """The findings that coordination has sent to an agency."""
    said = select(LedgerEntry).where(
        col(LedgerEntry.type) == e.CustodyChecked.type(), col(LedgerEntry.link) == f"coordination>{agency}"
    )
    database = network.apps["coordination"].state.database
    bodies = database.read(lambda session: [entry.body for entry in session.scalars(said)])
    return [Envelope.read(body).data["finding"] for body in bodies]


GIVEN_BACK = {"reason": "sender-without-custody", "note": "Korban tidak pernah datang; polisi masih mendampinginya."}


async def deceived(network: Network, child: str, seq: int = 2, facts: VictimFacts = CHILD) -> str:
    """A supervisor of KemenPPPA accepts a transfer of Kemenkes, which never had the child. Answers the transfer."""
    offer = an_offer(child, PPA, seq, sender=RS, facts=facts)
    await say(network, offer, "kemenpppa", 1, 1, by="kemenkes")
    known = "contested" if seq == 2 else "unconfirmed"
    await until_custody(network["kemenpppa"], offer.referral_id, known)
    head = await network.calling("kemenpppa", Role.SUPERVISOR)
    accepted = await head.must(offer.referral_id, "accept", note="Pengirim menelepon dan meyakinkan.")
    assert (accepted["status"], accepted["sender_custody"]) == ("accepted", known)
    return offer.referral_id


async def gives_back(network: Network, code: str, referral: str) -> dict[str, Any]:
    """A supervisor gives back the custody that a transfer brought."""
    head = await network.calling(code, Role.SUPERVISOR)
    return await head.must(referral, "reject", **GIVEN_BACK)
