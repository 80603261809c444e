"""Who takes a victim over learns whether the sender has custody (cases/TRUST.md 9), and takes on no second claim."""

from shared.contracts import events as e
from shared.contracts.codes import CustodyFinding
from shared.domain.access import Role
from shared.reference.office import new_id
from tests.support.claims import DINSOS, POLRES, PPA, RS, a_transfer, an_offer, findings, said_to, say, until_custody
from tests.support.network import Client, Network, problem
from tests.support.wire import event, key_of, let_in, subject_of, until_parked


async def test_a_transfer_by_who_never_had_the_child_is_accepted_by_a_supervisor_alone(
    network: Network, kemenpppa: Client, child: str
) -> None:
    offer = an_offer(child, PPA)
    await say(network, offer, "kemenpppa", 1, 1)
    seen = await until_custody(kemenpppa, offer.referral_id, "contested")
    assert seen["status"] == "received"

    refused = await kemenpppa.act(offer.referral_id, "accept", {"note": "Pengirim menelepon."})
    assert (refused.status_code, problem(refused)) == (409, "custody-contested")
    head = await network.calling("kemenpppa", Role.SUPERVISOR)
    refused = await head.act(offer.referral_id, "accept")
    assert (refused.status_code, problem(refused)) == (409, "note-required")
    assert (await kemenpppa.get(f"/v1/victims/{child}"))["custody"] is None

    accepted = await head.must(offer.referral_id, "accept", note="Gugus tugas sudah dihubungi.")
    assert accepted["status"] == "accepted"


async def test_an_officer_may_still_reject_a_contested_transfer(
    network: Network, kemenpppa: Client, child: str
) -> None:
    offer = an_offer(child, PPA)
    await say(network, offer, "kemenpppa", 1, 1)
    await until_custody(kemenpppa, offer.referral_id, "contested")
    await kemenpppa.must(offer.referral_id, "reject", reason="safety-risk", note="Pengirim tidak bertanggung jawab.")


async def test_an_etag_from_before_the_word_of_coordination_is_stale(
    network: Network, kemenpppa: Client, child: str
) -> None:
    """An officer who has seen the transfer without the word does not accept it unseen."""
    offer = an_offer(child, PPA)
    await network.stop("coordination")
    await say(network, offer, "kemenpppa", 1, 1)
    await until_custody(kemenpppa, offer.referral_id, "unknown")
    before = (await kemenpppa.http.get(f"/v1/referrals/{offer.referral_id}")).headers["etag"]
    await network.start("coordination")
    await until_custody(kemenpppa, offer.referral_id, "contested")
    stale = await kemenpppa.act(offer.referral_id, "accept", {}, before)
    assert problem(stale) == "precondition-failed"


async def test_coordination_confirms_the_holder_when_the_receiver_asks(
    police: Client, kemenpppa: Client, child: str
) -> None:
    referral = await a_transfer(police, child, kemenpppa)
    assert (await kemenpppa.get(f"/v1/referrals/{referral}"))["sender_custody"] == "unknown"
    assert (await police.get(f"/v1/referrals/{referral}"))["sender_custody"] is None
    asked = await kemenpppa.post(f"/v1/referrals/{referral}/custody-check")
    assert asked.status_code == 202, asked.text
    await until_custody(kemenpppa, referral, "confirmed")
    history = await kemenpppa.get(f"/v1/referrals/{referral}/history")
    assert findings(history) == ["confirmed"]
    await kemenpppa.must(referral, "accept")


async def test_who_knows_the_chain_needs_no_word_of_coordination(
    network: Network, police: Client, kemenpppa: Client, child: str
) -> None:
    kemensos = await network.start("kemensos")
    first = await a_transfer(police, child, kemenpppa)
    await kemenpppa.must(first, "accept")
    second = await a_transfer(kemenpppa, child, kemensos, "shelter-and-rehabilitation")
    await kemensos.must(second, "accept")
    await kemenpppa.until_status(second, "accepted")
    back = await a_transfer(kemensos, child, kemenpppa)
    assert (await kemenpppa.get(f"/v1/referrals/{back}"))["sender_custody"] == "known-here"


