"""An erasure by a sender that never had her bars no way back, and takes nothing of ours (decision 0040)."""

from datetime import UTC, datetime

import pytest

from shared.contracts import events as e
from shared.contracts.codes import CancellationReason
from shared.contracts.envelope import Envelope
from shared.domain.access import Role
from shared.reference.office import new_id
from tests.support.by_hand import request_of, said
from tests.support.claims import CHILD, GIVEN_BACK, PPA, RS, an_offer, say, until_custody
from tests.support.identities import look, until_disclosure
from tests.support.network import Client, Network, refer, taken_on
from tests.support.wire import until_parked

OWN = {"name": "Cempaka Contoh Rekaan", "phone": "+628000000009"}


async def deceived(network: Network, kemenpppa: Client, child: str) -> tuple[Client, e.Requested]:
    """Kemenkes, which never had her, sends a text with its offer. A supervisor of KemenPPPA believes it and accepts."""
    await network.start("kemenkes")
    sent = request_of(network, "kemenkes", "kemenpppa", child, {"name": "Rekaan Lain"}, kind="transfer", custody_seq=2,
                      service="case-management", facts=CHILD, sender=RS, receiver=PPA)  # fmt: skip
    offer = Envelope.read(sent.body).content()
    assert isinstance(offer, e.Requested)
    await until_custody(kemenpppa, offer.referral_id, "contested")
    head = await network.calling("kemenpppa", Role.SUPERVISOR)
    await head.must(offer.referral_id, "accept", note="Pengirim menelepon dan meyakinkan.")
    return head, offer


async def erasure_asked(network: Network, kemenpppa: Client, offer: e.Requested) -> None:
    """The false sender asks for the erasure of her, and hears an end of what it gave."""
    occurred_at = datetime.now(UTC)
    erase = e.ErasureRequested(erasure_id=new_id(), victim_id=offer.victim_id, unit=RS, occurred_at=occurred_at)
    said(network, "kemenkes", "kemenpppa", erase)
    await until_disclosure(kemenpppa, offer.victim_id, offer.referral_id, lambda one: one["end"] is not None)


@pytest.mark.parametrize("wrote", [False, True], ids=["nothing-of-its-own", "its-own-text"])
async def test_an_erasure_of_the_false_sender_does_not_bar_the_way_back(
    network: Network, police: Client, kemenpppa: Client, child: str, wrote: bool
) -> None:
    """Giving back counted the erasure anew, and ended in an error."""
    head, offer = await deceived(network, kemenpppa, child)
    if wrote:
        assert (await kemenpppa.post(f"/v1/victims/{child}/identity", OWN)).status_code == 200
    true = await refer(police, child, "kemenpppa", "case-management", kind="transfer")
    await until_parked(network, "kemenpppa", "custody-link-taken")
    await erasure_asked(network, kemenpppa, offer)

    given_back = await head.act(offer.referral_id, "reject", GIVEN_BACK)
    assert given_back.status_code == 200, given_back.text
    await kemenpppa.until_status(true, "received")
    await kemenpppa.must(true, "accept")
    if wrote:
        assert await look(kemenpppa, child) == OWN


@pytest.mark.parametrize("asks", [False, True], ids=["control", "asks-for-erasure"])
async def test_an_erasure_of_the_false_sender_hides_nothing_of_ours_under_a_hold(
    network: Network, police: Client, kemenpppa: Client, child: str, asks: bool
) -> None:
    """With a legal hold, the word of Kemenkes set aside the text that KemenPPPA wrote itself."""
    head, offer = await deceived(network, kemenpppa, child)
    assert (await kemenpppa.post(f"/v1/victims/{child}/identity", OWN)).status_code == 200
    hold = await head.post(f"/v1/victims/{child}/legal-holds", {"basis": "trial"})
    assert hold.status_code == 201, hold.text
    true = await refer(police, child, "kemenpppa", "case-management", kind="transfer")
    await until_parked(network, "kemenpppa", "custody-link-taken")
    if asks:
        await erasure_asked(network, kemenpppa, offer)
    await head.must(offer.referral_id, "reject", **GIVEN_BACK)
    await kemenpppa.until_status(true, "received")
    await kemenpppa.must(true, "accept")
    assert await look(kemenpppa, child) == OWN


