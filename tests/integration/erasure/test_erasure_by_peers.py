"""The data that a peer may have erased at another agency, over the broker: its own disclosures, and no more."""

from typing import Any

from sqlalchemy import select
from sqlmodel import col

from shared.contracts.codes import DisclosureEnd, IdentityField
from shared.contracts.envelope import Envelope
from shared.contracts.events import DisclosureEnded, ErasureRequested
from shared.domain.access import Role
from shared.reference.office import draft, new_id
from shared.storage.tables import LedgerEntry
from shared.victims.erasure.carry_out import ControllerAnswer, remember_answer
from shared.victims.sealed.tables import DataKeyRow
from tests.support.by_hand import take_back
from tests.support.identities import (
    BY_PAPER,
    NAMED,
    WHO,
    consent,
    given_and_received,
    keys_left,
    look,
    until_disclosure,
    until_forgotten,
)
from tests.support.network import Client, Network, a_victim, asking, problem, refer
from tests.support.wire import until_parked


async def hospital(network: Network, **known: Any) -> tuple[Client, Client, str, str]:
    """A hospital at work for somebody whom the police found: both, the victim and the referral."""
    police, kemenkes = await network.start("police"), await network.start("kemenkes")
    victim = await a_victim(police, **known)
    referral = await refer(police, victim, "kemenkes", "first-aid")
    await kemenkes.until_status(referral, "received")
    await kemenkes.must(referral, "accept")
    return police, kemenkes, victim, referral


async def test_an_erasure_reaches_who_wrote_down_by_itself_what_nobody_gave_it(network: Network) -> None:
    _, kemenkes, victim, _ = await hospital(network)
    assert (await kemenkes.post(f"/v1/victims/{victim}/identity", BY_PAPER)).status_code == 200
    assert await look(kemenkes, victim) == BY_PAPER
    await take_back(network, "erasure", victim)
    await until_forgotten(network, "kemenkes", victim)
    assert await look(kemenkes, victim) == "no-identity"


def say_erase(network: Network, code: str, to: str, victim: str, erasure_id: str | None = None) -> None:
    """A member tells another to erase somebody, whether that is its to say or not."""
    app = network.apps[code]

    def tell(tx: Any) -> None:
        unit = app.state.office.speaker(tx.now.date())
        asked = ErasureRequested(erasure_id=erasure_id or new_id(), victim_id=victim, unit=unit, occurred_at=tx.now)
        remember_answer(tx, code, asked, ControllerAnswer(DisclosureEnd.ERASED, None, ()))
        tx.emit(draft(asked, to, unit, victim_id=victim))

    app.state.database.write(tell)


async def test_a_peer_has_erased_what_it_gave_and_not_what_we_found_ourselves(network: Network) -> None:
    """The police found the victim and handed custody over. A hospital that told them her identity asks for an
    erasure."""
    police, kemenkes, victim, _ = await hospital(network, identity=WHO)
    kemenpppa = await network.start("kemenpppa")
    onward = await refer(kemenkes, victim, "police", "investigation", basis="public-task")
    await police.until_status(onward, "received")
    transfer = await refer(police, victim, "kemenpppa", "case-management", kind="transfer")
    await kemenpppa.until_status(transfer, "received")
    await kemenpppa.must(transfer, "accept")
    await police.until_status(transfer, "accepted")
    before = keys_left(network, "police")
    with network.apps["kemenkes"].state.notifier.watching(victim) as watch:
        say_erase(network, "kemenkes", "police", victim)
        assert await watch.next(20)  # its answer
    left = network.apps["police"].state.database.read(lambda s: s.scalars(select(col(DataKeyRow.id))).all())
    assert f"own:victim:{victim}" in left and before >= len(left)
    glass = await police.post(f"/v1/victims/{victim}/break-glass", {"reason": "court-order", "minutes": 5})
    assert glass.status_code == 201 and await look(police, victim) == WHO


async def test_what_a_hospital_wrote_for_two_goes_when_both_have_said_so(network: Network) -> None:
    police, kemenkes, victim, _ = await hospital(network, identity=WHO)
    kemenpppa = await network.start("kemenpppa")
    transfer = await refer(police, victim, "kemenpppa", "case-management", kind="transfer")
    await kemenpppa.until_status(transfer, "received")
    await kemenpppa.must(transfer, "accept")
    second = await refer(kemenpppa, victim, "kemenkes", "examination-and-treatment")
    await kemenkes.until_status(second, "received")
    await kemenkes.must(second, "accept")
    assert (await kemenkes.post(f"/v1/victims/{victim}/identity", {"phone": "+628000000010"})).status_code == 200
    erasure = new_id()
    with network.apps["police"].state.notifier.watching(victim) as watch:
        say_erase(network, "police", "kemenkes", victim, erasure)
        assert await watch.next(20)
    assert (await look(kemenkes, victim))["phone"] == "+628000000010"  # type: ignore[index]
    say_erase(network, "kemenpppa", "kemenkes", victim, erasure)
    await until_forgotten(network, "kemenkes", victim)
    assert await look(kemenkes, victim) == "no-identity"


