"""An erasure or a withdrawal counts by right: of the custody holder, or of the giver about what it gave. TRUST 3."""

import base64
import json
from itertools import pairwise
from typing import Any

import pytest

from shared.contracts.events import ConsentWithdrawn, ErasureRequested, SignedEvent
from shared.domain.access import Role
from shared.messaging.broker import Incoming
from shared.reference.office import new_id
from tests.support.by_hand import deliver, parked, posted, request_of, said
from tests.support.identities import NAMED, NOTE, WHO, consent, given_and_received, keys_left, look, notes
from tests.support.network import Client, Network, a_victim, erase, refer

PHONE = {"phone": "+628000000077"}
HOUSE = {"address": "Jalan Rekaan 12", "safe_house": "Rumah rekaan 12"}
ERASURE, WITHDRAWAL = "id.tppo.erasure.requested.v1", "id.tppo.consent.withdrawn.v1"


def desk(network: Network, code: str) -> Any:
    return network.apps[code].state.office.speaker(network.clock().date())


def erasing(network: Network, by: str, victim: str, erasure_id: str | None = None, **more: Any) -> ErasureRequested:
    named = {"erasure_id": erasure_id or new_id(), "victim_id": victim, "unit": desk(network, by)}
    return ErasureRequested(**named, occurred_at=network.clock(), **more)


def told(network: Network, by: str, to: str, kind: str = ERASURE) -> list[dict[str, Any]]:
    """What a member has told another of this type."""
    bodies = [json.loads(message.body) for message in posted(network, by, to)]
    return [dict(body["data"]) for body in bodies if body["type"] == kind]


def exchange(network: Network, *links: str) -> None:
    """Deliver everything that was posted on these links so far; what was delivered before is a repetition."""
    for link in links:
        by, _, to = link.partition(">")
        deliver(network, *posted(network, by, to), to=to)


async def a_chain(network: Network) -> tuple[str, Client, Client, Client]:
    """The police found her; Kemenkes works for the police, Kemensos for Kemenkes; both wrote down more. TRUST 3, 1."""
    police, kemenkes = network["police"], network["kemenkes"]
    kemensos = await network.start("kemensos", online=False)
    victim = await a_victim(police, identity=WHO)
    asked = await refer(police, victim, "kemenkes", "examination-and-treatment")
    exchange(network, "police>kemenkes")
    for action in ("accept", "start"):
        await kemenkes.must(asked, action)
    assert (await kemenkes.post(f"/v1/victims/{victim}/identity", PHONE)).status_code == 200
    onward = await refer(kemenkes, victim, "kemensos", "shelter-and-rehabilitation")
    exchange(network, "kemenkes>police", "kemenkes>kemensos")
    for action in ("accept", "start"):
        await kemensos.must(onward, action)
    assert (await kemensos.post(f"/v1/victims/{victim}/identity", HOUSE)).status_code == 200
    exchange(network, "kemensos>kemenkes")
    return victim, police, kemenkes, kemensos


async def all_know(victim: str, *clients: Client) -> list[Any]:
    return [await look(client, victim) for client in clients]


# --- the word of a stranger -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("gives", [None, {"name": "Rekaan Saja"}], ids=["nothing given", "something given"])
async def test_a_stranger_who_only_asked_has_nothing_of_others_erased_anywhere(two: Network, gives: Any) -> None:
    """TRUST 3, step 2: KemenPPPA has no part in her, and says so to Kemenkes in two events."""
    victim, *clients = await a_chain(two)
    await two.start("kemenpppa", online=False)
    before = await all_know(victim, *clients)
    request = request_of(two, "kemenpppa", "kemenkes", victim, gives, service="first-aid")
    deliver(two, request, said(two, "kemenpppa", "kemenkes", erasing(two, "kemenpppa", victim)))
    exchange(two, "kemenkes>kemensos", "kemenkes>police")
    assert await all_know(victim, *clients) == before
    assert told(two, "kemenkes", "kemensos") == []
    assert (("not-theirs-to-say", False, False) in parked(two)) is (gives is None)


