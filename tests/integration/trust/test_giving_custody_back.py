"""An agency that was deceived gives custody back, and the transfer of the true holder arrives (decision 0040)."""

import pytest
from sqlalchemy import select
from sqlmodel import col

from shared.contracts import events as e
from shared.contracts.codes import CustodyFinding, RejectReason
from shared.domain.access import Role
from shared.victims.sealed.tables import SealedRow
from tests.support.claims import (
    DINSOS,
    GIVEN_BACK,
    POLRES,
    PPA,
    RS,
    a_transfer,
    an_offer,
    deceived,
    gives_back,
    say,
    until_custody,
)
from tests.support.letters import SLIP, WHO, printed, slip_of
from tests.support.network import Client, Network, a_victim, problem, refer
from tests.support.wire import until_parked


def handed_over(network: Network) -> list[bool]:
    """For each sealed text of KemenPPPA, whether it came with custody that KemenPPPA has."""
    database = network.apps["kemenpppa"].state.database
    return list(database.read(lambda session: session.scalars(select(col(SealedRow.handed_over))).all()))


async def holder(client: Client, child: str) -> str | None:
    """The agency that is responsible for the child, as an agency knows it."""
    custody = (await client.get(f"/v1/victims/{child}"))["custody"]
    return custody["agency"] if custody is not None else None


@pytest.mark.parametrize("seq", [2, 10_000])
async def test_the_transfer_of_the_true_holder_arrives_after_the_false_one_was_given_back(
    network: Network, police: Client, kemenpppa: Client, child: str, seq: int
) -> None:
    false = await deceived(network, child, seq)
    true = await refer(police, child, "kemenpppa", "case-management", kind="transfer")
    await until_parked(network, "kemenpppa", "custody-link-taken")
    assert (await holder(police, child), await holder(kemenpppa, child)) == ("police", "kemenpppa")

    ended = await gives_back(network, "kemenpppa", false)
    assert (ended["status"], ended["reject_reason"]) == ("rejected", "sender-without-custody")
    seen = await kemenpppa.get(f"/v1/victims/{child}")
    assert (seen["custody"], seen["custody_seq"]) == (None, 0)

    await kemenpppa.until_status(true, "received")  # no operator has replayed it
    await kemenpppa.must(true, "accept")
    await police.until_status(true, "accepted")
    await network["coordination"].until(f"/v1/journeys/{child}", lambda seen: seen["custody"]["agency"] == "kemenpppa")
    assert [await holder(client, child) for client in (police, kemenpppa)] == ["kemenpppa", "kemenpppa"]
    assert (await kemenpppa.get(f"/v1/victims/{child}"))["custody_seq"] == 2


async def test_custody_is_given_back_after_the_work_has_begun_too(
    network: Network, kemenpppa: Client, child: str
) -> None:
    false = await deceived(network, child)
    await kemenpppa.must(false, "start")
    await kemenpppa.must(false, "hold", reason="awaiting-information")
    await gives_back(network, "kemenpppa", false)
    assert await holder(kemenpppa, child) is None


async def test_a_word_after_the_acceptance_reaches_the_desk_that_accepted_in_good_faith(
    network: Network, kemenpppa: Client, child: str
) -> None:
    """Coordination was down when an officer accepted. Until it speaks, nothing is given back on a feeling."""
    offer = an_offer(child, PPA)
    await network.stop("coordination")
    await say(network, offer, "kemenpppa", 1, 1)
    await until_custody(kemenpppa, offer.referral_id, "unknown")
    await kemenpppa.must(offer.referral_id, "accept")
    head = await network.calling("kemenpppa", Role.SUPERVISOR)
    early = await head.act(offer.referral_id, "reject", GIVEN_BACK)
    assert (early.status_code, problem(early)) == (409, "custody-not-contested")

    await network.start("coordination")
    seen = await until_custody(kemenpppa, offer.referral_id, "contested")
    assert seen["status"] == "accepted"
    await gives_back(network, "kemenpppa", offer.referral_id)
    assert await holder(kemenpppa, child) is None