async def test_what_a_hold_keeps_is_shown_to_nobody_though_they_are_still_at_work(network: Network) -> None:
    police, kemenkes, victim, referral = await hospital(network, identity=WHO)
    assert (await kemenkes.post(f"/v1/victims/{victim}/identity", BY_PAPER)).status_code == 200
    head = await network.calling("kemenkes", Role.SUPERVISOR)
    assert (await head.post(f"/v1/victims/{victim}/legal-holds", {"basis": "trial"})).status_code == 201
    await take_back(network, "erasure", victim)
    kept = await until_disclosure(police, victim, referral, lambda item: item["end"] is not None)
    assert (kept["end"], kept["kept_because"]) == ("stopped", "legal-hold")
    assert (await kemenkes.get(f"/v1/referrals/{referral}"))["status"] == "accepted"
    assert await look(kemenkes, victim) == "no-identity"
    onward = asking(victim, "kemenpppa", "case-management", basis="vital-interest")
    assert (await kemenkes.post("/v1/referrals", onward)).status_code == 201  # and given on to nobody
    assert [item for item in await given_and_received(kemenkes, victim) if item["given"]] == []

    assert (await head.post(f"/v1/victims/{victim}/legal-holds/lifting")).status_code == 200
    assert keys_left(network, "kemenkes") == 0
    await until_disclosure(police, victim, referral, lambda item: item["end"] == "erased")


async def test_what_only_responsibility_keeps_is_not_given_on_and_goes_with_it(network: Network) -> None:
    """Handed to KemenPPPA on her consent, which she withdraws: it goes on knowing who she is, for itself alone."""
    police, kemenpppa = await network.start("police"), await network.start("kemenpppa")
    kemensos = await network.start("kemensos")
    victim = await a_victim(police, identity=WHO)
    await consent(police, victim, purposes=["care"], recipients=["kemenpppa"])
    transfer = await refer(police, victim, "kemenpppa", "case-management", kind="transfer", basis="consent")
    await kemenpppa.until_status(transfer, "received")
    await kemenpppa.must(transfer, "accept")
    await police.until_status(transfer, "accepted")
    await take_back(network, "withdrawal", victim)
    kept = await until_disclosure(police, victim, transfer, lambda item: item["end"] is not None)
    assert (kept["end"], kept["kept_because"]) == ("stopped", "custody")
    assert await look(kemenpppa, victim) == NAMED

    onward = await refer(kemenpppa, victim, "kemensos", "shelter-and-rehabilitation", kind="transfer")
    await kemensos.until_status(onward, "received")
    await kemensos.must(onward, "accept")
    assert await look(kemensos, victim) == "no-identity"  # they ask her themselves
    ended = await until_disclosure(police, victim, transfer, lambda item: item["end"] == "erased")
    assert ended["kept_because"] is None
    assert keys_left(network, "kemenpppa") == 0


async def test_nobody_answers_for_another_what_became_of_what_it_was_given(network: Network) -> None:
    """Kemensos says that it has erased what Kemenkes was given: it is not noted as Kemenkes' word."""
    police, _, victim, referral = await hospital(network, identity=WHO)
    await network.start("kemensos")
    head = await network.calling("kemenkes", Role.SUPERVISOR)
    await head.post(f"/v1/victims/{victim}/legal-holds", {"basis": "trial"})
    await take_back(network, "erasure", victim)
    await until_disclosure(police, victim, referral, lambda item: item["end"] == "stopped")
    app = network.apps["kemensos"]
    [cause] = [row for row in ledger_of(network, "police") if row.type == "id.tppo.erasure.requested.v1"][:1]

    def answer(tx: Any) -> None:
        unit = app.state.office.speaker(tx.now.date())
        ended = DisclosureEnded(
            cause_id=erasure_of(cause),
            victim_id=victim,
            end=DisclosureEnd.ERASED,
            fields=tuple(IdentityField),
            occurred_at=tx.now,
        )
        tx.emit(draft(ended, "police", unit, victim_id=victim))

    app.state.database.write(answer)
    await until_parked(network, "police", "not-theirs-to-say")
    [item] = await given_and_received(police, victim)
    assert item["end"] == "stopped"


def ledger_of(network: Network, code: str) -> list[LedgerEntry]:
    database = network.apps[code].state.database
    return list(database.read(lambda s: s.scalars(select(LedgerEntry).order_by(col(LedgerEntry.position))).all()))


def erasure_of(entry: LedgerEntry) -> str:
    return str(Envelope.read(entry.body).data["erasure_id"])


async def test_only_who_is_responsible_hands_responsibility_over(network: Network) -> None:
    _, kemenkes, victim, _ = await hospital(network)
    offer = asking(victim, "kemenpppa", "case-management", kind="transfer")
    refused = await kemenkes.post("/v1/referrals", offer)
    assert problem(refused) == "not-custody-holder"