async def test_a_stranger_has_nothing_erased_by_way_of_the_police(two: Network) -> None:
    """TRUST 3, step 3: the request names a desk that does not exist, so that the service rejects it by itself."""
    victim, *clients = await a_chain(two)
    await two.start("kemenpppa", online=False)
    before = await all_know(victim, *clients)
    nowhere = desk(two, "police").model_copy(update={"unit": "polres-99.99"})
    request = request_of(two, "kemenpppa", "police", victim, {"name": "Rekaan"}, receiver=nowhere)
    deliver(two, request, said(two, "kemenpppa", "police", erasing(two, "kemenpppa", victim)), to="police")
    exchange(two, "police>kemenkes", "kemenkes>kemensos")
    assert await all_know(victim, *clients) == before and told(two, "police", "kemenkes") == []


async def test_coordination_has_nothing_erased(two: Network) -> None:
    """TRUST 3, step 6, and TRUST 2, step 5: it knows every id that there is."""
    victim, *clients = await a_chain(two)
    await two.start("coordination", online=False)
    before = await all_know(victim, *clients)
    request = request_of(two, "coordination", "police", victim, {"name": "Rekaan"})
    deliver(two, request, said(two, "coordination", "police", erasing(two, "coordination", victim)), to="police")
    exchange(two, "police>kemenkes", "kemenkes>kemensos")
    assert await all_know(victim, *clients) == before
    assert ("not-theirs-to-say", False, False) in parked(two, "police")


# --- withdrawals ------------------------------------------------------------------------------------------------------


async def on_consent(network: Network) -> tuple[str, str]:
    """Kemenkes knows her on her consent, which the police recorded; answers her id and the consent's."""
    police, kemenkes = network["police"], network["kemenkes"]
    victim = await a_victim(police, identity=WHO)
    agreed = await consent(police, victim)
    asked = await refer(police, victim, "kemenkes", "first-aid", basis="consent")
    exchange(network, "police>kemenkes")
    await kemenkes.must(asked, "accept")
    exchange(network, "kemenkes>police")
    return victim, str(agreed["id"])


def withdrawing(network: Network, by: str, victim: str, consent_id: str) -> ConsentWithdrawn:
    return ConsentWithdrawn(
        consent_id=consent_id, victim_id=victim, unit=desk(network, by), occurred_at=network.clock()
    )


@pytest.mark.parametrize("named", ["a new id", "the true id"])
async def test_a_withdrawal_of_a_consent_on_which_nothing_was_given_is_parked(two: Network, named: str) -> None:
    """TRUST 3, step 4: a stranger withdraws "any new id" at the police, and at Kemenkes."""
    victim, agreed = await on_consent(two)
    police, kemenkes = two["police"], two["kemenkes"]
    await two.start("kemenpppa", online=False)
    consent_id = agreed if named == "the true id" else new_id()
    for to in ("police", "kemenkes"):
        request = request_of(two, "kemenpppa", to, victim, service="first-aid" if to == "kemenkes" else "investigation")
        word = said(two, "kemenpppa", to, withdrawing(two, "kemenpppa", victim, consent_id))
        deliver(two, request, word, to=to)
        assert ("not-theirs-to-say", False, False) in parked(two, to)
    exchange(two, "police>kemenkes")
    assert await look(kemenkes, victim) == NAMED and told(two, "police", "kemenkes", WITHDRAWAL) == []
    [kept] = (await police.get(f"/v1/victims/{victim}/consents"))["items"]
    assert kept["stands"] and {item["end"] for item in await given_and_received(police, victim)} == {None}


async def test_a_giver_takes_back_by_consent_only_what_it_gave_on_that_consent(two: Network) -> None:
    victim, agreed = await on_consent(two)
    word = said(two, "police", "kemenkes", withdrawing(two, "police", victim, new_id()))
    deliver(two, word)
    assert await look(two["kemenkes"], victim) == NAMED
    assert ("not-theirs-to-say", False, False) in parked(two)
    deliver(two, said(two, "police", "kemenkes", withdrawing(two, "police", victim, agreed)))
    assert await look(two["kemenkes"], victim) == "no-identity"