async def test_a_second_transfer_of_the_same_link_is_contested_once_the_first_is_accepted(
    network: Network, police: Client, kemenpppa: Client, child: str
) -> None:
    """A holder that means ill offers one custody twice. Only one receiver may say yes in good faith."""
    kemensos = await network.start("kemensos")
    first = await a_transfer(police, child, kemenpppa)
    twice = an_offer(child, DINSOS, 2, service="shelter-and-rehabilitation", sender=POLRES)
    await network.stop("police")
    await say(network, twice, "kemensos", 1, 1, by="police")
    await until_custody(kemensos, twice.referral_id, "unknown")
    await kemenpppa.must(first, "accept")
    await until_custody(kemensos, twice.referral_id, "contested")
    assert problem(await kemensos.act(twice.referral_id, "accept")) == "custody-contested"


async def test_coordination_says_nothing_to_who_did_not_receive_the_transfer(
    network: Network, police: Client, kemenpppa: Client, child: str
) -> None:
    """Else an agency finds out by asking who has a child."""
    referral = await a_transfer(police, child, kemenpppa)
    asked = e.CustodyAsked(referral_id=referral, victim_id=child, occurred_at=network.clock(), unit=RS)
    body = event("kemenkes", "coordination", asked, 1)
    subject = subject_of("kemenkes", "coordination", asked)
    let_in(network, "coordination", subject, body, key_of(network, "kemenkes").sign(body))
    assert said_to(network, "kemenkes") == []


async def test_a_receiver_is_told_once_of_a_contested_transfer(
    network: Network, police: Client, kemenpppa: Client, child: str
) -> None:
    offer = an_offer(child, PPA)
    await say(network, offer, "kemenpppa", 1, 1)
    await until_custody(kemenpppa, offer.referral_id, "contested")
    true = await a_transfer(police, child, kemenpppa)
    asked = await kemenpppa.post(f"/v1/referrals/{true}/custody-check")
    assert asked.status_code == 202, asked.text
    await until_custody(kemenpppa, true, "confirmed")
    assert findings(await kemenpppa.get(f"/v1/referrals/{offer.referral_id}/history")) == ["contested"]


async def test_only_the_receiver_of_an_open_transfer_asks(police: Client, kemenpppa: Client, child: str) -> None:
    transfer = await a_transfer(police, child, kemenpppa)
    by_sender = await police.post(f"/v1/referrals/{transfer}/custody-check")
    assert problem(by_sender) == "not-your-move"
    unknown = await police.post(f"/v1/referrals/{new_id()}/custody-check")
    assert problem(unknown) == "unknown-referral"
    await kemenpppa.must(transfer, "accept")
    again = await kemenpppa.act(transfer, "accept")
    assert problem(again) == "move-not-allowed"
    too_late = await kemenpppa.post(f"/v1/referrals/{transfer}/custody-check")
    assert (too_late.status_code, problem(too_late)) == (409, "not-an-open-transfer")


async def test_a_word_that_arrives_before_its_transfer_waits_for_it(
    network: Network, kemenpppa: Client, child: str
) -> None:
    await network.stop("coordination")
    offer = an_offer(child, PPA)
    word = e.CustodyChecked(
        referral_id=offer.referral_id,
        victim_id=child,
        occurred_at=network.clock(),
        offered_by="kemensos",
        custody_seq=2,
        finding=CustodyFinding.CONTESTED,
    )
    await say(network, word, "kemenpppa", 50, by="coordination")
    await until_parked(network, "kemenpppa", "unknown-referral")
    await say(network, offer, "kemenpppa", 1, 1)
    await until_custody(kemenpppa, offer.referral_id, "contested")