async def test_of_two_that_were_promised_the_same_custody_one_gives_it_back(
    network: Network, police: Client, kemenpppa: Client, child: str
) -> None:
    """Both accepted while coordination was down. It believes the first that it reads."""
    kemensos = await network.start("kemensos")
    first = await a_transfer(police, child, kemenpppa)
    twice = an_offer(child, DINSOS, 2, service="shelter-and-rehabilitation", sender=POLRES)
    await network.stop("coordination")
    await kemenpppa.must(first, "accept")
    await police.until_status(first, "accepted")
    await network.stop("police")
    await say(network, twice, "kemensos", 1, 1, by="police")
    await until_custody(kemensos, twice.referral_id, "unknown")
    await kemensos.must(twice.referral_id, "accept")

    centre = await network.start("coordination")
    journey = await centre.until(f"/v1/journeys/{child}", lambda seen: seen["contradicted"])
    both = {"kemenpppa": first, "kemensos": twice.referral_id}
    believed = journey["custody"]["agency"]
    [other] = both.keys() - {believed}
    await until_custody(network[other], both[other], "contested")
    await gives_back(network, other, both[other])
    assert await holder(network[other], child) is None
    assert await holder(network[believed], child) == believed


async def test_custody_becomes_what_our_own_chain_said_before(
    network: Network, police: Client, kemenpppa: Client, child: str
) -> None:
    """A false offer of link 4 waits, while KemenPPPA takes the child over and hands her on to Kemensos."""
    kemensos = await network.start("kemensos")
    await network.stop("coordination")
    false = an_offer(child, PPA, 4, sender=RS)
    await say(network, false, "kemenpppa", 1, 1, by="kemenkes")
    await until_custody(kemenpppa, false.referral_id, "unknown")
    first = await a_transfer(police, child, kemenpppa)
    await kemenpppa.must(first, "accept")
    second = await a_transfer(kemenpppa, child, kemensos, "shelter-and-rehabilitation")
    await kemensos.must(second, "accept")
    await kemenpppa.until_status(second, "accepted")
    before = await kemenpppa.get(f"/v1/victims/{child}")
    assert (before["custody"]["agency"], before["custody_seq"]) == ("kemensos", 3)
    assert problem(await kemenpppa.act(false.referral_id, "accept")) == "custody-contested"  # by our own chain
    head = await network.calling("kemenpppa", Role.SUPERVISOR)
    accepted = await head.must(false.referral_id, "accept", note="Pengirim menelepon.")
    assert accepted["sender_custody"] == "contested"
    assert await holder(kemenpppa, child) == "kemenpppa"

    await gives_back(network, "kemenpppa", false.referral_id)
    assert await kemenpppa.get(f"/v1/victims/{child}") == before


async def test_a_receiver_of_a_true_transfer_cannot_leave_the_child_with_nobody(
    network: Network, police: Client, kemenpppa: Client, child: str
) -> None:
    """KemenPPPA, which means ill, says that the police never had her. It stays responsible for everybody else."""
    true = await a_transfer(police, child, kemenpppa)
    await kemenpppa.must(true, "accept")
    await police.until_status(true, "accepted")
    await network.stop("kemenpppa")
    denial = e.Rejected(
        referral_id=true,
        victim_id=child,
        occurred_at=network.clock(),
        reason=RejectReason.SENDER_WITHOUT_CUSTODY,
    )
    await say(network, denial, "police", 50, 4, by="kemenpppa")
    await until_parked(network, "police", "custody-link-stands")
    await until_parked(network, "coordination", "custody-link-stands")
    assert (await police.get(f"/v1/referrals/{true}"))["status"] == "accepted"
    assert await holder(police, child) == "kemenpppa"
    journey = await network["coordination"].get(f"/v1/journeys/{child}")
    assert journey["custody"]["agency"] == "kemenpppa"
    assert [one["reason"] for one in journey["contradictions"]] == ["custody-link-stands"]


async def test_a_confirmed_transfer_is_not_given_back_and_the_desk_reads_why(
    network: Network, police: Client, kemenpppa: Client, child: str
) -> None:
    true = await a_transfer(police, child, kemenpppa)
    await kemenpppa.post(f"/v1/referrals/{true}/custody-check")
    await until_custody(kemenpppa, true, "confirmed")
    await kemenpppa.must(true, "accept")
    head = await network.calling("kemenpppa", Role.SUPERVISOR)
    refused = await head.act(true, "reject", GIVEN_BACK)
    assert (refused.status_code, problem(refused)) == (409, "custody-not-contested")
    told = refused.json()
    assert "Instansi ini tetap bertanggung jawab" in told["detail"] and "(sender_custody: confirmed)" in told["detail"]
    assert told["errors"][0]["field"] == "/reason" and "gugus tugas" in told["remedy"]
    assert await holder(kemenpppa, child) == "kemenpppa"