async def test_each_consent_under_which_something_was_given_is_taken_back_by_its_own_id(two: Network) -> None:
    """She agreed to more, so the first consent is replaced; what was given on it stands, until she withdraws."""
    victim, first = await on_consent(two)
    police = two["police"]
    second = (await consent(police, victim, fields=["name", "born_on", "phone"]))["id"]
    assert (await police.post(f"/v1/victims/{victim}/consents/withdrawal")).status_code == 200
    assert [word["consent_id"] for word in told(two, "police", "kemenkes", WITHDRAWAL)] == [first]
    assert second != first
    exchange(two, "police>kemenkes")
    assert keys_left(two, "kemenkes") == 0


async def test_over_the_custody_holder_nobody_else_takes_back(two: Network) -> None:
    """TRUST 3, step 5: KemenPPPA has the custody; Kemenkes says to the police that all be erased."""
    police, kemenkes = two["police"], two["kemenkes"]
    kemenpppa, kemensos = await two.start("kemenpppa", online=False), await two.start("kemensos", online=False)
    victim = await a_victim(police, identity=WHO)
    asked = await refer(police, victim, "kemenkes", "first-aid")
    exchange(two, "police>kemenkes")
    await kemenkes.must(asked, "accept")
    transfer = await refer(police, victim, "kemenpppa", "case-management", kind="transfer")
    exchange(two, "kemenkes>police", "police>kemenpppa")
    await kemenpppa.must(transfer, "accept")
    exchange(two, "kemenpppa>police")
    word = said(two, "kemenkes", "police", erasing(two, "kemenkes", victim))
    deliver(two, request_of(two, "kemenkes", "police", victim), word, to="police")
    exchange(two, "police>kemenpppa")
    assert {item["end"] for item in await given_and_received(kemenpppa, victim)} == {None}
    onward = await refer(kemenpppa, victim, "kemensos", "shelter-and-rehabilitation", kind="transfer")
    exchange(two, "kemenpppa>kemensos")
    await kemensos.must(onward, "accept")
    assert (await look(kemensos, victim))["name"] == WHO["name"]  # type: ignore[index]


# --- passing on -------------------------------------------------------------------------------------------------------


def decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def signed(message: Incoming, body: bytes | None = None) -> SignedEvent:
    """An event as it is enclosed in another."""

    def encoded(what: bytes) -> str:
        return base64.urlsafe_b64encode(what).decode().rstrip("=")

    assert message.signature is not None
    return SignedEvent(body=encoded(body or message.body), signature=encoded(message.signature.encode()))


async def test_an_erasure_goes_on_with_the_signed_event_inside_and_reaches_what_came_from_the_sender(
    two: Network,
) -> None:
    """The police erase her: Kemenkes everything, Kemensos what Kemenkes gave it, but not its own address."""
    victim, police, kemenkes, kemensos = await a_chain(two)
    await erase(two, "police", victim)
    exchange(two, "police>kemenkes")
    assert await all_know(victim, police, kemenkes) == ["no-identity"] * 2
    [word], [first] = told(two, "kemenkes", "kemensos"), told(two, "police", "kemenkes")
    enclosed = next(message for message in posted(two) if json.loads(message.body)["type"] == ERASURE)
    assert decoded(word["original"]["body"]) == enclosed.body
    assert decoded(word["original"]["signature"]).decode() == enclosed.signature
    assert word["erasure_id"] == first["erasure_id"]
    exchange(two, "kemenkes>kemensos")
    assert await look(kemensos, victim) == HOUSE
    assert parked(two, "kemensos") == parked(two) == []

    # each of both lists who said it, and who passed it on
    for code, passed_on_by in (("kemenkes", None), ("kemensos", "kemenkes")):
        head = await two.calling(code, Role.SUPERVISOR)
        [listed] = (await head.get("/v1/erasures"))["items"]
        assert (listed["erasure_id"], listed["victim_id"]) == (first["erasure_id"], victim)
        assert (listed["cause"], listed["said_by"], listed["passed_on_by"]) == ("erasure", "police", passed_on_by)
        assert (listed["end"], listed["asked_by"]) == ("erased", None)