async def test_the_false_sender_stands_for_no_holder_after_the_way_back(
    network: Network, police: Client, kemenpppa: Client, child: str
) -> None:
    """What KemenPPPA wrote itself stays. Another request of Kemenkes, which is rejected too, gives no more say."""
    head, offer = await deceived(network, kemenpppa, child)
    assert (await kemenpppa.post(f"/v1/victims/{child}/identity", OWN)).status_code == 200
    await head.must(offer.referral_id, "reject", **GIVEN_BACK)
    again = an_offer(child, PPA, None, sender=RS)
    await say(network, again, "kemenpppa", 30, 1, by="kemenkes")
    await kemenpppa.until_status(again.referral_id, "received")
    await kemenpppa.must(again.referral_id, "reject", reason="no-capacity")
    await erasure_asked(network, kemenpppa, offer)
    await taken_on(police, kemenpppa, child, "case-management", kind="transfer")
    assert await look(kemenpppa, child) == OWN


async def cancellation_asked(network: Network, kemenpppa: Client, offer: e.Requested, times: int) -> None:
    """Kemensos asks for a cancellation, so often at once. The service of KemenPPPA refuses each by itself."""
    for number in range(times):
        ask = e.CancellationRequested(referral_id=offer.referral_id, victim_id=offer.victim_id, ask_id=new_id(),
                                      occurred_at=datetime.now(UTC), reason=CancellationReason.NOT_NEEDED)  # fmt: skip
        await say(network, ask, "kemenpppa", 51 + number, 3)
    await kemenpppa.until(f"/v1/referrals/{offer.referral_id}", lambda seen: seen["version"] == 3 + times)


async def given_back_early(network: Network, kemenpppa: Client, child: str, asks: int = 0) -> None:
    """Kemensos offers link 3 too early. A supervisor of KemenPPPA accepts it, and gives it back."""
    early = an_offer(child, PPA, 3)
    await say(network, early, "kemenpppa", 50, 1)
    await until_custody(kemenpppa, early.referral_id, "unconfirmed")
    head = await network.calling("kemenpppa", Role.SUPERVISOR)
    await head.must(early.referral_id, "accept", note="Pengirim menelepon dan meyakinkan.")
    if asks:
        await cancellation_asked(network, kemenpppa, early, asks)
    else:
        await head.must(early.referral_id, "start")
    await head.must(early.referral_id, "reject", **GIVEN_BACK)


async def the_true_transfer_goes_elsewhere(network: Network, police: Client, child: str) -> None:
    """The police hand link 2 to Kemensos, and coordination shows it without a contradiction."""
    kemensos, centre = await network.start("kemensos"), network["coordination"]
    await taken_on(police, kemensos, child, "shelter-and-rehabilitation", kind="transfer")
    journey = await centre.until(f"/v1/journeys/{child}", lambda seen: seen["custody"]["agency"] != "police")
    assert (journey["custody"]["agency"], journey["contradictions"]) == ("kemensos", [])


@pytest.mark.parametrize("asks", [1, 2])
async def test_a_cancellation_asked_in_between_does_not_return_given_back_custody(
    network: Network, police: Client, kemenpppa: Client, child: str, asks: int
) -> None:
    """Two at once are worse: coordination knows the second as the open one, when the first is refused."""
    await given_back_early(network, kemenpppa, child, asks)
    await the_true_transfer_goes_elsewhere(network, police, child)


async def test_custody_that_was_given_back_does_not_return_at_coordination(
    network: Network, police: Client, kemenpppa: Client, child: str
) -> None:
    await given_back_early(network, kemenpppa, child)
    await the_true_transfer_goes_elsewhere(network, police, child)
