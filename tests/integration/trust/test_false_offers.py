"""Ways around the word of coordination about the custody of a sender (decision 0040)."""

from datetime import timedelta

import pytest

from shared.contracts import events as e
from shared.contracts.types import UnitRef
from shared.domain.access import Role
from shared.messaging.broker import Incoming
from tests.support.by_hand import deliver, posted
from tests.support.claims import (
    DINSOS,
    HERE,
    POLRES,
    PPA,
    THERE,
    a_transfer,
    an_offer,
    arrive,
    letter,
    said_to,
    say,
    until_custody,
)
from tests.support.letters import SLIP, printed, slip_of
from tests.support.network import Client, Network, problem
from tests.support.wire import until_parked

KOLAKA = "polres-74.01"
PPA_MAKASSAR = UnitRef(agency="kemenpppa", unit="uptd-ppa-73.71", region="73.71")


@pytest.mark.parametrize("seq", [3, 10_000])
async def test_a_stranger_that_numbers_its_offer_further_is_contested_too(
    network: Network, kemenpppa: Client, child: str, seq: int
) -> None:
    """The sender does not hold the link before (0040), whatever number it writes."""
    offer = an_offer(child, PPA, seq)
    await say(network, offer, "kemenpppa", 1, 1)
    await until_parked(network, "coordination", "not-in-custody")
    await until_custody(kemenpppa, offer.referral_id, "unconfirmed")
    accepted = await kemenpppa.act(offer.referral_id, "accept")
    assert accepted.status_code == 409, (await kemenpppa.get(f"/v1/victims/{child}"))["custody"]


async def test_an_offer_of_a_stranger_moves_no_custody_that_we_hold_by_now(
    network: Network, police: Client, kemenpppa: Client, child: str
) -> None:
    """The offer came before the true transfer. Our own chain says by now that nobody else can offer her."""
    false = an_offer(child, PPA_MAKASSAR, 10_000)
    await say(network, false, "kemenpppa", 1, 1)
    await kemenpppa.until_status(false.referral_id, "received")
    true = await a_transfer(police, child, kemenpppa)
    await kemenpppa.must(true, "accept")
    officer = await network.calling("kemenpppa", Role.OFFICER, "uptd-ppa-73.71")
    accepted = await officer.act(false.referral_id, "accept")
    seen = await kemenpppa.get(f"/v1/victims/{child}")
    assert (seen["custody"]["unit"], seen["custody_seq"]) == ("uptd-ppa-74.01", 2), accepted.status_code


async def test_a_false_offer_with_the_id_of_a_true_transfer_does_not_contest_it(
    network: Network, police: Client, kemenpppa: Client, child: str
) -> None:
    true = await a_transfer(police, child, kemenpppa)
    false = an_offer(child, PPA, referral_id=true)
    await say(network, false, "kemenpppa", 1, 1)
    await until_parked(network, "coordination", "not-the-holder")
    await until_parked(network, "kemenpppa", "referral-id-taken")
    await kemenpppa.post(f"/v1/referrals/{true}/custody-check")
    seen = await kemenpppa.until(f"/v1/referrals/{true}", lambda seen: seen["sender_custody"] != "unknown")
    assert seen["sender_custody"] == "confirmed"
    assert (await kemenpppa.act(true, "accept")).status_code == 200


@pytest.mark.parametrize("noise", ["question", "offer"])
async def test_a_receiver_is_told_whatever_else_arrives_in_the_same_moment(
    network: Network, police: Client, kemenpppa: Client, child: str, noise: str
) -> None:
    """A question, or an offer to somebody else, with the same id: in one batch at coordination."""
    offer = an_offer(child, PPA)
    if noise == "question":
        other = e.CustodyAsked(
            referral_id=offer.referral_id,
            victim_id=child,
            occurred_at=network.clock() - timedelta(seconds=1),
            unit=HERE,
        )
        first = letter(network, "kemensos", "coordination", other, 1)
    else:
        elsewhere = an_offer(child, POLRES, referral_id=offer.referral_id)
        first = letter(network, "kemensos", "police", elsewhere, 1, 1)
    arrive(network, "coordination", first, letter(network, "kemensos", "kemenpppa", offer, 1, 1))
    assert said_to(network, "kemenpppa") == ["contested"]


async def test_a_former_holder_that_uses_an_id_again_is_contested(
    network: Network, police: Client, kemenpppa: Client, child: str
) -> None:
    """Police → KemenPPPA is accepted. The police then offer the same link, with the same id, to Kemensos."""
    kemensos = await network.start("kemensos")
    true = await a_transfer(police, child, kemenpppa)
    await kemenpppa.must(true, "accept")
    await network["coordination"].until(f"/v1/journeys/{child}", lambda seen: seen["custody"]["agency"] == "kemenpppa")
    await network.stop("police")
    again = an_offer(child, DINSOS, 2, service="shelter-and-rehabilitation", sender=POLRES, referral_id=true)
    await say(network, again, "kemensos", 1, 1, by="police")
    await kemensos.until_status(true, "received")
    await until_parked(network, "coordination", "referral-id-taken")
    assert said_to(network, "kemensos") == ["contested"]
    await until_custody(kemensos, true, "contested")
    assert problem(await kemensos.act(true, "accept")) == "custody-contested"