async def test_what_the_next_one_did_not_have_from_the_sender_is_not_passed_on_for_it(two: Network) -> None:
    """KemenPPPA gave Kemenkes something after Kemenkes had asked Kemensos; it takes back just that."""
    victim, _, kemenkes, _ = await a_chain(two)
    await two.start("kemenpppa", online=False)
    request = request_of(two, "kemenpppa", "kemenkes", victim, {"name": "Kenanga Rekaan"}, service="first-aid")
    deliver(two, request)
    [later] = [
        item for item in (await kemenkes.get("/v1/referrals"))["items"] if item["sender"]["agency"] == "kemenpppa"
    ]
    await kemenkes.must(later["id"], "accept")
    deliver(two, said(two, "kemenpppa", "kemenkes", erasing(two, "kemenpppa", victim)))
    assert told(two, "kemenkes", "kemensos") == []
    known = await look(kemenkes, victim)
    assert known == {**{name: WHO[name] for name in ("name", "nik", "born_on")}, **PHONE}
    head = await two.calling("kemenkes", Role.SUPERVISOR)
    [listed] = (await head.get("/v1/erasures"))["items"]
    assert (listed["said_by"], listed["end"]) == ("kemenpppa", "erased")


async def broken_words(network: Network, victim: str) -> dict[str, ErasureRequested]:
    """Words of Kemenkes to Kemensos that claim to be passed on, and are not."""
    await network.start("kemenpppa", online=False)
    ident, clock = new_id(), network.clock()
    police = said(network, "police", "kemenkes", erasing(network, "police", victim, ident))
    elsewhere = said(network, "kemenpppa", "police", erasing(network, "kemenpppa", victim, ident))
    another = said(network, "police", "kemenkes", erasing(network, "police", new_id(), ident))
    changed = json.loads(police.body)
    changed["data"]["occurred_at"] = "2026-01-01T00:00:00.000000Z"
    withdrawn = ConsentWithdrawn(consent_id=ident, victim_id=victim, unit=desk(network, "police"), occurred_at=clock)
    inside = {
        "of another victim": signed(another),
        "changed": signed(police, json.dumps(changed).encode()),
        "not told to the sender": signed(elsewhere),
        "of another type": signed(said(network, "police", "kemenkes", withdrawn)),
        "no event": SignedEvent(body="AAAA", signature="AAAA"),
    }
    return {name: erasing(network, "kemenkes", victim, ident, original=original) for name, original in inside.items()}


async def test_a_word_that_is_passed_on_without_its_proof_is_parked(two: Network) -> None:
    victim, _, _, kemensos = await a_chain(two)
    before = await look(kemensos, victim)
    for name, word in (await broken_words(two, victim)).items():
        deliver(two, said(two, "kemenkes", "kemensos", word), to="kemensos")
        assert parked(two, "kemensos")[-1] == ("original-not-proven", False, False), name
    assert await look(kemensos, victim) == before


async def test_a_word_goes_through_three_hands_and_no_more(two: Network) -> None:
    victim, _, _, kemensos = await a_chain(two)
    ident = new_id()
    hands = ["police", "kemenkes"] * 2 + ["kemensos"]
    word = said(two, hands[0], hands[1], erasing(two, hands[0], victim, ident))
    for by, to in pairwise(hands[1:]):
        word = said(two, by, to, erasing(two, by, victim, ident, original=signed(word)))
    deliver(two, word, to="kemensos")
    assert parked(two, "kemensos") == []
    assert await look(kemensos, victim) == HOUSE
    hands = ["kemenkes", "police"] * 2 + ["kemenkes", "kemensos"]
    ident = new_id()
    word = said(two, hands[0], hands[1], erasing(two, hands[0], victim, ident))
    for by, to in pairwise(hands[1:]):
        word = said(two, by, to, erasing(two, by, victim, ident, original=signed(word)))
    deliver(two, word, to="kemensos")
    assert parked(two, "kemensos") == [("passed-on-too-often", False, False)]