async def test_the_text_that_came_with_false_custody_is_no_longer_the_word_of_a_holder(
    network: Network, police: Client, kemenpppa: Client
) -> None:
    """Only a lie of coordination lets KemenPPPA give back what the police truly handed over. The police object."""
    victim = await a_victim(police, identity=WHO)
    true = await a_transfer(police, victim, kemenpppa)
    await kemenpppa.must(true, "accept")
    assert any(handed_over(network))
    word = e.CustodyChecked(
        referral_id=true,
        victim_id=victim,
        occurred_at=network.clock(),
        offered_by="police",
        custody_seq=2,
        finding=CustodyFinding.CONTESTED,
    )
    await say(network, word, "kemenpppa", 50, by="coordination")
    await until_custody(kemenpppa, true, "contested")
    await gives_back(network, "kemenpppa", true)
    assert not any(handed_over(network))
    await until_parked(network, "police", "custody-link-stands")
    assert await holder(police, victim) == "kemenpppa"


async def test_who_may_give_back_and_why_not(network: Network, kemenpppa: Client, child: str) -> None:
    false = await deceived(network, child)
    head = await network.calling("kemenpppa", Role.SUPERVISOR)
    by_officer = await kemenpppa.act(false, "reject", GIVEN_BACK)
    assert (by_officer.status_code, problem(by_officer)) == (409, "supervisor-gives-back")
    without = await head.act(false, "reject", {**GIVEN_BACK, "note": " "})
    assert (without.status_code, problem(without)) == (409, "note-required")
    otherwise = await head.act(false, "reject", {"reason": "no-capacity"})
    assert (otherwise.status_code, problem(otherwise)) == (409, "move-not-allowed")
    assert await holder(kemenpppa, child) == "kemenpppa"


async def test_before_the_acceptance_an_officer_rejects_for_this_reason_without_more(
    network: Network, police: Client, kemenpppa: Client, child: str
) -> None:
    offer = an_offer(child, PPA)
    await say(network, offer, "kemenpppa", 1, 1)
    await kemenpppa.until_status(offer.referral_id, "received")
    await kemenpppa.must(offer.referral_id, "reject", reason="sender-without-custody")
    service = await refer(police, child, "kemenpppa", "case-management")
    await kemenpppa.until_status(service, "received")
    refused = await kemenpppa.act(service, "reject", GIVEN_BACK)
    assert (refused.status_code, problem(refused)) == (409, "reason-for-transfers")


async def test_what_was_handed_on_meanwhile_is_not_given_back(network: Network, kemenpppa: Client, child: str) -> None:
    false = await deceived(network, child)
    kemensos = await network.start("kemensos")
    onward = await a_transfer(kemenpppa, child, kemensos, "shelter-and-rehabilitation")
    head = await network.calling("kemenpppa", Role.SUPERVISOR)
    assert problem(await head.act(false, "reject", GIVEN_BACK)) == "transfer-already-open"
    kemensos_head = await network.calling("kemensos", Role.SUPERVISOR)
    await until_custody(kemensos, onward, "unconfirmed")
    await kemensos_head.must(onward, "accept", note="Rekaan.")
    await kemenpppa.until_status(onward, "accepted")
    assert problem(await head.act(false, "reject", GIVEN_BACK)) == "custody-passed-on"


async def test_a_paper_answer_gives_custody_back_with_a_reason_alone(
    network: Network, kemenpppa: Client, child: str
) -> None:
    false = await deceived(network, child)
    slip = await printed(kemenpppa, false, SLIP)
    head = await network.calling("kemenpppa", Role.SUPERVISOR)
    path, reason = f"/v1/referrals/{false}/paper-answer", {"answer": "rejected", "reason": GIVEN_BACK["reason"]}
    for client, note, code in (
        (kemenpppa, GIVEN_BACK["note"], "supervisor-gives-back"),
        (head, "", "note-required"),
    ):
        refused = await client.post(path, slip_of(slip, network.clock(), **reason, note=note))
        assert (refused.status_code, problem(refused)) == (409, code)
    answered = await head.post(path, slip_of(slip, network.clock(), **reason, note=GIVEN_BACK["note"]))
    assert answered.json()["status"] == "rejected", answered.text
    assert await holder(kemenpppa, child) is None