@pytest.mark.parametrize("seq", [2, 3])
async def test_an_agency_learns_nothing_of_a_chain_from_an_offer_to_itself(
    network: Network, child: str, police: Client, seq: int
) -> None:
    """An answer for every number would say how often she was handed over."""
    offer = an_offer(child, THERE, seq)
    asked = e.CustodyAsked(
        referral_id=offer.referral_id, victim_id=child, occurred_at=network.clock() - timedelta(seconds=1), unit=HERE
    )
    arrive(network, "coordination", letter(network, "kemensos", "kemensos", offer, 1, 1))
    arrive(network, "coordination", letter(network, "kemensos", "coordination", asked, 1))
    assert said_to(network, "kemensos") == []


async def test_a_question_that_arrives_after_the_acceptance_contests_nothing(
    network: Network, police: Client, kemenpppa: Client, child: str
) -> None:
    """KemenPPPA asked, then accepted; its links to coordination and to the police are two."""
    true = await a_transfer(police, child, kemenpppa)
    await network.stop("coordination")
    asked = await kemenpppa.post(f"/v1/referrals/{true}/custody-check")
    assert asked.status_code == 202
    [question] = [one for one in posted(network, "kemenpppa", "coordination") if b"custody-asked" in one.body]
    await kemenpppa.must(true, "accept")
    accepted = posted(network, "kemenpppa", "police")
    await network.start("coordination", online=False)
    deliver(network, *posted(network, "police", "kemenpppa"), *accepted, to="coordination")
    deliver(network, question, to="coordination")
    assert said_to(network, "kemenpppa") == []


@pytest.mark.parametrize("role", [Role.OFFICER, Role.SUPERVISOR])
async def test_a_contested_transfer_is_accepted_on_paper_with_a_reason_alone(
    network: Network, kemenpppa: Client, child: str, role: Role
) -> None:
    offer = an_offer(child, PPA)
    await say(network, offer, "kemenpppa", 1, 1)
    await until_custody(kemenpppa, offer.referral_id, "contested")
    slip = await printed(kemenpppa, offer.referral_id, SLIP)
    someone = await network.calling("kemenpppa", role)
    answer = await someone.post(f"/v1/referrals/{offer.referral_id}/paper-answer", slip_of(slip, network.clock()))
    assert answer.status_code == 409, (role, answer.text)


async def test_a_question_asked_again_while_it_is_open_is_told_once(
    network: Network, police: Client, kemenpppa: Client, child: str
) -> None:
    true = await a_transfer(police, child, kemenpppa)
    await network.stop("coordination")
    for _ in range(20):
        assert (await kemenpppa.post(f"/v1/referrals/{true}/custody-check")).status_code == 202
    asked = [one for one in posted(network, "kemenpppa", "coordination") if b"custody-asked" in one.body]
    assert len(asked) == 1


@pytest.mark.parametrize("word", ["confirmed", "contested"])
async def test_the_entity_tag_with_coordinations_word_serves_every_action(
    network: Network, police: Client, kemenpppa: Client, child: str, word: str
) -> None:
    if word == "contested":
        referral = an_offer(child, PPA)
        await say(network, referral, "kemenpppa", 1, 1)
        transfer = referral.referral_id
    else:
        transfer = await a_transfer(police, child, kemenpppa)
        await kemenpppa.post(f"/v1/referrals/{transfer}/custody-check")
    await until_custody(kemenpppa, transfer, word)
    head = await network.calling("kemenpppa", Role.SUPERVISOR)
    for action, body in (
        ("accept", {"note": "Rekaan."}),
        ("start", {}),
        ("hold", {"reason": "awaiting-information"}),
        ("resume", {}),
        ("complete", {"outcome": "service-provided"}),
    ):
        tag = (await head.http.get(f"/v1/referrals/{transfer}")).headers["etag"]
        done = await head.act(transfer, action, body, tag)
        assert done.status_code == 200, (action, done.text)


async def test_who_refused_a_transfer_does_not_learn_by_asking_that_she_was_moved(
    network: Network, police: Client, kemenpppa: Client, child: str
) -> None:
    kemensos = await network.start("kemensos")
    first = await a_transfer(police, child, kemensos, "shelter-and-rehabilitation")
    await kemensos.must(first, "reject", reason="no-capacity")
    await police.until_status(first, "rejected")
    true = await a_transfer(police, child, kemenpppa)
    await network["coordination"].until(
        f"/v1/journeys/{child}", lambda seen: {one["status"] for one in seen["handovers"]} == {"rejected", "received"}
    )

    def asked(number: int) -> Incoming:
        about = e.CustodyAsked(
            referral_id=first, victim_id=child, occurred_at=network.clock() - timedelta(seconds=1), unit=HERE
        )
        return letter(network, "kemensos", "coordination", about, number)

    arrive(network, "coordination", asked(900))
    await kemenpppa.must(true, "accept")
    await network["coordination"].until(f"/v1/journeys/{child}", lambda seen: seen["custody"]["agency"] == "kemenpppa")
    arrive(network, "coordination", asked(901))
    assert said_to(network, "kemensos") == []


@pytest.mark.parametrize("note", [" ", "\n \n", "\u200b"])
async def test_an_empty_note_is_none(network: Network, kemenpppa: Client, child: str, note: str) -> None:
    offer = an_offer(child, PPA)
    await say(network, offer, "kemenpppa", 1, 1)
    await until_custody(kemenpppa, offer.referral_id, "contested")
    head = await network.calling("kemenpppa", Role.SUPERVISOR)
    accepted = await head.act(offer.referral_id, "accept", {"note": note})
    assert accepted.status_code != 200