async def test_where_the_custody_is_known_a_word_of_another_is_not_taken_from_who_passes_it_on(two: Network) -> None:
    """KemenPPPA has the custody. The police pass on, rightly signed, what Kemenkes has no right to say."""
    police = two["police"]
    kemenpppa = await two.start("kemenpppa", online=False)
    victim = await a_victim(police, identity=WHO)
    transfer = await refer(police, victim, "kemenpppa", "case-management", kind="transfer")
    exchange(two, "police>kemenpppa")
    await kemenpppa.must(transfer, "accept")
    word = said(two, "kemenkes", "police", erasing(two, "kemenkes", victim, ident := new_id()))
    passed_on = erasing(two, "police", victim, ident, original=signed(word))
    deliver(two, said(two, "police", "kemenpppa", passed_on), to="kemenpppa")
    assert parked(two, "kemenpppa") == [("not-theirs-to-say", False, False)]
    assert {item["end"] for item in await given_and_received(kemenpppa, victim)} == {None}


async def test_an_erasure_goes_back_along_the_chain_of_custody_to_who_found_her(two: Network) -> None:
    """Police, then KemenPPPA, then Kemensos, who erases her. The police know of KemenPPPA alone: the acceptance that
    Kemensos signed goes along."""
    police = two["police"]
    kemenpppa, kemensos = await two.start("kemenpppa", online=False), await two.start("kemensos", online=False)
    victim = await a_victim(police, identity=WHO)
    first = await refer(police, victim, "kemenpppa", "case-management", kind="transfer")
    exchange(two, "police>kemenpppa")
    await kemenpppa.must(first, "accept", note=NOTE)
    exchange(two, "kemenpppa>police")
    second = await refer(kemenpppa, victim, "kemensos", "shelter-and-rehabilitation", kind="transfer")
    exchange(two, "kemenpppa>kemensos")
    await kemensos.must(second, "accept")
    exchange(two, "kemensos>kemenpppa")
    await erase(two, "kemensos", victim)
    exchange(two, "kemensos>kemenpppa")
    assert keys_left(two, "kemenpppa") == 0
    [word] = told(two, "kemenpppa", "police")
    word.pop("custody")  # without it, this is the word of an agency that the police do not know
    other = ErasureRequested.model_validate_json(json.dumps(word))
    deliver(two, said(two, "kemenpppa", "police", other), to="police")
    assert ("not-theirs-to-say", False, False) in parked(two, "police") and keys_left(two, "police") > 0
    exchange(two, "kemenpppa>police")
    assert keys_left(two, "police") == 0


# --- what it wrote itself ---------------------------------------------------------------------------------------------


async def test_what_an_agency_wrote_itself_is_not_erased_by_one_of_two_who_asked(two: Network) -> None:
    victim, police, kemenkes, _ = await a_chain(two)
    await two.start("kemenpppa", online=False)
    request = request_of(two, "kemenpppa", "kemenkes", victim, {"name": "Kenanga Rekaan"}, service="first-aid")
    deliver(two, request)
    items = (await kemenkes.get("/v1/referrals"))["items"]
    [later] = [item["id"] for item in items if item["sender"]["agency"] == "kemenpppa"]
    await kemenkes.must(later, "accept", note=NOTE)
    deliver(two, said(two, "kemenpppa", "kemenkes", erasing(two, "kemenpppa", victim)))
    assert NOTE in await notes(kemenkes, later)
    assert (await look(kemenkes, victim))["phone"] == PHONE["phone"]  # type: ignore[index]
    assert await look(police, victim) == WHO
